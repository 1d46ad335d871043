"""Grouping sets of every kind are answered as DuckDB answers them, with noise off, or refused."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.price import Options
from tests.parity import missing
from tests.plan.benches import bench
from tests.plan.test_levels import answered

FLIGHTS = (
    (
        "SELECT origin, month, GROUPING_ID(origin, month) AS g, VAR_SAMP(distance), "
        "CORR(distance, air_time), REGR_SLOPE(distance, air_time), AVG(DISTINCT hour), "
        "SUM(distance * hour) / SUM(distance), COUNT(*) FILTER (WHERE month > 6) "
        "FROM flights GROUP BY CUBE (origin, month) ORDER BY g DESC, GROUPING(month), 1, 2"
    ),
    (
        "SELECT origin, COUNT(*) FROM flights GROUP BY ROLLUP (origin) HAVING "
        "GROUPING(origin) = 0 OR COUNT(*) > 0 ORDER BY GROUPING(origin), 2 DESC LIMIT 2"
    ),
    (
        "SELECT origin, n, RANK() OVER (PARTITION BY g ORDER BY n DESC) FROM (SELECT origin, "
        "COUNT(*) AS n, GROUPING(origin) AS g FROM flights GROUP BY ROLLUP (origin))"
    ),
    (
        "SELECT origin, HISTOGRAM(hour, [6, 12, 18]), COUNT(*) FROM flights "
        "GROUP BY GROUPING SETS ((origin), ())"
    ),
    (
        "SELECT origin, MEDIAN(hour), QUANTILE_DISC(hour, 0.5) + 1 AS x FROM flights "
        "GROUP BY ROLLUP (origin) HAVING MEDIAN(hour) > 3 ORDER BY x"
    ),
)
MOBILITY = (
    (
        "SELECT a.province, a.area, COUNT(p.device_id), COUNT(DISTINCT p.device_id) "
        "FROM areas a LEFT JOIN pings p ON p.area = a.area GROUP BY ROLLUP (1, a.area)"
    ),
    (
        "SELECT d.operator, p.kind, COUNT(DISTINCT p.device_id), COUNT(*) FROM devices d "
        "JOIN pings p USING (device_id) GROUP BY CUBE (d.operator, p.kind)"
    ),
)


@pytest.mark.parametrize(
    ("name", "sql"),
    [*(("nycflights13", sql) for sql in FLIGHTS), *(("slack mobility", sql) for sql in MOBILITY)],
)
def test_sets_are_answered_as_duckdb_answers_them(name: str, sql: str) -> None:
    one = bench(name)
    _, got = one.answer(sql)
    _, expected = one.expected(sql)
    assert not missing(expected, got)


@pytest.mark.parametrize(
    ("sql", "options", "code"),
    [
        (
            "SELECT COUNT(*) FROM areas a LEFT JOIN pings p USING (area) GROUP BY ROLLUP (a.area)",
            Options(),
            "public-rows-kept",
        ),
        (
            "SELECT device_id // 10 AS d, COUNT(*) FROM pings GROUP BY ROLLUP (d)",
            Options(),
            "unit-id-used",
        ),
        (
            "SELECT kind, COUNT(*) FROM pings GROUP BY ROLLUP (kind)",
            Options(other=True),
            "no-other-row",
        ),
    ],
)
def test_what_is_refused_says_why(sql: str, options: Options, code: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("mobility").plan(sql, options)
    assert refused.value.hint
    assert refused.value.code == code


def test_what_is_computed_of_held_numbers_lies_between_its_margins() -> None:
    sql = (
        "SELECT dest, origin, COUNT(DISTINCT tailnum) AS u, u * 1.5 AS x, u > 40 AS many "
        "FROM flights GROUP BY ROLLUP (dest, origin)"
    )
    answer = answered(sql, 5)
    at_the_end = 0
    for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
        assert low[3] <= row[3] <= high[3]  # type: ignore[operator]
        at_the_end += row[3] in (low[3], high[3])
    assert 0 < at_the_end < len(answer.rows)

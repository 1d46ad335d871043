"""Counts over SELECT DISTINCT of everybody: what they are, and what is refused."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import missing
from tests.plan.benches import bench

COUNTED = (
    "SELECT COUNT(*) FROM (SELECT DISTINCT origin, dest FROM flights) AS routes",
    "SELECT origin, COUNT(*) FROM (SELECT DISTINCT origin, dest FROM flights) GROUP BY origin",
    """SELECT COUNT(*), COUNT(dep_delay), COUNT(*) FILTER (WHERE dep_delay > 10),
       COUNT_IF(dep_delay < 0) FROM (SELECT DISTINCT dep_delay FROM flights)""",
    """WITH d(a, b) AS (SELECT DISTINCT dep_delay, origin FROM flights WHERE month < 4)
       SELECT COUNT(*), COUNT(a), COUNT(DISTINCT a) FROM d WHERE a < 20 OR a IS NULL""",
    "SELECT COUNT(*) FROM (SELECT DISTINCT dep_delay FROM flights) WHERE dep_delay IS NOT NULL",
    """SELECT COUNT(*) FROM (SELECT DISTINCT a.tzone, f.origin FROM flights f
       JOIN airports a ON a.faa = f.dest)""",
    "SELECT d.o, COUNT(*) FROM (SELECT DISTINCT origin, dest FROM flights) AS d(o, p) GROUP BY 1",
    "SELECT COUNT(*) FROM (SELECT DISTINCT tailnum, origin FROM flights)",
    "SELECT COUNT(*) FROM (SELECT DISTINCT tzone FROM airports)",
)
REFUSED = (
    "SELECT SUM(dep_delay) FROM (SELECT DISTINCT dep_delay, origin FROM flights)",
    """SELECT COUNT(*) FROM (SELECT DISTINCT dest FROM flights) AS d
       JOIN airports AS a ON a.faa = d.dest""",
    "SELECT COUNT(*) FROM (SELECT DISTINCT dest FROM flights LIMIT 5)",
    "SELECT COUNT(*) FROM (SELECT origin FROM (SELECT DISTINCT origin, dest FROM flights))",
    """SELECT COUNT(*) FROM flights
       WHERE dest IN (SELECT dest FROM (SELECT DISTINCT dest, origin FROM flights))""",
)


@pytest.mark.parametrize("sql", COUNTED)
def test_distinct_rows_of_everybody_are_counted(sql: str) -> None:
    flights = bench("nycflights13")
    found = flights.answer(sql)[1]
    assert missing(flights.expected(sql)[1], found) == []


def test_null_is_one_of_the_rows() -> None:
    """A row of NULL is a distinct row, where COUNT(DISTINCT x) leaves it out."""
    sql = "SELECT COUNT(*) - COUNT(x) FROM (SELECT DISTINCT NULLIF(score, 0) AS x FROM visits)"
    assert bench("clinic").answer(sql)[1] == [(1,)]


@pytest.mark.parametrize("sql", REFUSED)
def test_what_is_no_count_of_them_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("nycflights13").plan(sql)
    assert refused.value.code in ("across-units", "names-persons")

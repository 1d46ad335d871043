"""Subqueries in expressions mean what DuckDB means, NULLs and empty ones included."""

from __future__ import annotations

import pytest

from queries.language.refusals import NamesPersons, QueryRefused, UnitCompared
from tests.parity import missing
from tests.plan.benches import bench

AVERAGE = "(SELECT AVG(dep_delay) FROM flights)"
OWN = "FROM flights g WHERE g.tailnum = f.tailnum"
NOWHERE = "SELECT arr_delay FROM flights g WHERE g.tailnum = f.tailnum AND g.month > 12"
LATE = "SELECT g.arr_delay FROM flights g WHERE g.tailnum = f.tailnum AND g.month = 2 AND g.day = 8"
BUSY = "SELECT origin, dest FROM flights GROUP BY origin, dest HAVING COUNT(*) > 5000"

VALUES = (
    # over everybody, released first
    f"SELECT COUNT(*) FROM flights WHERE dep_delay > {AVERAGE}",
    f"SELECT dep_delay > {AVERAGE} AS late, COUNT(*) FROM flights WHERE month < 3 GROUP BY late",
    f"SELECT COUNT(*) FILTER (WHERE dep_delay > {AVERAGE}) AS n, {AVERAGE} AS mean FROM flights",
    f"SELECT SUM(dep_delay - {AVERAGE}) AS s, COUNT(*) FROM flights WHERE month = 1",
    f"SELECT AVG(CASE WHEN dep_delay > {AVERAGE} THEN 1.0 ELSE 0 END) FROM flights",
    f"SELECT origin, COUNT(*) FROM flights GROUP BY 1 HAVING AVG(dep_delay) > {AVERAGE}",
    """SELECT COUNT(*) FROM flights
       WHERE dep_delay > (SELECT AVG(dep_delay) FROM flights WHERE month = 13)""",
    """SELECT COUNT(*) FROM flights WHERE month = (SELECT month FROM
       (SELECT month, COUNT(*) AS n FROM flights GROUP BY 1) ORDER BY n DESC, month LIMIT 1)""",
    """SELECT COUNT(*) FROM flights WHERE distance * 100 >
       (SELECT MAX(n) FROM (SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin))""",
    """WITH m AS (SELECT AVG(distance) AS d, COUNT(*) AS n FROM flights)
       SELECT COUNT(*) FROM flights, m WHERE distance > d AND n > 5""",
    """SELECT COUNT(*) FROM (SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum) AS t
       WHERE n > (SELECT COUNT(*) * 1.0 / COUNT(DISTINCT tailnum) FROM flights)""",
    # over everybody, for each key
    """SELECT origin, COUNT(*) FROM flights f WHERE dep_delay >
       (SELECT AVG(g.dep_delay) FROM flights g WHERE g.origin = f.origin) GROUP BY origin""",
    """SELECT COUNT(*) FROM flights f WHERE distance < (SELECT COUNT(*) FROM flights g
       WHERE g.origin = f.origin AND g.month = f.month AND g.dep_delay > 120)""",
    """SELECT a.faa, a.alt FROM airports a WHERE a.alt <
       (SELECT COUNT(*) FROM flights f WHERE f.dest = a.faa)""",
    """SELECT a.faa FROM airports a WHERE a.tz > -6 AND a.alt <
       (SELECT SUM(distance) / 100 FROM flights f WHERE f.dest = a.faa AND month < 3)""",
    """SELECT SUM(distance) FROM flights f, airports a WHERE f.dest = a.faa AND a.alt > 1500
       AND f.dep_delay > (SELECT AVG(g.dep_delay) + 5 FROM flights g WHERE g.dest = a.faa)""",
    """SELECT SUM((SELECT COUNT(*) FROM flights g WHERE g.carrier = f.carrier AND g.day = 1) % 7)
       FROM flights f WHERE month = 2""",
    # within the unit
    f"SELECT COUNT(*) FROM flights f WHERE distance >= (SELECT MAX(g.distance) {OWN})",
    f"SELECT SUM((SELECT COUNT(*) {OWN} AND g.month < f.month)) FROM flights f WHERE day = 3",
    f"SELECT COUNT(*) FROM flights f WHERE (SELECT SUM(g.dep_delay) {OWN} AND g.day > 40) IS NULL",
    f"SELECT COUNT(*) FROM flights f WHERE 0 = (SELECT COUNT(*) {OWN} AND g.month = 13)",
    f"SELECT COUNT(*) FROM flights f WHERE (SELECT COUNT(*) {OWN} HAVING COUNT(*) > 400) > 0",
    f"SELECT COUNT(*) FROM flights f WHERE dep_delay > (SELECT 2 * AVG(g.dep_delay) + 60 {OWN})",
    # over public tables
    "SELECT COUNT(*) FROM flights WHERE distance > (SELECT MAX(alt) / 4 FROM airports)",
    "SELECT COUNT(*) FROM flights f WHERE (SELECT alt FROM airports a WHERE a.faa = f.dest) > 900",
    """SELECT COUNT(*) FROM flights f WHERE
       (SELECT COUNT(*) FROM airports a WHERE a.faa = f.dest AND a.alt > f.distance) = 0""",
    "SELECT COUNT(*) FROM flights WHERE distance > (SELECT alt FROM airports WHERE faa = 'DEN')",
    "SELECT COUNT(*) FROM flights WHERE distance > (SELECT 500 + 500)",
    """SELECT COUNT(*) FROM flights f WHERE
       (SELECT seats FROM planes p WHERE p.tailnum = f.tailnum) > 300""",
    # beside what is measured
    """SELECT f.dest, COUNT(*) / (SELECT a.alt + 1 FROM airports a WHERE a.faa = f.dest) AS x
       FROM flights f WHERE f.dest IN ('DEN', 'LAX', 'PHX') GROUP BY f.dest""",
    """SELECT f.origin, COUNT(*) FROM flights f GROUP BY f.origin HAVING EXISTS
       (SELECT 1 FROM airports a WHERE a.faa = f.origin AND a.alt < 15)""",
    """SELECT f.month, COUNT(*) AS n, (SELECT COUNT(*) FROM flights g WHERE g.month = f.month
       AND g.origin = 'JFK') AS jfk FROM flights f GROUP BY f.month""",
    """SELECT a.tz, (SELECT SUM(b.alt) FROM airports b WHERE b.tz = a.tz) AS alt, COUNT(*) AS n
       FROM flights f JOIN airports a ON a.faa = f.dest GROUP BY a.tz""",
    """SELECT origin, ANY_VALUE(origin) AS a, MAX(origin) AS b, COUNT(*) AS n FROM flights
       GROUP BY origin""",
    """SELECT month // 4 AS third, FIRST(month // 4) AS same, COUNT(*) AS n FROM flights
       GROUP BY month // 4 HAVING MIN(month // 4) > 0""",
)
CONDITIONS = (
    "dest NOT IN (SELECT faa FROM airports)",
    "(tailnum, time_hour) IN (SELECT tailnum, MAX(time_hour) FROM flights GROUP BY tailnum)",
    "(tailnum, arr_delay) NOT IN (SELECT tailnum, MAX(arr_delay) FROM flights GROUP BY tailnum)",
    """((tailnum, arr_delay) IN
        (SELECT tailnum, MAX(dep_delay) FROM flights GROUP BY tailnum)) IS NULL""",
    "(dest, 1 + 4) IN (SELECT faa, -tz FROM airports)",
    "(dest, month) NOT IN (SELECT faa, NULLIF(-tz, 5) FROM airports)",
    "dest IN (SELECT faa FROM airports) IS NOT TRUE",
    f"f.arr_delay NOT IN ({NOWHERE})",
    f"f.arr_delay NOT IN ({LATE})",
    f"f.arr_delay IN ({LATE})",
    f"(f.arr_delay IN ({LATE})) IS NULL",
    f"f.arr_delay > ALL ({LATE})",
    f"(f.arr_delay > ALL ({LATE})) IS NULL",
    f"f.arr_delay > ALL ({NOWHERE})",
    f"f.arr_delay <= ANY ({LATE})",
    f"(f.arr_delay = SOME ({LATE})) IS NULL",
    f"f.arr_delay <> ANY ({NOWHERE})",
    "f.distance > ANY (SELECT alt FROM airports WHERE tz = -10)",
    "NOT f.distance > ALL (SELECT alt FROM airports WHERE tz = -10)",
    f"dest IN (SELECT dest FROM ({BUSY}) AS b WHERE origin = 'JFK')",
    "carrier IN (SELECT carrier FROM flights GROUP BY carrier HAVING COUNT(*) > 20000)",
    "carrier NOT IN (SELECT carrier FROM flights WHERE distance > 2000)",
    "carrier NOT IN (SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(*) DESC LIMIT 3)",
    "CASE WHEN carrier IN (SELECT carrier FROM airlines WHERE name LIKE 'A%') THEN day END > 5",
)
SOURCES = (
    f"SELECT f.carrier, COUNT(*) FROM flights f JOIN ({BUSY}) b USING (origin, dest) GROUP BY 1",
    """WITH m AS (SELECT origin, AVG(dep_delay) AS mean FROM flights GROUP BY origin)
       SELECT m.origin, COUNT(*), SUM(f.dep_delay - m.mean) FROM flights f JOIN m
       ON m.origin = f.origin WHERE f.dep_delay > m.mean GROUP BY m.origin""",
    """WITH m AS (SELECT origin, COUNT(*) AS n FROM flights GROUP BY 1 HAVING COUNT(*) > 110000)
       SELECT m.n IS NULL AS small, COUNT(*) FROM flights f LEFT JOIN m ON m.origin = f.origin
       GROUP BY small""",
    """WITH a AS (SELECT month, COUNT(*) AS n FROM flights GROUP BY month),
       b AS (SELECT month FROM a WHERE n > (SELECT AVG(n) FROM a))
       SELECT COUNT(*) FROM flights WHERE month IN (SELECT month FROM b)""",
    """WITH s AS (SELECT origin, AVG(distance) AS d FROM flights GROUP BY origin),
       t AS (SELECT f.origin, COUNT(*) AS n FROM flights f JOIN s USING (origin)
             WHERE f.distance > s.d GROUP BY f.origin)
       SELECT COUNT(*) FROM flights f JOIN t ON t.origin = f.origin WHERE f.distance * 50 > t.n""",
)


def _agree(sql: str) -> None:
    flights = bench("nycflights13")
    names, expected = flights.expected(sql)
    got_names, got = flights.answer(sql)
    assert got_names == names
    assert not missing(expected, got)
    assert all(row[-1] in (None, 0) for row in missing(got, expected))


@pytest.mark.parametrize("sql", VALUES)
def test_a_value_is_that_of_duckdb(sql: str) -> None:
    _agree(sql)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_is_that_of_duckdb(condition: str) -> None:
    _agree(f"SELECT COUNT(*) FROM flights f WHERE {condition}")


@pytest.mark.parametrize("sql", SOURCES)
def test_a_released_table_is_joined_on_its_keys(sql: str) -> None:
    _agree(sql)


def test_equal_values_are_one_draw() -> None:
    late = f"dep_delay > {AVERAGE}"
    sql = f"SELECT COUNT(*) FROM flights WHERE {late} AND arr_delay > {AVERAGE} - 1"
    assert len(bench().plan(sql).stages) == 2


def test_what_is_looked_up_by_a_public_key_is_released_for_the_keys_that_are_asked() -> None:
    sql = """SELECT SUM(distance) FROM flights f, airports a WHERE f.dest = a.faa AND a.faa = 'DEN'
        AND f.dep_delay > (SELECT AVG(g.dep_delay) FROM flights g WHERE g.dest = a.faa)"""
    assert bench().plan(sql).stages[0].listed == (("DEN",),)


@pytest.mark.parametrize(
    ("sql", "refusal"),
    [
        (
            """SELECT COUNT(*) FROM flights f WHERE 5 < (SELECT COUNT(*) FROM flights g
               WHERE g.tailnum || '' = f.tailnum || '')""",
            QueryRefused,
        ),
        (
            f"SELECT COUNT(*) FROM flights f WHERE 'N1' = (SELECT MIN(g.tailnum) {OWN})",
            UnitCompared,
        ),
        (
            """WITH t AS (SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum)
               SELECT tailnum FROM t WHERE n > (SELECT AVG(n) FROM t)""",
            NamesPersons,
        ),
    ],
)
def test_no_way_leads_around_the_unit(sql: str, refusal: type[QueryRefused]) -> None:
    with pytest.raises(refusal):
        bench().plan(sql)

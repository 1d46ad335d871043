"""Names, missing rows, constants and casts mean what DuckDB means by them, or are refused.

Each statement once meant something else, or is one step from one that did.
"""

from __future__ import annotations

from functools import cache

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import Bench, missing
from tests.properties.clinic import clinic

SAME = (
    # names of WITH are those that stood before it
    """WITH a AS (SELECT * FROM visits WHERE score > 0), b AS (SELECT * FROM a)
       SELECT COUNT(*) FROM (WITH a AS (SELECT * FROM people)
       SELECT b.visit FROM b JOIN a ON a.person = b.person) t""",
    """WITH people AS (SELECT * FROM visits WHERE score > 0), b AS (SELECT * FROM people)
       SELECT COUNT(*) FROM (WITH people AS (SELECT * FROM visits) SELECT visit FROM b) t""",
    "WITH visits AS (SELECT * FROM visits WHERE score > 0) SELECT COUNT(*) FROM visits",
    # what a LEFT JOIN does not find is NULL, computed columns too
    """SELECT COUNT(d.flag), COUNT(*), SUM(d.y) FROM people p LEFT JOIN
       (SELECT person, 1 AS flag, COALESCE(score, 7) AS y FROM visits) d ON p.person = d.person""",
    """SELECT COUNT(*) FROM people p LEFT JOIN (SELECT person, 1 AS flag FROM visits) d
       ON p.person = d.person WHERE d.flag IS NULL""",
    """SELECT COUNT(*) FROM visits v LEFT JOIN visits w ON v.person = w.person AND w.score = 99
       JOIN people p ON w.person = p.person""",
    """SELECT COUNT(*) FROM people p LEFT JOIN visits v ON p.person = v.person
       LEFT JOIN items i ON i.visit = v.visit WHERE i.visit IS NULL""",
    # a number as a key is no position
    "SELECT 2 AS x, COUNT(DISTINCT person), SUM(score) FROM visits GROUP BY x",
    "SELECT 2.5 AS x, kind, COUNT(*) FROM visits GROUP BY x, kind",
    """SELECT n, COUNT(*) FROM (SELECT DISTINCT p.person, 3 AS n FROM people p
       JOIN visits v ON p.person = v.person) t GROUP BY n""",
    # a cast to a narrower type yields NULL beyond it
    "SELECT COUNT(*) FROM visits WHERE TRY_CAST(loose AS INTEGER) IS NULL",
    "SELECT COUNT(*) FROM visits WHERE TRY_CAST(loose AS TINYINT) IS NULL",
    "SELECT SUM(TRY_CAST(note AS TINYINT)) FROM visits",
    # COUNT_IF over no values is NULL below a measure
    """SELECT COUNT(x), SUM(n) FROM (SELECT person, COUNT(*) AS n, COUNT_IF(ratio > 1) AS x
       FROM visits GROUP BY person) t""",
    # NULLs of keys, units and columns
    """SELECT COUNT(*) FROM (SELECT y, COUNT(*) AS n FROM (SELECT v.visit AS x, w.visit AS y
       FROM visits v LEFT JOIN visits w ON v.person = w.person AND w.score = v.score - 2) t
       WHERE y IS NOT NULL GROUP BY y) q""",
    """SELECT COUNT(*) FROM (SELECT x, y, COUNT(*) AS n FROM (SELECT v.person AS x, w.visit AS y
       FROM visits v LEFT JOIN visits w ON v.person = w.person AND w.score = v.score - 2) t
       GROUP BY x, y) q""",
    # aliases beside columns of the same name
    """SELECT score AS kind, kind AS score, COUNT(*) FROM visits
       GROUP BY visits.score, visits.kind ORDER BY kind, score""",
    "SELECT score + 1 AS score, COUNT(*) FROM visits GROUP BY score ORDER BY score",
    "SELECT kind AS note, COUNT(*) AS score FROM visits GROUP BY kind HAVING score > 1",
    "SELECT kind AS person, COUNT(*) FROM visits GROUP BY 1",
    "SELECT COUNT(*) FROM people JOIN people AS q USING (person, sex)",
    "SELECT COUNT(*) FROM visits WHERE note = '$seed'",
)
REFUSED = (
    ("type-mismatch", "SELECT COUNT(*) FROM visits WHERE score = '1.5'"),
    ("type-mismatch", "SELECT COUNT(*) FROM visits WHERE cost = '19.94'"),
    ("type-mismatch", "SELECT COUNT(*) FROM visits WHERE left(note, 99999999999) = 'a'"),
    ("unsupported-function", "SELECT SUM(CAST(cost AS FLOAT)) FROM visits"),
    (
        "unsupported-sql",
        ("SELECT COUNT(*) FROM visits WHERE day IN (SELECT TIME '10:00:00' FROM areas LIMIT 1)"),
    ),
    (
        "across-units",
        (
            "SELECT COUNT(*) FROM (SELECT w.person, COUNT(*) FROM visits v LEFT JOIN visits "
            "w ON v.person = w.person AND w.score = 1 GROUP BY w.person) t"
        ),
    ),
    (
        "across-units",
        (
            "SELECT COUNT(*) FROM (SELECT DISTINCT w.visit FROM visits v LEFT JOIN visits w "
            "ON v.person = w.person AND w.score = 1) t"
        ),
    ),
    (
        "join-not-on-unit",
        ("SELECT COUNT(*) FROM visits v JOIN people p ON v.person = p.person OR v.score = 1"),
    ),
    (
        "join-not-on-unit",
        (
            "SELECT COUNT(*) FROM visits v, people p WHERE CASE WHEN v.person = p.person "
            "THEN TRUE ELSE TRUE END"
        ),
    ),
    (
        "join-not-on-unit",
        (
            "SELECT COUNT(*) FROM visits v WHERE EXISTS (SELECT 1 FROM visits w "
            "WHERE w.person = v.person AND EXISTS (SELECT 1 FROM people p WHERE p.height > 3))"
        ),
    ),
    ("unit-id-used", "SELECT COUNT(*) FROM visits v, people p WHERE NOT (v.person <> p.person)"),
    ("unit-id-used", "SELECT COUNT(*) FROM visits WHERE person = visit"),
    ("unit-id-used", "SELECT SUM(n) FROM (SELECT person AS n FROM visits) t"),
    (
        "public-rows-kept",
        (
            "SELECT a.province, COUNT(*) FROM areas a LEFT JOIN people p "
            "ON p.area = a.area GROUP BY a.province"
        ),
    ),
    (
        "too-many-rows-per-unit",
        (
            "SELECT COUNT(*) FROM visits v JOIN visits w USING (person) "
            "JOIN visits x USING (person) JOIN visits y USING (person) JOIN visits z USING (person)"
        ),
    ),
    ("names-persons", "SELECT visit, COUNT(*) FROM visits GROUP BY visit"),
    ("names-persons", "SELECT visit + 0 AS x, COUNT(*) FROM visits GROUP BY x"),
    ("names-persons", "SELECT COALESCE(visit, 0), kind, COUNT(*) FROM visits GROUP BY 1, 2"),
    ("names-persons", "SELECT CAST(visit AS VARCHAR) || 'x', COUNT(*) FROM visits GROUP BY 1"),
    ("too-complex", "SELECT SUM(" + "NULLIF(" * 12 + "score" + ", 1)" * 12 + ") FROM visits"),
)


@cache
def bench() -> Bench:
    return Bench(clinic())


@pytest.mark.parametrize("sql", SAME)
def test_these_mean_what_duckdb_means(sql: str) -> None:
    names, got = bench().answer(sql)
    expected_names, expected = bench().expected(sql)
    assert names == expected_names
    assert not missing(expected, got)


@pytest.mark.parametrize(("code", "sql"), REFUSED)
def test_these_are_refused(code: str, sql: str) -> None:
    with pytest.raises(QueryRefused) as refusal:
        bench().plan(sql)
    assert refusal.value.code == code


def test_nested_roundings_stay_short() -> None:
    """Their text once grew threefold with each."""
    value = "cost"
    for _ in range(12):
        value = f"ROUND({value} * 1.1)"
    assert len(bench().plan(f"SELECT SUM({value}) FROM visits").stages[0].sql) < 10_000

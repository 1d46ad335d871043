"""How many rows one unit can have after a join, and which joins connect no units (P1, P4)."""

from __future__ import annotations

import pytest

from queries.language.refusals import JoinNotOnUnit, QueryRefused, TooManyRowsPerUnit
from tests.plan.benches import bench

ROWS = [
    ("visits v JOIN people p ON v.person = p.person", 8),
    ("people p JOIN visits v ON v.person = p.person", 8),
    ("visits v JOIN visits w ON v.person = w.person", 8 * 8),
    ("visits v JOIN visits w ON v.visit = w.visit", 8),
    ("visits v JOIN items i ON v.visit = i.visit", 20),
    ("visits v JOIN items i ON v.visit = i.visit AND i.line = 1", 8),
    ("visits v, people p, items i WHERE v.person = p.person AND i.visit = v.visit", 20),
    ("items i JOIN items j ON i.visit = j.visit", 20 * 20),
    ("items i JOIN items j ON i.visit = j.visit AND i.line = j.line", 20),
    ("items i JOIN items j ON i.visit = j.visit AND i.line = j.line + 1", 20),
    ("items i JOIN items j ON i.visit = j.visit AND j.line = j.line", 20 * 20),
    ("items i JOIN items j ON i.visit = j.visit AND j.line = j.qty AND i.line = i.qty", 20 * 20),
    ("items i JOIN items j ON i.visit = j.visit AND j.line >= i.line", 20 * 20),
    ("items i JOIN codes c ON i.code = c.code", 20),
    ("items i JOIN codes c ON c.code = c.family", 20 * 4),
    ("items i JOIN codes c ON c.code >= i.code", 20 * 4),
    ("visits v CROSS JOIN codes c", 8 * 4),
    ("visits v JOIN bands b ON v.score = b.score", 8 * 2),
    ("visits v JOIN bands b ON b.score = 0", 8 * 2),
    ("visits v JOIN bands b ON v.score >= b.score", 8 * 6),
    ("visits v JOIN bands b ON v.score = 0", 8 * 6),
    ("visits v JOIN bands b ON v.score = v.visit AND b.band = 'low'", 8 * 2),
    ("visits v JOIN bands b ON b.score = LENGTH(b.band)", 8 * 6),
    ("visits v JOIN bands b ON b.score = LENGTH(b.band) + v.score", 8 * 6),
    (
        (
            "visits v JOIN bands b ON b.score = CAST(EXISTS "
            "(SELECT 1 FROM people q WHERE q.person = v.person) AS INTEGER)"
        ),
        8 * 6,
    ),
    ("visits v JOIN bands b ON v.score = b.score JOIN bands c ON b.band = c.band", 8 * 2 * 2),
    (
        (
            "visits v JOIN people p ON (v.person = p.person AND v.kind = 'a') "
            "OR (v.person = p.person AND v.kind = 'b')"
        ),
        8,
    ),
    ("visits v JOIN range(1250) AS r(n) ON v.score >= r.n", 10_000),
]
"""What is joined, and the most rows of one unit: 8 visits with 20 items in all, of 4 codes; no
score has more than 2 of the 6 bands."""


OVERLAPPING = "(SELECT -5 AS lo, 0 AS hi UNION ALL SELECT 0, 6 UNION ALL SELECT 4, 9)"
TOUCHING = "(SELECT -5 AS lo, 0 AS hi UNION ALL SELECT 0, 5 UNION ALL SELECT 5, 9)"
KEYED = "(SELECT -5 AS lo, 5 AS hi, 'a' AS k UNION ALL SELECT 0, 5, 'b' UNION ALL SELECT 5, 9, 'a')"
BETWEEN = [
    (OVERLAPPING, "v.score >= m.lo AND v.score < m.hi", 2),
    (OVERLAPPING, "m.lo <= v.score AND m.hi > v.score", 2),
    (OVERLAPPING, "v.score BETWEEN m.lo AND m.hi", 2),
    (TOUCHING, "v.score BETWEEN m.lo AND m.hi", 2),
    (TOUCHING, "m.lo <= v.score AND v.score <= m.hi", 2),
    (TOUCHING, "v.score >= m.lo AND m.hi >= v.score", 2),
    (TOUCHING, "m.lo < v.score AND m.hi >= v.score", 1),
    (KEYED, "v.score BETWEEN m.lo AND m.hi", 3),
    (KEYED, "v.score BETWEEN m.lo AND m.hi AND m.k = v.kind", 2),
    (KEYED, "v.score BETWEEN m.lo AND m.hi AND m.k = 'b'", 2),
    (KEYED, "v.score < m.hi AND v.score > m.lo AND m.k = v.kind", 1),
    (TOUCHING, "v.score >= m.lo AND v.score < m.hi", 1),
    (TOUCHING, "v.score > m.lo AND v.score <= m.hi", 1),
    (TOUCHING, "v.cost >= m.lo AND v.cost < m.hi", 1),
    (TOUCHING, "v.score >= m.lo AND v.visit < m.hi", 3),
    (TOUCHING, "v.score >= m.lo AND v.score > m.hi", 3),
    (TOUCHING, "v.score < m.lo AND v.score <= m.hi", 3),
    (TOUCHING, "v.score >= m.lo OR v.score < m.hi", 3),
    (TOUCHING, "m.lo + 1 >= m.lo AND m.lo + 1 < m.hi", 3),
    (TOUCHING, "v.score >= m.lo * m.lo AND v.score < m.hi", 3),
    (f"{TOUCHING} n, {TOUCHING}", "v.score >= n.lo AND v.score < m.hi", 9),
    (f"{TOUCHING} n, {TOUCHING}", "v.score >= n.lo AND v.score < n.hi", 3),
]
"""Rows with two ends, a condition on them, and the most of them that one row can meet."""


@pytest.mark.parametrize(("spans", "condition", "met"), BETWEEN)
def test_spans_multiply_by_as_many_as_hold_one_value(spans: str, condition: str, met: int) -> None:
    sql = f"SELECT COUNT(*) FROM visits v, {spans} m WHERE {condition}"
    (stage,) = bench("clinic").plan(sql).stages
    assert stage.columns[0].noise.l1 == 8 * met
    joined = f"SELECT v.visit, COUNT(*) AS n FROM visits v, {spans} m WHERE {condition} GROUP BY 1"
    ((most,),) = bench("clinic").expected(f"SELECT MAX(n) FROM ({joined})")[1]
    assert most is None or most <= met


@pytest.mark.parametrize(("joined", "rows"), ROWS)
def test_each_source_multiplies_by_what_one_row_can_meet_of_it(joined: str, rows: int) -> None:
    (stage,) = bench("clinic").plan(f"SELECT COUNT(*) FROM {joined}").stages
    assert stage.columns[0].noise.l1 == rows


@pytest.mark.parametrize(
    "joined",
    [
        "visits v, people p",
        "visits v JOIN people p ON v.kind = p.sex",
        "visits v JOIN people p ON v.visit = p.height",
        "visits v JOIN visits w ON v.visit = v.visit",
        "visits v JOIN people p ON v.person = v.person AND p.person = p.person",
        "visits v JOIN people p ON v.person = p.person OR v.kind = 'a'",
        "visits v JOIN people p ON v.kind = 'a' OR v.person = p.person",
        "visits v JOIN people p ON (v.person = p.person AND v.kind = 'a') OR v.kind = 'b'",
        (
            "visits v JOIN people p ON (v.person = p.person AND v.kind = 'a') "
            "OR (v.person = p.person AND v.kind = 'b') OR v.kind = 'b'"
        ),
        "visits v, people p, items i WHERE v.person = p.person",
        "visits v, people p, items i WHERE v.person = p.person AND p.person = v.person",
        "visits v, people p, items i, items j WHERE v.person = p.person AND i.visit = j.visit",
        "visits v WHERE EXISTS (SELECT 1 FROM people p)",
        "visits v WHERE EXISTS (SELECT 1 FROM people p WHERE v.person = v.person)",
        "people p WHERE EXISTS (SELECT 1 FROM visits v, visits w WHERE v.person = p.person)",
        "people p WHERE EXISTS (SELECT 1 FROM visits v, visits w WHERE v.person = w.person)",
    ],
)
def test_private_sources_that_are_not_connected_by_their_unit_are_refused(joined: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("clinic").plan(f"SELECT COUNT(*) FROM {joined}")
    assert isinstance(refused.value, JoinNotOnUnit)


@pytest.mark.parametrize(
    "joined",
    [
        "visits v JOIN range(1251) AS r(n) ON v.score >= r.n",
        (
            "people p WHERE EXISTS (SELECT 1 FROM visits v, items i, items j, visits w, visits x "
            "WHERE v.person = p.person AND i.visit = v.visit AND j.visit = v.visit "
            "AND w.person = p.person AND x.person = p.person)"
        ),
    ],
)
def test_more_rows_of_one_unit_than_the_limit_are_refused(joined: str) -> None:
    with pytest.raises(TooManyRowsPerUnit):
        bench("clinic").plan(f"SELECT COUNT(*) FROM {joined}")

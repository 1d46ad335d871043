"""Public rows kept beside private ones: every one is answered, exactly as DuckDB answers it.

Unlike elsewhere no cell may be more than DuckDB has and none fewer; a sum over nobody is 0 where
DuckDB says NULL.
"""

from __future__ import annotations

from functools import cache

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from queries.language.refusals import PublicRowsKept, QueryRefused
from tests.parity import Bench
from tests.properties.clinic import clinic
from tests.properties.grammar import Words
from tests.properties.shapes import Query, aggregate, grouped
from tests.properties.test_parity import compared
from tests.properties.worlds import CLINIC, Member, a, b, c, i, p, v


@cache
def bench() -> Bench:
    return Bench(clinic())


Way = tuple[str, tuple[Member, ...], tuple[Member, ...], tuple[str, ...]]
"""FROM, the public members kept, the private ones, and keys that make each row a group."""
WAYS: tuple[Way, ...] = (
    ("areas a LEFT JOIN people p ON p.area = a.area", (a,), (p,), ("a.area",)),
    ("areas a LEFT JOIN people p USING (area)", (a,), (p,), ("area",)),
    ("people p RIGHT JOIN areas a USING (area)", (a,), (p,), ("area",)),
    (
        "areas a LEFT JOIN people p ON p.area = a.area AND p.active AND a.residents > 20",
        (a,),
        (p,),
        ("a.area",),
    ),
    (
        (
            "(SELECT *, COALESCE(height, 150) AS tall FROM people) p RIGHT JOIN areas a "
            "ON p.area = a.area AND p.tall > 120"
        ),
        (a,),
        (p,),
        ("a.area",),
    ),
    (
        (
            "areas a LEFT JOIN people p ON p.area = a.area LEFT JOIN visits v "
            "ON v.person = p.person AND v.score > 0"
        ),
        (a,),
        (p, v),
        ("a.area",),
    ),
    ("bands b LEFT JOIN visits v ON v.score = b.score", (b,), (v,), ()),
    (
        (
            "areas a CROSS JOIN codes c LEFT JOIN (SELECT q.area, i.* FROM people q JOIN visits w "
            "USING (person) JOIN items i USING (visit)) i ON i.area = a.area AND i.code = c.code"
        ),
        (a, c),
        (i,),
        ("a.area", "c.code"),
    ),
    (
        (
            "areas a JOIN codes c ON a.residents > c.weight LEFT JOIN people p "
            "ON p.area = a.area AND p.height > c.weight"
        ),
        (a, c),
        (p,),
        ("a.area", "c.code"),
    ),
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """A measure over one of the ways."""
    start = Words(draw, CLINIC, ())
    text, kept, private, unique = start.pick(WAYS)
    public, own = Words(draw, CLINIC, kept), Words(draw, CLINIC, private)
    keys = [public.key() for _ in range(start.pick((0, 1, 1, 2)))]
    if unique and start.maybe(2):
        keys += unique
    keys = list(dict.fromkeys(keys))
    shown, by = grouped(public, keys)
    calls = [aggregate(own) for _ in range(start.pick((1, 2, 2, 3)))]
    items = [*shown, *(f"{call} AS a{n}" for n, (call, _) in enumerate(calls))]
    where = f" WHERE {public.condition()}" if start.maybe(4) else ""
    sums = frozenset(len(keys) + n for n, (_, total) in enumerate(calls) if total)
    sql = f"SELECT {', '.join(items)} FROM {text}{where}{by}"
    return Query(sql, len(keys), sums, empty=False)


@pytest.mark.slow
def test_spines_answer_as_duckdb_does() -> None:
    accepted: set[str] = set()
    refused: set[str] = set()

    @seed(8)
    @settings(
        max_examples=1_000,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(query=queries())
    def each(query: Query) -> None:
        try:
            plan = bench().plan(query.sql)
        except QueryRefused as refusal:
            refused.add(refusal.code)
            return
        names, got = bench().answered(plan)
        try:
            expected_names, expected = bench().expected(query.sql)
        except duckdb.Error:
            return
        assert names == expected_names
        differences = compared(query, expected, got)
        assert not differences, (query.sql, differences[:3])
        accepted.add(query.sql)

    each()
    assert len(accepted) >= 150, (len(accepted), refused)


ANSWERED = """
SELECT a.area, COUNT(*), COUNT(p.person) FROM areas a LEFT JOIN people p USING (area) GROUP BY 1;
SELECT a.area, COUNT(*), COUNT(1) FROM areas a LEFT JOIN people p ON FALSE GROUP BY 1;
SELECT upper(a.area), COUNT(*) FROM areas a LEFT JOIN people p USING (area) GROUP BY 1;
SELECT area, COUNT(*) FROM people p RIGHT JOIN areas a USING (area) GROUP BY area;
SELECT a.province, COUNT(p.sex) FROM areas a LEFT JOIN people p USING (area) GROUP BY 1;
SELECT a.area, COUNT(*) FROM areas a LEFT JOIN people p ON a.area = p.area AND p.active
  WHERE a.residents > 10 GROUP BY 1;
SELECT a.area, SUM(CASE WHEN p.active THEN 1 ELSE 0 END) FROM areas a
  LEFT JOIN people p USING (area) GROUP BY 1;
SELECT a.area, COUNT(*), COUNT(v.visit) FROM areas a LEFT JOIN people p USING (area)
  LEFT JOIN visits v ON v.person = p.person GROUP BY 1;
SELECT a.area, COUNT(b.band) FROM areas a LEFT JOIN people p USING (area)
  LEFT JOIN bands b ON b.score < p.height GROUP BY 1;
SELECT a.area, c.code, COUNT(*) FROM areas a CROSS JOIN codes c LEFT JOIN people p
  ON p.area = a.area AND p.height > c.weight GROUP BY 1, 2;
SELECT b.band, b.score, COUNT(*) FROM (SELECT DISTINCT * FROM bands) b
  LEFT JOIN visits v ON v.score = b.score GROUP BY 1, 2 HAVING COUNT(*) > 1;
SELECT COUNT(p.person), AVG(p.height) FROM areas a LEFT JOIN people p USING (area)
"""
REFUSED = """
SELECT a.province, COUNT(*) FROM areas a LEFT JOIN people p USING (area) GROUP BY 1;
SELECT b.score, COUNT(1) FROM bands b LEFT JOIN visits v ON v.score = b.score GROUP BY 1;
SELECT a.area, COUNT(*) FROM areas a CROSS JOIN codes c LEFT JOIN people p
  ON p.area = a.area GROUP BY 1;
SELECT a.area, COUNT(*) FROM areas a LEFT JOIN people p USING (area)
  LEFT JOIN bands b ON b.score < a.residents GROUP BY 1;
SELECT a.area, COUNT(COALESCE(p.height, a.residents)) FROM areas a
  LEFT JOIN people p USING (area) GROUP BY 1;
SELECT a.area, COUNT_IF(p.sex IS NULL) FROM areas a LEFT JOIN people p USING (area) GROUP BY 1;
SELECT a.area, AVG(COALESCE(p.height, 150)) FROM areas a LEFT JOIN people p USING (area)
  GROUP BY 1;
SELECT x.area, COUNT(*) FILTER (WHERE c IS NULL) FROM (SELECT area, height IS NULL AS c
  FROM people) p RIGHT JOIN areas x USING (area) GROUP BY 1
"""


@pytest.mark.parametrize("sql", ANSWERED.split(";\n"))
def test_every_public_row_is_answered(sql: str) -> None:
    assert sorted(bench().answer(sql)[1], key=repr) == sorted(bench().expected(sql)[1], key=repr)


@pytest.mark.parametrize("sql", REFUSED.split(";\n"))
def test_what_a_public_row_alone_would_add_to_is_refused(sql: str) -> None:
    with pytest.raises(PublicRowsKept) as caught:
        bench().plan(sql)
    assert caught.value.hint

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
from tests.properties.drawn import Query
from tests.properties.grammar import Words
from tests.properties.shapes_spines import kept_rows
from tests.properties.test_parity import compared
from tests.properties.worlds import CLINIC


@cache
def bench() -> Bench:
    return Bench(clinic())


@st.composite
def spined(draw: st.DrawFn) -> Query:
    return kept_rows(Words(draw, CLINIC, ()))


@pytest.mark.slow
def test_spines_answer_as_duckdb_does() -> None:
    accepted: set[str] = set()
    refused: set[str] = set()

    @seed(8)
    @settings(
        max_examples=700,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(query=spined())
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
SELECT 'all' AS k, COUNT(*) FROM areas a LEFT JOIN people p USING (area)
  WHERE a.area <> a.area GROUP BY 1;
SELECT a.area, COUNT(p.person) FROM areas a CROSS JOIN codes c LEFT JOIN people p
  ON p.area = a.area WHERE c.code = 'none' GROUP BY 1;
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

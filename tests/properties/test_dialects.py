"""Texts of other dialects, drawn at random: answered as their translation means, or refused.

What a text of another dialect means there cannot be asked of an engine here; so the statements are
written in each dialect from DuckDB's, and the answer is held against DuckDB's own of the
translation that the plan shows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlglot import exp

from queries.language.refusals import QueryRefused
from queries.plan.price import Options
from tests.parity import Bench
from tests.properties.clinic import clinic
from tests.properties.drawn import Query
from tests.properties.statements import queries
from tests.properties.test_parity import FLOOR, PRICE, compared
from tests.properties.worlds import CLINIC

DIALECTS = ("postgres", "tsql", "spark", "bigquery", "mysql", "trino")


def summed(query: Query, translation: str) -> Query:
    """A count with a filter may be written as COUNT_IF, which is NULL over no values in DuckDB."""
    shown = sqlglot.parse_one(translation, read="duckdb").selects
    written = {place for place, one in enumerate(shown) if one.find(exp.CountIf)}
    return replace(query, sums=query.sums | written)


@pytest.mark.slow
def test_translations_are_answered_or_refused() -> None:
    place = Bench(clinic())
    accepted: Counter[str] = Counter()

    @seed(21)
    @settings(
        max_examples=500,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(query=queries(CLINIC), dialect=st.sampled_from(DIALECTS))
    def each(query: Query, dialect: str) -> None:
        text = sqlglot.transpile(query.sql, read="duckdb", write=dialect)[0]
        try:
            plan = place.plan(text, Options(dialect=dialect), PRICE)
        except QueryRefused:
            return
        assert plan.translation is not None
        if any(FLOOR.search(stage.sql) for stage in plan.stages):
            return
        _, got = place.answered(plan)
        try:
            _, expected = place.expected(plan.translation)
        except duckdb.Error:
            return
        differences = compared(summed(query, plan.translation), expected, got)
        assert not differences, (text, plan.translation, differences[:3])
        accepted[dialect] += 1

    each()
    assert min(accepted[dialect] for dialect in DIALECTS) >= 10, accepted

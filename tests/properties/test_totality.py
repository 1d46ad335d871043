"""No accepted expression fails on a row, whatever the row holds: a fault would tell what it was."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from queries.algebra.measures import Centred, Total
from queries.language.refusals import QueryRefused
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import row
from tests.properties.hostile import SHARP, BoundText, bound, engine, expressions, writer


def evaluated(found: BoundText) -> None:
    """Compute the expression on every row, and what a sum of it would add."""
    rows = found.all(found.text)
    assert len(rows) == len(found.all("1"))
    found.all("COUNT(*)", f"({found.text}) IS NOT NULL")
    if found.scalar.facts.bounded and found.scalar.facts.type in ("integer", "decimal", "real"):
        for statistic in (Total(found.scalar, None), Centred(found.scalar, None)):
            to = Relations()
            to.scalars = writer()
            engine().execute(f"SELECT SUM({row(statistic, to).value}) {found.source}").fetchall()


@pytest.mark.parametrize("expression", SHARP)
def test_sharp_expressions_fail_on_no_row(expression: str) -> None:
    evaluated(bound(expression))


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(expression=expressions())
def test_no_expression_fails_on_any_row(expression: str) -> None:
    """Refused or computed on all rows: there is no third."""
    try:
        found = bound(expression)
    except QueryRefused:
        return
    try:
        evaluated(found)
    except QueryRefused:
        return


def test_the_rows_are_hostile() -> None:
    """What the forms above replace does fail on these rows."""
    import duckdb

    for plain in ("abs(loose)", "CAST(note AS BIGINT)", "CAST(far AS TIMESTAMP)", "loose + loose"):
        with pytest.raises(duckdb.Error):
            engine().execute(f"SELECT {plain} FROM visits").fetchall()

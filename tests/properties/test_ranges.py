"""The value of an expression on any row lies in its proven range, and what a sum adds does too."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings

from queries.algebra.facts import EXACT, Facts
from queries.algebra.measures import Centred, Total
from queries.algebra.scalars import conjuncts
from queries.bind import narrowing
from queries.catalog.manifest import Type
from queries.language.refusals import QueryRefused
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import row
from tests.properties.hostile import (
    SHARP,
    BoundText,
    bound,
    conditions,
    engine,
    expressions,
    writer,
)

STEPS = {
    Type.DATE: "(({}) - DATE '1970-01-01')",
    Type.TIMESTAMP: "epoch_us({})",
    Type.REAL: "CASE WHEN isfinite({0}) THEN {0} END",
}
SLACK = Fraction(1, 10**9)
"""Doubles may leave a range by a little; what is summed of them is clamped on its grid."""


def within(text: str, facts: Facts, source: str, where: str) -> None:
    """Every value of the text obeys the facts."""
    null, some = (
        engine()
        .execute(f"SELECT COUNT(*) - COUNT({text}), COUNT({text}) {source} WHERE {where}")
        .fetchall()[0]
    )
    assert facts.nullable or null == 0
    if some == 0:
        return
    if facts.values is not None:
        found = engine().execute(f"SELECT DISTINCT {text} {source} WHERE {where}").fetchall()
        assert {value for (value,) in found if value is not None} <= set(facts.values)
    if facts.lower is None or facts.upper is None:
        return
    steps = STEPS.get(facts.type, "{}").format(text)
    low, high = (
        engine().execute(f"SELECT MIN({steps}), MAX({steps}) {source} WHERE {where}").fetchall()[0]
    )
    if low is None:
        return
    room = SLACK * max(abs(facts.lower), abs(facts.upper), 1) if facts.type is Type.REAL else 0
    assert facts.lower - room <= low <= high <= facts.upper + room


def on_grid(found: BoundText) -> None:
    """What a row adds to a sum lies between the ends from which the claim is made."""
    facts = found.scalar.facts
    if not facts.bounded or facts.type not in EXACT | {Type.REAL}:
        return
    for statistic in (Total(found.scalar, None), Centred(found.scalar, None)):
        to = Relations()
        to.scalars = writer()
        one = row(statistic, to)
        low, high = found.all(f"MIN({one.value}), MAX({one.value})")[0]
        assert low is None or one.lower <= low <= high <= one.upper


@pytest.mark.parametrize("expression", SHARP)
def test_sharp_expressions_stay_in_their_range(expression: str) -> None:
    found = bound(expression)
    within(found.text, found.scalar.facts, found.source, "TRUE")
    on_grid(found)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(expression=expressions())
def test_values_stay_in_the_proven_range(expression: str) -> None:
    try:
        found = bound(expression)
        within(found.text, found.scalar.facts, found.source, "TRUE")
        on_grid(found)
    except QueryRefused:
        return


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(condition=conditions())
def test_a_condition_proves_no_more_than_it_says(condition: str) -> None:
    """Ranges narrowed by WHERE hold for every row that passes it."""
    try:
        found = bound(condition, condition=True)
    except QueryRefused:
        return
    for column, facts in narrowing.proved(conjuncts(found.scalar)).items():
        text = f'CAST("t0"."{column.name}" AS VARCHAR)'
        shown = text if facts.type is Type.TEXT else f'"t0"."{column.name}"'
        within(shown, facts, found.source, found.text)

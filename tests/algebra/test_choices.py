"""LEAST, GREATEST, NULLIF, COALESCE and CASE: what is chosen, and what stays known of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra import operations as op
from queries.algebra.facts import UNIT, Facts
from queries.algebra.scalars import Column, Literal
from queries.catalog.manifest import Type
from tests.algebra.test_operations import holds, ranged


@given(
    parts=st.lists(st.tuples(ranged(), st.booleans(), st.booleans()), min_size=1, max_size=3),
)
def test_an_extreme_of_what_may_be_null_is_one_of_the_others(
    parts: list[tuple[tuple[Column, int], bool, bool]],
) -> None:
    """NULLs are skipped, so a part that is always there does not bound the result from afar."""
    args = [
        replace(column, source=n, facts=replace(column.facts, nullable=null))
        for n, ((column, _), null, _) in enumerate(parts)
    ]
    present = [value for (_, value), null, missing in parts if not (null and missing)]
    for name, chosen in (("least", min), ("greatest", max)):
        found = op.extreme(name, args).facts
        assert found.nullable == all(null for _, null, _ in parts)
        if present:
            assert holds(found, chosen(present))


@pytest.mark.parametrize("name", ["least", "greatest"])
def test_an_extreme_with_half_a_range_has_no_end_on_that_side(name: str) -> None:
    whole = Column(0, "x", Facts(Type.REAL, False, 0, Fraction(2), Fraction(9)))
    for side in ("lower", "upper"):
        half = Column(1, "y", replace(whole.facts, **{side: None}))
        assert getattr(op.extreme(name, [whole, half]).facts, side) is None


@pytest.mark.parametrize("end", range(-3, 6))
def test_nullif_loses_the_end_that_it_is_compared_with_and_no_more(end: int) -> None:
    column = Column(0, "x", Facts(Type.INTEGER, False, 0, -2, 4))
    left = [value for value in range(-2, 5) if value != end]
    assert op.null_if(column, op.number(end)).facts.span() == (min(left), max(left))
    other = Column(1, "y", Facts(Type.INTEGER, False, 0, end, end))
    assert op.null_if(column, other).facts.span() == (-2, 4)


def test_what_is_computed_of_an_id_tells_no_unit() -> None:
    """Two ids may become one, or none, so their rows are not one unit's (P2)."""
    unit = Column(0, "u", Facts(Type.INTEGER, False, 0, -9, 9, identity=UNIT))
    one = op.number(1)
    for made in (
        op.negate(unit),
        op.absolute(unit),
        op.null_if(unit, one),
        op.add(unit, one),
        op.multiply(unit, one),
        op.remainder(unit, one),
        op.whole_divide(unit, one),
        op.rescale(unit, 2),
        op.to_real(unit),
        op.extreme("least", [unit, one]),
        op.choose("coalesce", (unit, one), (unit, one), null=False),
    ):
        assert made.facts.identity is None
        assert made.facts.reference is None


def test_a_choice_of_texts_is_one_of_those_of_its_branches() -> None:
    kinds = Column(0, "t", Facts(Type.TEXT, False, values=("a", "b")))
    fixed = Literal("c", Facts(Type.TEXT, False))
    nothing = Literal(None, Facts(Type.TEXT, True))
    free = Column(1, "n", Facts(Type.TEXT, False))
    chosen = (kinds, fixed, nothing)
    assert op.choose("coalesce", chosen, chosen, null=True).facts.values == ("a", "b", "c")
    assert op.choose("coalesce", (kinds, free), (kinds, free), null=False).facts.values is None


def test_a_null_branch_bounds_no_choice() -> None:
    three = Column(0, "x", Facts(Type.INTEGER, False, 0, 3, 7))
    nothing = Literal(None, Facts(Type.INTEGER, True, 0, -99, 99))
    found = op.choose("coalesce", (nothing, three), (nothing, three), null=False).facts
    assert found.span() == (3, 7)
    assert op.is_null(nothing)
    assert not op.is_null(op.number(0))
    assert not op.is_null(three)

"""Ranges of operations hold the exact result of every pair of operands."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.scalars import Column
from queries.catalog.manifest import Type

NUMBERS = st.integers(-1000, 1000)


@st.composite
def ranged(draw: st.DrawFn) -> tuple[Column, int]:
    """A column of whole numbers in a range, with a value in it."""
    low, value, high = sorted(draw(st.tuples(NUMBERS, NUMBERS, NUMBERS)))
    return Column(0, "x", Facts(Type.INTEGER, False, 0, low, high)), value


def holds(facts: Facts, value: int | Fraction) -> bool:
    if facts.lower is None or facts.upper is None:
        return True
    return facts.lower <= value <= facts.upper


@given(left=ranged(), right=ranged())
def test_arithmetic(left: tuple[Column, int], right: tuple[Column, int]) -> None:
    (a, x), (other, y) = left, right
    b = replace(other, source=1)
    assert holds(op.add(a, b).facts, x + y)
    assert holds(op.subtract(a, b).facts, x - y)
    assert holds(op.multiply(a, b).facts, x * y)
    assert holds(op.negate(a).facts, -x)
    assert holds(op.absolute(a).facts, abs(x))
    assert holds(op.extreme("least", [a, b]).facts, min(x, y))
    assert holds(op.extreme("greatest", [a, b]).facts, max(x, y))


@given(one=ranged())
def test_a_square_is_not_negative(one: tuple[Column, int]) -> None:
    column, value = one
    found = op.multiply(column, column).facts
    assert holds(found, value * value)
    assert found.span()[0] >= 0


@given(left=ranged(), right=ranged())
def test_division(left: tuple[Column, int], right: tuple[Column, int]) -> None:
    (a, x), (b, y) = left, right
    assume(y != 0)
    towards_zero = abs(x) // abs(y) * (1 if (x >= 0) == (y > 0) else -1)
    assert holds(op.divide(op.to_real(a), op.to_real(b)).facts, Fraction(x, y))
    assert holds(op.whole_divide(a, b).facts, towards_zero)
    assert holds(op.whole_divide(a, op.number(y)).facts, towards_zero)
    assert holds(op.remainder(a, b).facts, x - y * towards_zero)


@given(left=ranged(), digits=st.integers(-3, 2))
def test_rounding(left: tuple[Column, int], digits: int) -> None:
    column, steps = left
    facts = Facts(Type.DECIMAL, False, 2, *column.facts.span())
    decimal = Column(0, "x", facts)
    ways = {"round": ROUND_HALF_UP, "floor": ROUND_FLOOR, "ceil": ROUND_CEILING}
    for name, way in ways.items():
        found = op.rounded(name, decimal, digits)
        unit = Decimal(1).scaleb(-digits)
        value = (Decimal(steps).scaleb(-2) / unit).to_integral_value(way) * unit
        assert holds(found.facts, Fraction(value) * 10**found.facts.scale)


@given(left=ranged())
def test_nullif_keeps_what_remains(left: tuple[Column, int]) -> None:
    column, value = left
    low, high = column.facts.span()
    for end in (low, high):
        if value != end:
            assert holds(op.null_if(column, op.number(end)).facts, value)


@pytest.mark.parametrize("factor", [1e300, 1e-300])
def test_products_of_reals_without_end_have_no_range_or_a_short_one(factor: float) -> None:
    exact = Fraction(factor)
    constant = Column(1, "c", Facts(Type.REAL, False, 0, exact, exact))
    value = op.to_real(Column(0, "x", Facts(Type.INTEGER, False, 0, 1, 9)))
    for _ in range(200):
        value = op.multiply(value, constant)
    assert value.facts.upper is None or value.facts.upper.denominator <= 2**1074

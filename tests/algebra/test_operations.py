"""Ranges of operations hold the exact result of every pair of operands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from queries.algebra import operations as op
from queries.algebra.facts import UNIT, Facts, hull, stored
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.catalog.manifest import Type

NUMBERS = st.integers(-1000, 1000)
Binary = Callable[[Scalar, Scalar], Call]


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


WAYS = {
    "round": ROUND_HALF_UP,
    "floor": ROUND_FLOOR,
    "ceil": ROUND_CEILING,
    "truncate": ROUND_DOWN,
}


@pytest.mark.parametrize("way", sorted(WAYS))
@given(hundredths=st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted), digits=st.integers(-3, 1))
def test_a_rounded_real_leaves_its_range_by_one_unit_at_most(
    way: str, hundredths: list[int], digits: int
) -> None:
    low, value, high = (Decimal(each).scaleb(-2) for each in hundredths)
    real = Column(0, "x", Facts(Type.REAL, False, 0, Fraction(low), Fraction(high)))
    found = op.rounded(way, real, digits).facts
    unit = Decimal(1).scaleb(-digits)
    assert holds(found, Fraction((value / unit).to_integral_value(WAYS[way]) * unit))
    assert found.lower is not None
    assert found.upper is not None
    assert (found.lower, found.upper) == (
        Fraction(low) - Fraction(unit),
        Fraction(high) + Fraction(unit),
    )


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


@given(left=ranged())
def test_an_absolute_value_has_the_range_that_it_takes(left: tuple[Column, int]) -> None:
    column, _ = left
    low, high = column.facts.span()
    sizes = range(max(-low, high) + 1) if low <= 0 <= high else sorted((abs(low), abs(high)))
    assert op.absolute(column).facts.span() == (min(sizes), max(sizes))


@given(left=ranged(), right=ranged())
def test_the_range_of_arithmetic_is_attained_at_both_ends(
    left: tuple[Column, int], right: tuple[Column, int]
) -> None:
    (a, _), (other, _) = left, right
    b = replace(other, source=1)
    ends = list(product(a.facts.span(), b.facts.span()))
    for found, images in (
        (op.add(a, b), [x + y for x, y in ends]),
        (op.subtract(a, b), [x - y for x, y in ends]),
        (op.multiply(a, b), [x * y for x, y in ends]),
        (op.extreme("least", [a, b]), [min(x, y) for x, y in ends]),
        (op.extreme("greatest", [a, b]), [max(x, y) for x, y in ends]),
    ):
        assert found.facts.span() == (min(images), max(images))


NUMERIC = Facts(Type.INTEGER, False, 0, 2, 9)
REAL = Facts(Type.REAL, False, 0, Fraction(2), Fraction(9))


@pytest.mark.parametrize("facts", [replace(REAL, lower=None), replace(REAL, upper=None)])
def test_half_a_range_proves_none(facts: Facts) -> None:
    """A real of which one end is unknown is bounded by nothing that is made of it."""
    whole = Column(0, "x", REAL)
    half = Column(1, "y", facts)
    assert op.known(half) is None
    for found in (
        op.add(whole, half),
        op.multiply(half, whole),
        op.divide(whole, half),
        op.absolute(half),
    ):
        assert (found.facts.lower, found.facts.upper) == (None, None)


@pytest.mark.parametrize("end", [op.LARGEST_REAL, -op.LARGEST_REAL])
def test_a_range_near_the_largest_double_is_none(end: int) -> None:
    beyond = end + (1 if end > 0 else -1)
    assert op.of_reals(min(end, 0), max(end, 0)) == (min(end, 0), max(end, 0))
    assert op.of_reals(min(beyond, 0), max(beyond, 0)) == (None, None)


def test_a_range_of_reals_is_widened_to_the_grid_of_doubles() -> None:
    third = Fraction(1, 3)
    low, high = op.of_reals(-third, third)
    assert low is not None
    assert high is not None
    assert -high == low < -third
    assert high - third < Fraction(1, op.FINEST_REAL)


@pytest.mark.parametrize("wide", ["left", "right"])
@pytest.mark.parametrize(
    "make", [op.add, op.subtract, op.multiply, lambda *args: op.extreme("least", args)]
)
def test_what_reads_an_undeclared_number_is_not_declared(wide: str, make: Binary) -> None:
    """Its range is that of its storage: it may be compared, never summed (P9)."""
    plain, loose = Column(0, "x", NUMERIC), Column(1, "y", stored(Type.INTEGER))
    args = (loose, plain) if wide == "left" else (plain, loose)
    assert not make(*args).facts.bounded
    assert make(plain, plain).facts.bounded


def test_what_follows_from_an_undeclared_number_alone_is_not_declared_either() -> None:
    loose = Column(1, "y", stored(Type.INTEGER))
    two = op.number(2)
    for found in (
        op.negate(loose),
        op.absolute(loose),
        op.whole_divide(loose, two),
        op.rescale(loose, 3),
        op.rounded("floor", Column(1, "y", stored(Type.DECIMAL, 2)), 0),
        op.remainder(two, loose),
        op.null_if(loose, two),
        op.to_real(loose),
    ):
        assert not found.facts.bounded


@pytest.mark.parametrize(
    ("left", "right"), [(True, False), (False, True), (True, True), (False, False)]
)
def test_a_result_may_be_null_where_an_operand_may(left: bool, right: bool) -> None:
    a = Column(0, "x", replace(NUMERIC, nullable=left))
    b = Column(1, "y", replace(NUMERIC, nullable=right))
    for make in (op.add, op.subtract, op.multiply, op.divide, op.remainder):
        assert make(a, b).facts.nullable == (left or right)
    assert op.boolean("<", a, b).facts.nullable == (left or right)
    assert op.extreme("least", [a, b]).facts.nullable == (left and right)
    assert op.null_if(a, b).facts.nullable
    assert op.whole_divide(a, b).facts.nullable


COLUMNS = [
    replace(NUMERIC, reference=("areas", "area"), identity=UNIT),
    replace(REAL, reference=("areas", "area"), identity=UNIT),
    replace(REAL, lower=None, reference=("areas", "area"), identity=UNIT),
]


@pytest.mark.parametrize("facts", COLUMNS)
def test_a_computed_value_is_no_column_any_more(facts: Facts) -> None:
    """Two units have one absolute value, so it names neither a unit nor a row of another table."""
    column, two = Column(0, "x", facts), op.number(2)
    for found in (
        op.negate(column),
        op.absolute(column),
        op.add(column, column),
        op.multiply(column, two),
        op.divide(column, two),
        op.null_if(column, two),
        op.extreme("least", [column, column]),
        op.choose("coalesce", [column, column], [column, column], null=False),
    ):
        assert (found.facts.reference, found.facts.identity) == (None, None)
    text = Column(0, "x", Facts(Type.TEXT, True, values=("a", "b"), identity=UNIT))
    left = op.null_if(text, Literal("c", Facts(Type.TEXT, False))).facts
    assert (left.values, left.identity) == (None, None)


def test_a_product_has_the_scales_of_both() -> None:
    cents, mills = Facts(Type.DECIMAL, False, 2, 0, 9), Facts(Type.DECIMAL, False, 3, 0, 9)
    assert op.multiply(Column(0, "x", cents), Column(1, "y", mills)).facts.scale == 5


def test_a_divisor_that_may_be_zero_makes_null() -> None:
    a, zero = Column(0, "x", NUMERIC), Column(1, "y", replace(NUMERIC, lower=0))
    assert op.remainder(a, zero).facts.nullable
    assert op.whole_divide(a, op.number(0)).facts.nullable
    assert not op.whole_divide(a, op.number(3)).facts.nullable
    real = op.divide(a, Column(1, "y", replace(REAL, lower=Fraction(0))))
    assert (real.facts.lower, real.facts.upper) == (None, None)


SPANS = [(-9, 4), (-4, 9), (-9, -4), (4, 9), (0, 9), (-9, 0), (0, 0), (-1, 0), (0, 1), (-9, 1)]


@pytest.mark.parametrize(("low", "high"), SPANS)
@pytest.mark.parametrize("by", [-3, -2, -1, 1, 2, 3])
def test_a_quotient_by_a_constant_has_the_range_that_it_takes(low: int, high: int, by: int) -> None:
    column = Column(0, "x", replace(NUMERIC, lower=low, upper=high))
    images = [int(Fraction(value, by)) for value in range(low, high + 1)]
    assert op.whole_divide(column, op.number(by)).facts.span() == (min(images), max(images))
    assert op.divide(op.to_real(column), op.to_real(op.number(by))).facts.bounded


@pytest.mark.parametrize(("low", "high"), SPANS)
@pytest.mark.parametrize(("least", "most"), SPANS)
def test_quotients_and_remainders_by_a_column_stay_in_their_range(
    low: int, high: int, least: int, most: int
) -> None:
    column = Column(0, "x", replace(NUMERIC, lower=low, upper=high))
    other = Column(1, "y", replace(NUMERIC, lower=least, upper=most))
    quotient, rest = op.whole_divide(column, other).facts, op.remainder(column, other).facts
    for value, by in product(range(low, high + 1), range(least, most + 1)):
        if by:
            whole = int(Fraction(value, by))
            assert holds(quotient, whole)
            assert holds(rest, value - by * whole)
        else:
            assert quotient.nullable
            assert rest.nullable


@pytest.mark.parametrize(("lower", "upper"), [(None, 1), (1, None), (None, None)])
def test_half_a_range_bounds_no_value(lower: int | None, upper: int | None) -> None:
    real = Facts(Type.REAL, False, 0, lower, upper)
    assert not real.bounded
    with pytest.raises(ValueError, match="no range"):
        real.span()
    with pytest.raises(ValueError, match="has a range"):
        Facts(Type.INTEGER, False, 0, lower, upper)


def test_a_stored_number_is_declared_once_both_ends_are_narrowed() -> None:
    loose = stored(Type.INTEGER)
    assert not loose.bounded
    assert not loose.within(0, None).bounded
    assert not loose.within(None, 9).bounded
    assert not loose.within(-(2**63), 9).bounded
    assert not loose.within(0, 2**63).bounded
    assert loose.within(0, 9).bounded
    assert loose.within(0, None).within(None, 9).span() == (0, 9)


def test_a_range_is_narrowed_never_widened_and_an_empty_one_is_a_point() -> None:
    assert NUMERIC.within(-5, 20).span() == (2, 9)
    assert NUMERIC.within(4, 7).span() == (4, 7)
    assert NUMERIC.within(None, 7).span() == (2, 7)
    assert NUMERIC.within(20, None).span() == (9, 9)
    assert NUMERIC.within(8, 4).span() == (4, 4)
    assert replace(REAL, lower=None).within(None, 4).lower is None


def test_a_hull_holds_all_ranges_and_ends_where_one_has_no_end() -> None:
    other = replace(NUMERIC, lower=-3, upper=4)
    assert hull([NUMERIC, other]) == hull([other, NUMERIC]) == (-3, 9)
    assert hull([REAL, replace(REAL, lower=None)]) == (None, 9)
    assert hull([replace(REAL, upper=None), REAL]) == (2, None)
    assert hull([]) == (None, None)

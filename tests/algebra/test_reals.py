"""Functions of reals state a range that holds their image, and hardly more; or none at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra import reals
from queries.algebra.facts import Facts, Number
from queries.algebra.operations import number
from queries.algebra.scalars import Column, Scalar
from queries.catalog.manifest import Type

NEAR = 1e-9
DEFINED: dict[str, tuple[Callable[[float], float], float, float]] = {
    "sqrt": (math.sqrt, 0, math.inf),
    "cbrt": (lambda x: math.copysign(abs(x) ** (1 / 3), x), -math.inf, math.inf),
    "ln": (math.log, 5e-324, math.inf),
    "log2": (math.log2, 5e-324, math.inf),
    "log10": (math.log10, 5e-324, math.inf),
    "exp": (math.exp, -math.inf, 600),
    "asin": (math.asin, -1, 1),
    "atan": (math.atan, -math.inf, math.inf),
    "degrees": (math.degrees, -math.inf, math.inf),
    "radians": (math.radians, -math.inf, math.inf),
    "sin": (math.sin, -math.inf, math.inf),
    "cos": (math.cos, -math.inf, math.inf),
    "acos": (math.acos, -1, 1),
}
"""Each function of one number, with the least and the most that it is defined for."""


def real(low: Number | None, high: Number | None, *, null: bool = False) -> Column:
    return Column(0, "x", Facts(Type.REAL, null, 0, low, high))


def ends(found: Scalar) -> tuple[float, float] | None:
    facts = found.facts
    if facts.lower is None or facts.upper is None:
        assert facts.lower is facts.upper is None
        return None
    return float(facts.lower), float(facts.upper)


@st.composite
def spans(draw: st.DrawFn) -> tuple[float, float, float]:
    """A range of reals with a value in it."""
    values = st.floats(-1000, 1000) | st.integers(-3, 3).map(float)
    low, value, high = sorted(draw(st.tuples(values, values, values)))
    return low, value, high


@given(span=spans(), name=st.sampled_from(sorted(DEFINED)))
def test_a_value_of_a_function_lies_in_its_range(
    span: tuple[float, float, float], name: str
) -> None:
    low, value, high = span
    exact, least, most = DEFINED[name]
    found = ends(reals.real(name, real(Fraction(low), Fraction(high))))
    if found is not None and least <= value <= most:
        assert found[0] < exact(value) < found[1]


@pytest.mark.parametrize("name", sorted(reals.GROWING))
@pytest.mark.parametrize("span", [(Fraction(1, 4), Fraction(3, 4)), (Fraction(1, 2), Fraction(1))])
def test_the_range_of_a_growing_function_is_the_image_of_its_ends(
    name: str, span: tuple[Fraction, Fraction]
) -> None:
    image = [DEFINED[name][0](float(end)) for end in span]
    found = ends(reals.real(name, real(*span)))
    assert found is not None
    assert found == pytest.approx(image, rel=NEAR, abs=NEAR)


@pytest.mark.parametrize(
    ("name", "span", "image"),
    [
        ("sqrt", (-4, 9), (0, 3)),
        ("asin", (-7, 7), (-math.pi / 2, math.pi / 2)),
        ("asin", (0, 7), (0, math.pi / 2)),
        ("acos", (-7, 7), (0, math.pi)),
        ("sin", (None, None), (-1, 1)),
        ("cos", (0, 0), (-1, 1)),
        ("exp", (-5, 5), (math.exp(-5), math.exp(5))),
        ("exp", (600, 600), (math.exp(600), math.exp(600))),
        ("sqrt", (-9, -4), None),
        ("asin", (2, 3), None),
        ("ln", (0, 5), None),
        ("ln", (-5, 5), None),
        ("log10", (-5, -1), None),
        ("exp", (-5, 601), None),
        ("sqrt", (1, None), None),
        ("sqrt", (None, 1), None),
        ("tan", (0, 1), None),
        ("cot", (1, 2), None),
    ],
)
def test_a_range_ends_where_a_function_is_defined_or_bounded(
    name: str, span: tuple[Number | None, Number | None], image: tuple[float, float] | None
) -> None:
    found = ends(reals.real(name, real(*span)))
    assert found == (None if image is None else pytest.approx(image, rel=NEAR, abs=NEAR))


def test_a_logarithm_of_whole_steps_starts_at_the_smallest_of_them() -> None:
    cost = Column(0, "c", Facts(Type.DECIMAL, False, 2, -500, 20_000))
    found = ends(reals.real("ln", cost))
    assert found == pytest.approx((math.log(0.01), math.log(200)), rel=NEAR)
    below = Column(0, "c", Facts(Type.DECIMAL, False, 2, -500, 0))
    assert ends(reals.real("ln", below)) is None


@pytest.mark.parametrize("end", [Fraction(0), Fraction(1, 10**6), Fraction(1), Fraction(10**9)])
def test_a_range_is_widened_for_the_last_places_of_the_engine(end: Fraction) -> None:
    """By one part in 2**40 of the larger end, or of one: each way."""
    low, high = reals.widened(-end, Fraction(1, 10))
    room = max(end, Fraction(1)) / 2**40
    assert low is not None
    assert high is not None
    assert -end - low == pytest.approx(room)
    assert high - Fraction(1, 10) == pytest.approx(room)
    assert reals.widened(None, end) == reals.widened(end, None) == (None, None)


@given(span=spans(), by=st.sampled_from([0, 1, 2, 3, 4, Fraction(1, 2), Fraction(5, 2)]))
def test_a_power_lies_in_its_range(span: tuple[float, float, float], by: int | Fraction) -> None:
    low, value, high = span
    exponent = number(by) if isinstance(by, int) else number(int(by * 10), 1)
    found = ends(reals.power(real(Fraction(low), Fraction(high)), exponent))
    assert found is not None
    if value >= 0 or isinstance(by, int):
        assert found[0] < value ** float(by) < found[1]


@pytest.mark.parametrize(
    ("span", "exponent", "image"),
    [
        ((-3, 2), number(2), (0, 9)),
        ((-2, 3), number(2), (0, 9)),
        ((-3, -2), number(2), (4, 9)),
        ((2, 3), number(2), (4, 9)),
        ((-3, 2), number(3), (-27, 8)),
        ((-3, 4), number(5, 1), (0, 2)),
        ((2, 2), number(600), (2.0**600, 2.0**600)),
        ((1, 2), number(601), None),
        ((1, 2), number(-1), None),
        ((1, 100), number(600), None),
        ((None, 2), number(2), None),
        ((2, None), number(2), None),
        ((2, 3), Column(1, "y", Facts(Type.INTEGER, False, 0, 2, 2)), None),
    ],
)
def test_the_range_of_a_power(
    span: tuple[Number | None, Number | None], exponent: Scalar, image: tuple[float, float] | None
) -> None:
    found = ends(reals.power(real(*span), exponent))
    assert found == (None if image is None else pytest.approx(image, rel=NEAR, abs=NEAR))


@pytest.mark.parametrize("null", [True, False])
def test_a_function_may_be_null_where_its_operand_may(null: bool) -> None:
    given_, other = real(1, 2, null=null), real(1, 2)
    assert reals.real("sqrt", given_).facts.nullable == null
    assert reals.power(given_, number(2)).facts.nullable == null
    assert reals.logarithm(other, given_).facts.nullable == null
    assert ends(reals.logarithm(other, given_)) is None

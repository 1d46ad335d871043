"""Grids: how an expression becomes whole numbers, so that sums are exact whatever the order (P9).

Whole and decimal numbers stand on their own grid. A quotient or product with a constant is the same
whole numbers on another grid. Any other real is rounded, row by row, to a grid 2**40 times finer
than its range.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from queries.algebra.facts import EXACT
from queries.algebra.scalars import Call, Literal, Scalar

FINENESS = 2**40
WIDEST = Fraction(2**960)
"""Steps beyond this, or its inverse, are not peeled: a double could not hold what they count."""


@dataclass(frozen=True, slots=True)
class Grid:
    """`source` counted in steps: exactly where it is whole already, else rounded.

    `lower` and `upper` bound the whole number of steps.
    """

    source: Scalar
    step: Fraction
    lower: int
    upper: int
    exact: bool

    @property
    def middle(self) -> int:
        """The step nearest to the middle of the range."""
        return (self.lower + self.upper) // 2


def grid(value: Scalar, fineness: int = FINENESS) -> Grid:
    """The grid of a value with a proven range; a real's is at most that many times finer."""
    facts = value.facts
    if facts.type in EXACT:
        low, high = facts.span()
        return Grid(value, facts.step, low, high, exact=True)
    peeled = _peeled(value)
    return _rounded(value, fineness) if peeled is None else peeled


def _peeled(value: Scalar) -> Grid | None:
    """The exact grid under casts to real and constant factors, or None."""
    if not isinstance(value, Call):
        return None
    if value.op.startswith("real:"):
        return grid(value.args[0])
    if value.op in ("/", "*"):
        left, right = value.args
        inner, factor = _peeled(left), _constant(right)
        if inner is not None and factor is not None and inner.exact:
            step = inner.step / factor if value.op == "/" else inner.step * factor
            if not 1 / WIDEST < step < WIDEST:
                return None
            return Grid(inner.source, step, inner.lower, inner.upper, exact=True)
    return None


def _constant(value: Scalar) -> Fraction | None:
    """A positive constant, exactly."""
    if isinstance(value, Call) and value.op.startswith("real:"):
        inner = value.args[0]
        if isinstance(inner, Literal) and isinstance(inner.value, int) and inner.value > 0:
            return inner.value * inner.facts.step
    if isinstance(value, Literal) and isinstance(value.value, float) and value.value > 0:
        return Fraction(value.value)
    return None


def _rounded(value: Scalar, fineness: int) -> Grid:
    low, high = value.facts.lower, value.facts.upper
    if low is None or high is None:
        raise ValueError("no range is known")
    reach = max(abs(Fraction(low)), abs(Fraction(high)), Fraction(1, 2**60))
    step = Fraction(1)
    while reach / step > fineness:
        step *= 2
    while reach / step <= fineness / 2:
        step /= 2
    return Grid(value, step, int(low // step), int(-(-high // step)), exact=False)

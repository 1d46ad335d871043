"""A mean over a stage: its noisy sum over its noisy count, kept in the declared range."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.grid import grid
from queries.algebra.measures import Centred, Total
from queries.algebra.scalars import Scalar
from queries.bind.calls import Aggregate, Reading
from queries.bind.formulas import filled
from queries.catalog.manifest import Type


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum from which a mean is made; `unit` is the value of one of what is summed."""

    statistic: Centred | Total
    unit: Fraction = Fraction(1)

    @property
    def shift(self) -> Fraction:
        """What a mean of the statistic is added to."""
        if isinstance(self.statistic, Total):
            return Fraction(0)
        found = grid(self.statistic.value)
        return found.middle * found.step * self.unit

    def average(self, total: exp.Expr, count: exp.Expr, less: Fraction = Fraction(0)) -> exp.Expr:
        """The mean over `count` rows, less a constant; it is kept in no range."""
        shift = self.shift - less
        text = "CAST(t AS DOUBLE) / c" if isinstance(self.statistic, Total) else "t / c"
        text = text if self.unit == 1 else f"{text} * unit"
        text = f"shift + {text}" if shift else text
        return filled(text, shift=shift, t=total, c=count, unit=self.unit)


def ends(value: Scalar) -> tuple[Fraction, Fraction]:
    """The range of a value, in its own unit."""
    facts = value.facts
    if facts.lower is None or facts.upper is None:
        raise ValueError("no range is known")
    return Fraction(facts.lower) * facts.step, Fraction(facts.upper) * facts.step


def sums(value: Scalar, where: Scalar | None) -> tuple[Sum, Sum]:
    """The sums that a mean is made of: the better one first, then one that SUM pays for."""
    return Sum(Centred(value, where)), Sum(Total(value, where))


def readings(found: Aggregate, value: Scalar, *others: Scalar) -> tuple[Reading, ...]:
    """The mean of a value where none of the others is NULL; NULL at a noisy count below 1."""
    count, (low, high) = found.counted(value, *others), ends(value)

    def over(total: Sum) -> Reading:
        def written(t: exp.Expr, c: exp.Expr) -> exp.Expr:
            kept = "CASE WHEN c >= 1 THEN LEAST(GREATEST(average, low), high) END"
            return filled(kept, c=c, average=total.average(t, c), low=low, high=high)

        facts = Facts(Type.REAL, True, 0, low, high)
        return Reading((total.statistic, count), lambda given: written(given[0], given[1]), facts)

    return tuple(over(total) for total in sums(value, found.having(*others)))

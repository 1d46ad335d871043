"""Measures: what is counted or summed over a private relation, group by group.

A measure is the only door from private to released. Each statistic is an exact whole number per
group, one bounded whole number per row (or one per unit); how much one unit may add to it, and what
noise that takes, is `queries.plan`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from queries.algebra.relations import Relation
from queries.algebra.scalars import Scalar
from queries.catalog.manifest import Type

SET = "ks"
"""The column that numbers the grouping set of a released row."""
OCCURS = "occurs"
"""The least noisy count of units at which a listed key is said to occur; the planner knows it."""


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows satisfy `where` (None: all rows)."""

    where: Scalar | None


@dataclass(frozen=True, slots=True)
class Units:
    """How many distinct units have a row that satisfies `where`."""

    where: Scalar | None


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of `value` over rows that satisfy `where`; NULL adds nothing."""

    value: Scalar
    where: Scalar | None


@dataclass(frozen=True, slots=True)
class Centred:
    """The sum of `value` minus the middle of its range: half the reach of `Total`, for means."""

    value: Scalar
    where: Scalar | None


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many distinct values there are over rows that satisfy `where`, NULL not being one.

    Several values count as one row of them, NULLs and all. `most` is how many there can be at all.
    """

    values: tuple[Scalar, ...]
    where: Scalar | None
    most: int | None


@dataclass(frozen=True, slots=True)
class DistinctTotal:
    """The sum of the distinct values over rows that satisfy `where`."""

    value: Scalar
    where: Scalar | None
    most: int | None


Statistic = Rows | Units | Total | Centred | Distinct | DistinctTotal
OfValues = Distinct | DistinctTotal


@dataclass(frozen=True, slots=True)
class Quantile:
    """The value at a share of the rows from below (or from above): one of the rows' own values.

    A share of 0 is the extreme. With `continuous` a value between two rows' may be meant.
    """

    value: Scalar
    where: Scalar | None
    share: Fraction
    descending: bool
    continuous: bool


@dataclass(frozen=True, slots=True)
class Mode:
    """The most frequent value."""

    value: Scalar
    where: Scalar | None


@dataclass(frozen=True, slots=True)
class BinCounts:
    """How many rows have each value; or fall in each bin, where `value` is the bin's number.

    `labels` name the bins in order, as the engine writes constants of the type `kind`.
    """

    value: Scalar
    where: Scalar | None
    labels: tuple[str, ...] = ()
    kind: Type | None = None


Ranked = Quantile | Mode | BinCounts
"""What is found among the values of a column, rather than added up over its rows."""
RANKED = (Quantile, Mode, BinCounts)


def parts_of(statistic: Statistic | Ranked) -> tuple[Scalar, ...]:
    """The scalars that a statistic is made of."""
    where = () if statistic.where is None else (statistic.where,)
    match statistic:
        case Rows() | Units():
            return where
        case Total() | Centred() | DistinctTotal() | Quantile() | Mode() | BinCounts():
            return (statistic.value, *where)
        case Distinct():
            return (*statistic.values, *where)


@dataclass(frozen=True, slots=True)
class Measure:
    """GROUP BY `keys` over a private relation, with its statistics, both in canonical order.

    `sets` are the positions of the keys of each grouping set, () where all keys are the one set.
    With `leading` nothing is wanted but so many keys, those of its one statistic's greatest values.
    """

    relation: Relation
    keys: tuple[Scalar, ...]
    statistics: tuple[Statistic, ...]
    sets: tuple[tuple[int, ...], ...] = ()
    ranked: tuple[Ranked, ...] = ()
    leading: int = 0

    @property
    def distributions(self) -> tuple[tuple[Ranked, ...], ...]:
        """What is found among the same values, together: one histogram serves it."""
        found: dict[tuple[str, Scalar, Scalar | None], list[Ranked]] = {}
        for one in self.ranked:
            found.setdefault((_together(one), one.value, one.where), []).append(one)
        return tuple(map(tuple, found.values()))

    def column(self, part: Statistic | Ranked) -> str:
        """The name of a statistic's column in the stage's noisy table."""
        if not isinstance(part, RANKED):
            return f"m{self.statistics.index(part)}"
        place = next(n for n, parts in enumerate(self.distributions) if part in parts)
        return f"q{place}_{named(part)}"


def named(part: Ranked) -> str:
    """A name for what is found in a distribution, the same in every query that finds it."""
    if isinstance(part, Mode):
        return "mode"
    if isinstance(part, BinCounts):
        return "counts"
    way = ("d" if part.descending else "a") + ("c" if part.continuous else "d")
    return f"{part.share.numerator}_{part.share.denominator}{way}"


def _together(part: Ranked) -> str:
    """What is found by one mechanism: all quantiles of a value, its mode, one list of bins."""
    if isinstance(part, BinCounts):
        return f"{part.kind} {part.labels}"
    return type(part).__name__


def scalars_of(measure: Measure) -> tuple[Scalar, ...]:
    """The scalars of a measure itself, those of its relation left aside."""
    parts = [part for statistic in measure.statistics for part in parts_of(statistic)]
    ranked = [part for one in measure.ranked for part in (one.value, one.where)]
    return (*measure.keys, *parts, *(part for part in ranked if part is not None))

"""Measures: what is counted or summed over a private relation, group by group.

A measure is the only door from private to released. Each statistic is an exact whole number per
group, one bounded whole number per row (or one per unit); how much one unit may add to it, and what
noise that takes, is `queries.plan`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass

from queries.algebra.relations import Relation
from queries.algebra.scalars import Scalar

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


Statistic = Rows | Units | Total | Centred


def parts_of(statistic: Statistic) -> tuple[Scalar, ...]:
    """The scalars that a statistic is made of."""
    match statistic:
        case Rows() | Units():
            found = (statistic.where,)
        case Total() | Centred():
            return tuple(p for p in (statistic.value, statistic.where) if p is not None)
    return tuple(part for part in found if part is not None)


@dataclass(frozen=True, slots=True)
class Measure:
    """GROUP BY `keys` over a private relation, with its statistics, both in canonical order.

    `sets` are the positions of the keys of each grouping set, () where all keys are the one set.
    """

    relation: Relation
    keys: tuple[Scalar, ...]
    statistics: tuple[Statistic, ...]
    sets: tuple[tuple[int, ...], ...] = ()

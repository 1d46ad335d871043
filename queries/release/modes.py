"""The most frequent value, read off noisy counts of all values, and the values that may be it.

Of numbers and moments the ends are the least and the greatest value that may be it. Other values
have no order that means anything, so theirs are sets: in the lower end the value that is it for
certain, if one is, and in the upper one all that may be it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from queries.catalog.view import Value
from queries.plan.bins import Bins
from queries.plan.model import Distribution, Target
from queries.plan.subsets import width
from queries.release.answer import Cell

ORDERED = ("DATE", "TIMESTAMP", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL")
MOST = 100
"""More values than these are not listed: next to nothing is known then."""


def is_one(found: Distribution) -> bool:
    """Whether a distribution is answered as its most frequent value."""
    return any(not target.denominator and not target.labels for target in found.targets)


def places(found: Distribution, counts: Sequence[int], confidence: float) -> tuple[int, list[int]]:
    """The bin of the greatest noisy count, the first of several, and all that may be the mode."""
    most = max(counts)
    least = most - width(found.noise, found.bins.count, confidence)
    return counts.index(most), [place for place, count in enumerate(counts) if count >= least]


def ordered(target: Target) -> bool:
    """Whether the values of a mode lie between others."""
    return target.sql_type.split("(")[0].upper() in ORDERED


def listed(bins: Bins, may: Sequence[int], scale: int, target: Target) -> tuple[Cell, Cell] | None:
    """The ends of a mode whose values are listed; None where too many may be it."""
    values = [_shown(bins, place, scale, target) for place in may]
    if ordered(target):
        return values[0], values[-1]
    if len(values) > MOST:
        return None
    return tuple(values if len(values) == 1 else ()), tuple(values)


def _shown(bins: Bins, place: int, scale: int, target: Target) -> Value:
    """A listed value as it is shown: whole steps as the number that they are."""
    value = None if bins.listed is None else bins.listed[place]
    if scale and isinstance(value, int) and not isinstance(value, bool):
        return float(Fraction(value, 10**scale))
    return value

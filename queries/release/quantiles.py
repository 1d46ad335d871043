"""Quantiles, extremes and modes as columns: released bins, or trees read, as values.

A bin is answered by the value in its middle, which is a value of the grid.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from queries.algebra.calendar import DAY, as_date, as_datetime
from queries.catalog.view import Value
from queries.plan.model import Bins, Distribution, Target
from queries.plan.noisy import NoisyStage
from queries.release import trees

MOMENTS = ("DATE", "TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Found:
    """One target in each row of its stage: its bin, and the bins it may be (None: unknown)."""

    distribution: Distribution
    target: Target
    bins: tuple[int, ...]
    ends: tuple[tuple[int, int] | None, ...]


def found(
    place: int, distribution: Distribution, noisy: NoisyStage, confidence: float
) -> list[Found]:
    """What was found in a stage's distribution, target by target."""
    rows = [row[place] for row in noisy.found]
    if not distribution.levels:
        return [
            Found(distribution, target, tuple(row[n] for row in rows), (None,) * len(rows))
            for n, target in enumerate(distribution.targets)
        ]
    fitted = [trees.leaves(distribution, row) for row in rows]
    made = []
    for target in distribution.targets:
        read = [trees.read(distribution, target, leaves, confidence) for leaves in fitted]
        ends = tuple((first, last) for _, first, last in read)
        made.append(Found(distribution, target, tuple(middle for middle, _, _ in read), ends))
    return made


def steps(bins: Bins, place: int) -> tuple[int, int]:
    """The first and the last step of a bin."""
    at = bisect_right(bins.pieces, place, key=lambda piece: piece.first) - 1
    piece = bins.pieces[at]
    first = piece.lower + (place - piece.first) * piece.width
    return max(first, bins.lower), min(first + piece.width - 1, bins.upper)


def end(found: Found, place: int, *, up: bool) -> Value:
    """The lower or upper end of a bin, as a JSON value."""
    bins = found.distribution.bins
    step = steps(bins, place)[up]
    exact = Fraction(step * bins.numerator, bins.denominator)
    match found.target.sql_type:
        case "DATE" | "TIMESTAMP" as kind:
            return moment(kind, int(exact))
        case "BIGINT" | "HUGEINT":
            return int(exact)
    return float(exact)


def moment(kind: str, microseconds: int) -> str:
    """A date or timestamp as ISO 8601."""
    if kind == "DATE":
        return as_date(microseconds // DAY).isoformat()
    return as_datetime(microseconds).isoformat()


def value(found: Found, place: int) -> Any:
    """The value of a bin: whole steps times the numerator, or a listed value as it is."""
    bins = found.distribution.bins
    if bins.listed is not None:
        return bins.listed[place]
    first, last = steps(bins, place)
    return (first + last) // 2 * bins.numerator

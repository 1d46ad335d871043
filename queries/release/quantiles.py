"""Quantiles, extremes and modes as columns: released bins, or trees and counts read, as values.

A bin is answered by the value in its middle, which is a value of the grid.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from queries.algebra.calendar import DAY, as_date, as_datetime
from queries.catalog.view import Value
from queries.plan.bins import Bins
from queries.plan.model import Distribution, Stage, Target
from queries.plan.noisy import NoisyStage
from queries.plan.ranks import deviation
from queries.release import histograms, modes, trees
from queries.release.answer import Cell

MOMENTS = ("DATE", "TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one distribution: what was released of each, a bin of each target or a tree's nodes.

    `leaves` stands where trees were fitted to others: of each row those of its tree, and in
    `deviations` the noise that one node of it would have had for them.
    """

    distribution: Distribution
    rows: tuple[tuple[int, ...], ...]
    leaves: trees.Floats | None = None
    deviations: trees.Floats | None = None

    def some(self, places: Sequence[int]) -> Part:
        """Some of the rows."""
        at = np.asarray(places, dtype=np.int64)
        return Part(
            self.distribution,
            tuple(self.rows[place] for place in places),
            None if self.leaves is None else self.leaves[at],
            None if self.deviations is None else self.deviations[at],
        )


@dataclass(frozen=True, slots=True)
class Found:
    """One target row by row: its value, and between which ends it may be (None: unknown)."""

    distribution: Distribution
    target: Target
    values: tuple[Any, ...]
    ends: tuple[tuple[Cell, Cell] | None, ...]


def parts(stage: Stage, noisy: NoisyStage) -> tuple[Part, ...]:
    """What was released of each of a stage's distributions."""
    return tuple(
        Part(distribution, tuple(row[place] for row in noisy.found))
        for place, distribution in enumerate(stage.distributions)
    )


def found(parts: Sequence[Part], confidence: float) -> list[Found]:
    """What was found in parts of one table, one below the other, target by target."""
    columns = zip(*(_found(part, confidence) for part in parts), strict=True)
    return [
        Found(
            own[0].distribution,
            own[0].target,
            tuple(value for one in own for value in one.values),
            tuple(ends for one in own for ends in one.ends),
        )
        for own in columns
    ]


def _found(part: Part, confidence: float) -> list[Found]:
    distribution = part.distribution
    if histograms.is_one(distribution):
        ends = histograms.ends(distribution, part.rows, confidence)
        return [Found(distribution, distribution.targets[0], histograms.listed(part.rows), ends)]
    if modes.is_one(distribution):
        return [_most(part, distribution.targets[0], confidence)]
    if distribution.read_off:
        return [_read(part, target, confidence) for target in distribution.targets]
    return [
        Found(
            distribution,
            target,
            tuple(value(distribution.bins, row[n]) for row in part.rows),
            _around(part, target, n, confidence),
        )
        for n, target in enumerate(distribution.targets)
    ]


def _most(part: Part, target: Target, confidence: float) -> Found:
    """The most frequent value of each row, between those that may be it."""
    found, bins = part.distribution, part.distribution.bins
    read = [modes.places(found, row[: bins.count], confidence) for row in part.rows]
    ends: list[tuple[Cell, Cell] | None] = [
        (end(bins, target, may[0], up=False), end(bins, target, may[-1], up=True))
        if bins.listed is None
        else modes.listed(bins, may, found.scale, target)
        for _, may in read
    ]
    return Found(found, target, tuple(value(bins, at) for at, _ in read), tuple(ends))


def _around(
    part: Part, target: Target, number: int, confidence: float
) -> tuple[tuple[Value, Value] | None, ...]:
    """The ends of a selected target, off the tree beside it; what was selected lies within them."""
    found, bins = part.distribution, part.distribution.bins
    if found.around is None:
        return (None,) * len(part.rows)
    noise, width = deviation(found.around), len(found.targets)
    ends = []
    for row in part.rows:
        leaves = trees.leaves(found, row[width:])
        _, first, last = trees.read(found, target, leaves, confidence, noise)
        first, last = min(first, row[number]), max(last, row[number])
        ends.append((end(bins, target, first, up=False), end(bins, target, last, up=True)))
    return tuple(ends)


def _read(part: Part, target: Target, confidence: float) -> Found:
    """A target read off the trees of all rows."""
    found, bins = part.distribution, part.distribution.bins
    leaves, noise = part.leaves, part.deviations
    read = [
        trees.read(
            found,
            target,
            trees.leaves(found, row) if leaves is None else leaves[n],
            confidence,
            deviation(found.noise) if noise is None else float(noise[n]),
        )
        for n, row in enumerate(part.rows)
    ]
    ends = ((end(bins, target, a, up=False), end(bins, target, b, up=True)) for _, a, b in read)
    return Found(found, target, tuple(value(bins, at) for at, _, _ in read), tuple(ends))


def steps(bins: Bins, place: int) -> tuple[int, int]:
    """The first and the last step of a bin."""
    at = bisect_right(bins.pieces, place, key=lambda piece: piece.first) - 1
    piece = bins.pieces[at]
    first = piece.lower + (place - piece.first) * piece.width
    return max(first, bins.lower), min(first + piece.width - 1, bins.upper)


def end(bins: Bins, target: Target, place: int, *, up: bool) -> Value:
    """The lower or upper end of a bin, as a JSON value."""
    step = steps(bins, place)[up]
    exact = Fraction(step * bins.numerator, bins.denominator)
    match target.sql_type:
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


def value(bins: Bins, place: int) -> Any:
    """The value of a bin: whole steps times the numerator, or a listed value as it is."""
    if bins.listed is not None:
        return bins.listed[place]
    first, last = steps(bins, place)
    return (first + last) // 2 * bins.numerator

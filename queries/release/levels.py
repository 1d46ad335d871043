"""Grouping sets as one table: the noisy tables of their stages side by side, made to add up.

Of each value it is known how far the exact one may be, since sets have noise of their own and what
was fitted has less: that is its `Fit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from queries.catalog.view import Value
from queries.plan.model import Hierarchy, Mechanism, Noise, Stage
from queries.plan.noisy import NoisyStage
from queries.release import consistency, covers, forests, histograms
from queries.release.consistency import Level, Real, Whole
from queries.release.law import variance
from queries.release.quantiles import Found, Part, found, parts

WIDEST = 2**62
"""Sums of whole numbers beyond this might not fit 64 bits: such columns are left as they are."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a column's values came about, row by row, in steps.

    The estimate is `base + offset`, of which the shown value is a rounding. Its standard deviation
    is `deviation`; NaN where the value is as measured, under the law of `noises[of]`. `slack` is
    how many steps coarsened totals may have lost on the way.
    """

    base: tuple[int, ...]
    offset: Real
    deviation: Real
    noises: tuple[Noise, ...]
    of: Whole
    slack: int = 0

    @property
    def mechanism(self) -> Mechanism:
        return self.noises[0].mechanism


@dataclass(frozen=True, slots=True)
class Together:
    """A released table, and the fits by place of those columns that are not as they were noised.

    `located` holds, of each distribution, the parts of which its rows are made.
    """

    stage: Stage
    noisy: NoisyStage
    fits: Mapping[int, Fit]
    located: tuple[tuple[Part, ...], ...] = ()

    def found(self, confidence: float) -> list[Found]:
        """What was found in the distributions, target by target."""
        return [one for own in self.located for one in found(own, confidence)]


def alone(stage: Stage, noisy: NoisyStage, positive: Sequence[str]) -> Together:
    """A stage as it was noised, or its columns `positive` kept at zero or above."""
    noisy = histograms.floored(stage, noisy, positive)
    located = tuple((part,) for part in parts(stage, noisy))
    if not positive:
        return Together(stage, noisy, {}, located)
    held = [column.name in positive for column in stage.columns]
    values = tuple(
        tuple(max(0, v) if kept else v for v, kept in zip(row, held, strict=True))
        for row in noisy.values
    )
    fits = {
        place: _measured([row[place] for row in noisy.values], column.noise)
        for place, column in enumerate(stage.columns)
        if held[place]
    }
    return Together(stage, replace(noisy, values=values), fits, located)


def _measured(values: Sequence[int], noise: Noise) -> Fit:
    count = len(values)
    nothing = np.zeros(count)
    own = np.zeros(count, dtype=np.int64)
    return Fit(tuple(values), nothing, np.full(count, np.nan), (noise,), own)


def together(
    hierarchy: Hierarchy,
    stages: Sequence[Stage],
    noisy: Mapping[str, NoisyStage],
    positive: Sequence[str],
) -> Together:
    """The stages of a hierarchy in one table; columns `positive` are kept at zero or above."""
    named = {stage.name: stage for stage in stages}
    floored = {m: histograms.floored(named[m], noisy[m], positive) for m in hierarchy.members}
    joined = _Joined(hierarchy, named, floored)
    table = hierarchy.table(stages)
    columns = [joined.column(n, c.name in positive) for n, c in enumerate(table.columns)]
    keys = joined.keys()
    shown = tuple(zip(*(shown for shown, _ in columns), strict=True))
    values = shown if columns else ((),) * len(keys)
    fits = {place: fit for place, (_, fit) in enumerate(columns)}
    located = tuple(joined.located(place) for place in range(len(table.distributions)))
    return Together(table, NoisyStage(table.name, keys, values), fits, located)


def frequent(table: Together, column: str, at_least: int) -> Together:
    """The rows whose noisy count of units is no lower."""
    place = [one.name for one in table.stage.columns].index(column)
    fit = table.fits.get(place)
    shown = [row[place] for row in table.noisy.values]
    counts = (
        shown
        if fit is None
        else [
            value if fitted else before
            for value, before, fitted in zip(
                shown, fit.base, np.isfinite(fit.deviation), strict=True
            )
        ]
    )
    kept = [row for row, count in enumerate(counts) if count >= at_least]
    keys = tuple(table.noisy.keys[row] for row in kept)
    values = tuple(table.noisy.values[row] for row in kept)
    fits = {n: _some(fit, kept) for n, fit in table.fits.items()}
    noisy = replace(table.noisy, keys=keys, values=values, found=())
    return Together(table.stage, noisy, fits, tuple(_kept(own, kept) for own in table.located))


def _kept(own: Sequence[Part], rows: Sequence[int]) -> tuple[Part, ...]:
    """Some rows of parts that stand one below the other."""
    found, start = [], 0
    for part in own:
        end = start + len(part.rows)
        found.append(part.some([row - start for row in rows if start <= row < end]))
        start = end
    return tuple(found)


def _some(fit: Fit, rows: Sequence[int]) -> Fit:
    at = np.asarray(rows, dtype=np.int64)
    base = tuple(fit.base[row] for row in rows)
    return replace(
        fit, base=base, offset=fit.offset[at], deviation=fit.deviation[at], of=fit.of[at]
    )


class _Joined:
    """The columns of a hierarchy's stages, one below the other."""

    def __init__(
        self, hierarchy: Hierarchy, stages: Mapping[str, Stage], noisy: Mapping[str, NoisyStage]
    ) -> None:
        self._hierarchy = hierarchy
        self._stages = stages
        self._noisy = noisy
        self._cells = self._partitions() if hierarchy.together else {}

    def keys(self) -> tuple[tuple[Value, ...], ...]:
        """The set's number and all keys, NULL where the set lacks them."""
        found: list[tuple[Value, ...]] = []
        for number, member in enumerate(self._hierarchy.members):
            own = {key.name: place for place, key in enumerate(self._stages[member].keys)}
            places = [own.get(key.name) for key in self._hierarchy.keys]
            found.extend(
                (number, *(None if place is None else row[place] for place in places))
                for row in self._noisy[member].keys
            )
        return tuple(found)

    def column(self, place: int, positive: bool) -> tuple[list[int], Fit]:
        """What is shown of one column, and how it came about."""
        fitted = self._fitted(place, positive)
        held = self._held(place, positive)
        shown: list[int] = []
        base: list[int] = []
        offsets, deviations, of = [], [], []
        for number, member in enumerate(self._hierarchy.members):
            values = [row[place] for row in self._noisy[member].values]
            of.append(np.full(len(values), number, dtype=np.int64))
            if member in fitted:
                whole, steps, offset, deviation = fitted[member]
                shown.extend(whole)
                base.extend(steps)
                offsets.append(offset)
                deviations.append(deviation)
            else:
                plain = (max(0, value) if positive else value for value in values)
                shown.extend(held.get(member, plain))
                base.extend(values)
                offsets.append(np.zeros(len(values)))
                deviations.append(np.full(len(values), np.nan))
        noises = tuple(self._noise(member, place) for member in self._hierarchy.members)
        parts = (np.concatenate(offsets), np.concatenate(deviations))
        slack = self._slack(place) if fitted else 0
        return shown, Fit(tuple(base), *parts, noises, np.concatenate(of), slack)

    def located(self, place: int) -> tuple[Part, ...]:
        """One distribution of all sets, trees of sets that add up fitted to each other."""
        named = dict.fromkeys(self._hierarchy.members)
        own = {m: parts(self._stages[m], self._noisy[m])[place] for m in named}
        members = self._hierarchy.together
        cells = [self._cells[m] for m in members]
        made = forests.fitted([own[m] for m in members], cells) if members else []
        own |= dict(zip(members, made, strict=True))
        return tuple(own[m] for m in self._hierarchy.members)

    def _slack(self, place: int) -> int:
        """A total that was shifted lost less than one step; an estimate, less than one a leaf."""
        member = self._hierarchy.together[0]
        shifted = self._stages[member].columns[place].shift
        return len(self._cells[member]) if shifted else 0

    def _noise(self, member: str, place: int) -> Noise:
        return self._stages[member].columns[place].noise

    def _partitions(self) -> dict[str, Whole]:
        """The cell of each leaf, by the stages that add up."""
        leaves = self._hierarchy.leaves
        names = self._hierarchy.finest
        if not leaves:
            finest = next(m for m in self._hierarchy.together if self._names(m) == names)
            leaves = self._noisy[finest].keys
        found = {}
        for member in self._hierarchy.together:
            places = [names.index(name) for name in self._names(member)]
            cells = {key: cell for cell, key in enumerate(self._noisy[member].keys)}
            own = [cells[tuple(row[place] for place in places)] for row in leaves]
            found[member] = np.array(own, dtype=np.int64)
        return found

    def _names(self, member: str) -> tuple[str, ...]:
        return tuple(key.name for key in self._stages[member].keys)

    def _fitted(
        self, place: int, positive: bool
    ) -> dict[str, tuple[list[int], list[int], Real, Real]]:
        """Shown values, whole parts, offsets and deviations, by the stages that add up."""
        members = self._hierarchy.together
        name = f"m{place}"
        if name not in self._hierarchy.additive or not members or not self._cells[members[0]].size:
            return {}
        values = {m: [row[place] for row in self._noisy[m].values] for m in members}
        leaves = len(self._cells[members[0]])
        if max(sum(map(abs, own)) for own in values.values()) > WIDEST:
            return {}
        base, hidden = self._start(values)
        levels = [
            Level(
                self._cells[m],
                np.array([v - b for v, b in zip(values[m], base[m], strict=True)], dtype=float),
                variance(self._noise(m, place)),
            )
            for m in members
        ]
        found = consistency.fitted(levels, leaves)
        spread = consistency.deviations(levels, leaves)
        shown = _shown(levels, base, found, members, hidden=hidden, positive=positive)
        return {
            m: (shown[n], base[m], levels[n].sums(found), spread[n]) for n, m in enumerate(members)
        }

    def _held(self, place: int, positive: bool) -> dict[str, list[int]]:
        """Shown values by stage, where a group is between the largest of its parts and their sum.

        What was rounded down to coarser steps, part by part, need not be.
        """
        members = self._hierarchy.together
        if f"m{place}" not in self._hierarchy.covered or not members:
            return {}
        values = {m: np.array([row[place] for row in self._noisy[m].values]) for m in members}
        shifted = any(self._stages[m].columns[place].shift for m in members)
        most = max(float(np.abs(own).max(initial=0)) for own in values.values())
        if shifted or most > covers.LARGEST or not self._cells[members[0]].size:
            return {}
        levels = [
            Level(self._cells[m], own.astype(float), variance(self._noise(m, place)))
            for m, own in values.items()
        ]
        shown = covers.held(levels, positive=positive)
        return {m: own.tolist() for m, own in zip(members, shown, strict=True)}

    def _start(self, values: Mapping[str, list[int]]) -> tuple[dict[str, list[int]], bool]:
        """Exact sums of the measured leaves, so that what is fitted is no larger than the noise.

        Zeros, and True, where no stage has measured the leaves themselves.
        """
        finest = self._hierarchy.finest
        measured = next((m for m in values if self._names(m) == finest), None)
        if measured is None:
            return {m: [0] * len(own) for m, own in values.items()}, True
        leaves = np.array(values[measured], dtype=np.int64)
        order = self._cells[measured]
        found = {}
        for member, own in values.items():
            sums = np.zeros(len(own), dtype=np.int64)
            np.add.at(sums, self._cells[member], leaves[order])
            found[member] = sums.tolist()
        return found, False


def _shown(
    levels: Sequence[Level],
    base: Mapping[str, list[int]],
    found: Real,
    members: Sequence[str],
    *,
    hidden: bool,
    positive: bool,
) -> list[list[int]]:
    """Whole numbers that add up, set by set; none below zero where they are to be positive."""
    steps = consistency.rounded(levels, found, hidden=hidden)
    shown = [
        [b + int(step) for b, step in zip(base[m], some, strict=True)]
        for m, some in zip(members, steps, strict=True)
    ]
    if not positive or min(min(some) for some in shown) >= 0:
        return shown
    sums = [np.array(base[m], dtype=float) for m in members]
    whole = [
        Level(level.cells, level.values + own, level.variance)
        for level, own in zip(levels, sums, strict=True)
    ]
    start = consistency.fitted(whole, len(found))
    return [
        some.tolist()
        for some in consistency.rounded(
            whole, consistency.non_negative(whole, start), hidden=hidden
        )
    ]

"""Distinct counts of several grouping sets, held to what must be true of them.

Of distinct things a group has at least as many as each of its parts, and at most as many as all of
its parts together. Measured counts, each set with noise of its own, need not be so. They are
replaced by the nearest numbers that are: those of weighted least squares under these inequalities,
found by Dykstra's cyclic projections (Boyle and Dykstra 1986), each of them in closed form. A
projection onto a convex set that holds the truth is never farther from it, in the same weights,
than what was measured, whatever the noise was. Cells of the same groups are one number.

Whole numbers are the nearest ones, of which some are then raised by one where parts fall short of
their group. All work is bounded: beyond CYCLES the last point is taken, and made to fit as well.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what leaves is a function of released values: it loses nothing.
    Requires    noisy tables that were charged.
    Why         nothing else is read here: noisy integers, lists of public keys, variances of noise.
    Tried by    tests/release/test_covers.py, tests/statistics/test_subtotals.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from queries.release.consistency import Level, Real, Whole, owners, refines

CYCLES = 300
"""So many rounds of projections, or fewer where they are of many cells."""
WORK = 2 * 10**7
CLOSE = 1e-3
"""Steps: a round that moves nothing by more is the last one."""
ROUNDS = 50
LARGEST = 2.0**50
"""Counts are exact as floats up to here, and room is left to add them up."""


@dataclass(frozen=True, slots=True)
class Families:
    """Groups of one set and their parts in a finer one, of two parts and more.

    `parents` and `children` are numbers of cells, `of` the family of each child; children stand in
    the order of their families, which begin at `starts`.
    """

    parents: Whole
    children: Whole
    of: Whole
    starts: Whole

    def sums(self, values: Real) -> Real:
        return np.asarray(np.add.reduceat(values, self.starts))


def held(levels: Sequence[Level], *, positive: bool) -> list[Whole]:
    """Whole numbers near the measured ones, set by set, that satisfy all inequalities."""
    starts = np.cumsum([0, *(len(level.values) for level in levels)])
    pairs = _pairs(levels)
    same = _merged(levels, pairs, starts)
    number, of = np.unique(same, return_inverse=True)
    weights = np.concatenate([np.full(len(own.values), 1 / own.variance) for own in levels])
    values = np.concatenate([own.values for own in levels])
    weight = np.bincount(of, weights=weights, minlength=len(number))
    value: Real = np.bincount(of, weights=weights * values, minlength=len(number)) / weight
    families = [_families(levels, pair, starts, of) for pair in pairs]
    families = [own for own in families if len(own.parents)]
    near = _projected(value, np.asarray(weight, dtype=float), families, positive=positive)
    whole = _whole(near, families)[of]
    return [whole[a:b] for a, b in pairwise(starts)]


def _pairs(levels: Sequence[Level]) -> list[tuple[int, int]]:
    """Each set and those next coarser than it, as (coarse, fine), the coarsest first."""
    order = sorted(range(len(levels)), key=lambda n: len(levels[n].values))
    above = {
        fine: [one for one in order[:place] if refines(levels[fine], levels[one])]
        for place, fine in enumerate(order)
    }
    return [
        (coarse, fine)
        for fine in order
        for coarse in above[fine]
        if not any(coarse in above[between] for between in above[fine])
    ]


def _merged(levels: Sequence[Level], pairs: Sequence[tuple[int, int]], starts: Whole) -> Whole:
    """The same number for cells that hold the same groups: a cell, and its only part."""
    same = np.arange(starts[-1])
    only = []
    for coarse, fine in pairs:
        own = owners(levels[fine], levels[coarse])
        single = np.flatnonzero((np.bincount(own) == 1)[own])
        only.append((starts[coarse] + own[single], starts[fine] + single))
    while True:
        before = same.copy()
        for parents, children in only:
            least = np.minimum(same[parents], same[children])
            same[parents], same[children] = least, least
        if np.array_equal(before, same):
            return same


def _families(levels: Sequence[Level], pair: tuple[int, int], starts: Whole, of: Whole) -> Families:
    coarse, fine = pair
    own = owners(levels[fine], levels[coarse])
    several = np.bincount(own) > 1
    children = np.flatnonzero(several[own])
    children = children[np.argsort(own[children], kind="stable")]
    parents, family = np.unique(own[children], return_inverse=True)
    begins = np.searchsorted(family, np.arange(len(parents)))
    return Families(
        of[starts[coarse] + parents], of[starts[fine] + children], family.astype(np.int64), begins
    )


def _projected(value: Real, weight: Real, families: Sequence[Families], *, positive: bool) -> Real:
    """The nearest point, by Dykstra's cycles; each projection remembers what it took away."""
    found = value.copy()
    taken = [[np.zeros(len(own.parents) + len(own.children)) for _ in (0, 1)] for own in families]
    below = np.zeros(len(value))
    cells = sum(len(own.parents) + len(own.children) for own in families)
    for _ in range(min(CYCLES, WORK // max(1, cells))):
        before = found.copy()
        for own, kept in zip(families, taken, strict=True):
            places = np.concatenate([own.parents, own.children])
            for n, onto in enumerate((_at_least, _at_most)):
                given = found[places] + kept[n]
                found[places] = onto(own, given, weight[places])
                kept[n] = given - found[places]
        if positive:
            given = found + below
            found = np.maximum(given, 0.0)
            below = given - found
        if float(np.abs(found - before).max(initial=0.0)) < CLOSE:
            break
    return found


def _at_least(own: Families, given: Real, weight: Real) -> Real:
    """The nearest point where no part is above its group: those above the mean of all such meet."""
    count = len(own.parents)
    group, parts, heavy, light = given[:count], given[count:], weight[:count], weight[count:]
    order = np.lexsort((-parts, own.of))
    ranked, own_weight = parts[order], light[order]
    sums = _running(own, own_weight * ranked) + (heavy * group)[own.of]
    weights = _running(own, own_weight) + heavy[own.of]
    before = (sums - own_weight * ranked) / (weights - own_weight)
    pooled = np.bincount(own.of, weights=ranked > before, minlength=count).astype(np.int64)
    last = np.maximum(own.starts + pooled - 1, own.starts)
    level = np.where(pooled > 0, sums[last] / weights[last], group)
    return np.concatenate([level, np.minimum(parts, level[own.of])])


def _running(own: Families, values: Real) -> Real:
    """Sums of the values so far, family by family."""
    sums = np.cumsum(values)
    first = sums[own.starts] - values[own.starts]
    return np.asarray(sums - first[own.of])


def _at_most(own: Families, given: Real, weight: Real) -> Real:
    """The nearest point where no group is above the sum of its parts: all share what is missing."""
    count = len(own.parents)
    missing = np.maximum(given[:count] - own.sums(given[count:]), 0.0)
    ease = 1 / weight
    each = missing / (ease[:count] + own.sums(ease[count:]))
    nearest: Real = given + ease * np.concatenate([-each, each[own.of]])
    return nearest


def _whole(near: Real, families: Sequence[Families]) -> Whole:
    """The nearest whole numbers, raised where they do not fit, by one and as few as may be."""
    found = np.rint(near).astype(np.int64)
    for _ in range(ROUNDS):
        _raise_groups(found, families)
        raised = [_raise_parts(found, near, own) for own in families]
        if not any(raised):
            return found
    _raise_groups(found, families)
    short = [_short(found, own) / (np.bincount(own.of) - 1) for own in families]
    return found + max((int(np.ceil(own.max())) for own in short), default=0)


def _raise_groups(found: Whole, families: Sequence[Families]) -> None:
    """Each group becomes at least its largest part, the finest sets first."""
    for own in reversed(families):
        most = np.maximum.reduceat(found[own.children], own.starts)
        found[own.parents] = np.maximum(found[own.parents], most)


def _short(found: Whole, own: Families) -> Whole:
    """What the parts of each group lack to sum to it."""
    sums = np.add.reduceat(found[own.children], own.starts)
    return np.asarray(np.maximum(found[own.parents] - sums, 0))


def _raise_parts(found: Whole, near: Real, own: Families) -> bool:
    """Where parts fall short, as many of them as are missing grow by one, if below their group.

    Those go first which were rounded down furthest.
    """
    short = _short(found, own)
    if not short.any():
        return False
    room = found[own.children] < np.maximum(found[own.parents], 0)[own.of]
    order = np.lexsort((found[own.children] - near[own.children], ~room, own.of))
    rank = np.arange(len(order)) - own.starts[own.of[order]]
    chosen = order[(rank < short[own.of[order]]) & room[order]]
    found[own.children[chosen]] += 1
    return True

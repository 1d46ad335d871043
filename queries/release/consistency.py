"""Consistency: estimates of all cells of several grouping sets that add up, from all of them.

Each set j measured the sums A_j x of the same unknown leaves x, as y_j with noise of variance v_j.
The estimate of x is that of weighted least squares, argmin sum_j |A_j x - y_j|**2 / v_j, and each
set becomes its sums of it: no linear estimate without bias has less variance (Gauss and Markov;
Hay, Rastogi, Miklau and Suciu 2010, section 4; McKenna, Miklau, Hay and Machanavajjhala 2018,
section 7). The normal equations are solved by conjugate gradients without a matrix.

What was measured is whole, and so is what leaves: totals are rounded first and their parts to sum
to them, each to one of its two neighbours (Cox and Ernst 1982) where sets lie inside of each other;
else leaves are rounded one by one, against the error that their cells have gathered so far, and
summed.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what leaves is a function of released values: it loses nothing.
    Requires    noisy tables that were charged.
    Why         nothing else is read here: noisy integers, lists of public keys, variances of noise.
    Tried by    tests/release/test_consistency.py, tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

DENSE = 500
"""Up to so many leaves the estimate's own variances are computed."""
STEPS = 400
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Level:
    """One grouping set: the cell of each leaf, the measured residuals of cells, their variance."""

    cells: Whole
    values: Real
    variance: float

    def sums(self, leaves: Real) -> Real:
        """What a vector of leaves sums to, cell by cell."""
        found = np.bincount(self.cells, weights=leaves, minlength=len(self.values))
        return found.astype(np.float64)


def fitted(levels: Sequence[Level], leaves: int) -> Real:
    """The leaves of weighted least squares; of several, the shortest."""
    target = np.zeros(leaves)
    for level in levels:
        target += (level.values / level.variance)[level.cells]
    found, rest = np.zeros(leaves), target.copy()
    direction, norm = rest.copy(), float(rest @ rest)
    least = norm * TOLERANCE**2
    for _ in range(STEPS):
        if norm <= least:
            break
        image = _normal(levels, direction)
        step = norm / float(direction @ image)
        found += step * direction
        rest -= step * image
        before, norm = norm, float(rest @ rest)
        direction = rest + (norm / before) * direction
    return found


def _normal(levels: Sequence[Level], vector: Real) -> Real:
    image = np.zeros(len(vector))
    for level in levels:
        image += (level.sums(vector) / level.variance)[level.cells]
    return image


def deviations(levels: Sequence[Level], leaves: int) -> list[Real]:
    """The standard deviation of each fitted cell, set by set.

    Beyond a number of leaves that of the set's own noise, which is never less.
    """
    own = [np.full(len(level.values), level.variance**0.5) for level in levels]
    if leaves > DENSE:
        return own
    information = np.zeros((leaves, leaves))
    for level in levels:
        information += (level.cells[:, None] == level.cells[None, :]) / level.variance
    covariance = np.linalg.pinv(information, hermitian=True)
    found = []
    for level, most in zip(levels, own, strict=True):
        sums = np.zeros((len(level.values), leaves))
        sums[level.cells, np.arange(leaves)] = 1.0
        spread = np.einsum("ij,jk,ik->i", sums, covariance, sums, optimize=True)
        found.append(np.minimum(np.sqrt(np.maximum(spread, 0.0)), most))
    return found


def non_negative(levels: Sequence[Level], start: Real) -> Real:
    """Least squares under x >= 0, by accelerated projected gradients (Beck and Teboulle 2009)."""
    bound = sum(np.bincount(level.cells).max() / level.variance for level in levels)
    found = np.maximum(start, 0.0)
    ahead, pace = found.copy(), 1.0
    for _ in range(STEPS):
        gradient = _normal(levels, ahead)
        for level in levels:
            gradient -= (level.values / level.variance)[level.cells]
        stepped = np.maximum(ahead - gradient / bound, 0.0)
        faster = (1 + (1 + 4 * pace**2) ** 0.5) / 2
        ahead = stepped + ((pace - 1) / faster) * (stepped - found)
        moved = float(np.abs(stepped - found).max(initial=0.0))
        found, pace = stepped, faster
        if moved < 1e-3:
            break
    return found


def rounded(levels: Sequence[Level], leaves: Real, *, hidden: bool) -> list[Whole]:
    """Whole numbers near the sums of the leaves, set by set, that add up as these do.

    `hidden` says that no set is the leaves themselves; then each set's coarser ones form a chain.
    """
    order = sorted(range(len(levels)), key=lambda n: len(levels[n].values))
    parents = {n: _coarser(levels, order[:place], n) for place, n in enumerate(order)}
    if hidden or all(len(some) == _nested(levels, some) for some in parents.values()):
        found: dict[int, Whole] = {}
        for n in order:
            target = levels[n].sums(leaves)
            above = parents[n][-1] if parents[n] else None
            found[n] = (
                np.rint(target).astype(np.int64)
                if above is None
                else _apportioned(target, owners(levels[n], levels[above]), found[above])
            )
        return [found[n] for n in range(len(levels))]
    return _summed(levels, leaves)


def _coarser(levels: Sequence[Level], others: Sequence[int], n: int) -> list[int]:
    """Which of the others have cells that are unions of this one's, the coarsest first."""
    return [other for other in others if refines(levels[n], levels[other])]


def refines(fine: Level, coarse: Level) -> bool:
    """Whether each cell of the one lies in a cell of the other."""
    return bool(np.array_equal(owners(fine, coarse)[fine.cells], coarse.cells))


def owners(fine: Level, coarse: Level) -> Whole:
    """The coarse cell of each fine cell, where the one lies in the other."""
    owners = np.zeros(len(fine.values), dtype=np.int64)
    owners[fine.cells] = coarse.cells
    return owners


def _nested(levels: Sequence[Level], some: Sequence[int]) -> int:
    """How many of the sets, the coarsest first, each refine the one before."""
    return 1 + sum(refines(levels[b], levels[a]) for a, b in pairwise(some)) if some else 0


def _apportioned(target: Real, owners: Whole, totals: Whole) -> Whole:
    """Each part rounded down, and those with the largest remainders up, until they sum to totals.

    A total is one of its own two neighbours, so at most all of its parts are rounded up.
    """
    floors = np.floor(target)
    sums = np.zeros(len(totals), dtype=np.int64)
    np.add.at(sums, owners, floors.astype(np.int64))
    missing = totals - sums
    order = np.lexsort((-(target - floors), owners))
    starts = np.searchsorted(owners[order], np.arange(len(totals)))
    rank = np.arange(len(order)) - starts[owners[order]]
    found = floors.astype(np.int64)
    found[order] += rank < missing[owners[order]]
    return _settled(found, owners, totals)


def _settled(found: Whole, owners: Whole, totals: Whole) -> Whole:
    """What the arithmetic of floats may have left over goes to the largest part of each total."""
    sums = np.zeros(len(totals), dtype=np.int64)
    np.add.at(sums, owners, found)
    order = np.lexsort((-found, owners))
    largest = order[np.unique(owners[order], return_index=True)[1]]
    found[largest] += (totals - sums)[owners[largest]]
    return found


def _summed(levels: Sequence[Level], leaves: Real) -> list[Whole]:
    """Leaves rounded up or down, whichever leaves their cells nearer to the estimate."""
    gathered = [np.zeros(len(level.values)).tolist() for level in levels]
    cells = [level.cells.tolist() for level in levels]
    whole = np.floor(leaves).astype(np.int64)
    rests = (leaves - whole).tolist()
    for leaf, rest in enumerate(rests):
        places = [(errors, own[leaf]) for errors, own in zip(gathered, cells, strict=True)]
        weight = sum(errors[cell] for errors, cell in places)
        up = 2 * weight + len(places) * (1 - 2 * rest) < 0
        whole[leaf] += up
        for errors, cell in places:
            errors[cell] += up - rest
    found = []
    for level in levels:
        sums = np.zeros(len(level.values), dtype=np.int64)
        np.add.at(sums, level.cells, whole)
        found.append(sums)
    return found

"""Trees of noisy counts, read: leaves fitted by least squares, ranks, and how far these may be off.

All is computed from released nodes. Each level is an unbiased sight of the leaves, and the fit
weighs them as their eigenvalues say (`queries.plan.trees`).
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from queries.plan import trees
from queries.plan.model import Distribution, Target

Floats = NDArray[np.float64]


def leaves(found: Distribution, nodes: tuple[int, ...]) -> Floats:
    """The leaves that fit all nodes best."""
    count = found.branching**found.levels
    seen = np.zeros(count)
    start = 0
    for level in range(found.levels):
        width = count // found.branching**level
        seen += np.repeat(np.array(nodes[start : start + width], dtype=np.float64), count // width)
        start += width
    fitted = np.zeros(count)
    inner = seen
    for level in range(found.levels):
        block = found.branching ** (level + 1)
        outer = np.repeat(seen.reshape(-1, block).mean(axis=1), block)
        outer = np.zeros(count) if level + 1 == found.levels else outer
        fitted += (inner - outer) / trees.eigenvalue(found.branching, level)
        inner = outer
    return fitted


def read(
    found: Distribution, target: Target, fitted: Floats, confidence: float, noise: float
) -> tuple[int, int, int]:
    """The bin of a target, and the first and last bin that it may be at a confidence.

    `noise` is the standard deviation of one node.

    Sums of leaves are made monotone first: the mean of the least line above them and the greatest
    below. A bin may be it as long as neither of its ends is further beyond the target than noise
    accounts for; with all bins between such ones, this errs on the safe side. An extreme that would
    be looked for beyond the middle of its rows is the middle.
    """
    sums = np.cumsum(fitted[::-1] if target.descending else fitted)
    falling = np.minimum.accumulate(sums[::-1])[::-1]
    above = (np.maximum.accumulate(sums) + falling) / 2
    below = np.concatenate([[0.0], above[:-1]])
    share, rows = target.numerator / target.denominator, target.rows
    if not share and rows > sums[-1] / 2:
        share, rows = 0.5, 0
    rank = rows + share * sums[-1]
    place = int(np.searchsorted(above, rank - 1e-6))
    width = noise * _widths(found.branching, found.levels, share, confidence)
    may = above - rank >= -width[1:]
    may &= below + 1 / target.denominator - rank <= width[:-1]
    inside = np.flatnonzero(may) if may.any() else np.array([place])
    ends = [int(inside[0]), place, int(inside[-1])]
    turned = [len(fitted) - 1 - end for end in reversed(ends)] if target.descending else ends
    first, middle, last = (min(max(end, 0), found.bins.count - 1) for end in turned)
    return middle, min(first, middle), max(middle, last)


@lru_cache(maxsize=128)
def _widths(branching: int, levels: int, share: float, confidence: float) -> Floats:
    """How far the noise may move the sum of the first 0, 1, ... leaves less the target's share.

    In the deviation of one node.
    """
    count = branching**levels
    places = np.arange(count + 1)
    top = trees.eigenvalue(branching, levels - 1)
    known = np.array(trees.variances(branching, levels))
    spread = known + (share * share * count - 2 * share * places) / top
    normal = NormalDist().inv_cdf((1 + confidence) / 2)
    wide: Floats = normal * np.sqrt(np.maximum(spread, 0))
    return wide

"""Trees of counts of several grouping sets, fitted to each other: the leaves of parts add up.

Trees of one shape measure each cell of set j by T, and the cells of the sets by the sums A_j of the
same unknown groups, with noise of variance v_j: together A_j (x) T. Least squares over all of them
is then that of each tree by itself, and after it that of the sets, leaf by leaf: the inverse of
sum_j (A_j' A_j / v_j) (x) T' T is the product of both inverses. So the variance of a rank in a cell
is that of a tree alone times the share of its variance that the fit of the sets leaves to a cell.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what leaves is a function of released values: it loses nothing.
    Requires    noisy trees that were charged.
    Why         nothing else is read here: noisy nodes, lists of public keys, variances of noise.
    Tried by    tests/release/test_forests.py, tests/properties/test_quantiles.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from queries.release import consistency, trees
from queries.release.consistency import Level, Whole
from queries.release.law import variance
from queries.release.quantiles import Part

MOST = 2**20
"""The most leaves of all groups together that are fitted."""


def fitted(parts: Sequence[Part], cells: Sequence[Whole]) -> list[Part]:
    """The trees of some sets, by the cell of each group, fitted; as they are where they differ."""
    shapes = {(one.distribution.branching, one.distribution.levels) for one in parts}
    bins = {one.distribution.bins for one in parts}
    counted = any(not target.denominator for one in parts for target in one.distribution.targets)
    read_off = all(one.distribution.read_off for one in parts)
    if len(shapes) != 1 or len(bins) != 1 or not read_off or counted:
        return list(parts)
    width = parts[0].distribution.branching ** parts[0].distribution.levels
    if len(cells[0]) * width > MOST or not len(cells[0]):
        return list(parts)
    levels = [_spread(part, own, width) for part, own in zip(parts, cells, strict=True)]
    leaves = consistency.fitted(levels, len(cells[0]) * width)
    spread = consistency.deviations(
        [
            Level(own, np.zeros(len(part.rows)), level.variance)
            for part, own, level in zip(parts, cells, levels, strict=True)
        ],
        len(cells[0]),
    )
    return [
        replace(part, leaves=level.sums(leaves).reshape(-1, width), deviations=own)
        for part, level, own in zip(parts, levels, spread, strict=True)
    ]


def _spread(part: Part, cells: Whole, width: int) -> Level:
    """The leaves of each cell's own tree, each a cell by itself."""
    own = np.array([trees.leaves(part.distribution, row) for row in part.rows])
    flat = (cells[:, None] * width + np.arange(width)).ravel()
    return Level(flat, own.ravel(), variance(part.distribution.noise))

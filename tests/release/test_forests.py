"""Trees of several grouping sets: fitted by least squares over all nodes, read accordingly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from queries.plan.bins import Bins, Piece
from queries.plan.model import Distribution, Target
from queries.plan.trees import size
from queries.release import forests
from queries.release.consistency import Whole
from queries.release.quantiles import Part, found
from queries.release.trees import leaves
from tests.enclave.stages import gaussian
from tests.release.test_consistency import cells
from tests.release.test_trees import seen

MEDIAN = Target("q0_1_2ad", 1, 2, 0, descending=False, sql_type="BIGINT")
SETS = ((0, 1), (0,), (1,), ())
SIZES = (2, 3)
LEAVES = 9


def tree(scale: float, bins: int = LEAVES) -> Distribution:
    return Distribution(
        "d0", "", Bins(bins, (Piece(0, 1, 0),), 0, bins - 1), (MEDIAN,), gaussian(scale), 3, 2
    )


def parts(seed: int, exact: NDArray[np.int64]) -> tuple[list[Part], list[Whole]]:
    """Noisy trees of all cells of four sets, each set with noise of its own."""
    draw = np.random.default_rng(seed)
    made, places = [], []
    for scale, one in zip((4.0, 3.0, 7.0, 2.0), SETS, strict=True):
        own = cells(SIZES, one)
        counts = np.zeros((own.max() + 1, LEAVES))
        np.add.at(counts, own, exact)
        nodes = counts @ seen(3, 2).T
        noisy = np.rint(nodes + draw.normal(0, scale, nodes.shape)).astype(int)
        made.append(Part(tree(scale), tuple(map(tuple, noisy.tolist()))))
        places.append(own)
    return made, places


def test_leaves_are_those_of_least_squares_over_all_nodes_of_all_sets() -> None:
    exact = np.random.default_rng(1).integers(0, 40, (6, LEAVES))
    own, places = parts(2, exact)
    rows, right = [], []
    for part, where in zip(own, places, strict=True):
        for cell, nodes in enumerate(part.rows):
            for node, value in zip(seen(3, 2), nodes, strict=True):
                line = np.outer(where == cell, node).ravel()
                rows.append(line / part.distribution.noise.scale)
                right.append(value / part.distribution.noise.scale)
    best = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0].reshape(6, LEAVES)
    for part, where in zip(forests.fitted(own, places), places, strict=True):
        expected = np.zeros((len(part.rows), LEAVES))
        np.add.at(expected, where, best)
        assert part.leaves is not None
        assert np.allclose(part.leaves, expected, atol=1e-6)


def test_ranks_vary_as_told_and_less_than_in_a_tree_alone() -> None:
    exact = np.random.default_rng(1).integers(0, 40, (6, LEAVES))
    sums: list[list[NDArray[np.float64]]] = [[] for _ in SETS]
    told: list[NDArray[np.float64]] = []
    for seed in range(400):
        own, places = parts(seed, exact)
        fitted = forests.fitted(own, places)
        told = [part.deviations for part in fitted if part.deviations is not None]
        for kept, part in zip(sums, fitted, strict=True):
            kept.append(np.asarray(part.leaves)[:, :4].sum(axis=1))
    matrix = seen(3, 2)
    first = (np.arange(LEAVES) < 4).astype(float)
    once = float(first @ np.linalg.inv(matrix.T @ matrix) @ first) ** 0.5
    assert len(told) == len(SETS)
    for kept, deviation, scale in zip(sums, told, (4.0, 3.0, 7.0, 2.0), strict=True):
        assert np.allclose(np.std(np.array(kept), axis=0), once * deviation, rtol=0.15)
        assert (deviation < scale).all()


def test_exact_trees_are_read_exactly_and_ends_narrow_with_the_fit() -> None:
    exact = np.zeros((6, LEAVES), dtype=np.int64)
    exact[:, 5] = 100
    own, places = parts(3, exact)
    fitted = forests.fitted(own, places)
    for alone, together in zip(own, fitted, strict=True):
        (one,), (other,) = found([alone], 0.95), found([together], 0.95)
        assert other.values == (5,) * len(alone.rows)
        for wide, narrow in zip(one.ends, other.ends, strict=True):
            assert wide is not None
            assert narrow is not None
            assert narrow[1] - narrow[0] <= wide[1] - wide[0] + 2  # type: ignore[operator]


@pytest.mark.parametrize("other", [replace(tree(2.0), branching=9, levels=1), tree(2.0, 8)])
def test_trees_of_another_shape_or_grid_stay_as_they_are(other: Distribution) -> None:
    own, places = parts(1, np.ones((6, LEAVES), dtype=np.int64))
    nodes = tuple(own[0].rows[0][: size(other.branching, other.levels)])
    differs = [*own[:3], Part(other, (nodes,))]
    assert forests.fitted(differs, places) == differs
    assert len(leaves(other, nodes)) == LEAVES


def test_selections_stay_as_they_are() -> None:
    one = Part(replace(tree(2.0), branching=0, levels=0), ((4,), (5,)))
    assert forests.fitted([one, one], [np.array([0, 1]), np.array([0, 1])]) == [one, one]

"""Trees are fitted by least squares, ranks vary as predicted, and exact trees read exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from queries.plan.bins import Bins
from queries.plan.model import Distribution, Noise, Target
from queries.plan.trees import shape, size, spread, variance, variances
from queries.release.trees import leaves, read
from tests.enclave.stages import gaussian

SHAPES = [(3, 3), (4, 2), (2, 5), (7, 1)]
NOTHING = gaussian(1e-9)


def target(numerator: int, denominator: int, rows: int = 0, *, descending: bool = False) -> Target:
    return Target("q0_1_1ad", numerator, denominator, rows, descending, "BIGINT")


def tree(branching: int, levels: int, noise: Noise = NOTHING) -> Distribution:
    count = branching**levels
    return Distribution("d0", "", Bins(count), (target(1, 2),), noise, branching, levels)


def seen(branching: int, levels: int) -> NDArray[np.float64]:
    """Which leaves each node counts, leaves first."""
    count = branching**levels
    parts = [np.eye(count // branching**n).repeat(branching**n, axis=1) for n in range(levels)]
    return np.vstack(parts)


@pytest.mark.parametrize(("branching", "levels"), SHAPES)
def test_leaves_are_those_of_least_squares(branching: int, levels: int) -> None:
    drawn = np.random.default_rng(1).integers(-20, 90, size(branching, levels))
    fitted = leaves(tree(branching, levels), tuple(drawn.tolist()))
    best, *_ = np.linalg.lstsq(seen(branching, levels), drawn.astype(float), rcond=None)
    assert np.allclose(fitted, best)


@pytest.mark.parametrize(("branching", "levels"), SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_variances_are_those_of_least_squares(branching: int, levels: int, share: float) -> None:
    matrix = seen(branching, levels)
    inverse = np.linalg.inv(matrix.T @ matrix)
    count = branching**levels
    for place in range(count + 1):
        weights = (np.arange(count) < place) - share
        exact = weights @ inverse @ weights
        assert math.isclose(variance(branching, levels, place, share), exact, abs_tol=1e-9)
    assert variances(branching, levels)[2] == variance(branching, levels, 2, 0.0)


@pytest.mark.parametrize("count", [1, 2, 3, 16, 100, 365, 1400, 4096])
def test_a_shape_holds_its_leaves_and_is_no_worse_than_a_plain_histogram(count: int) -> None:
    branching, levels = shape(count)
    assert count <= branching**levels
    assert size(branching, levels) <= max(2, 2 * count)
    assert spread(branching, levels, count) <= spread(max(2, count), 1, count)


counts = st.lists(st.integers(0, 6), min_size=9, max_size=9).filter(any)


@given(counts, st.integers(1, 19), st.booleans())
def test_an_exact_tree_gives_the_discrete_quantile(
    held: list[int], share: int, descending: bool
) -> None:
    rows = [place for place, count in enumerate(held) for _ in range(count)]
    if descending:
        rows.reverse()
    best = rows[max(0, math.ceil(len(rows) * share / 20) - 1)]
    nodes = (*held, *(sum(held[n : n + 3]) for n in (0, 3, 6)))
    one = tree(3, 2)
    asked = target(share, 20, descending=descending)
    assert read(one, asked, leaves(one, nodes), 0.95, 1e-9) == (best, best, best)


@given(counts, st.integers(1, 60))
def test_an_exact_tree_gives_the_row_at_a_rank(held: list[int], rank: int) -> None:
    rows = [place for place, count in enumerate(held) for _ in range(count)]
    nodes = (*held, *(sum(held[n : n + 3]) for n in (0, 3, 6)))
    one = tree(3, 2)
    place, first, last = read(one, target(0, 1, rank), leaves(one, nodes), 0.95, 1e-9)
    assert first <= place <= last
    if rows:
        assert place == rows[min(rank, (len(rows) + 1) // 2) - 1], "no further than the middle"

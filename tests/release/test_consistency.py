"""Estimates of several grouping sets add up, vary less than any set alone, and stay whole."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from queries.release.consistency import (
    DENSE,
    Level,
    deviations,
    fitted,
    non_negative,
    rounded,
)

Sets = tuple[tuple[int, ...], ...]
ROLLUP: Sets = ((0, 1, 2), (0, 1), (0,), ())
CUBE: Sets = tuple(one for size in range(3, -1, -1) for one in combinations(range(3), size))
APART: Sets = ((0,), (1,), ())
SHAPES = st.sampled_from([ROLLUP, CUBE, APART, ((0, 1, 2), (1,)), ((0, 1, 2), (0,), (1, 2), ())])
SIZES = st.tuples(*[st.integers(1, 4)] * 3)
Real = NDArray[np.float64]


def cells(sizes: tuple[int, ...], one: tuple[int, ...]) -> NDArray[np.int64]:
    """The cell of each leaf of a full cross of keys, in one set."""
    leaves = list(product(*(range(size) for size in sizes)))
    found = {key: n for n, key in enumerate(product(*(range(sizes[k]) for k in one)))}
    return np.array([found[tuple(leaf[k] for k in one)] for leaf in leaves])


def levels(sizes: tuple[int, ...], sets: Sets, values: list[Real], variances: Real) -> list[Level]:
    return [
        Level(cells(sizes, one), own, float(v))
        for one, own, v in zip(sets, values, variances, strict=True)
    ]


def measured(sizes: tuple[int, ...], sets: Sets, seed: int) -> list[Level]:
    """Sets measured of random leaves, each with noise of a variance of its own."""
    draw = np.random.default_rng(seed)
    variances = draw.uniform(0.5, 60.0, len(sets))
    leaves = draw.integers(0, 40, int(np.prod(sizes))).astype(float)
    values = []
    for one, variance in zip(sets, variances, strict=True):
        exact = np.bincount(cells(sizes, one), weights=leaves)
        values.append(np.rint(exact + draw.normal(0, variance**0.5, len(exact))))
    return levels(sizes, sets, values, variances)


def stacked(some: list[Level], leaves: int) -> tuple[Real, Real]:
    """The same least squares written out: rows divided by their standard deviation."""
    rows, right = [], []
    for level in some:
        for cell, value in enumerate(level.values):
            rows.append((level.cells == cell) / level.variance**0.5)
            right.append(value / level.variance**0.5)
    return np.array(rows, dtype=float).reshape(-1, leaves), np.array(right)


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6))
def test_estimates_are_those_of_least_squares(
    sizes: tuple[int, ...], sets: Sets, seed: int
) -> None:
    leaves = int(np.prod(sizes))
    some = measured(sizes, sets, seed)
    expected = np.linalg.lstsq(*stacked(some, leaves), rcond=None)[0]
    got = fitted(some, leaves)
    for level in some:
        assert np.allclose(level.sums(got), level.sums(expected), atol=1e-6)


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6), positive=st.booleans())
def test_whole_numbers_add_up_and_lie_near_the_estimate(
    sizes: tuple[int, ...], sets: Sets, seed: int, positive: bool
) -> None:
    leaves = int(np.prod(sizes))
    some = measured(sizes, sets, seed)
    estimate = fitted(some, leaves)
    if positive:
        estimate = non_negative(some, estimate)
    shown = rounded(some, estimate, hidden=sets is APART)
    for (one, fine), (other, coarse) in combinations(zip(sets, shown, strict=True), 2):
        if set(other) < set(one):
            parts = np.zeros(len(coarse), dtype=np.int64)
            onto = dict(zip(cells(sizes, one), cells(sizes, other), strict=True))
            for cell, value in enumerate(fine):
                parts[onto[cell]] += value
            assert (parts == coarse).all()
    assert not positive or min(own.min() for own in shown) >= 0
    far = max(
        float(np.abs(level.sums(estimate) - own).max())
        for level, own in zip(some, shown, strict=True)
    )
    assert far < (2.5 if sets == CUBE or len(sets) == 4 else 1 + 1e-6)


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6))
def test_what_adds_up_already_is_left_as_it_is(
    sizes: tuple[int, ...], sets: Sets, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    leaves = draw.integers(-50, 50, int(np.prod(sizes))).astype(float)
    values = [np.bincount(cells(sizes, one), weights=leaves) for one in sets]
    some = levels(sizes, sets, values, draw.uniform(0.1, 9.0, len(sets)))
    shown = rounded(some, fitted(some, len(leaves)), hidden=sets is APART)
    for exact, got in zip(values, shown, strict=True):
        assert (exact == got).all()


@pytest.mark.parametrize("sets", [ROLLUP, CUBE, APART], ids=["rollup", "cube", "apart"])
def test_fitted_cells_vary_as_told_and_less_than_each_set_alone(sets: Sets) -> None:
    sizes, rounds = (2, 3, 4), 1500
    draw = np.random.default_rng(3)
    variances = np.array([4.0 * (n + 1) for n in range(len(sets))])
    parts = [cells(sizes, one) for one in sets]
    found: list[list[Real]] = [[] for _ in sets]
    for _ in range(rounds):
        noise = [
            draw.normal(0, v**0.5, own.max() + 1) for own, v in zip(parts, variances, strict=True)
        ]
        some = levels(sizes, sets, noise, variances)
        estimate = fitted(some, 24)
        for kept, level in zip(found, some, strict=True):
            kept.append(level.sums(estimate))
    told = deviations(some, 24)
    for kept, deviation, variance in zip(found, told, variances, strict=True):
        spread = np.std(np.array(kept), axis=0)
        assert np.allclose(spread, deviation, rtol=0.12)
        assert (deviation < variance**0.5).all()


def test_many_leaves_are_told_the_noise_of_their_own_set() -> None:
    leaves = DENSE + 1
    some = [
        Level(np.arange(leaves), np.zeros(leaves), 4.0),
        Level(np.zeros(leaves, dtype=np.int64), np.zeros(1), 9.0),
    ]
    fine, total = deviations(some, leaves)
    assert set(fine) == {2.0}
    assert set(total) == {3.0}


def test_twenty_thousand_leaves_are_fitted_at_once() -> None:
    draw = np.random.default_rng(5)
    sizes, sets = (20, 25, 40), CUBE
    values = [draw.normal(0, 30, int(np.prod([sizes[k] for k in one]))) for one in sets]
    some = levels(sizes, sets, values, np.linspace(1, 50, len(sets)))
    estimate = fitted(some, 20_000)
    gradient = sum(
        ((level.sums(estimate) - level.values) / level.variance)[level.cells] for level in some
    )
    assert np.abs(gradient).max() < 1e-6

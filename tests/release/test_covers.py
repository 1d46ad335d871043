"""Distinct counts of several sets: held to their inequalities, nearest to what was measured."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from queries.release import covers
from queries.release.consistency import Level, Whole, owners, refines
from queries.release.covers import held
from tests.release.test_consistency import APART, CUBE, ROLLUP, SHAPES, SIZES, Sets, cells

Real = NDArray[np.float64]


def counted(sizes: tuple[int, ...], sets: Sets, seed: int, things: int = 30) -> list[Real]:
    """How many distinct things each cell of each set holds, of things in some of the leaves."""
    draw = np.random.default_rng(seed)
    holds = draw.random((int(np.prod(sizes)), things)) < draw.choice([0.02, 0.2, 0.7])
    found = []
    for one in sets:
        places = cells(sizes, one)
        union = np.zeros((places.max() + 1, things), dtype=bool)
        np.logical_or.at(union, places, holds)
        found.append(union.sum(axis=1).astype(float))
    return found


def noised(sizes: tuple[int, ...], sets: Sets, truth: list[Real], seed: int) -> list[Level]:
    draw = np.random.default_rng(seed)
    variances = draw.uniform(0.5, 60.0, len(sets))
    return [
        Level(cells(sizes, one), np.rint(own + draw.normal(0, v**0.5, len(own))), float(v))
        for one, own, v in zip(sets, truth, variances, strict=True)
    ]


def fits(levels: list[Level], shown: list[Whole]) -> bool:
    """Whether every group has at least each of its parts, and at most all of them."""
    for coarse, above in zip(levels, shown, strict=True):
        for fine, below in zip(levels, shown, strict=True):
            if fine is coarse or not refines(fine, coarse):
                continue
            of = owners(fine, coarse)
            sums = np.zeros(len(above), dtype=np.int64)
            np.add.at(sums, of, below)
            if (above > sums).any() or (below > above[of]).any():
                return False
    return True


def distance(levels: list[Level], shown: list[Real] | list[Whole], truth: list[Real]) -> float:
    """In the weights in which the nearest is looked for."""
    parts = zip(levels, shown, truth, strict=True)
    return float(sum(((s - t) ** 2).sum() / level.variance for level, s, t in parts)) ** 0.5


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6), positive=st.booleans())
def test_what_is_shown_obeys_the_inequalities(
    sizes: tuple[int, ...], sets: Sets, seed: int, positive: bool
) -> None:
    levels = noised(sizes, sets, counted(sizes, sets, seed), seed)
    shown = held(levels, positive=positive)
    assert fits(levels, shown)
    assert not positive or min(own.min() for own in shown) >= 0


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6))
def test_no_draw_is_farther_from_the_truth_than_what_was_measured(
    sizes: tuple[int, ...], sets: Sets, seed: int
) -> None:
    """But for the rounding: half a step a cell, and a step where whole numbers had to be raised."""
    truth = counted(sizes, sets, seed)
    levels = noised(sizes, sets, truth, seed)
    measured = distance(levels, [level.values for level in levels], truth)
    rounding = sum(len(level.values) / level.variance for level in levels) ** 0.5
    assert distance(levels, held(levels, positive=False), truth) <= measured + rounding


@given(sizes=SIZES, sets=SHAPES, seed=st.integers(0, 10**6))
def test_what_obeys_them_already_is_left_as_it_is(
    sizes: tuple[int, ...], sets: Sets, seed: int
) -> None:
    truth = counted(sizes, sets, seed)
    levels = [Level(cells(sizes, one), own, 3.0) for one, own in zip(sets, truth, strict=True)]
    for own, shown in zip(truth, held(levels, positive=False), strict=True):
        assert (own == shown).all()


@pytest.mark.parametrize("sets", [ROLLUP, CUBE, APART], ids=["rollup", "cube", "apart"])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_nearest_point(sets: Sets, seed: int) -> None:
    """As a general solver finds it, but for the rounding."""
    sizes = (2, 2, 3)
    levels = noised(sizes, sets, counted(sizes, sets, seed, 200), seed)
    starts = np.cumsum([0, *(len(level.values) for level in levels)])
    values = np.concatenate([level.values for level in levels])
    weights = np.concatenate([np.full(len(own.values), 1 / own.variance) for own in levels])
    rows = []
    for n, coarse in enumerate(levels):
        for m, fine in enumerate(levels):
            if n == m or not refines(fine, coarse):
                continue
            of = owners(fine, coarse)
            for cell in range(len(coarse.values)):
                parts = starts[m] + np.flatnonzero(of == cell)
                whole = np.zeros(len(values))
                whole[parts], whole[starts[n] + cell] = 1, -1
                rows.append(whole)
                for part in parts:
                    least = np.zeros(len(values))
                    least[starts[n] + cell], least[part] = 1, -1
                    rows.append(least)
    matrix = np.array(rows)
    best = minimize(
        lambda x: float((weights * (x - values) ** 2).sum()),
        values,
        jac=lambda x: 2 * weights * (x - values),
        constraints={"type": "ineq", "fun": lambda x: matrix @ x, "jac": lambda _: matrix},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert best.success
    shown = np.concatenate(held(levels, positive=False))
    assert np.abs(shown - best.x).max() <= 2
    assert np.abs(shown - best.x).mean() <= 0.6


def test_cells_of_the_same_groups_are_one_number() -> None:
    """One group has one part: what was measured of both is averaged, by their variances."""
    parts = Level(np.array([0, 1, 2]), np.array([10.0, 40.0, 2.0]), 1.0)
    groups = Level(np.array([0, 1, 1]), np.array([14.0, 41.0]), 3.0)
    fine, coarse = held([parts, groups], positive=False)
    assert fine.tolist() == [11, 40, 2]
    assert coarse.tolist() == [11, 41]


@pytest.mark.parametrize("sets", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_whole_numbers_fit_however_few_rounds_there_were(
    sets: Sets, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORK", "ROUNDS"):
        monkeypatch.setattr(covers, name, 0)
    sizes = (3, 4, 2)
    for seed in range(20):
        levels = noised(sizes, sets, counted(sizes, sets, seed), seed)
        assert fits(levels, held(levels, positive=False))


def test_twenty_thousand_leaves_take_no_time() -> None:
    sizes = (20, 25, 40)
    truth = counted(sizes, CUBE, 4, 300)
    levels = noised(sizes, CUBE, truth, 4)
    start = time.process_time()
    assert fits(levels, held(levels, positive=False))
    assert time.process_time() - start < 10

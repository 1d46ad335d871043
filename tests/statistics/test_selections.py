"""Selections follow the exponential mechanism's law, and trees' intervals cover what they claim."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from queries.enclave.client import Enclave
from queries.enclave.selection import nodes, scores
from queries.plan.bins import Bins, Piece
from queries.plan.model import Distribution, Key, Noise, Target
from queries.plan.ranks import deviation
from queries.release.law import draws
from queries.release.modes import places
from queries.release.quantiles import Part, found
from queries.release.trees import leaves, read
from tests.enclave.stages import gaussian, laplace, plan, selecting, stage
from tests.statistics.draws import ALPHA

pytestmark = pytest.mark.slow

COUNTS = (4, 0, 9, 2, 0, 0, 7, 3)
DRAWS = 20_000
MEDIAN = Target("q0_1_2ad", 1, 2, 0, descending=False, sql_type="BIGINT")
NINTH = Target("q0_9_10dd", 9, 10, 0, descending=True, sql_type="BIGINT")
GREATEST = Target("q0_0_1dd", 0, 1, 3, descending=True, sql_type="BIGINT")
MODE = Target("q0_mode", 0, 0, 0, descending=False, sql_type="BIGINT")


def distribution(noise: Noise, target: Target) -> Distribution:
    values = " UNION ALL ".join(f"SELECT {b} AS b, {n} AS n" for b, n in enumerate(COUNTS) if n)
    sql = f"SELECT k0, b, n FROM range({DRAWS}) AS r(k0), ({values}) AS v"
    return Distribution("d0", sql, Bins(len(COUNTS)), (target,), noise)


def selected(enclave: Enclave, found: Distribution) -> NDArray[np.int64]:
    """How often each bin was selected, in as many groups alike, through a real worker."""
    listed = [(key,) for key in range(DRAWS)]
    asked = dataclasses.replace(
        stage("", [], [Key("k0", "BIGINT")], listed, most_rows=DRAWS), distributions=(found,)
    )
    (table,) = enclave.run(plan(asked), 120)
    return np.bincount([row[0][0] for row in table.found], minlength=len(COUNTS))


def law(target: Target, scale: float) -> NDArray[np.float64]:
    """The exponential mechanism: weights that grow with the score over the scale."""
    weights = np.exp(scores(target, np.array(COUNTS)) / scale)
    return np.asarray(weights / weights.sum())


def fits(seen: NDArray[np.int64], expected: NDArray[np.float64]) -> float:
    return float(stats.chisquare(seen, expected * seen.sum()).pvalue)


@pytest.mark.parametrize(("target", "scale"), [(MEDIAN, 6.0), (NINTH, 40.0), (GREATEST, 4.0)])
def test_selections_fit_their_scale_and_no_other(
    enclave: Enclave, target: Target, scale: float
) -> None:
    seen = selected(enclave, distribution(selecting(scale), target))
    assert fits(seen, law(target, scale)) > ALPHA
    for wrong in (0.7, 1.3):
        assert fits(seen, law(target, scale * wrong)) < ALPHA


def test_permute_and_flip_is_at_least_as_exact(enclave: Enclave) -> None:
    """Its best score wins no less often than the exponential mechanism's at the same scale."""
    seen = selected(enclave, distribution(selecting(6.0, pure=True), MEDIAN))
    best = int(np.argmax(law(MEDIAN, 6.0)))
    assert stats.binomtest(int(seen[best]), DRAWS, law(MEDIAN, 6.0)[best], "less").pvalue > ALPHA


@pytest.mark.parametrize("pure", [False, True])
def test_a_neighbour_is_told_apart_no_better_than_claimed(enclave: Enclave, pure: bool) -> None:
    """With one row more in the last bin, no bin's share grows by more than e to the loss."""
    found = distribution(selecting(6.0, pure=pure), MEDIAN)
    one = selected(enclave, found)
    more = found.sql.replace(
        f"SELECT 7 AS b, {COUNTS[7]} AS n", f"SELECT 7 AS b, {COUNTS[7] + 1} AS n"
    )
    other = selected(enclave, dataclasses.replace(found, sql=more))
    most = 2 / 6.0
    for left, right in zip(one, other, strict=True):
        if min(left, right) > 100:
            spread = 5 * math.sqrt(1 / left + 1 / right)
            assert abs(math.log(left / right)) <= most + spread


def covered(found: Distribution, counts: NDArray[np.int64], rounds: int) -> tuple[float, float]:
    """The share of intervals that hold the true bin, and their usual width in bins."""
    (target,) = found.targets
    truth = int(np.argmax(scores(target, counts)))
    exact = nodes(found, counts)
    noise = draws(found.noise, np.random.default_rng(3), (rounds, len(exact)))
    held, wide, one = 0, 0, deviation(found.noise)
    for drawn in exact + noise:
        place, first, last = read(found, target, leaves(found, tuple(drawn.tolist())), 0.95, one)
        assert first <= place <= last
        held += first <= truth <= last
        wide += last - first
    return held / rounds, wide / rounds


@pytest.mark.parametrize("noise", [gaussian(40.0), laplace(30.0)], ids=["gaussian", "laplace"])
@pytest.mark.parametrize("target", [MEDIAN, NINTH, GREATEST], ids=["median", "ninth", "greatest"])
def test_intervals_of_trees_cover(noise: Noise, target: Target) -> None:
    """Where bins hold many rows, an interval is a few bins and misses seldom."""
    values = np.random.default_rng(5).gamma(2.0, 30.0, 200_000).astype(int)
    counts = np.bincount(np.minimum(values, 255), minlength=256)
    share, width = covered(Distribution("d0", "", Bins(256), (target,), noise, 4, 4), counts, 1000)
    assert share >= 0.93
    assert width < 20


@pytest.mark.parametrize("noise", [gaussian(40.0), laplace(30.0)], ids=["gaussian", "laplace"])
def test_intervals_are_hardly_wider_than_they_need_be(noise: Noise) -> None:
    """Where each bin holds next to nothing, what is claimed is nearly attained."""
    target = dataclasses.replace(MEDIAN, numerator=3, denominator=10)
    found = Distribution("d0", "", Bins(1024), (target,), noise, 4, 5)
    share, _ = covered(found, np.full(1024, 12), 2000)
    assert 0.95 <= share <= 0.995


@pytest.mark.parametrize("target", [MEDIAN, NINTH], ids=["median", "ninth"])
@pytest.mark.parametrize("spread", [3.0, 300.0], ids=["narrow", "wide"])
def test_intervals_beside_selections_cover(target: Target, spread: float) -> None:
    """Through the release itself: what was selected lies within ends that hold the true bin."""
    values = np.random.default_rng(7).gamma(2.0, spread, 20_000).astype(int)
    counts = np.bincount(np.minimum(values, 1023), minlength=1024)
    truth = int(np.argmax(scores(target, counts)))
    bins = Bins(1024, (Piece(0, 1, 0),), 0, 1023)
    noise, rounds = gaussian(40.0), 400
    one = Distribution("d0", "", bins, (target,), selecting(20.0), 4, 5, 0, noise)
    exact = nodes(one, counts)
    around = exact + draws(noise, np.random.default_rng(3), (rounds, len(exact)))
    picked = np.random.default_rng(4).gumbel(size=(rounds, 1024))
    places = np.argmax(picked + scores(target, counts) / 20.0, axis=1)
    rows = tuple((int(at), *map(int, tree)) for at, tree in zip(places, around, strict=True))
    (column,) = found([Part(one, rows)], 0.95)
    held = 0
    for shown, ends in zip(column.values, column.ends, strict=True):
        assert ends is not None
        low, high = ends
        assert low <= shown <= high  # type: ignore[operator]
        held += low <= truth <= high  # type: ignore[operator]
    assert held / rounds >= 0.93


MODES = {
    "two alike": (500, 500),
    "all alike": (300,) * 12,
    "a near one": (500, 480, 90, 0),
    "one far ahead": (9_000, 20, 10),
    "many": (40, *(20,) * 255),
}


@pytest.mark.parametrize("noise", [gaussian(15.0), laplace(12.0), gaussian(0.7), laplace(0.6)])
@pytest.mark.parametrize("name", MODES)
def test_what_may_be_the_mode_holds_it(noise: Noise, name: str) -> None:
    """Whatever the counts are: nowhere under the confidence, and no more than it has to be."""
    counts = np.array(MODES[name])
    asked = Distribution("d0", "", Bins(len(counts)), (MODE,), noise, len(counts), 1)
    truth = int(np.argmax(counts))
    drawn = counts + draws(noise, np.random.default_rng(4), (4_000, len(counts)))
    read = [places(asked, row.tolist(), 0.95) for row in drawn]
    held = np.mean([truth in may for _, may in read])
    assert all(best in may for best, may in read)
    assert held >= 0.945
    if name == "one far ahead":
        assert all(may == [truth] for _, may in read)
    if name == "two alike" and noise.scale > 5:
        assert held <= 0.98, "the width of two is that of their difference"

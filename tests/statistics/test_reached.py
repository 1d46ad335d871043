"""An error that was asked for is reached: by the noise that its loss buys, and by no wider one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from queries.enclave.client import Enclave
from queries.enclave.selection import nodes, scores
from queries.plan import split
from queries.plan.bins import Bins
from queries.plan.bounding import Sensitivity
from queries.plan.model import Distribution, Mechanism, Noise, Target
from queries.plan.quantiles import repriced
from queries.plan.ranks import deviation, reach
from queries.plan.ratios import SHARE, Group, Held, ratio
from queries.plan.slopes import rooted, slopes
from queries.release.law import draws, half_width
from queries.release.least import Limit, alone, drawn, ranked, together
from queries.release.trees import leaves, read
from tests.enclave.stages import NOISES
from tests.statistics.draws import ALPHA, noise_of

pytestmark = pytest.mark.slow

COUNT = 40_000
ONE = Sensitivity(6, 12)


def missed(enclave: Enclave, noise: Noise, steps: int) -> int:
    found = noise_of(enclave, noise, COUNT)
    return int((abs(found) > steps).sum())


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("steps", [2, 17, 150])
@pytest.mark.parametrize("mechanism", NOISES)
def test_the_loss_that_is_charged_reaches_the_error_and_a_wider_scale_does_not(
    enclave: Enclave, mechanism: Mechanism, steps: int, confidence: float
) -> None:
    pure = mechanism is Mechanism.LAPLACE
    noise = drawn(ONE, alone(ONE, steps, confidence, pure=pure), pure=pure)
    assert half_width(noise, confidence) == steps
    allowed = 1 - confidence
    within = missed(enclave, noise, steps)
    assert stats.binomtest(within, COUNT, allowed, alternative="greater").pvalue > ALPHA
    wider = missed(enclave, replace(noise, scale=1.3 * noise.scale), steps)
    assert stats.binomtest(wider, COUNT, allowed, alternative="greater").pvalue < ALPHA


BINS, ROWS, ROUNDS = 256, 40_000, 1_500
SHAPES = {
    "even": np.full(BINS, ROWS // BINS),
    "skewed": np.bincount(
        np.minimum(np.random.default_rng(5).exponential(9.0, ROWS).astype(int), BINS - 1),
        minlength=BINS,
    ),
    "two values": np.bincount([3, 250], weights=[ROWS // 2, ROWS // 2], minlength=BINS).astype(int),
    "few": np.bincount([9, 100, 101, 255], minlength=BINS),
}
TARGETS = {
    "median": Target("q", 1, 2, 0, descending=False, sql_type="BIGINT"),
    "tenth": Target("q", 1, 10, 0, descending=True, sql_type="BIGINT"),
    "least": Target("q", 0, 1, 1, descending=False, sql_type="BIGINT"),
}


def off(target: Target, counts: NDArray[np.int64], place: int) -> float:
    """How many ranks a bin lies from what was asked, an extreme from the very end."""
    ordered = counts[::-1] if target.descending else counts
    at = BINS - 1 - place if target.descending else place
    below = int(ordered[:at].sum())
    asked = target.numerator / target.denominator * int(counts.sum())
    return max(0.0, below - asked, asked - below - int(ordered[at]))


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("tree", [False, True], ids=["selected", "tree"])
@pytest.mark.parametrize("confidence", [0.8, 0.99])
@pytest.mark.parametrize("asked", TARGETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_rank_that_was_asked_for_is_reached_whatever_the_data(
    shape: str, asked: str, confidence: float, tree: bool, pure: bool
) -> None:
    counts, target = SHAPES[shape], TARGETS[asked]
    noise = Noise(Mechanism.GAUSSIAN, 12, 24, 1.0, 1)
    one = Distribution("d0", "", Bins(BINS), (target,), noise, *((4, 4) if tree else (0, 0)))
    one = repriced(one, split.amounting(10**12, pure=pure))
    rows = 300.0
    amount = ranked(one, target_of(one), rows, confidence, pure=pure)
    made = repriced(one, split.amounting(amount, pure=pure))
    target = target_of(made)
    assert 0.95 * rows <= reach(made, target, confidence) <= rows
    places = read_off(made, counts) if tree else chosen(made, counts)
    missed = sum(off(target, counts, place) > rows for place in places)
    found = stats.binomtest(missed, ROUNDS, 1 - confidence, alternative="greater")
    assert found.pvalue > ALPHA, missed / ROUNDS


def target_of(found: Distribution) -> Target:
    (target,) = found.targets
    return target


def chosen(found: Distribution, counts: NDArray[np.int64]) -> list[int]:
    """Bins as the exponential mechanism selects them; permute-and-flip is no less exact."""
    gumbel = np.random.default_rng(4).gumbel(size=(ROUNDS, BINS))
    weighed = gumbel + scores(target_of(found), counts) / found.noise.scale
    return [int(place) for place in np.argmax(weighed, axis=1)]


def read_off(found: Distribution, counts: NDArray[np.int64]) -> list[int]:
    exact, one = nodes(found, counts), deviation(found.noise)
    noise = draws(found.noise, np.random.default_rng(3), (ROUNDS, len(exact)))
    trees = (leaves(found, tuple(tree.tolist())) for tree in exact + noise)
    return [read(found, target_of(found), tree, 0.95, one)[0] for tree in trees]


HALF, GROUP = 50.0, 2_000
"""Values lie within so much of the middle of their range; a group has so many rows."""
VARIANCE = '(1250e0 + "m0" / "m2") - ("m1" / "m2") * ("m1" / "m2")'
VALUES = {
    "all alike": np.zeros(GROUP),
    "at an end": np.full(GROUP, HALF),
    "at both ends": np.repeat([-HALF, HALF], GROUP // 2),
    "even": np.linspace(-HALF, HALF, GROUP),
    "nearly at an end": np.concatenate([np.full(GROUP - 5, HALF), np.full(5, -HALF)]),
}


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("root", [False, True], ids=["variance", "deviation"])
@pytest.mark.parametrize("shape", VALUES)
def test_a_spread_that_was_asked_for_is_reached_wherever_values_lie(
    shape: str, root: bool, pure: bool
) -> None:
    """The amounts are those of the worst values of the range; all others come out more exact."""
    values, margin = VALUES[shape], 6.0 if root else 40.0
    worst = {"m0": GROUP * 1250.0, "m1": GROUP * HALF, "m2": float(GROUP)}
    sql = f"SQRT({VARIANCE})" if root else VARIANCE
    found = rooted(sql, worst) if root else slopes(sql, worst)
    assert found is not None
    every = [Sensitivity(1250, 1250**2), Sensitivity(50, 50**2), Sensitivity(1, 1)]
    limit = Limit(margin ** (1 + root), {n: found.by[f"m{n}"] for n in range(3)})
    amounts = together(every, [0, 0, 0], [limit], 0.95, pure=pure)
    random = np.random.default_rng(8)
    exact = [float((values**2 - 1250).sum()), float(values.sum()), float(GROUP)]
    second, first, count = (
        one + draws(drawn(each, amount, pure=pure), random, (1, COUNT))[0]
        for one, each, amount in zip(exact, every, amounts, strict=True)
    )
    noisy = np.maximum(0.0, 1250 + second / count - (first / count) ** 2)
    truth = float(np.var(values))
    missed = np.abs(np.sqrt(noisy) - math.sqrt(truth) if root else noisy - truth) > margin
    test = stats.binomtest(int(missed.sum()), COUNT, 0.05, alternative="greater")
    assert test.pvalue > ALPHA, missed.mean()


RELATED = '(("xy" / "n") - (("x" / "n") * ("y" / "n")))'
OWN = {n: f'((1250e0 + "{n}{n}" / "n") - (("{n}" / "n") * ("{n}" / "n")))' for n in "xy"}
CORRELATION = f"LEAST(GREATEST({RELATED} / SQRT({OWN['x']} * {OWN['y']}), -1), 1)"
REGRESSION = f"({RELATED} / {OWN['x']})"
FAR = 0.2
"""The standard deviation of what is correlated, as a share of its range."""


def related(where: str, sign: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values spread by FAR of a range of 100: about the middle, or most at an end."""
    few = np.zeros(GROUP)
    if where == "middle":
        few[: GROUP // 2], few[GROUP // 2 :] = -20, 20
        return few, sign * few
    far = next(n for n in range(1, GROUP) if 100 * math.sqrt(n * (GROUP - n)) >= 20 * GROUP)
    few[:], few[:far] = HALF, -HALF
    return few, sign * few


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("sign", [1.0, -1.0, 0.0])
@pytest.mark.parametrize("where", ["middle", "end"])
@pytest.mark.parametrize("call", ["CORR", "REGR_SLOPE"])
def test_a_correlation_that_was_asked_for_is_reached_where_values_are_spread_so_far(
    call: str, where: str, sign: float, pure: bool
) -> None:
    x, y = related(where, sign or 1.0)
    y = y if sign else np.random.default_rng(5).permutation(y)
    sql, margin = (CORRELATION, 0.1) if call == "CORR" else (REGRESSION, 0.2)
    columns = {
        "xx": Held(0, 1250, 0, (3, 3)), "yy": Held(0, 1250, 1, (4, 4)),
        "xy": Held(0, 2500, 2, (3, 4)), "x": Held(0, HALF, 3), "y": Held(0, HALF, 4),
        "n": Held(0, 0),
    }  # fmt: skip
    found = ratio(sql, Group(float(GROUP), columns, FAR))
    names = sorted(found.by)
    reach = {"xx": 1250, "yy": 1250, "xy": 2500, "x": 50, "y": 50, "n": 1}
    every = [Sensitivity(reach[name], reach[name] ** 2) for name in names]
    places = {name: n for n, name in enumerate(names)}
    first = Limit(margin * (1 - SHARE), {places[n]: slope for n, slope in found.by.items()})
    near = [Limit(SHARE, {places[n]: s for n, s in one.items()}) for one in found.apart]
    amounts = together(every, [0] * len(names), [first, *near], 0.95, pure=pure)
    exact = {"xx": (x * x - 1250).sum(), "yy": (y * y - 1250).sum(), "xy": (x * y).sum(),
             "x": x.sum(), "y": y.sum(), "n": float(GROUP)}  # fmt: skip
    random = np.random.default_rng(9)
    noisy = {
        name: float(exact[name]) + draws(drawn(each, amount, pure=pure), random, (1, COUNT))[0]
        for name, each, amount in zip(names, every, amounts, strict=True)
    }
    truth = float(np.corrcoef(x, y)[0, 1]) if call == "CORR" else float(np.polyfit(x, y, 1)[0])
    missed = np.abs(computed(call, noisy) - truth) > margin
    test = stats.binomtest(int(missed.sum()), COUNT, 0.05, alternative="greater")
    assert test.pvalue > ALPHA, missed.mean()


def computed(call: str, noisy: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """The value over noisy columns, as the release engine computes it."""
    n = noisy["n"]
    covariance = noisy["xy"] / n - noisy["x"] / n * (noisy["y"] / n)
    own = {c: 1250 + noisy[c + c] / n - (noisy[c] / n) ** 2 for c in "xy" if c + c in noisy}
    if call == "REGR_SLOPE":
        return covariance / own["x"]
    return np.clip(covariance / np.sqrt(own["x"] * own["y"]), -1, 1)

"""Claims: what a plan says it loses, checked against OpenDP's own maps before anybody pays.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       each column's rho (and epsilon in pure plans) is at least OpenDP's map of its
                sensitivity at its scale; each threshold is at least that of P11 for its delta.
    Requires    sensitivities proved by the plan.
    Why         OpenDP's maps round up; distances are rounded up here before they are mapped, and
                losses are compared as exact fractions. OpenDP's own threshold constructors are not
                used: on integers they count only strict excess, and so understate delta.
    Tried by    tests/enclave/test_claims.py
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

from queries.enclave.mechanisms import measurement, ranker, selector
from queries.faults import ClaimMismatch
from queries.plan.model import Distribution, Mechanism, Noise, NoisyColumn, Other, Stage, Top
from queries.plan.noisy import beside

UNITS = 10**12
DELTA_UNITS = 10**18
WIDEST = 2.0**55
"""A wider scale would meet the ends of the 64-bit range."""


def verify(stages: Iterable[Stage]) -> None:
    """Raises ClaimMismatch unless every column and threshold loses no more than it claims."""
    for stage in stages:
        _verify_shape(stage)
        for column in stage.columns:
            if column.noise.mechanism.selects:
                raise ClaimMismatch("a selection adds no noise to a column")
            _verify_noise(column.noise)
        for found in stage.distributions:
            _verify_distribution(found)
        if stage.top is not None:
            _verify_top(stage, stage.top)
        if stage.threshold is not None:
            _verify_threshold(stage)
        if stage.other is not None:
            _verify_other(stage, stage.other)


def least_threshold(mechanism: Mechanism, scale: float, groups: int, delta: float) -> int:
    """The least threshold for a noisy count of units, each of them in at most `groups` keys."""
    if mechanism is Mechanism.LAPLACE:
        tail = groups / (delta * (1 + math.exp(-1 / scale)))
        return math.ceil(1 + scale * math.log(tail)) if tail > 1 else 1
    return math.ceil(2 - scale * NormalDist().inv_cdf(delta / groups))


def distance(squared: int) -> float:
    """The root of a whole number as a float, never too small."""
    root = math.sqrt(squared)
    while Fraction(root) ** 2 < squared:
        root = math.nextafter(root, math.inf)
    return root


def _verify_shape(stage: Stage) -> None:
    """Keys leave by a list or by a threshold, never just so."""
    names = [key.name for key in stage.keys] + [column.name for column in stage.columns]
    names += [target.name for found in stage.distributions for target in found.targets]
    ways = (stage.listed, stage.listing, stage.threshold)
    decided = sum(way is not None for way in ways)
    if decided != bool(stage.keys) or len(set(names)) != len(names) or stage.most_rows < 1:
        raise ClaimMismatch("the keys of a stage are neither listed nor thresholded")
    if any(len(key) != len(stage.keys) for key in stage.listed or ()):
        raise ClaimMismatch("a listed key has another width than the stage")


@lru_cache(maxsize=4096)
def _verify_noise(noise: Noise, *, one_way: bool = False) -> None:
    if min(noise.l1, noise.l2_squared, noise.rho, noise.epsilon or 0) < 0:
        raise ClaimMismatch("a sensitivity or a loss is negative")
    if not 0 < noise.scale <= WIDEST or noise.l2_squared > noise.l1**2:
        raise ClaimMismatch("a scale or a sensitivity is out of range")
    rho, epsilon = _selecting(noise, one_way) if noise.mechanism.selects else _mapped(noise)
    if rho * UNITS > noise.rho:
        raise ClaimMismatch("the charged rho is less than the mechanism's")
    if noise.epsilon is not None and (epsilon is None or epsilon * UNITS > noise.epsilon):
        raise ClaimMismatch("the charged epsilon is less than the mechanism's")


def _mapped(noise: Noise) -> tuple[Fraction, Fraction | None]:
    """OpenDP's own loss: rho, and epsilon where the mechanism is pure (rho is half its square)."""
    loss: Callable[[float], float] = measurement(noise.mechanism, noise.scale).map
    if noise.mechanism is Mechanism.GAUSSIAN:
        return _finite(loss(distance(noise.l2_squared))), None
    epsilon = _finite(loss(noise.l1))
    return epsilon**2 / 2, epsilon


def _selecting(noise: Noise, one_way: bool) -> tuple[Fraction, Fraction | None]:
    """The same of selections, by OpenDP's map of one score that moves by one (or two one way).

    Rho grows with the square of how far scores move, epsilon with that itself; both add.
    """
    loss: Callable[[int], float] = selector(noise.mechanism, noise.scale, one_way=one_way).map
    once = _finite(loss(2 if one_way else 1))
    if noise.mechanism is Mechanism.EXPONENTIAL:
        return once * noise.l2_squared, None
    epsilon = once * noise.l1
    return epsilon**2 / 2, epsilon


def _verify_distribution(found: Distribution) -> None:
    """Noise for trees, selections without, whose scores move either way.

    A histogram, and a mode that is read off one, is a tree of one level.
    """
    tree = found.read_off
    counts = any(not target.denominator for target in found.targets)
    if counts and (len(found.targets) != 1 or found.levels != 1):
        raise ClaimMismatch("a histogram is no tree of one level")
    if tree == found.noise.mechanism.selects or not found.targets:
        raise ClaimMismatch("a distribution is neither a tree nor selected from")
    small = found.branching**found.levels < found.bins.count
    if (tree or found.around is not None) and small:
        raise ClaimMismatch("a tree does not hold its bins")
    if found.around is not None:
        if found.around.mechanism.selects or not found.levels or counts:
            raise ClaimMismatch("a tree beside selections has no noise")
        _verify_noise(found.around)
    _verify_noise(found.noise)


def _verify_top(stage: Stage, top: Top) -> None:
    """Some of the listed keys and no number, at OpenDP's map for all selections together."""
    noise = top.noise
    if stage.listed is None or stage.columns or stage.distributions or stage.other is not None:
        raise ClaimMismatch("selected keys are public, and nothing stands beside them")
    if top.most < 1 or not noise.mechanism.selects or top.column in stage.wanted[:-1]:
        raise ClaimMismatch("no selection of keys")
    _verify_noise(noise, one_way=True)
    ranked = ranker(noise.mechanism, noise.scale, top.most)
    loss: Callable[[int], float] = ranked.map
    moved = 2 * math.ceil(distance(-(-noise.l2_squared // top.most)))
    charged = noise.rho if noise.mechanism is Mechanism.EXPONENTIAL else noise.epsilon
    if charged is None or _finite(loss(moved)) * UNITS > charged:
        raise ClaimMismatch("the charged loss is less than that of all selections")


def _finite(loss: float) -> Fraction:
    if not math.isfinite(loss):
        raise ClaimMismatch("the mechanism's loss is not finite")
    return Fraction(loss)


def _verify_threshold(stage: Stage) -> None:
    """The column counts distinct units (one to a key, so L1 is the number of keys of a unit)."""
    threshold = stage.threshold
    column = _deciding(stage)
    noise = column.noise
    if threshold is None or noise.l1 != noise.l2_squared or noise.l1 < 1 or column.shift != 0:
        raise ClaimMismatch("the threshold's column is no count of units")
    if not 0 < threshold.delta < DELTA_UNITS:
        raise ClaimMismatch("a threshold needs a delta between 0 and 1")
    delta = threshold.delta / DELTA_UNITS
    if threshold.at_least < least_threshold(noise.mechanism, noise.scale, noise.l1, delta):
        raise ClaimMismatch("the threshold is too low for its delta")


def _verify_other(stage: Stage, other: Other) -> None:
    """The row of what a threshold holds back: the stage's first columns, as a stage of one row."""
    names = [column.name for column in stage.columns]
    if (
        stage.threshold is None
        or [column.name for column in other.columns] != names[: len(other.columns)]
    ):
        raise ClaimMismatch("a row of what is held back is none of the stage's")
    one = beside(stage)
    verify(() if one is None else (one,))
    if any(column.noise.l2_squared != column.noise.l1**2 for column in other.columns):
        raise ClaimMismatch("one number has one sensitivity")


def _deciding(stage: Stage) -> NoisyColumn:
    for column in stage.columns:
        if stage.threshold is not None and column.name == stage.threshold.column:
            return column
    raise ClaimMismatch("the threshold's column is missing")

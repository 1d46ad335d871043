"""The least loss that keeps errors within what was asked, and how it is split over the columns.

A count or a sum that is asked about by itself gets the least amount whose noise stays within the
margin, found by bisection on whole amounts with the very tail by which intervals are told
(`release.law`). An output of several columns, such as a mean, stays within a margin e when the sum
of slope**2 times variance does within (e / z)**2; the amounts of least sum that satisfy all such
limits at once follow by Lagrange multipliers. For one limit each column's amount is in proportion
to its slope times its sensitivity where the loss is rho (the variance is d**2 / (2 rho)), and to
the 2/3rd power of that where it is epsilon (the variance is 2 d**2 / epsilon**2); for several the
multipliers are found one by one, over and over (dual coordinate ascent: Bertsekas 1999, section
6.2; the dual is smooth, since the sum is minimised at one point). Compare Li, Miklau, Hay, McGregor
and Rastogi 2015, section 3, for the shares of linear queries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from budgets.amounts import LARGEST, PICO
from queries.language.refusals import PriceTooSmall
from queries.plan import split
from queries.plan.bounding import Sensitivity
from queries.plan.model import Distribution, Mechanism, Noise, Target
from queries.plan.quantiles import repriced
from queries.plan.ranks import reach
from queries.release.law import half_width, standard_width

SWEEPS = 60
HALVINGS = 80
CLOSE = 1e-10
CLEAR = 1 + 1e-9
"""Sums of floats are kept this far on the safe side."""


class OutOfReach(Exception):
    """No loss that can be counted keeps so close."""


@dataclass(frozen=True, slots=True)
class Limit:
    """An output's margin, in its own unit, and how far one step of each column moves it."""

    margin: float
    slopes: Mapping[int, float] = field(default_factory=dict)


def drawn(sensitivity: Sensitivity, amount: int, *, pure: bool) -> Noise:
    """The noise that an amount buys: of epsilon in pure projects, of rho elsewhere."""
    return split.noise(sensitivity, split.amounting(amount, pure=pure))


def alone(sensitivity: Sensitivity, steps: int, confidence: float, *, pure: bool) -> int:
    """The least amount whose noise stays within so many steps; raises OutOfReach."""

    if steps < 0:
        raise OutOfReach
    return _smallest(
        lambda amount: half_width(drawn(sensitivity, amount, pure=pure), confidence) <= steps
    )


def ranked(
    found: Distribution, target: Target, rows: float, confidence: float, *, pure: bool
) -> int:
    """The least amount at which the rank of a target stays within so many rows."""

    def within(amount: int) -> bool:
        made = repriced(found, split.amounting(amount, pure=pure))
        return reach(made, made.targets[place], confidence) <= rows

    place = found.targets.index(target)
    return _smallest(within)


def _smallest(kept: Callable[[int], bool]) -> int:
    """The least amount that keeps what more of it keeps too; raises OutOfReach."""

    def within(amount: int) -> bool:
        try:
            return kept(amount)
        except PriceTooSmall:
            return False

    if not within(LARGEST):
        raise OutOfReach
    missed, reached = 0, LARGEST
    while reached - missed > 1:
        middle = (missed + reached) // 2
        if within(middle):
            reached = middle
        else:
            missed = middle
    return reached


def together(
    sensitivities: Sequence[Sensitivity],
    floors: Sequence[int],
    limits: Sequence[Limit],
    confidence: float,
    *,
    pure: bool,
) -> list[int]:
    """Amounts of least sum, none under its floor, that keep all limits; raises OutOfReach."""
    if any(limit.margin <= 0 for limit in limits):
        raise OutOfReach
    uses = [_use(sensitivities, limit, confidence, pure=pure) for limit in limits]
    found = _balanced([float(floor) for floor in floors], uses, 2 if pure else 1)
    amounts = [
        max(floor, math.ceil(amount * CLEAR)) if amount > floor else floor
        for floor, amount in zip(floors, found, strict=True)
    ]
    if max(amounts, default=0) > LARGEST:
        raise OutOfReach
    return amounts


def _use(
    sensitivities: Sequence[Sensitivity], limit: Limit, confidence: float, *, pure: bool
) -> dict[int, float]:
    """How much of a limit each column uses up, times its amount (squared in pure projects)."""
    mechanism = Mechanism.LAPLACE if pure else Mechanism.GAUSSIAN
    deviations = standard_width(mechanism, confidence) * split.MARGIN
    found = {}
    for place, slope in limit.slopes.items():
        one = sensitivities[place]
        variance = 2.0 * one.l1**2 * PICO**2 if pure else one.l2_squared * PICO / 2
        found[place] = (deviations * slope / limit.margin) ** 2 * variance
    return found


def _balanced(floors: list[float], uses: list[dict[int, float]], power: int) -> list[float]:
    """Amounts of least sum with sum(use / amount**power) at most 1 for every limit.

    The last sweep only raises, so that no limit is left a hair short by those after it.
    """
    weights, pulls = [0.0] * len(uses), [0.0] * len(floors)
    last = False
    for sweep in range(SWEEPS):
        moved, last = 0.0, last or sweep == SWEEPS - 1
        for place, use in enumerate(uses):
            others = {n: max(0.0, pulls[n] - weights[place] * part) for n, part in use.items()}
            weight = _weight(others, use, floors, power)
            weight = max(weight, weights[place]) if last else weight
            for n, part in use.items():
                before, pulls[n] = pulls[n], others[n] + weight * part
                moved = max(moved, abs(pulls[n] - before) / max(pulls[n], before, 1e-300))
            weights[place] = weight
        if last:
            break
        last = moved < CLOSE
    return [_amount(floor, pull, power) for floor, pull in zip(floors, pulls, strict=True)]


def _amount(floor: float, pull: float, power: int) -> float:
    return max(floor, float((power * pull) ** (1 / (power + 1))))


def _weight(
    others: Mapping[int, float], use: Mapping[int, float], floors: Sequence[float], power: int
) -> float:
    """The multiplier of one limit, given what the others pull: 0 where it holds without."""

    def kept(weight: float) -> bool:
        found = {n: _amount(floors[n], others[n] + weight * part, power) for n, part in use.items()}
        return all(found.values()) and sum(p / found[n] ** power for n, p in use.items()) <= 1

    if kept(0.0):
        return 0.0
    missed, reached = 1e-60, 1.0
    while not kept(reached):
        missed, reached = reached, reached * 1e6
        if reached > 1e120:
            raise OutOfReach
    for _ in range(HALVINGS):
        middle = math.sqrt(missed) * math.sqrt(reached)
        if kept(middle):
            reached = middle
        else:
            missed = middle
    return reached

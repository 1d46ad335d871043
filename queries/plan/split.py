"""The price of a query, split over its noisy columns, and the noise that each part buys.

Parts are equal, or those that the price itself names.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a column with the stated sensitivity and scale loses no more than the rho (and
                epsilon) charged for it.
    Requires    sensitivities proved by `queries.plan.bounding`.
    Why         discrete Gaussian noise of scale sigma on a vector of L2 sensitivity d is
                d**2 / (2 sigma**2)-zCDP (Canonne, Kamath and Steinke 2020, Theorem 4); discrete
                Laplace noise of scale s is (d1 / s)-DP for L1 sensitivity d1 (Ghosh et al. 2009),
                hence epsilon**2 / 2-zCDP (Bun and Steinke 2016, Proposition 1.4). A selection by
                scores that move by d either way is 2 d / s-DP (McKenna and Sheldon 2020), and by
                the exponential mechanism d**2 / (2 s**2)-zCDP, since its range is bounded by
                2 d / s (Cesar and Rogers 2021); both add over selections. Scales are
                widened by one part in 2**36 so that OpenDP's own map, which rounds up, agrees.
    Tried by    tests/plan/test_split.py, tests/enclave/test_claims.py
"""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

from budgets.amounts import ATTO, PICO
from queries.language.refusals import KeysNeedDelta, PriceTooSmall
from queries.plan.bounding import Sensitivity
from queries.plan.model import Mechanism, Noise, Threshold
from queries.plan.price import Price

MARGIN = 1 + 2.0**-36
WIDEST = 2.0**53


def share(price: Price, columns: int) -> Price:
    """One column's part of a price; raises PriceTooSmall where nothing would be left."""
    rho = price.rho // columns
    epsilon = None if price.epsilon is None else price.epsilon // columns
    if rho <= 0 or epsilon == 0:
        raise PriceTooSmall("The price leaves nothing for each measure.")
    return Price(rho, price.delta, epsilon)


def named(price: Price, place: int) -> tuple[Price, ...]:
    """The parts that the price names for the stage at that place, in the order of its noises."""
    pure = price.epsilon is not None
    return tuple(amounting(part, price.delta, pure=pure) for part in price.split[place])


def amounting(amount: int, delta: int = 0, *, pure: bool) -> Price:
    """A part of that amount: of epsilon in pure projects, of rho elsewhere."""
    return Price(_squared(amount), delta, amount) if pure else Price(amount, delta)


def portion(part: Price, weight: int, total: int) -> Price:
    """One of several parts of a column's price, rounded down."""
    rho = part.rho * weight // total
    epsilon = None if part.epsilon is None else part.epsilon * weight // total
    if rho <= 0 or epsilon == 0:
        raise PriceTooSmall("The price leaves nothing for each noisy number of a measure.")
    return Price(rho, part.delta, epsilon)


def noise(sensitivity: Sensitivity, part: Price) -> Noise:
    """The noise that a part of the price buys; raises PriceTooSmall where it would not fit."""
    if part.epsilon is None:
        return _fitting(_normal(Mechanism.GAUSSIAN, sensitivity, part.rho))
    return _fitting(_pure(Mechanism.LAPLACE, sensitivity, part.epsilon, sensitivity.l1))


def selection(sensitivity: Sensitivity, part: Price) -> Noise:
    """The same for selections, whose scores move by these sensitivities either way."""
    if part.epsilon is None:
        return _fitting(_normal(Mechanism.EXPONENTIAL, sensitivity, part.rho))
    reach = 2 * sensitivity.l1
    return _fitting(_pure(Mechanism.PERMUTE_AND_FLIP, sensitivity, part.epsilon, reach))


def _fitting(found: Noise) -> Noise:
    if found.scale > WIDEST:
        raise PriceTooSmall("The price is so low that the noise would not fit 64 bits.")
    return found


def _normal(mechanism: Mechanism, sensitivity: Sensitivity, rho: int) -> Noise:
    squared = Fraction(sensitivity.l2_squared * PICO, 2 * rho)
    scale = math.sqrt(squared) * MARGIN
    return Noise(mechanism, sensitivity.l1, sensitivity.l2_squared, scale, rho)


def _pure(mechanism: Mechanism, sensitivity: Sensitivity, epsilon: int, reach: int) -> Noise:
    scale = float(Fraction(reach * PICO, epsilon)) * MARGIN
    rho = _squared(epsilon)
    return Noise(mechanism, sensitivity.l1, sensitivity.l2_squared, scale, rho, epsilon)


def _squared(epsilon: int) -> int:
    """The rho of a pure loss, epsilon squared and halved, rounded up."""
    return -(-epsilon * epsilon // (2 * PICO))


OFTEN = 0.05
"""How often a public key that nobody has may be said to occur."""


def occurring(given: Noise) -> int:
    """The least noisy count of units at which a public key is said to occur."""
    if given.mechanism is Mechanism.GAUSSIAN:
        reached = given.scale * NormalDist().inv_cdf(1 - OFTEN)
    else:
        reached = given.scale * math.log(1 / (2 * OFTEN))
    return max(1, math.ceil(reached))


def threshold(
    column: str, given: Noise, groups: int, delta: int, floor: int, frequency: int | None
) -> Threshold:
    """The least noisy count of units at which a key leaves (P11).

    `floor` is the exact count under which the engine drops a key, which raises the threshold by
    floor - 1. `frequency` is a minimum asked for. Raises KeysNeedDelta without a delta.
    """
    if delta <= 0:
        raise KeysNeedDelta("The keys of this grouping are not public and there is no delta.")
    probability = delta / ATTO / groups
    if given.mechanism is Mechanism.GAUSSIAN:
        least = 2 - given.scale * NormalDist().inv_cdf(probability)
    else:
        spread = 1 + math.exp(-1 / given.scale)
        least = 1 + given.scale * math.log(1 / (probability * spread))
    at_least = math.ceil(least * (1 + 1e-12)) + floor - 1
    return Threshold(column, max(at_least, frequency or 0), delta)

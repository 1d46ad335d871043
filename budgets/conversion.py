"""From zero-concentrated differential privacy to (epsilon, delta) and back.

Canonne, Kamath and Steinke 2020, Proposition 12: a rho-zCDP mechanism is (epsilon, delta)-private
for every order a > 1 with

    epsilon = a rho + log(1 - 1/a) - (log delta + log a) / (a - 1).

Privacy note
    Neighbours  whatever rho is stated for; conversion does not look at them.
    Claim       `epsilon_of` is never below the epsilon of some order a > 1, so it holds; `rho_of`
                returns a rho whose `epsilon_of` does not exceed what was granted (P25).
    Requires    0 < delta <= 1/2; math.log and math.log1p right to a few units in the last place.
    Why         every order gives a valid bound, so an imperfect minimum is only a little dearer;
                the error of each float operation is bounded by `_SLACK` times its terms and added.
    Tried by    tests/budgets/test_conversion.py
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

from budgets.amounts import LARGEST, PICO

_SLACK = 2.0**-48
_LEAST_DELTA = Fraction(1, 10**100)
_STEPS = 60


def epsilon_of(rho: int, delta: Fraction) -> float:
    """An upper bound of the epsilon that `rho` (in 1e-12) amounts to at `delta`."""
    if rho < 0:
        raise ValueError("rho is not negative")
    log_delta = _log(delta)
    if rho == 0:
        return 0.0
    order = _best(rho / PICO, -log_delta)
    return max(0.0, _bound(rho / PICO, log_delta, order))


@lru_cache(maxsize=4096)
def rho_of(epsilon: Fraction, delta: Fraction) -> int:
    """The largest rho, in whole 1e-12, that stays within `epsilon` at `delta`; rounded down.

    The capacity of a budget and the price of a request are both this number, so that a request at
    exactly the budget's epsilon is exactly affordable, once.
    """
    if epsilon < 0:
        raise ValueError("epsilon is not negative")
    fits, exceeds = 0, 1
    while exceeds < LARGEST and Fraction(epsilon_of(exceeds, delta)) <= epsilon:
        fits, exceeds = exceeds, 2 * exceeds
    while exceeds - fits > 1:
        middle = (fits + exceeds) // 2
        if Fraction(epsilon_of(middle, delta)) <= epsilon:
            fits = middle
        else:
            exceeds = middle
    return fits


def _log(delta: Fraction) -> float:
    if not _LEAST_DELTA <= delta <= Fraction(1, 2):
        raise ValueError("the delta of a conversion is above 0 and at most one half")
    return math.log(delta)


def _best(rho: float, distance: float) -> float:
    """The order minus one, x, at which the bound is least; `distance` is -log(delta).

    The bound's derivative in x is rho + (log(delta) + log(1 + x)) / x^2, which changes sign once:
    where rho x^2 + log(1 + x) passes `distance`. Found by bisection of log x.
    """
    low = min(math.sqrt(distance / (2 * rho)), math.expm1(min(distance / 2, 700)))
    high = min(math.sqrt(distance / rho), math.expm1(min(distance, 700)))
    for _ in range(_STEPS):
        middle = math.sqrt(low) * math.sqrt(high)
        if rho * middle * middle + math.log1p(middle) < distance:
            low = middle
        else:
            high = middle
    return high


def _bound(rho: float, log_delta: float, x: float) -> float:
    """Proposition 12 at order 1 + x, plus more than all float operations can have lost."""
    terms = (rho, x * rho, math.log(x), -math.log1p(x), -log_delta / x, -math.log1p(x) / x)
    doubt = math.fsum(abs(term) for term in terms) + 1 / x
    return math.fsum(terms) + _SLACK * doubt

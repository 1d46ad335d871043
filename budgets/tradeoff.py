"""What a loss means to a person: how often somebody finds out, and how often that is a false alarm.

Somebody who knows everything about everybody else decides from what was released whether one
person's rows are there. Accepting false alarms in a share q of cases, they find out in at most a
share p of cases. For rho-zCDP the pair is bound, at every order a > 1 and both ways, by

    log(p^a q^(1-a) + (1-p)^a (1-q)^(1-a)) / (a - 1) <= a rho

since deciding is post-processing (Bun and Steinke 2016, Definition 1.1 and Lemma 1.8).

Privacy note
    Neighbours  whatever the loss is stated for; `units` of them make one person (P19).
    Claim       no test has a larger share than `found_out` returns, whichever mechanisms were used.
    Requires    the loss of one unit: rho, delta, or epsilon where it is pure.
    Why         each order gives a bound that holds, so a finite set of them gives one that is a
                little too large; a group of m units loses m^2 rho, m epsilon, and delta adds up.
                What is searched ends above the bound, and is rounded up to whole cases.
    Tried by    tests/budgets/test_tradeoff.py
"""

from __future__ import annotations

import math

from budgets.amounts import ATTO, PICO
from budgets.loss import PrivacyLoss

FALSE_ALARMS = 0.05
_ORDERS = tuple(1 + 10 ** (step / 40 - 2) for step in range(161))
_STEPS = 50
_SLACK = 1e-9


def found_out(loss: PrivacyLoss, units: int = 1, false_alarms: float = FALSE_ALARMS) -> int:
    """In how many of 100 cases somebody finds out at most, whole and rounded up."""
    if not 0 < false_alarms < 1 or units < 1:
        raise ValueError("false alarms are a share above 0 and below 1; a person has a unit")
    share = _zcdp(loss.rho / PICO * units * units, false_alarms) if loss.rho else false_alarms
    if loss.pure:
        pure = _pure((loss.epsilon or 0) / PICO * units, false_alarms)
        share = min(share, pure) if loss.rho else pure
    return min(100, math.ceil(100 * (share + units * loss.delta / ATTO) - _SLACK))


def _pure(epsilon: float, q: float) -> float:
    return min(q * math.exp(min(epsilon, 700.0)), 1 - (1 - q) * math.exp(-epsilon), 1.0)


def _zcdp(rho: float, q: float) -> float:
    """The largest share that no order forbids, from above."""
    low, high = q, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle < 1 and all(_allowed(order, rho, middle, q) for order in _ORDERS):
            low = middle
        else:
            high = middle
    return high


def _allowed(order: float, rho: float, p: float, q: float) -> bool:
    most = order * rho
    return max(_divergence(order, p, q), _divergence(order, q, p)) <= most


def _divergence(order: float, p: float, q: float) -> float:
    """The Renyi divergence of two coins, of that order."""
    one = order * math.log(p) + (1 - order) * math.log(q)
    other = order * math.log1p(-p) + (1 - order) * math.log1p(-q)
    largest = max(one, other)
    total = math.exp(one - largest) + math.exp(other - largest)
    return (largest + math.log(total)) / (order - 1)

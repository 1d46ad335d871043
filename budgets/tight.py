"""How tight the ledger is: all that was charged, counted anew by privacy-loss distributions.

Privacy-loss distributions compose to nearly the least epsilon there is, but not where later
questions depend on earlier answers, and they do not fit in one number; so the ledger adds rho, and
this report says what that costs. It needs the extra `report` (dp-accounting), at no other time.

Gaussian draws compose exactly to one. Any other draw, pure in itself, is taken as the worst
mechanism of its epsilon (Kairouz, Oh and Viswanath 2015), so that what is told for them holds for
all of that epsilon. A discrete Gaussian on whole steps is taken as the continuous one: the figure
is a measure of tightness, no promise; the promise is the ledger's.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from budgets.amounts import PICO
from budgets.mechanisms import GAUSSIAN, Drawn, bounded_epsilon, bounded_rho

INTERVAL = 1e-4
"""Losses are rounded up to multiples of this, so the result errs upwards."""
_GRID = 10**6
"""Pure epsilons are rounded up to 1/10^6, so that equal ones are composed in one step."""


class NoAccountant(Exception):
    """dp-accounting is not installed."""

    code = "no-accountant"
    hint = "Install the extra: pip install 'sluis[report]'."

    def __init__(self) -> None:
        super().__init__("A tight report needs dp-accounting, which is not installed here.")


def pure_epsilon(drawn: Drawn) -> Fraction:
    """The epsilon of a draw that is pure in itself: what was charged, or what its scale says."""
    if drawn.epsilon is not None:
        return Fraction(drawn.epsilon, PICO)
    return bounded_epsilon(drawn)


def epsilon_by_distributions(draws: Iterable[Drawn], delta: float) -> float:
    """The epsilon at `delta` of all these draws together; NoAccountant without dp-accounting."""
    library = _library()
    rho, pure = Fraction(0), Counter[int]()
    for one in draws:
        if one.mechanism == GAUSSIAN:
            rho += bounded_rho(one)
        else:
            pure[math.ceil(pure_epsilon(one) * _GRID)] += 1
    parts = [_composed(library, steps, count) for steps, count in sorted(pure.items()) if steps]
    if rho:
        scale = math.nextafter(1 / math.sqrt(2 * rho), 0)
        parts.append(library.from_gaussian_mechanism(scale, value_discretization_interval=INTERVAL))
    if not parts:
        return 0.0
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.compose(part)
    return float(whole.get_epsilon_for_delta(delta))


def _composed(library: Any, steps: int, count: int) -> Any:
    worst = library.from_privacy_parameters(
        library.common.DifferentialPrivacyParameters(steps / _GRID),
        value_discretization_interval=INTERVAL,
    )
    return worst.self_compose(count) if count > 1 else worst


def _library() -> Any:
    try:
        from dp_accounting.pld import privacy_loss_distribution
    except ImportError:
        raise NoAccountant from None
    return privacy_loss_distribution

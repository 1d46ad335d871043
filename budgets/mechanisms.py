"""What a stage drew: enough of each mechanism that a later accountant can count anew.

A stage stores it beside its loss, in the ledger and in every export. The delta of keys that are
released by thresholding stands with the stage itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from fractions import Fraction

from budgets.amounts import PICO
from budgets.loss import PrivacyLoss

GAUSSIAN, LAPLACE = "discrete-gaussian", "discrete-laplace"
EXPONENTIAL, PERMUTE_AND_FLIP = "exponential", "permute-and-flip"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: noise on a vector, or selections together.

    `l1` and `l2_squared` are the sensitivities of all that was drawn, in whole steps; of a
    selection, sums of half the most by which two candidates' difference changes. `scale` is the
    mechanism's parameter, `rho` (and `epsilon`, of pure ones), in 1e-12, what was charged for it.
    """

    mechanism: str
    l1: int
    l2_squared: int
    scale: float
    rho: int
    epsilon: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.scale < math.inf or min(self.l1, self.l2_squared, self.rho) < 0:
            raise ValueError(f"not a draw: {self}")


def bounded_rho(drawn: Drawn) -> Fraction:
    """The rho of a Gaussian draw, or of selections by the exponential mechanism, exactly.

    l2^2 / (2 scale^2): Bun and Steinke 2016, Proposition 1.6; Cesar and Rogers 2021.
    """
    return Fraction(drawn.l2_squared) / (2 * Fraction(drawn.scale) ** 2)


def bounded_epsilon(drawn: Drawn) -> Fraction:
    """The epsilon of a draw that is pure in itself, exactly: selections move both ways."""
    twice = 1 if drawn.mechanism == LAPLACE else 2
    return twice * drawn.l1 / Fraction(drawn.scale)


def lost(drawn: Drawn) -> PrivacyLoss:
    """What a draw loses by the formula of its mechanism, rounded down, and never less than was
    charged for it; ValueError for a mechanism that nobody knows.

    Laplace noise and permute-and-flip are pure, of which epsilon^2 / 2 is the rho (Bun and Steinke
    2016, Proposition 1.4).
    """
    if drawn.mechanism in (GAUSSIAN, EXPONENTIAL):
        rho = math.floor(bounded_rho(drawn) * PICO)
        return PrivacyLoss(max(drawn.rho, rho), epsilon=drawn.epsilon)
    if drawn.mechanism in (LAPLACE, PERMUTE_AND_FLIP):
        epsilon = max(drawn.epsilon or 0, math.floor(bounded_epsilon(drawn) * PICO))
        return PrivacyLoss(max(drawn.rho, epsilon * epsilon // (2 * PICO)), epsilon=epsilon)
    raise ValueError(f"no such mechanism: {drawn.mechanism}")


def written(drawn: Iterable[Drawn]) -> str:
    """The one text of these draws, as a stage keeps it."""
    return json.dumps([astuple(one) for one in drawn], separators=(",", ":"), allow_nan=False)


def read(text: str) -> tuple[Drawn, ...]:
    """The draws that `written` wrote; ValueError or TypeError where it did not."""
    return tuple(Drawn(*one) for one in json.loads(text))

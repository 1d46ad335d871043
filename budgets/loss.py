"""Privacy loss: how much one release may reveal about one privacy unit.

Amounts are whole numbers of a small unit, so that adding is exact and a total can never be
rounded down: rho (zero-concentrated differential privacy) and epsilon in 1e-12, delta (group
keys released by thresholding) in 1e-18. Losses of adaptively chosen releases add
(Bun and Steinke 2016, Lemma 1.7; Whitehouse et al. 2023 for a budget that stops).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PrivacyLoss:
    """The loss of one or more releases; `epsilon` is None once any of them is not pure."""

    rho: int
    delta: int = 0
    epsilon: int | None = None

    def __post_init__(self) -> None:
        if min(self.rho, self.delta, self.epsilon or 0) < 0:
            raise ValueError(f"a privacy loss is not negative: {self}")

    def __add__(self, other: PrivacyLoss) -> PrivacyLoss:
        return PrivacyLoss(
            self.rho + other.rho, self.delta + other.delta, _sum(self.epsilon, other.epsilon)
        )

    @property
    def pure(self) -> bool:
        """Whether the whole loss is an epsilon with no delta beside it."""
        return self.epsilon is not None and self.delta == 0


NONE = PrivacyLoss(0, 0, 0)
"""The loss of releasing nothing."""


def total(losses: Iterable[PrivacyLoss]) -> PrivacyLoss:
    """The loss of all of them together."""
    return sum(losses, start=NONE)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other

"""What the charges of an export drew, against what their entries vouch for and were charged.

The entry of a charge holds a digest of its mechanisms; a charge that was taken up again, the entry
that says so. The losses of draws add, with the deltas of thresholds beside them, and no account is
posted less than that: rho and delta where it counts these, epsilon where it is pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from budgets import drawn
from budgets.chain import Event
from budgets.loss import PrivacyLoss, total
from budgets.mechanisms import lost, read

Told = Sequence[tuple[str, int, str]]
"""The stages of a charge: the name of each, its delta, and the text of its draws."""


class Draws:
    """Digests and losses of charges as the entries tell them, and what each one drew."""

    def __init__(self) -> None:
        self._vouched: dict[int, str] = {}
        self._least: dict[int, tuple[float, float, float]] = {}
        self._told: dict[int, Told] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note what an entry of a ceiling's chain says of a charge."""
        charge = entry["charge"]
        if charge is None:
            return
        if (digest := drawn.told(str(entry["note"]))) is not None:
            self._vouched[charge] = digest
        if entry["event"] == Event.RESERVE and charge in self._vouched:
            known = self._least.get(charge, (math.inf, math.inf, math.inf))
            rho, delta, epsilon = map(min, known, _counted(entry))
            self._least[charge] = (rho, delta, epsilon)

    def take(self, charge: int, stages: Told) -> None:
        """Take what the stages of a charge drew."""
        self._told[charge] = stages

    def findings(self) -> Iterator[str]:
        """The charges that drew something else, or more than they were charged."""
        missing = sorted(self._vouched.keys() - self._told.keys())
        yield from (f"What charge {one} drew is missing." for one in missing)
        for charge, stages in self._told.items():
            digest = drawn.digest((name, text) for name, _, text in stages)
            if self._vouched.get(charge, digest) != digest:
                yield f"What charge {charge} drew is not what was charged."
            elif charge in self._least and not _covers(self._least[charge], stages):
                yield f"Charge {charge} is of less than what it drew."


def _counted(entry: Mapping[str, Any]) -> tuple[float, float, float]:
    """Rho, delta and epsilon as an account counts them; what it does not count is without end."""
    rho, delta, epsilon = entry["rho"], entry["delta"], entry["epsilon"]
    return (math.inf, math.inf, epsilon) if epsilon else (rho, delta, math.inf)


def _covers(posted: tuple[float, float, float], stages: Told) -> bool:
    """Whether no account was posted less than all draws lose; never, where they say nothing."""
    try:
        loss = total(lost(one) for _, _, text in stages for one in read(text))
        loss += PrivacyLoss(0, sum(delta for _, delta, _ in stages), 0)
    except (ValueError, TypeError):
        return False
    rho, delta, epsilon = posted
    whole = math.inf if loss.delta or loss.epsilon is None else loss.epsilon
    return loss.rho <= rho and loss.delta <= delta and whole <= epsilon

"""What the charges of an export drew, against what their entries vouch for and were charged.

The entry of a charge holds a digest of its mechanisms; a charge that was taken up again, the entry
that says so. The losses of draws add, and a charge is never less than what its draws lose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from budgets import drawn
from budgets.amounts import PICO
from budgets.chain import Event
from budgets.mechanisms import GAUSSIAN, Drawn, read
from budgets.tight import gaussian_rho


class Draws:
    """Digests and losses of charges as the entries tell them, and what each one drew."""

    def __init__(self) -> None:
        self._vouched: dict[int, str] = {}
        self._charged: dict[int, int] = {}
        self._told: dict[int, Sequence[tuple[str, str]]] = {}

    def add(self, entry: Mapping[str, Any]) -> None:
        """Note what an entry of a ceiling's chain says of a charge."""
        charge, note = entry["charge"], str(entry["note"])
        if charge is None or (digest := drawn.told(note)) is None:
            return
        self._vouched[charge] = digest
        if entry["event"] == Event.RESERVE:
            self._charged[charge] = entry["rho"]

    def take(self, charge: int, stages: Sequence[tuple[str, str]]) -> None:
        """Take what the stages of a charge drew: the name of each, and the text of its draws."""
        self._told[charge] = stages

    def findings(self) -> Iterator[str]:
        """The charges that drew something else, or more than they were charged."""
        missing = self._vouched.keys() - self._told.keys() if self._told else ()
        yield from (f"What charge {one} drew is missing." for one in sorted(missing))
        for charge, stages in self._told.items():
            if self._vouched.get(charge, drawn.digest(stages)) != drawn.digest(stages):
                yield f"What charge {charge} drew is not what was charged."
            elif _lost(stages) > self._charged.get(charge, math.inf):
                yield f"Charge {charge} is of less than what it drew."


def _lost(stages: Sequence[tuple[str, str]]) -> float:
    """The rho of all draws, in 1e-12, counted anew where a formula says it."""
    try:
        return sum(_rho(one) for _, text in stages for one in read(text))
    except (ValueError, TypeError):  # no draws at all: more than anything that was charged
        return math.inf


def _rho(one: Drawn) -> int:
    if one.mechanism != GAUSSIAN:
        return one.rho
    return max(one.rho, math.floor(gaussian_rho(one) * PICO))

"""What a stage drew: enough of each mechanism that a later accountant can count anew.

A stage stores it beside its loss, in the ledger and in every export. The delta of keys that are
released by thresholding stands with the stage itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass

GAUSSIAN = "discrete-gaussian"


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


def written(drawn: Iterable[Drawn]) -> str:
    """The one text of these draws, as a stage keeps it."""
    return json.dumps([astuple(one) for one in drawn], separators=(",", ":"), allow_nan=False)


def read(text: str) -> tuple[Drawn, ...]:
    """The draws that `written` wrote; ValueError or TypeError where it did not."""
    return tuple(Drawn(*one) for one in json.loads(text))

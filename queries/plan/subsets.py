"""Which of several noisy counts may be the greatest: those within a width of the one that is.

The set of all values whose noisy count is within the width of the greatest noisy count holds the
most frequent value at the confidence asked, whatever the counts are (Gupta 1965, "On some multiple
decision rules"). The noise of a truly greatest count falls short of that of each other one by more
than the width with a chance of at most what is allowed, divided by how many others there are.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from queries.plan.model import Mechanism, Noise

HALVINGS = 60


def width(noise: Noise, candidates: int, confidence: float) -> int:
    """How far below the greatest noisy count that of the most frequent value may be, in rows."""
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    if candidates < 2:
        return 0
    return math.ceil(_factor(noise.mechanism, (1 - confidence) / (candidates - 1)) * noise.scale)


@lru_cache(maxsize=256)
def _factor(mechanism: Mechanism, chance: float) -> float:
    """What the difference of two noises of scale 1 passes with no more than that chance."""
    if mechanism is Mechanism.GAUSSIAN:
        return max(0.0, -math.sqrt(2) * NormalDist().inv_cdf(chance))
    low, high = 0.0, 4.0 + 2 * math.log(1 / chance)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle) > chance else (low, middle)
    return high


def _tail(far: float) -> float:
    """The chance that two Laplace noises of scale 1 differ by more, one way."""
    return (2 + far) / 4 * math.exp(-far)

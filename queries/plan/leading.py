"""The keys of the greatest values, selected one after the other where that takes less noise.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a unit moves the difference of two keys' scores by at most 2 w, where w is the swing
                of one group's total: from the most that its rows may lower it to the most that they
                may raise it. The k selections lose what is stated for k scores that all move one
                way, by 2 w at most.
    Requires    public keys (P10); partials bounded per unit and group (`queries.plan.bounding`).
    Why         the score of a key is twice its exact total. However many groups a unit is in, its
                rows move each total by something between the two ends of the swing, floor of a
                shifted total included (P8). Selections look at differences of scores alone, so
                those of one neighbour may all be moved by the lower end: then every score moves one
                way, by 2 w at most. A selection leaves out the keys before it and sees the same
                scores otherwise, so its loss is that of the first, and all k add (peeling; Durfee
                and Rogers 2019, Lemma 4.1). The order in which keys leave is that of their
                selection; nothing of a score leaves.
    Tried by    tests/properties/test_sensitivity.py, tests/statistics/test_leading.py
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from queries.algebra.measures import Statistic
from queries.plan import split
from queries.plan.bounding import Bounds, Sensitivity
from queries.plan.formulas import swing
from queries.plan.model import Top
from queries.plan.price import Price

GUMBEL = math.pi / math.sqrt(6)
"""The deviation of the noise that an exponential mechanism of scale 1 selects by."""
HALF = 0.5
"""How much of the noise of counts is left at most, where names are selected instead of them."""


@dataclass(frozen=True, slots=True)
class Leading:
    """So many keys, and how a unit moves the scores that they are selected by."""

    most: int
    sensitivity: Sensitivity

    def priced(self, column: str, part: Price) -> Top:
        return Top(column, self.most, split.selection(self.sensitivity, part))


def leading(
    most: int, statistic: Statistic, bounds: Bounds, bits: int, counted: Sensitivity
) -> Leading | None:
    """Selections of so many keys; None where all values with noise, `counted`, serve as well.

    The deviations are compared at one loss: of Gumbel noise, in which doubled scores count half,
    and of Gaussian noise. Equally wide is not enough: the former has the heavier tail, and values
    leave more to ask (docs/decisions/0021).
    """
    moved = swing(statistic, bounds, bits)
    found = Leading(most, Sensitivity(most * moved, most * moved**2))
    deviation = GUMBEL * math.sqrt(found.sensitivity.l2_squared) / 2
    return found if deviation <= HALF * math.sqrt(counted.l2_squared) else None

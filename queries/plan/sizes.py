"""What a group plausibly holds, from declared sizes alone: never from the data.

As many units as the manifest allows, spread over the groups, each with the geometric mean of one
row and of the most it can have. Where keys are found from the data nothing is declared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from queries.algebra.grid import grid
from queries.algebra.measures import Centred, Distinct, Rows, Statistic, Total, Units
from queries.bind.spreads import products
from queries.plan.formulas import per_row, value_of
from queries.plan.stages import Draft


@dataclass(frozen=True, slots=True)
class Likely:
    """A column of a group: `rows` (units, values) are counted or added up, None if not declared.

    Of one of them `most` is the largest absolute value, and `middle` the middle of its range, both
    in the column's own unit; of a count they are 1. `half` is half of its range; `value` numbers
    it, and `factors` are the numbers of those whose distances from their middles it multiplies.
    """

    rows: float | None
    most: float = 1.0
    middle: float = 1.0
    half: float = 0.0
    value: int | None = None
    factors: tuple[int, int] | None = None


def likely(draft: Draft, units: int) -> tuple[Likely, ...]:
    """The columns of a stage's group, then its distributions, where there are so many units."""
    summed = [s.value for s in draft.measure.statistics if isinstance(s, Total | Centred)]
    values = list(dict.fromkeys(summed))
    made = products(values)
    columns = [
        replace(
            _likely(statistic, draft, units),
            value=values.index(statistic.value),
            factors=made.get(statistic.value),
        )
        if isinstance(statistic, Total | Centred)
        else _likely(statistic, draft, units)
        for statistic in draft.measure.statistics
    ]
    held = None if draft.thresholded else _held(draft, units)
    return (*columns, *(Likely(held) for _ in draft.sketches))


def rows(statistic: Statistic, draft: Draft, units: int) -> float:
    """How many rows, units or values a group whose key is public plausibly has."""
    if isinstance(statistic, Units):
        return units / max(1, draft.cells)
    found = _held(draft, units)
    if isinstance(statistic, Distinct) and statistic.most is not None:
        return min(found, statistic.most)
    return found


def _held(draft: Draft, units: int) -> float:
    """How many rows a group plausibly has."""
    counted = min(draft.bounds.rows, draft.bounds.groups * draft.bounds.per_group)
    return units / max(1, draft.cells) * math.sqrt(counted)


def _likely(statistic: Statistic, draft: Draft, units: int) -> Likely:
    unknown = draft.thresholded or draft.later is not None
    held = None if unknown else rows(statistic, draft, units)
    if isinstance(statistic, Rows | Units | Distinct):
        return Likely(held)
    numerator, denominator, _ = value_of(statistic)
    step = Fraction(numerator, denominator)
    found = grid(statistic.value)
    middle = 0 if isinstance(statistic, Centred) else Fraction(found.lower + found.upper, 2)
    half = Fraction(found.upper - found.lower, 2) * step
    return Likely(held, float(per_row(statistic) * step), float(middle * step), float(half))

"""What each statistic claims and means: its sensitivity, its shift, and the value of one step."""

from __future__ import annotations

from dataclasses import replace

from queries.algebra.grid import grid
from queries.algebra.measures import (
    Centred,
    Distinct,
    DistinctTotal,
    OfValues,
    Rows,
    Statistic,
    Total,
    Units,
)
from queries.catalog.manifest import Type
from queries.plan.bounding import Bounds, Sensitivity, of_rows, of_units, shift_for
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import row

NOTICED = 2**46
"""The steps that are told apart within what one unit may add."""


def per_row(statistic: Statistic) -> int:
    """The most that one row adds, in steps."""
    return row(statistic, Relations()).reach


def sensitivity(statistic: Statistic, bounds: Bounds, bits: int) -> Sensitivity:
    """The claim for one statistic, whose totals are shifted right by so many bits."""
    if isinstance(statistic, Units):
        return of_units(bounds)
    if isinstance(statistic, Distinct | DistinctTotal):
        kept = most_values(statistic, bounds)
        return of_rows(replace(bounds, rows_per_group=kept), per_row(statistic), bits)
    return of_rows(bounds, per_row(statistic), bits)


def swing(statistic: Statistic, bounds: Bounds, bits: int) -> int:
    """From how far one unit may lower the total of a group to how far it may raise it, in steps."""
    found = row(statistic, Relations())
    kept = bounds.per_group
    if isinstance(statistic, Units):
        kept = 1
    elif isinstance(statistic, Distinct | DistinctTotal):
        kept = most_values(statistic, bounds)
    low, high = min(0, found.lower) * kept, max(0, found.upper) * kept
    return max(1, -(-high >> bits) - (low >> bits))


def most_values(statistic: OfValues, bounds: Bounds) -> int:
    """The most distinct values that one unit adds to a group: as a sum of so many rows."""
    return max(1, min(bounds.per_group, statistic.most or bounds.rows))


def shift(statistic: Statistic, bounds: Bounds, units: int) -> int:
    """How many bits a total is shifted right, so that it fits 64 bits with room for noise (P8).

    Steps far below what one unit may add are noise: with them it would not fit 64 bits either.
    """
    if isinstance(statistic, Rows | Units | Distinct):
        return 0
    most = bounds.rows * per_row(statistic)
    return max(shift_for(units * most), shift_for(most, NOTICED))


def value_of(statistic: Statistic) -> tuple[int, int, str]:
    """Numerator, denominator and SQL type of one step of a statistic."""
    if isinstance(statistic, Rows | Units | Distinct):
        return 1, 1, "BIGINT"
    found = grid(statistic.value)
    facts = statistic.value.facts
    kind = "DOUBLE"
    summed = isinstance(statistic, Total | DistinctTotal)
    if summed and facts.type is Type.INTEGER:
        kind = "HUGEINT"
    elif summed and facts.type is Type.DECIMAL:
        kind = f"DECIMAL(38, {facts.scale})"
    return found.step.numerator, found.step.denominator, kind


def adds_up(statistic: Statistic, *, alone: bool) -> bool:
    """Whether a statistic of a group is the sum of that of its parts (P13).

    So are counts of units where each unit is in one part `alone`.
    """
    return isinstance(statistic, Rows | Total | Centred) or (isinstance(statistic, Units) and alone)


def covered(statistic: Statistic) -> bool:
    """Whether a group has no less of it than any of its parts, and no more than all together.

    That holds of the number of distinct things, and of their sum where none is negative (P13).
    """
    return isinstance(statistic, Units | Distinct | DistinctTotal) and never_negative(statistic)


def never_negative(statistic: Statistic) -> bool:
    """Whether a statistic cannot be below zero, whatever the rows are."""
    match statistic:
        case Rows() | Units() | Distinct():
            return True
        case Total() | DistinctTotal():
            return grid(statistic.value).lower >= 0
    return False

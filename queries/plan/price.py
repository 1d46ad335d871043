"""What an analyst may pay for a query, and how they may tighten the manifest's bounds.

Amounts are those of `budgets.amounts`: rho and epsilon in 1e-12, delta in 1e-18.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Price:
    """The loss of a whole query; `epsilon` stands in pure projects, `delta` is for thresholding.

    Columns share it equally, or get the amounts of `split`: of each stage's `noises`, in order, the
    epsilon of each in pure projects and its rho elsewhere; what is measured of bounds gets one
    amount for a whole stage.
    """

    rho: int
    delta: int = 0
    epsilon: int | None = None
    split: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.rho <= 0 or self.delta < 0 or (self.epsilon is not None and self.epsilon <= 0):
            raise ValueError("a price is positive")


@dataclass(frozen=True, slots=True)
class ColumnBound:
    """A tighter range for one column, as the analyst gave it; never wider than the manifest's."""

    column: str
    lower: Fraction
    upper: Fraction


@dataclass(frozen=True, slots=True)
class Options:
    """Bounds that the analyst tightens; None leaves what the manifest says.

    `non_negative` keeps counts, and sums of what is never negative, at zero or above; `dialect` is
    that of the SQL; `other` asks for one row of all groups that a threshold holds back, `effects`
    for the shares of rows and totals that these bounds leave out.
    """

    groups_per_unit: int | None = None
    rows_per_group: int | None = None
    columns: tuple[ColumnBound, ...] = ()
    minimum_frequency: int | None = None
    non_negative: bool = False
    dialect: str | None = None
    other: bool = False
    effects: bool = False

    def __post_init__(self) -> None:
        counts = (self.groups_per_unit, self.rows_per_group, self.minimum_frequency)
        if min(1 if count is None else count for count in counts) < 1:
            raise ValueError("a bound on a number of groups, rows or units is at least one")

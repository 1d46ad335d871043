"""Contribution bounds: how much one privacy unit can change a measure, in L1 and in L2.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the vector of a statistic over all groups moves by at most `l1` in L1 and by at most
                the root of `l2_squared` in L2 (P6).
    Requires    at most `rows` rows of one unit in the relation (P4); where a bound per group is
                asked for, partials clamped to it; where a bound on groups is, groups sampled hard
                to it, after every projection and group expression (P7).
    Why         a cell moves by at most k * b where k of the unit's rows count in it. Of one group
                k is at most m = min(rows, rows_per_group), of a coarser cell that holds n of the
                unit's groups at most n * m; all k together are at most `rows`, all n at most
                `groups`. So the largest cells together, any number of them, move by no more than
                where the cells are filled in turn, those that can hold most groups first, until
                the rows are spent: that vector weakly majorises every other, and sums and sums of
                squares respect it (Marshall and Olkin 1979, section 3.C). Without proved sizes one
                coarser cell holds all groups; without a bound per group one group holds all rows.
                A total shifted right by s bits (floor) moves by at most ceil(x / 2**s) where it
                moved by x: that is at most k * ceil(b / 2**s) and n * ceil(m * b / 2**s), so the
                same filling holds in those steps (P8).
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_bounding.py
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The most one unit moves a vector of groups: L1, and L2 squared, both whole."""

    l1: int
    l2_squared: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one unit can have: rows in all, groups, and rows counted in one group (None: all).

    `fans` stands where these groups are added up to coarser ones: how many of them each coarser one
    can hold, the fullest first.
    """

    rows: int
    groups: int
    rows_per_group: int | None = None
    fans: tuple[int, ...] | None = None

    @property
    def cells(self) -> int:
        """The most cells of the answer that one unit counts in."""
        return self.groups if self.fans is None else min(self.groups, len(self.fans))

    @property
    def shared(self) -> tuple[int, ...]:
        """How many groups of one unit share each cell at worst."""
        if self.fans is None:
            return (1,) * self.groups
        found, left = [], self.groups
        for fan in self.fans:
            found.append(min(fan, left))
            left -= found[-1]
        return tuple(part for part in found if part)

    @property
    def per_group(self) -> int:
        """The most rows of one unit that count in one group."""
        return self.rows if self.rows_per_group is None else min(self.rows, self.rows_per_group)


def of_rows(bounds: Bounds, per_row: int, shift: int = 0) -> Sensitivity:
    """Of a count or sum in which a row adds at most `per_row` in absolute value."""
    left = bounds.rows * _steps(per_row, shift)
    per_group = _steps(bounds.per_group * per_row, shift)
    l1 = l2_squared = 0
    for held in bounds.shared:
        moved = min(held * per_group, left)
        left -= moved
        l1, l2_squared = l1 + moved, l2_squared + moved**2
        if not left:
            break
    return Sensitivity(l1, l2_squared)


def together(bounds: Bounds, per_row: int, shift: int = 0) -> Sensitivity:
    """One number over several of the unit's groups, whichever these are: L1 = L2 = C m, or R b."""
    most = min(bounds.rows, bounds.groups * bounds.per_group) * per_row
    reach = _steps(most, shift)
    return Sensitivity(reach, reach**2)


def of_units(bounds: Bounds) -> Sensitivity:
    """Of a count of units: each of the unit's cells moves by one."""
    return Sensitivity(bounds.cells, bounds.cells)


def _steps(value: int, shift: int) -> int:
    """How many steps of a shifted total such a move is at most, and one where nothing moves."""
    return max(1, -((-value) >> shift))


def shift_for(total: int, room: int = 2**61) -> int:
    """The fewest bits to drop so that a total of that size fits with room for noise."""
    shift = 0
    while (total >> shift) >= room:
        shift += 1
    return shift

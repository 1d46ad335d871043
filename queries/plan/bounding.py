"""Contribution bounds: how much one privacy unit can change a measure, in L1 and in L2.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the vector of a statistic over all groups moves by at most `l1` in L1 and by at most
                the root of `l2_squared` in L2 (P6).
    Requires    at most `rows` rows of one unit in the relation (P4); where a bound per group is
                asked for, partials clamped to it; where a bound on groups is, groups sampled hard
                to it, after every projection and group expression (P7).
    Why         one level: each row moves one group by at most b, so both norms are at most
                rows * b, all rows falling in one group. Two levels: at most `groups` groups move,
                each by at most m = min(rows, rows_per_group) * b, so L1 <= groups * m and
                L2**2 <= groups * m**2; the smaller of both levels' claims holds for each norm.
                Groups added up to coarser ones: a coarser one that holds n of the unit's groups
                moves by at most n times m. Sums and sums of squares of such n are largest where the
                fullest coarser groups are filled first: that n majorises every other (Marshall and
                Olkin 1979), and both are Schur-convex. Without proved sizes one holds all C.
                A total shifted right by s bits (floor) moves by at most ceil(x / 2**s) where it
                moved by x: b and m are divided, rounded up, before the norm is taken (P8).
    Tried by    tests/properties/test_sensitivity.py
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
        found, left = [], self.groups
        for fan in self.fans or ():
            found.append(min(fan, left))
            left -= found[-1]
        return tuple(part for part in found if part)

    @property
    def per_group(self) -> int:
        """The most rows of one unit that count in one group."""
        return self.rows if self.rows_per_group is None else min(self.rows, self.rows_per_group)


def of_rows(bounds: Bounds, per_row: int, shift: int = 0) -> Sensitivity:
    """Of a count or sum in which a row adds at most `per_row` in absolute value."""
    one = one_level(bounds.rows, per_row, shift)
    if bounds.rows_per_group is None and bounds.groups >= bounds.rows:
        return one
    per_group = bounds.per_group * per_row
    if bounds.fans is None:
        two = two_levels(bounds.groups, per_group, shift)
    else:
        two = added_up(bounds.shared, per_group, shift)
    return Sensitivity(min(one.l1, two.l1), min(one.l2_squared, two.l2_squared))


def one_level(rows: int, per_row: int, shift: int = 0) -> Sensitivity:
    """All rows of the unit may fall in one group: L1 = L2 = rows * b."""
    reach = rows * max(1, _shifted(per_row, shift))
    return Sensitivity(reach, reach**2)


def two_levels(groups: int, per_group: int, shift: int = 0) -> Sensitivity:
    """Each of the groups moves by at most m: L1 = C m, L2 = sqrt(C) m."""
    reach = max(1, _shifted(per_group, shift))
    return Sensitivity(groups * reach, groups * reach**2)


def added_up(shared: tuple[int, ...], per_group: int, shift: int = 0) -> Sensitivity:
    """Cells that hold so many of the unit's groups, each of which moves by at most m."""
    reach = max(1, _shifted(per_group, shift))
    return Sensitivity(sum(shared) * reach, sum(held**2 for held in shared) * reach**2)


def of_units(bounds: Bounds) -> Sensitivity:
    """Of a count of units: each of the unit's cells moves by one."""
    return Sensitivity(bounds.cells, bounds.cells)


def _shifted(value: int, shift: int) -> int:
    return -((-value) >> shift)


def shift_for(total: int, room: int = 2**61) -> int:
    """The fewest bits to drop so that a total of that size fits with room for noise."""
    shift = 0
    while (total >> shift) >= room:
        shift += 1
    return shift

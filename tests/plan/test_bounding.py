"""Sensitivities in closed form, attained by a worst unit; shifts that never understate (P6-P8)."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from queries.plan.bounding import Bounds, of_rows, of_units, one_level, shift_for, two_levels

COUNTS = st.integers(1, 40)
REACH = st.integers(1, 10**12)


@given(rows=COUNTS, reach=REACH)
def test_all_rows_may_fall_in_one_group(rows: int, reach: int) -> None:
    found = of_rows(Bounds(rows, rows), reach)
    assert (found.l1, found.l2_squared) == (rows * reach, (rows * reach) ** 2)


@given(rows=COUNTS, groups=COUNTS, cap=COUNTS, reach=REACH)
def test_no_spread_of_a_unit_moves_more_and_one_moves_that_much(
    rows: int, groups: int, cap: int, reach: int
) -> None:
    """Every count of rows per group that the bounds allow, the fullest one greedily."""
    kept = min(groups, rows)
    found = of_rows(Bounds(rows, kept, cap), reach)
    moved, left = [], rows
    for _ in range(kept):
        moved.append(min(cap, left) * reach)
        left -= min(cap, left)
    assert sum(moved) <= found.l1
    assert sum(one**2 for one in moved) <= found.l2_squared
    if kept * cap <= rows or kept == 1:
        assert sum(one**2 for one in moved) == found.l2_squared
        assert sum(moved) == found.l1


@given(
    groups=st.integers(1, 5),
    cap=st.integers(1, 3),
    fans=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    reach=REACH,
)
def test_coarser_cells_move_by_what_the_worst_spread_of_groups_over_them_does(
    groups: int, cap: int, fans: list[int], reach: int
) -> None:
    """Every way in which a unit's groups can lie in cells that hold so many of them each."""
    fullest = tuple(sorted(fans, reverse=True))
    bounds = Bounds(groups * cap, groups, cap, fullest)
    spreads = [n for n in product(*(range(fan + 1) for fan in fullest)) if sum(n) <= groups]
    found, units = of_rows(bounds, reach), of_units(bounds)
    assert found.l1 == max(sum(held) * cap * reach for held in spreads)
    assert found.l2_squared == max(sum((n * cap * reach) ** 2 for n in held) for held in spreads)
    assert units.l1 == units.l2_squared == max(sum(n > 0 for n in held) for held in spreads)


@given(groups=COUNTS, rows=COUNTS)
def test_units_move_each_of_their_groups_by_one(groups: int, rows: int) -> None:
    found = of_units(Bounds(rows, groups))
    assert (found.l1, found.l2_squared) == (groups, groups)


@given(
    total=st.integers(-(10**30), 10**30),
    moved=st.integers(-(10**12), 10**12),
    shift=st.integers(0, 60),
)
def test_a_shifted_total_moves_by_no_more_than_is_claimed(
    total: int, moved: int, shift: int
) -> None:
    change = abs(((total + moved) >> shift) - (total >> shift))
    assert change <= one_level(1, abs(moved), shift).l1
    assert change <= two_levels(1, abs(moved), shift).l1


@given(total=st.integers(0, 2**126))
def test_a_shift_is_the_least_that_leaves_room(total: int) -> None:
    shift = shift_for(total)
    assert total >> shift < 2**61
    assert shift == 0 or total >> (shift - 1) >= 2**61

"""Sensitivities in closed form, attained by a worst unit; shifts that never understate (P6-P8)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.plan.bounding import Bounds, of_rows, of_units, shift_for, together

COUNTS = st.integers(1, 40)
REACH = st.integers(1, 10**12)


@given(rows=COUNTS, reach=REACH)
def test_all_rows_may_fall_in_one_group(rows: int, reach: int) -> None:
    found = of_rows(Bounds(rows, rows), reach)
    assert (found.l1, found.l2_squared) == (rows * reach, (rows * reach) ** 2)


@given(rows=COUNTS, groups=COUNTS, cap=COUNTS, reach=REACH)
def test_the_fullest_groups_move_as_much_as_is_claimed(
    rows: int, groups: int, cap: int, reach: int
) -> None:
    """The groups filled one after the other, as far as the unit's rows go."""
    kept = min(groups, rows)
    found = of_rows(Bounds(rows, kept, cap), reach)
    full, rest = divmod(rows, cap)
    moved = [cap * reach] * min(full, kept) + [rest * reach] * (full < kept)
    assert (found.l1, found.l2_squared) == (sum(moved), sum(one**2 for one in moved))


@given(data=st.data())
def test_no_spread_of_a_unit_moves_more(data: st.DataObject) -> None:
    """Any rows in any groups, added up to any coarser cells, as shifted totals that were at odds.

    Each total stands where rounding down makes its move the largest.
    """
    rows, cap = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 6))
    shift, reach = data.draw(st.integers(0, 4)), data.draw(st.integers(1, 40))
    cells = data.draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    counts = [
        min(cap, n) for n in data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=rows))
    ]
    groups = data.draw(st.integers(len(counts), rows))
    while sum(counts) > rows:
        counts.pop()
    placed = cells[: len(counts)]
    sizes = sorted((cells.count(cell) for cell in set(cells)), reverse=True)
    for fans, totals in (
        (None, counts),
        (tuple(sizes), [sum(_of(counts, placed, cell)) for cell in set(placed)]),
    ):
        found = of_rows(Bounds(rows, groups, cap, fans), reach, shift)
        moves = [((2**shift - 1 + n * reach) >> shift) for n in totals]
        assert sum(moves) <= found.l1
        assert sum(one**2 for one in moves) <= found.l2_squared


def _of(counts: list[int], placed: list[int], cell: int) -> list[int]:
    return [count for count, own in zip(counts, placed, strict=True) if own == cell]


@given(fans=st.lists(st.integers(1, 6), min_size=1, max_size=6), rows=COUNTS, cap=COUNTS)
def test_the_fullest_coarser_cells_move_as_much_as_is_claimed(
    fans: list[int], rows: int, cap: int
) -> None:
    groups = min(rows, sum(fans))
    found = of_rows(Bounds(rows, groups, cap, tuple(sorted(fans, reverse=True))), 1)
    leaves = [min(cap, max(0, rows - cap * n)) for n in range(groups)]
    moved = []
    for fan in sorted(fans, reverse=True):
        moved.append(sum(leaves[:fan]))
        leaves = leaves[fan:]
    assert (found.l1, found.l2_squared) == (sum(moved), sum(one**2 for one in moved))


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


@given(rows=COUNTS, groups=COUNTS, cap=st.none() | COUNTS, reach=REACH, shift=st.integers(0, 60))
def test_one_number_over_all_groups_moves_by_what_a_unit_can_put_in_them(
    rows: int, groups: int, cap: int | None, reach: int, shift: int
) -> None:
    """As far as its rows and its groups go, and then up to the next step of the shifted total."""
    left = rows
    for _ in range(groups):
        left -= min(left, rows if cap is None else cap)
    found = together(Bounds(rows, groups, cap), reach, shift)
    moved = (2**shift - 1 + (rows - left) * reach) >> shift
    assert (found.l1, found.l2_squared) == (moved, moved**2)


@pytest.mark.parametrize("shift", [0, 3])
def test_what_never_moves_is_noised_as_if_it_did(shift: int) -> None:
    bounds = Bounds(4, 2, 1)
    assert of_rows(bounds, 0, shift).l1 >= 1
    assert together(bounds, 0, shift).l1 >= 1


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
    assert change <= of_rows(Bounds(1, 1), abs(moved), shift).l1


@given(total=st.integers(0, 2**126))
def test_a_shift_is_the_least_that_leaves_room(total: int) -> None:
    shift = shift_for(total)
    assert total >> shift < 2**61
    assert shift == 0 or total >> (shift - 1) >= 2**61

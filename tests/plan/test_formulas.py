"""What a row adds, and how far totals are shifted, follow from the proved range alone (P6, P8)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra.facts import Facts
from queries.algebra.measures import Centred, DistinctTotal, Rows, Total, Units
from queries.algebra.scalars import Column
from queries.catalog.manifest import Type
from queries.language.refusals import RangeTooLarge
from queries.plan.bounding import Bounds, of_rows, of_units
from queries.plan.formulas import NOTICED, per_row, sensitivity, shift

ENDS = st.integers(-(2**70), 2**70) | st.integers(-20, 20)
LARGEST = 2**78 - 1


def column(low: int, high: int) -> Column:
    return Column(0, "x", Facts(Type.INTEGER, False, 0, low, high))


@given(one=ENDS, other=ENDS)
def test_a_row_adds_at_most_the_end_farther_from_zero(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert per_row(Total(column(low, high), None)) == max(abs(low), abs(high))


@given(one=ENDS, other=ENDS)
def test_a_centred_row_adds_at_most_half_the_range(one: int, other: int) -> None:
    low, high = sorted((one, other))
    reach = per_row(Centred(column(low, high), None))
    assert 2 * reach - (high - low) in (0, 1)


@pytest.mark.parametrize("statistic", [Rows(None), Units(None)])
def test_a_row_that_is_counted_adds_one(statistic: Rows | Units) -> None:
    assert per_row(statistic) == 1
    assert shift(statistic, Bounds(10_000, 1), 2**40) == 0


@pytest.mark.parametrize(("low", "high"), [(-LARGEST, LARGEST), (0, LARGEST), (-LARGEST, 0)])
def test_what_no_exact_sum_can_hold_is_refused(low: int, high: int) -> None:
    """2**48 rows of the largest value stay below 2**126; a step more is refused (P8)."""
    assert per_row(Total(column(low, high), None)) * 2**48 < 2**126
    wider = Total(column(low - (low < 0), high + (high > 0)), None)
    with pytest.raises(RangeTooLarge):
        per_row(wider)
    centred = Centred(column(-LARGEST - 1, LARGEST + 1), None)
    with pytest.raises(RangeTooLarge):
        per_row(centred)
    for far in (
        Total(column(4 * low, 4 * high), None),
        DistinctTotal(column(4 * low, 4 * high), None, 3),
    ):
        with pytest.raises(RangeTooLarge):
            per_row(far)


@given(one=ENDS, other=ENDS, rows=st.integers(1, 10_000), units=st.integers(1, 10**9))
def test_a_shifted_total_leaves_room_and_a_unit_is_still_told_apart(
    one: int, other: int, rows: int, units: int
) -> None:
    low, high = sorted((one, other))
    total, bounds = Total(column(low, high), None), Bounds(rows, 3)
    bits = shift(total, bounds, units)
    most = rows * max(abs(low), abs(high))
    assert (units * most) >> bits < 2**61
    assert most >> bits < NOTICED
    finer = bits - 1
    assert bits == 0 or (units * most) >> finer >= 2**61 or most >> finer >= NOTICED
    assert sensitivity(total, bounds, bits) == of_rows(bounds, max(abs(low), abs(high)), bits)


def test_units_are_claimed_as_units() -> None:
    bounds = Bounds(40, 3, fans=(2, 1))
    assert sensitivity(Units(None), bounds, 0) == of_units(bounds)
    assert sensitivity(Rows(None), replace(bounds, fans=None), 0).l1 == 40

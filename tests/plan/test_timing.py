"""Slots follow declared sizes, never rows."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra.relations import Inner, Public, Scan
from queries.catalog.manifest import Timing, Unit
from queries.catalog.view import View
from queries.language.refusals import TooManyRowsPerUnit
from queries.plan.planner import plan
from queries.plan.price import Options
from queries.plan.timing import LONGEST, UNTIMED, Shape, scanned, slot
from tests.parity import PRICE
from tests.plan.benches import bench

SHAPES = st.builds(Shape, *[st.integers(0, 10**8)] * 3)
TIMINGS = st.builds(Timing, st.fractions(Fraction(1, 10), 10), st.integers(2, 10))


@given(timing=TIMINGS, shapes=st.lists(SHAPES, min_size=1, max_size=4))
def test_a_slot_is_the_first_that_is_long_enough(timing: Timing, shapes: list[Shape]) -> None:
    length, deadline = slot(timing, shapes)
    needed = sum(shape.nanoseconds for shape in shapes) / 10**6
    assert length == deadline
    assert length + 1 >= min(needed, LONGEST)
    before = Fraction(length) / timing.growth
    assert before < needed or before < timing.slot * 1000


def test_without_slots_there_is_a_deadline_alone() -> None:
    assert slot(None, [Shape(1, 1, 1)]) == (0, UNTIMED)


def test_declared_sizes_are_read_and_nothing_else() -> None:
    found = Inner((Scan(0, "t", 7), Public(1, '"p"')), (), 0, 7)
    assert scanned(found, 100, {'"p"': 5}) == 705


def timed(units: int) -> View:
    view = bench().view
    unit = Unit(view.manifest.unit.name, units)
    return replace(view, manifest=replace(view.manifest, unit=unit, timing=Timing()))


def planned(sql: str, units: int) -> int:
    return plan(sql, timed(units), bench(), PRICE, Options()).slot


@pytest.mark.parametrize("where", ["TRUE", "month = 1", "month > 12", "dest = 'nowhere'"])
def test_conditions_on_rows_do_not_move_the_slot(where: str) -> None:
    sql = "SELECT origin, COUNT(*) FROM flights"
    assert planned(f"{sql} WHERE {where} GROUP BY 1", 10**5) == planned(f"{sql} GROUP BY 1", 10**5)


def test_more_units_take_a_longer_slot() -> None:
    sql = "SELECT COUNT(*) FROM flights"
    assert planned(sql, 1_000) == 1_000
    assert planned(sql, 10**6) > 8_000


def test_what_exists_reads_counts_too() -> None:
    inside = """SELECT COUNT(*) FROM flights f WHERE EXISTS
        (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum AND g.month = 2)"""
    assert planned(inside, 30_000) > planned("SELECT COUNT(*) FROM flights", 30_000)


JOINED = """flights f JOIN planes p USING (tailnum)
    CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8)) AS v(n)"""


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT COUNT(*) FROM (SELECT f.tailnum, COUNT(*) FROM {JOINED} GROUP BY f.tailnum) t",
        f"SELECT COUNT(*) FROM (SELECT DISTINCT f.tailnum FROM {JOINED}) t",
        f"""SELECT COUNT(*) FROM (SELECT f.tailnum FROM {JOINED} UNION
        SELECT f.tailnum FROM {JOINED}) t""",
    ],
)
def test_what_a_join_makes_counts_below_a_group_too(sql: str) -> None:
    few = sql.replace(", (2), (3), (4), (5), (6), (7), (8)", "")
    assert planned(sql, 10**4) > 2 * planned(few, 10**4)


def test_rows_compared_one_by_one_are_counted() -> None:
    """What more than equalities tie to a row is a product within the unit."""
    own = "SELECT COUNT(*) FROM flights g WHERE g.tailnum = f.tailnum"
    equated = f"SELECT SUM(({own} AND g.month = 2)) FROM flights f"
    compared = f"SELECT SUM(({own} AND g.month < f.month)) FROM flights f"
    assert planned(compared, 1_000) > 2 * planned(equated, 1_000)


SPANS = """FROM flights f {} JOIN (SELECT 'EWR' AS place, range AS low, range + 1 AS high
    FROM range({})) s ON s.place = f.origin AND f.distance >= s.low AND f.distance < s.high"""


@pytest.mark.parametrize("side", ["", "LEFT"])
def test_every_span_that_equalities_leave_is_work(side: str) -> None:
    """A row lies in one span, but the engine looks at all of its place."""
    sql = f"SELECT COUNT(*) {SPANS}"
    few, many = (planned(sql.format(side, n), 20_000) for n in (10, 1_000))
    assert many > few
    with pytest.raises(TooManyRowsPerUnit):
        planned(sql.format(side, 1_990), 1_000)


def test_spans_that_a_subquery_compares_are_work_too() -> None:
    """As those of a join are."""
    inside = SPANS.split("JOIN ", 1)[1].replace(" ON ", " WHERE ")
    sql = f"SELECT COUNT(*) FROM flights f WHERE EXISTS (SELECT 1 FROM {inside})"
    few, many = (planned(sql.format(n), 20_000) for n in (10, 1_000))
    assert many > few

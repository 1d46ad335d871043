"""Warnings where the noise may hide the answer, and what is offered in its place."""

from __future__ import annotations

import pytest

from queries.plan.price import Options, Price
from tests.plan.benches import bench

COUNTS = "SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier"
UNITS = "SELECT carrier, COUNT(DISTINCT flights.tailnum) AS n FROM flights GROUP BY carrier"


def warned(sql: str, rho: int, options: Options = Options()) -> tuple[str, ...]:
    return bench().plan(sql, options, Price(rho, 10**12)).warnings


@pytest.mark.parametrize("sql", [COUNTS, UNITS, "SELECT AVG(dep_delay) FROM flights"])
def test_a_fair_price_warns_of_nothing(sql: str) -> None:
    assert warned(sql, 10**11) == ()


def test_counts_of_units_are_offered_for_counts_of_rows() -> None:
    said, offered = warned(COUNTS, 10**9)
    assert "600 rows" in said
    assert "at most 5,000" in said
    assert offered.endswith(UNITS)
    assert warned(UNITS, 10**9) == ()


def test_a_tighter_bound_is_offered_for_a_sum() -> None:
    sql = "SELECT SUM(distance) FROM flights"
    _, offered = warned(sql, 10**8)
    assert offered.endswith("rows_per_group: 10")
    assert warned(sql, 10**8, Options(rows_per_group=10)) == ()


def test_one_key_less_is_offered_where_groups_are_many() -> None:
    sql = "SELECT origin, hour, day, COUNT(*) AS n FROM flights GROUP BY origin, hour, day"
    given = Options(rows_per_group=1, groups_per_unit=20)
    _, offered = warned(sql, 3 * 10**9, given)
    assert offered.endswith("SELECT origin, hour, COUNT(*) AS n FROM flights GROUP BY origin, hour")


def test_nothing_is_offered_where_nothing_near_is_better() -> None:
    assert len(warned("SELECT COUNT(DISTINCT tailnum) FROM flights", 10)) == 1


def test_keys_that_are_found_from_the_data_are_told_by_their_threshold() -> None:
    assert warned("SELECT flight, COUNT(*) FROM flights GROUP BY flight", 10**9) == ()

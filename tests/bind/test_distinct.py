"""Distinct values: the engine's own numbers, told apart once over everybody."""

from __future__ import annotations

from functools import cache

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.price import Options, Price
from tests.parity import Bench, missing
from tests.plan.benches import bench
from tests.properties.clinic import clinic

EXACT = (
    """SELECT COUNT(DISTINCT kind), COUNT(DISTINCT note), SUM(DISTINCT score), AVG(DISTINCT score),
       SUM(DISTINCT cost), COUNT(DISTINCT urgent), COUNT(DISTINCT day) FROM visits""",
    """SELECT kind, COUNT(DISTINCT score), COUNT(DISTINCT person), COUNT(*),
       SUM(DISTINCT cost) FILTER (WHERE score > 2) FROM visits GROUP BY kind""",
    "SELECT COUNT(DISTINCT (kind, note)), COUNT(DISTINCT (score, urgent)) FROM visits",
    "SELECT COUNT(DISTINCT visit), COUNT(DISTINCT UPPER(note)), COUNT(DISTINCT ratio) FROM visits",
    """SELECT kind, COUNT(DISTINCT CASE WHEN score > 2 THEN person END) AS n, COUNT(DISTINCT note)
       FROM visits GROUP BY kind""",
    """SELECT COUNT(DISTINCT i.visit), COUNT(DISTINCT i.price / 3), COUNT(DISTINCT v.person)
       FROM visits v JOIN items i ON i.visit = v.visit""",
    """SELECT kind, urgent, COUNT(DISTINCT score), COUNT(DISTINCT person) FROM visits
       GROUP BY CUBE (kind, urgent)""",
    "SELECT COUNT(DISTINCT score), SUM(DISTINCT score) FILTER (WHERE score = 0) FROM visits",
)


@cache
def visits() -> Bench:
    return Bench(clinic())


@pytest.mark.parametrize("sql", EXACT)
def test_distinct_values_are_the_engines_own(sql: str) -> None:
    names, rows = visits().answer(sql)
    expected_names, expected = visits().expected(sql)
    assert names == expected_names
    assert missing(expected, rows) == []


def test_an_approximate_number_is_the_exact_one() -> None:
    ((found,),) = visits().answer("SELECT APPROX_COUNT_DISTINCT(note) FROM visits")[1]
    ((exact,),) = visits().expected("SELECT COUNT(DISTINCT note) FROM visits")[1]
    assert found == exact


def test_slack_bounds_beside_each_other_change_nothing() -> None:
    sql = (
        "SELECT kind, COUNT(*), COUNT(DISTINCT note), SUM(DISTINCT cost) FROM visits GROUP BY kind"
    )
    slack = Options(groups_per_unit=3, rows_per_group=8)
    assert missing(visits().expected(sql)[1], visits().answer(sql, slack)[1]) == []


def test_a_bound_on_rows_bounds_distinct_values() -> None:
    tight = Options(groups_per_unit=2, rows_per_group=3)
    sql = "SELECT month, COUNT(DISTINCT dest) FROM flights GROUP BY month"
    (stage,) = bench("nycflights13").plan(sql, tight).stages
    assert (stage.columns[0].noise.l1, stage.columns[0].noise.l2_squared) == (6, 18)


def test_few_values_bound_what_a_unit_adds() -> None:
    (stage,) = bench("nycflights13").plan("SELECT COUNT(DISTINCT month) FROM flights").stages
    assert stage.columns[0].noise.l1 == 12


def test_noise_as_wide_as_all_values_is_told() -> None:
    found = bench("nycflights13").plan(
        "SELECT COUNT(DISTINCT month) FROM flights", price=Price(10**10, 0)
    )
    assert any("a count of distinct values" in warning for warning in found.warnings)
    assert any("12 distinct values" in note for note in found.notes)


REFUSED = {
    "SELECT COUNT(DISTINCT (tailnum, dest)) FROM flights": "unit-id-used",
    "SELECT COUNT(DISTINCT tailnum || 'x') FROM flights": "unit-id-used",
    "SELECT COUNT(DISTINCT CASE WHEN month = 1 THEN tailnum ELSE 'x' END) FROM flights": (
        "unit-id-used"
    ),
    "SELECT COUNT(DISTINCT ()) FROM flights": "unsupported-function",
    "SELECT COUNT(DISTINCT origin, dest) FROM flights": "unsupported-function",
    "SELECT COUNT(DISTINCT dest ORDER BY month) FROM flights": "unsupported-function",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_tell_units_apart_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("nycflights13").plan(sql)
    assert refused.value.code == REFUSED[sql]

"""What is held back, by a rule or by request; lists of keys; what is kept from being negative."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queries.catalog.view import View
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.noisy import NoisyStage
from queries.plan.planner import plan
from queries.plan.price import Options, Price
from queries.release import engine as release
from queries.release.law import half_width
from tests.parity import PRICE, missing
from tests.plan.benches import bench

LISTS = [
    "SELECT DISTINCT origin FROM flights",
    "SELECT DISTINCT origin, month > 6 AS late FROM flights ORDER BY late DESC, origin LIMIT 4",
    "SELECT DISTINCT upper(carrier) AS c FROM flights WHERE dest = 'LAX'",
    "SELECT origin FROM flights GROUP BY origin",
    "SELECT DISTINCT dest FROM flights",
    "WITH late AS (SELECT * FROM flights WHERE dep_delay > 60) SELECT DISTINCT carrier FROM late",
]


def ruled(sql: str, least: int, options: Options = Options()) -> Plan:
    """The plan under a dataset's own rule."""
    one = bench()
    manifest = replace(one.view.manifest, minimum_frequency=least)
    view: View = replace(one.view, manifest=manifest)
    return plan(sql, view, one, PRICE, options)


@pytest.mark.parametrize("sql", LISTS)
def test_a_list_of_keys_is_that_of_duckdb(sql: str) -> None:
    """At a price so high that a key of one unit is seen."""
    found = bench().plan(sql, price=Price(rho=10**16, delta=10**12))
    names, got = bench().answered(found)
    expected_names, expected = bench().expected(sql)
    assert names == expected_names
    assert not missing(expected, got)
    assert not missing(got, expected)


def test_a_key_that_nobody_has_seldom_occurs() -> None:
    """The noisy count must reach what noise alone reaches once in twenty."""
    found = bench().plan(LISTS[0], price=Price(rho=10**9))
    scale = found.stages[0].columns[0].noise.scale
    assert f'"m0") >= {-(-scale * 1.6449 // 1):.0f}' in found.post.sql.replace('."m0"', '"m0")')


def test_a_list_of_other_keys_has_a_threshold() -> None:
    found = bench().plan("SELECT DISTINCT flight FROM flights")
    assert found.stages[0].threshold is not None
    assert found.held_back == "possible"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT DISTINCT tailnum FROM flights", "names-persons"),
        ("SELECT DISTINCT * FROM flights", "names-persons"),
        ("SELECT SUM(month) FROM (SELECT DISTINCT month, day FROM flights) t", "across-units"),
    ],
)
def test_lists_that_are_refused(sql: str, code: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench().plan(sql)
    assert refused.value.code == code


def shown(found: Plan, tables: dict[str, NoisyStage]) -> list[object]:
    return [row[0] for row in release.composed(bench().open, found, tables, 0.95).rows]


@pytest.mark.parametrize("rule", ["asked", "declared", "both"])
def test_public_groups_under_the_least_frequency_are_held_back(rule: str) -> None:
    sql = "SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier"
    asked = Options(minimum_frequency={"asked": 100, "declared": None, "both": 7}[rule])
    least = {"asked": 1, "declared": 100, "both": 100}[rule]
    found = ruled(sql, least, asked)
    counts = dict(
        bench().expected("SELECT carrier, COUNT(DISTINCT tailnum) FROM flights GROUP BY 1")[1]
    )
    assert found.held_back == "possible"
    assert any("under 100" in note for note in found.notes)
    got = shown(found, bench().exact(found))
    assert got == sorted(carrier for carrier, units in counts.items() if units >= 100)
    assert 0 < len(got) < len(counts)


def test_totals_and_subtotals_follow_the_rule_too() -> None:
    sql = "SELECT carrier, COUNT(*) AS n FROM flights GROUP BY ROLLUP (carrier)"
    found = ruled(sql, 100)
    got = shown(found, bench().exact(found))
    assert None in got
    assert "OO" not in got
    one = ruled("SELECT COUNT(*) FROM flights", 10**6)
    assert shown(one, bench().exact(one)) == []


def test_a_threshold_is_never_under_the_least_frequency() -> None:
    found = ruled("SELECT flight, COUNT(*) FROM flights GROUP BY flight", 5_000)
    assert found.stages[0].threshold is not None
    assert found.stages[0].threshold.at_least >= 5_000


def test_margins_of_what_is_shown_are_its_own() -> None:
    sql = "SELECT carrier, COUNT(*) AS n FROM flights GROUP BY carrier"
    found = ruled(sql, 100)
    answer = release.composed(bench().open, found, bench().exact(found), 0.95)
    width = half_width(found.stages[0].columns[0].noise, 0.95)
    for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
        assert low[1] <= row[1] <= high[1]  # type: ignore[operator]
        assert high[1] - low[1] == 2 * width  # type: ignore[operator]

"""The time is an input of planning, in the dataset's own zone, and stands in the digest (P20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from queries.bind import clock
from queries.language.refusals import QueryRefused, UnsupportedFunction
from queries.plan.model import Plan
from queries.plan.planner import plan
from queries.plan.price import Options
from tests.parity import PRICE
from tests.plan.benches import bench

EVENING = datetime(2013, 7, 4, 23, 30, 59, tzinfo=UTC)
NEXT = datetime(2013, 7, 5, 12, 0, tzinfo=UTC)
TODAY = "SELECT COUNT(*) AS n FROM flights WHERE CAST(time_hour AS DATE) = current_date"


def planned(sql: str, now: datetime | None, zone: str = "UTC") -> Plan:
    asked = bench("nycflights13")
    manifest = replace(asked.view.manifest, time_zone=zone)
    return plan(sql, replace(asked.view, manifest=manifest), asked, PRICE, Options(), now)


def counted(sql: str, now: datetime, zone: str = "UTC") -> object:
    return bench("nycflights13").answered(planned(sql, now, zone))[1][0][0]


def of(day: date) -> object:
    asked = f"SELECT COUNT(*) FROM flights WHERE CAST(time_hour AS DATE) = DATE '{day}'"
    return bench("nycflights13").expected(asked)[1][0][0]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", date(2013, 7, 4)), ("Europe/Paris", date(2013, 7, 5))],
)
def test_today_is_the_day_in_the_zone_of_the_dataset(zone: str, day: date) -> None:
    assert counted(TODAY, EVENING, zone) == of(day)
    assert counted(TODAY.replace("current_date", "today()"), EVENING, zone) == of(day)


def test_another_day_is_another_stage_and_the_same_day_is_the_same() -> None:
    digests = [
        planned(TODAY, now).stages[0].digest for now in (EVENING, EVENING.replace(hour=1), NEXT)
    ]
    assert digests[0] == digests[1] != digests[2]


def test_now_is_the_beginning_of_the_minute() -> None:
    before = "SELECT COUNT(*) AS n FROM flights WHERE time_hour < {}"
    literal = before.format("TIMESTAMP '2013-07-04 23:30:00'")
    for word in ("now()", "current_timestamp", "localtimestamp"):
        found = planned(before.format(word), EVENING)
        assert found.stages[0].digest == planned(literal, None).stages[0].digest


def test_an_age_is_of_today() -> None:
    asked = "SELECT EXTRACT(year FROM age(time_hour)) AS y, COUNT(*) AS n FROM flights GROUP BY y"
    meant = asked.replace("age(time_hour)", "age(DATE '2013-07-04', time_hour)")
    assert planned(asked, EVENING).stages == planned(meant, None).stages


def test_without_a_clock_the_time_is_refused() -> None:
    with pytest.raises(UnsupportedFunction):
        planned(TODAY, None)


def test_what_is_computed_from_public_tables_has_the_time_too() -> None:
    found = planned("SELECT current_date AS d", EVENING)
    assert bench("nycflights13").answered(found)[1] == [("2013-07-04",)]


def test_zones_are_those_that_the_manifest_declares() -> None:
    asked = "SELECT COUNT(*) AS n FROM flights WHERE hour(time_hour AT TIME ZONE 'UTC' {}) = 5"
    there = asked.format("AT TIME ZONE 'America/New_York'")
    found = bench("nycflights13").answered(planned(there, None, "America/New_York"))
    assert found[1] == bench("nycflights13").expected(there)[1]
    for zone, sql in (("UTC", there), ("America/New_York", asked.format(""))):
        with pytest.raises(QueryRefused):
            planned(sql, None, zone)


@pytest.mark.parametrize("word", ["CURRENT_DATE", "now()", "age(x)", "Today()", "localtimestamp"])
def test_what_asks_for_the_time_is_seen_in_the_text(word: str) -> None:
    assert clock.mentioned(f"SELECT {word}")
    assert not clock.mentioned("SELECT known, page, stages, agenda FROM t")

"""Weighted means: the engine's own values, centred as AVG is, and only where they are means."""

from __future__ import annotations

from functools import cache

import pytest

from tests.parity import Bench, missing
from tests.plan.benches import bench
from tests.properties.clinic import clinic

MEAN = "SUM(wght * whrswk) / SUM(wght)"
EXACT = (
    "SELECT kind, SUM(cost * score) / SUM(cost) FROM visits GROUP BY kind",
    "SELECT kind, SUM(visit * score) / NULLIF(SUM(visit), 0) AS m FROM visits GROUP BY kind",
    """SELECT kind, SUM(cost * visit) / SUM(cost) AS m FROM visits GROUP BY kind
       HAVING SUM(visit * (score + 5)) / SUM(visit) > 2 ORDER BY SUM(cost * visit) / SUM(cost)""",
    """SELECT kind, SUM(visit * height) FILTER (WHERE urgent)
         / NULLIF(SUM(height) FILTER (WHERE urgent), 0) AS m
       FROM visits JOIN people USING (person) GROUP BY kind""",
    """SELECT SUM(height * (visit / 7)) / SUM(height) AS a, SUM(visit * visit) / SUM(visit) AS b,
       1.0 * SUM(ABS(score) * visit) / SUM(ABS(score)) AS c,
       CAST(SUM(ABS(score) * visit) AS DOUBLE) / (SUM(ABS(score))) AS d
       FROM visits JOIN people USING (person)""",
    "SELECT SUM(visit * 0 * (score + 9)) / NULLIF(SUM(visit * 0), 0.0) AS m FROM visits",
    "SELECT kind, SUM(cost * visit) AS s, s / SUM(cost) AS m FROM visits GROUP BY kind",
    "SELECT kind, SUM(visit * cost) / SUM(visit) AS m FROM visits GROUP BY kind",
    """SELECT kind, SUM(cost * visit) / SUM(cost), SUM(cost * visit), SUM(cost)
       FROM visits GROUP BY ROLLUP (kind)""",
)


@cache
def visits() -> Bench:
    return Bench(clinic())


@pytest.mark.parametrize("sql", EXACT)
def test_a_weighted_mean_is_the_engines_own(sql: str) -> None:
    names, rows = visits().answer(sql)
    expected_names, expected = visits().expected(sql)
    assert names == expected_names
    assert missing(expected, rows) == []


def reaches(items: str) -> list[int]:
    """What one row adds to each noisy column, hours lying in 0 to 90, weights in 0 to 2,000,000."""
    (stage,) = bench("hi").plan(f"SELECT {items} FROM hi").stages
    return sorted(column.noise.l1 for column in stage.columns)


CENTRED = (
    MEAN,
    "SUM(whrswk * wght) / NULLIF(SUM(wght), 0)",
    "1.0 * SUM(wght * whrswk) / SUM(wght)",
    "SUM(wght * whrswk) * 1.0 / SUM(wght)",
    "CAST(SUM(wght * whrswk) AS DOUBLE) / (SUM(wght))",
    f"{MEAN}, SUM(wght), AVG(wght) * COUNT(*) / COUNT(*)",
    "SUM(wght * whrswk) FILTER (WHERE hhi) / SUM(wght) FILTER (WHERE hhi)",
)


@pytest.mark.parametrize("items", CENTRED)
def test_the_weighted_sum_is_centred(items: str) -> None:
    found = reaches(items)
    assert 45 * 2_000_000 in found
    assert 90 * 2_000_000 not in found


OTHER_RATIOS = (
    "SUM(wght * whrswk) / SUM(kidslt6)",
    "SUM(wght * whrswk) / COUNT(*)",
    "SUM(wght * whrswk) FILTER (WHERE hhi) / SUM(wght)",
    "SUM(wght * whrswk) / NULLIF(SUM(wght), 1)",
    "2 * SUM(wght * whrswk) / SUM(wght)",
    "CAST(SUM(wght * whrswk) AS BIGINT) / SUM(wght)",
    "SUM(wght * NULLIF(whrswk, 0)) / SUM(wght)",
)


@pytest.mark.parametrize("items", OTHER_RATIOS)
def test_another_ratio_is_left_as_it_stands(items: str) -> None:
    assert 90 * 2_000_000 in reaches(items)


def test_a_sum_that_is_shown_is_not_paid_for_twice() -> None:
    assert reaches(f"SUM(wght * whrswk), {MEAN}") == [2_000_000, 180_000_000]


def test_it_stays_among_what_is_weighed() -> None:
    post = bench("hi").plan(f"SELECT {MEAN} FROM hi").post.sql
    assert 'LEAST(GREATEST((45.0e0 + ((TRY_CAST("_stage0"."m0"' in post
    assert "0.0e0), 90.0e0)" in post


def test_weights_that_may_be_negative_bound_nothing() -> None:
    found = bench("hi").plan("SELECT SUM(experience * whrswk) / SUM(experience) FROM hi").post.sql
    assert "LEAST" not in found
    assert "45.0e0 +" in found


def test_a_condition_rules_out_what_is_missing() -> None:
    """dep_delay lies in -100 to 1500 and may be NULL; distance in 0 to 5000."""
    sql = "SELECT SUM(distance * dep_delay) / SUM(distance) FROM flights"
    (plain,) = bench("nycflights13").plan(sql).stages
    (ruled,) = bench("nycflights13").plan(f"{sql} WHERE dep_delay IS NOT NULL").stages
    reach = [max(c.noise.l1 for c in stage.columns) // 600 for stage in (plain, ruled)]
    assert reach == [1500 * 5000, 800 * 5000]

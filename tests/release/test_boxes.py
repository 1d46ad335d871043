"""Ends of expressions over quantiles and counts: at corners, where all parts have ends at once."""

from __future__ import annotations

from typing import Any

import pytest

from queries.plan.price import Price
from queries.release import engine as release
from queries.release.answer import Answer
from tests.plan.benches import bench

PEOPLE = bench("hi")
PRICE = Price(10**12, 10**12)


def answered(sql: str, confidence: float = 0.95, price: Price = PRICE) -> Answer:
    plan = PEOPLE.plan(sql, price=price)
    return release.composed(PEOPLE.open, plan, PEOPLE.exact(plan), confidence)


def spans(answer: Answer, place: int) -> list[tuple[Any, Any]]:
    return [(low[place], high[place]) for low, high in zip(answer.lower, answer.upper, strict=True)]


TWO = "MEDIAN(whrswk) AS a, MEDIAN(experience) AS b"
FROM = "FROM hi GROUP BY kidslt6 ORDER BY 1"


def test_a_difference_lies_between_the_corners_of_its_parts() -> None:
    """Each part at half the chance of being missed, so that both hold at once."""
    sql = f"SELECT kidslt6, a - b AS d FROM (SELECT kidslt6, {TWO} FROM hi GROUP BY 1) ORDER BY 1"
    parts = answered(f"SELECT kidslt6, {TWO} {FROM}", 0.975)
    expected = [
        (low[1] - high[2], high[1] - low[2])  # type: ignore[operator]
        for low, high in zip(parts.lower, parts.upper, strict=True)
    ]
    for got, wanted in zip(spans(answered(sql), 1), expected, strict=True):
        assert got == pytest.approx(wanted)


def test_a_share_of_a_histogram_uses_the_very_counts_it_reads() -> None:
    sql = "SELECT HISTOGRAM(region)['south'] / HISTOGRAM(region)['west'] AS r FROM hi"
    whole = answered("SELECT HISTOGRAM(region) AS h FROM hi", 0.975)
    ((low, high),) = spans(whole, 0)
    (least, most), answer = (dict(low), dict(high)), answered(sql)
    ((down, up),) = spans(answer, 0)
    assert down == pytest.approx(least["south"] / most["west"])
    assert up == pytest.approx(most["south"] / least["west"])
    assert down < answer.rows[0][0] < up  # type: ignore[operator]


def test_what_is_read_twice_holds_more_and_never_less() -> None:
    once = spans(answered(f"SELECT {TWO}, MEDIAN(whrswk) / MEDIAN(experience) - 1 FROM hi"), 2)
    twice = "(MEDIAN(whrswk) - MEDIAN(experience)) / MEDIAN(experience)"
    ((down, up),) = spans(answered(f"SELECT {TWO}, {twice} FROM hi"), 2)
    ((low, high),) = once
    assert down <= low <= high <= up


def test_a_divisor_that_may_be_zero_leaves_no_ends() -> None:
    sql = "SELECT MEDIAN(whrswk) / (MEDIAN(experience) - 16) AS r, MEDIAN(whrswk) * 2 FROM hi"
    answer = answered(sql, price=Price(10**6, 10**12))
    assert spans(answer, 0) == [(None, None)]
    assert spans(answer, 1)[0][0] < spans(answer, 1)[0][1]


def test_means_and_keys_stand_beside_quantiles() -> None:
    own = "SELECT kidslt6, AVG(whrswk) - MEDIAN(whrswk) + kidslt6 AS s FROM hi WHERE kidslt6 < 3"
    answer = answered(f"{own} GROUP BY 1 HAVING COUNT(*) > 0", price=Price(10**14, 0))
    for row, (low, high) in zip(answer.rows, spans(answer, 1), strict=True):
        assert low is not None, row
        assert low <= row[1] <= high  # type: ignore[operator]


def test_each_grouping_set_has_ends_of_its_own() -> None:
    sql = "SELECT kidslt6, MAX(experience) - MIN(experience) FROM hi GROUP BY ROLLUP (kidslt6)"
    answer = answered(sql)
    found = spans(answer, 1)
    assert len(found) == len(answer.rows) > 2
    assert all(low <= row[1] <= high for row, (low, high) in zip(answer.rows, found, strict=True))  # type: ignore[operator]


def test_days_between_two_dates_have_ends() -> None:
    place = bench("clinic")
    plan = place.plan("SELECT MAX(day) - MIN(day) AS days FROM visits", price=Price(10**14, 0))
    answer = release.composed(place.open, plan, place.exact(plan), 0.95)
    ((low, high),) = spans(answer, 0)
    assert low <= answer.rows[0][0] <= high  # type: ignore[operator]


def test_a_root_of_what_may_be_negative_leaves_no_ends() -> None:
    answer = answered("SELECT sqrt(MEDIAN(experience) - 16) FROM hi", price=Price(10**6, 0))
    assert spans(answer, 0) == [(None, None)]

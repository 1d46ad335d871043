"""Calendar arithmetic in whole numbers, against DuckDB's own functions."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.algebra import calendar as time

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
LATER = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
"""Moments whose millennium starts in a year that is answered."""
COUNTS = st.integers(-1_000, 1_000)
UNITS = st.sampled_from(time.UNITS)


@cache
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def asked(sql: str, *values: object) -> object:
    return engine().execute(f"SELECT {sql}", values).fetchall()[0][0]


@given(moment=MOMENTS)
def test_moments_are_microseconds_since_1970(moment: datetime) -> None:
    number = time.microseconds(moment)
    assert number == asked("epoch_us(?::TIMESTAMP)", moment)
    assert time.as_datetime(number) == moment


@given(day=st.dates())
def test_dates_are_days_since_1970(day: date) -> None:
    assert time.days(day) == asked("?::DATE - DATE '1970-01-01'", day)
    assert time.as_date(time.days(day)) == day


@given(moment=LATER, unit=UNITS)
def test_truncation(moment: datetime, unit: str) -> None:
    cut = time.truncated(time.microseconds(moment), unit)
    assert time.as_datetime(cut) == asked(f"date_trunc('{unit}', ?::TIMESTAMP)::TIMESTAMP", moment)


@given(one=MOMENTS, other=MOMENTS, unit=UNITS)
def test_boundaries_between_moments(one: datetime, other: datetime, unit: str) -> None:
    found = asked(f"date_diff('{unit}', ?::TIMESTAMP, ?::TIMESTAMP)", one, other)
    assert time.between(time.microseconds(one), time.microseconds(other), unit) == found


@given(moment=LATER, months=st.integers(1, 500))
def test_buckets_of_months(moment: datetime, months: int) -> None:
    found = asked(f"time_bucket(to_months({months}), ?::TIMESTAMP)", moment)
    assert time.as_datetime(time.bucketed(time.microseconds(moment), months, 0)) == found


@given(moment=LATER, width=st.integers(1, 400 * time.DAY))
def test_buckets_of_a_width(moment: datetime, width: int) -> None:
    found = asked(f"time_bucket(to_microseconds({width}), ?::TIMESTAMP)", moment)
    assert time.as_datetime(time.bucketed(time.microseconds(moment), 0, width)) == found


@given(one=MOMENTS, other=MOMENTS, unit=UNITS)
def test_whole_units_between_moments_are_known_to_one(
    one: datetime, other: datetime, unit: str
) -> None:
    found = asked(f"datesub('{unit}', ?::TIMESTAMP, ?::TIMESTAMP)", one, other)
    assert isinstance(found, int)
    assert abs(time.passed(time.microseconds(one), time.microseconds(other), unit) - found) <= 1


@given(moment=MOMENTS, count=COUNTS, unit=UNITS)
def test_intervals(moment: datetime, count: int, unit: str) -> None:
    by = time.span(count, unit)
    assert by is not None
    moved = time.shifted(time.microseconds(moment), by)
    if moved is not None:
        found = asked(f"?::TIMESTAMP + INTERVAL ({count}) {unit}", moment)
        assert time.as_datetime(moved) == found


@given(ends=st.tuples(MOMENTS, MOMENTS, MOMENTS).map(sorted), part=st.sampled_from([*time.PARTS]))
def test_parts_lie_in_their_range(ends: list[datetime], part: str) -> None:
    low, between, high = ends
    least, most = time.part_range(time.microseconds(low), time.microseconds(high), part)
    found = asked(f"date_part('{part}', ?::TIMESTAMP)", between)
    assert isinstance(found, int)
    assert least <= found <= most


@given(start=LATER, length=st.integers(0, 400 * time.DAY), unit=UNITS)
def test_a_series_holds_every_start(start: datetime, length: int, unit: str) -> None:
    low = time.microseconds(start)
    high = min(low + length, time.microseconds(datetime(9999, 1, 1)))
    found = time.series(low, high, unit, 500)
    if found is not None:
        for moment in (low, (low + high) // 2, high):
            if low <= moment <= high:
                assert time.truncated(moment, unit) in found


@pytest.mark.parametrize(("word", "meant"), [("DOW", "dayofweek"), ("mon", "month"), ("h", "hour")])
def test_spellings(word: str, meant: str) -> None:
    assert time.spelled(word) == meant


def test_what_leaves_the_years_is_not_known() -> None:
    last = time.microseconds(datetime(9999, 12, 31))
    assert time.shifted(last, time.Span(days=2)) is None
    assert time.shifted(last, time.Span(months=1)) is None
    assert time.shifted(time.microseconds(datetime(1, 1, 1)), time.Span(months=-1)) is None
    assert time.span(1, "fortnight") is None

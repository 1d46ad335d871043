"""Days and microseconds: exact calendar arithmetic for ranges, in the engine's own meaning.

Dates are days and timestamps microseconds since 1970-01-01, in the proleptic Gregorian calendar
from year 1 to 9999; what leaves those years has no range.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

EPOCH = datetime(1970, 1, 1)
DAY = 86_400_000_000
MICROSECONDS = {
    "microsecond": 1, "millisecond": 1_000, "second": 1_000_000, "minute": 60_000_000,
    "hour": 3_600_000_000, "day": DAY, "week": 7 * DAY,
}  # fmt: skip
MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1_200,
          "millennium": 12_000}  # fmt: skip
UNITS = (*MONTHS, *MICROSECONDS)

PARTS: dict[str, tuple[int, int]] = {
    "year": (1, 9999),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "dayofweek": (0, 6),
    "isodow": (1, 7),
    "dayofyear": (1, 366),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
    "millisecond": (0, 59_999),
    "microsecond": (0, 59_999_999),
    "isoyear": (1, 9999),
    "decade": (0, 999),
    "century": (1, 100),
    "millennium": (1, 10),
    "yearweek": (101, 999_953),
}
"""The parts of a date that can be taken, and the integers they may be."""

SPELLINGS = {
    "years": "year", "yr": "year", "y": "year", "quarters": "quarter", "months": "month",
    "mon": "month", "weeks": "week", "w": "week", "days": "day", "d": "day", "dayofmonth": "day",
    "hours": "hour", "h": "hour", "minutes": "minute", "min": "minute", "seconds": "second",
    "sec": "second", "s": "second", "dow": "dayofweek", "weekday": "dayofweek",
    "doy": "dayofyear", "weekofyear": "week", "milliseconds": "millisecond",
    "ms": "millisecond", "msec": "millisecond", "microseconds": "microsecond",
    "us": "microsecond", "usec": "microsecond", "decades": "decade", "dec": "decade",
    "decs": "decade", "centuries": "century", "cent": "century", "c": "century",
    "millennia": "millennium", "mil": "millennium", "mils": "millennium",
}  # fmt: skip


def spelled(word: str) -> str:
    """The one name of a unit or part."""
    folded = word.lower()
    return SPELLINGS.get(folded, folded)


@dataclass(frozen=True, slots=True)
class Span:
    """An interval literal: months, days and microseconds, which do not convert into each other."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def __neg__(self) -> Span:
        return Span(-self.months, -self.days, -self.microseconds)


def span(count: int, unit: str) -> Span | None:
    """`count` units as a span, or None where the unit is unknown."""
    if unit in MONTHS:
        return Span(months=MONTHS[unit] * count)
    if unit in ("week", "day"):
        return Span(days=(7 if unit == "week" else 1) * count)
    return Span(microseconds=count * MICROSECONDS[unit]) if unit in MICROSECONDS else None


def days(value: date) -> int:
    return value.toordinal() - EPOCH.toordinal()


def microseconds(value: datetime) -> int:
    return (value - EPOCH) // timedelta(microseconds=1)


def as_date(number: int) -> date:
    return date.fromordinal(number + EPOCH.toordinal())


def as_datetime(number: int) -> datetime:
    return EPOCH + timedelta(microseconds=number)


def shifted(number: int, by: Span) -> int | None:
    """A timestamp moved by a span, months clipped to the month's end; None outside the years."""
    try:
        moment = as_datetime(number)
        month = moment.year * 12 + moment.month - 1 + by.months
        year, month = divmod(month, 12)
        last = calendar.monthrange(year, month + 1)[1]
        moved = moment.replace(year=year, month=month + 1, day=min(moment.day, last))
        return microseconds(moved + timedelta(days=by.days, microseconds=by.microseconds))
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        return None


def truncated(number: int, unit: str) -> int:
    """A timestamp cut down to the start of its unit (weeks start on Monday)."""
    if unit == "week":
        day = number // DAY
        return (day - (day + 3) % 7) * DAY
    if unit in MICROSECONDS:
        return number - number % MICROSECONDS[unit]
    moment = as_datetime(number)
    months = moment.year * 12 + moment.month - 1
    return start_of_month(months - months % MONTHS[unit])


def start_of_month(months: int) -> int:
    """The first moment of a month counted from year 0; raises ValueError outside the years."""
    return microseconds(datetime(months // 12, months % 12 + 1, 1))


BUCKETS = microseconds(datetime(2000, 1, 3))
"""Where buckets of a fixed width are counted from; those of months from the year 2000."""


def bucketed(number: int, months: int, width: int) -> int:
    """The start of the bucket of `months`, or of `width` microseconds, that holds a timestamp."""
    if not months:
        return number - (number - BUCKETS) % width
    moment = as_datetime(number)
    count = (moment.year - 2000) * 12 + moment.month - 1
    return start_of_month(24_000 + count - count % months)


def buckets(lower: int, upper: int, months: int, width: int, limit: int) -> list[int] | None:
    """Every start of a bucket from the one that holds `lower` to `upper`; None beyond the limit."""
    current, found = bucketed(lower, months, width), []
    while current <= upper:
        found.append(current)
        following = shifted(current, Span(months, 0, width))
        if following is None or len(found) > limit:
            return None
        current = following
    return found


def passed(start: int, end: int, unit: str) -> int:
    """How many whole units lie between two timestamps, to one of the calendar's (months differ)."""
    if unit in MICROSECONDS:
        count, size = abs(end - start), MICROSECONDS[unit]
    else:
        count, size = abs(index(end, "month") - index(start, "month")), MONTHS[unit]
    return count // size if end >= start else -(count // size)


def between(start: int, end: int, unit: str) -> int:
    """How many boundaries of a unit lie between two timestamps; of weeks, how many are full."""
    if unit != "week":
        return index(end, unit) - index(start, unit)
    passed = end // DAY - start // DAY
    return passed // 7 if passed >= 0 else -(-passed // 7)


def index(number: int, unit: str) -> int:
    """Which unit, counted from a fixed one, a timestamp lies in."""
    if unit in MICROSECONDS:
        return number // MICROSECONDS[unit]
    moment = as_datetime(number)
    return (moment.year * 12 + moment.month - 1) // MONTHS[unit]


def series(lower: int, upper: int, unit: str, limit: int) -> list[int] | None:
    """Every start of a unit from the one that holds `lower` to `upper`; None beyond the limit."""
    current, found = truncated(lower, unit), []
    step = span(1, unit)
    while current <= upper:
        found.append(current)
        following = None if step is None else shifted(current, step)
        if following is None or len(found) > limit:
            return None
        current = following
    return found


GROWING: dict[str, Callable[[datetime], int]] = {
    "year": lambda moment: moment.year,
    "isoyear": lambda moment: moment.isocalendar().year,
    "decade": lambda moment: moment.year // 10,
    "century": lambda moment: (moment.year - 1) // 100 + 1,
    "millennium": lambda moment: (moment.year - 1) // 1000 + 1,
    "yearweek": lambda moment: moment.isocalendar().year * 100 + moment.isocalendar().week,
}
"""The parts that grow with time, so that a range of moments is one of parts."""


def part_range(lower: int, upper: int, part: str) -> tuple[int, int]:
    """The integers that a part of a timestamp between the two may be."""
    first, last = as_datetime(lower), as_datetime(upper)
    if part in GROWING:
        return GROWING[part](first), GROWING[part](last)
    if part in ("month", "quarter") and first.year == last.year:
        low, high = first.month, last.month
        return (low, high) if part == "month" else ((low + 2) // 3, (high + 2) // 3)
    return PARTS[part]

"""Days and microseconds: exact calendar arithmetic for ranges, in the engine's own meaning.

Dates are days and timestamps microseconds since 1970-01-01, in the proleptic Gregorian calendar
from year 1 to 9999; what leaves those years has no range.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta

EPOCH = datetime(1970, 1, 1)
DAY = 86_400_000_000
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
MICROSECONDS = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": DAY}

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
}
"""The parts of a date that can be taken, and the integers they may be."""

SPELLINGS = {
    "years": "year", "yr": "year", "y": "year", "quarters": "quarter", "months": "month",
    "mon": "month", "weeks": "week", "w": "week", "days": "day", "d": "day", "dayofmonth": "day",
    "hours": "hour", "h": "hour", "minutes": "minute", "min": "minute", "seconds": "second",
    "sec": "second", "s": "second", "dow": "dayofweek", "weekday": "dayofweek",
    "doy": "dayofyear", "weekofyear": "week",
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
    match unit:
        case "year":
            return Span(months=12 * count)
        case "quarter":
            return Span(months=3 * count)
        case "month":
            return Span(months=count)
        case "week":
            return Span(days=7 * count)
        case "day":
            return Span(days=count)
        case "hour" | "minute" | "second":
            return Span(microseconds=count * MICROSECONDS[unit])
    return None


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
    moment = as_datetime(number)
    match unit:
        case "year":
            return microseconds(datetime(moment.year, 1, 1))
        case "quarter":
            return microseconds(datetime(moment.year, 3 * ((moment.month - 1) // 3) + 1, 1))
        case "month":
            return microseconds(datetime(moment.year, moment.month, 1))
        case "week":
            day = number // DAY
            return (day - (day + 3) % 7) * DAY
        case "day" | "hour" | "minute" | "second":
            return number - number % MICROSECONDS[unit]
    raise ValueError(unit)


def between(start: int, end: int, unit: str) -> int:
    """How many boundaries of a unit lie between two timestamps; of weeks, how many are full."""
    if unit != "week":
        return index(end, unit) - index(start, unit)
    passed = end // DAY - start // DAY
    return passed // 7 if passed >= 0 else -(-passed // 7)


def index(number: int, unit: str) -> int:
    """Which unit, counted from a fixed one, a timestamp lies in."""
    moment = as_datetime(number)
    match unit:
        case "year":
            return moment.year
        case "quarter":
            return moment.year * 4 + (moment.month - 1) // 3
        case "month":
            return moment.year * 12 + moment.month - 1
        case "day" | "hour" | "minute" | "second":
            return number // MICROSECONDS[unit]
    raise ValueError(unit)


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


def part_range(lower: int, upper: int, part: str) -> tuple[int, int]:
    """The integers that a part of a timestamp between the two may be."""
    first, last = as_datetime(lower), as_datetime(upper)
    if part == "year":
        return first.year, last.year
    if part in ("month", "quarter") and first.year == last.year:
        low, high = first.month, last.month
        return (low, high) if part == "month" else ((low + 2) // 3, (high + 2) // 3)
    return PARTS[part]

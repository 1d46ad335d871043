"""Moments made, named, written and binned: each function with the range or the list it proves."""

from __future__ import annotations

import calendar as names
import re
from collections.abc import Callable
from datetime import date

from sqlglot import exp

from queries.algebra import calendar as time
from queries.algebra import operations as op
from queries.algebra.facts import TEMPORAL, Facts
from queries.algebra.scalars import Call, Scalar
from queries.bind import gaps, temporal, types
from queries.bind.texts import fixed, subject
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]
INTEGERS = frozenset({Type.INTEGER})
MONTHS = tuple(names.month_name[1:])
WEEKDAYS = tuple(names.day_name)
SPECIFIER = re.compile(r"%(-?[a-zA-Z%])")
FINEST: dict[str, str] = {
    **dict.fromkeys("Yy", "year"), **dict.fromkeys("mBb", "month"),
    **dict.fromkeys("djaAwuVGUW", "day"), **dict.fromkeys("HIp", "hour"), "M": "minute",
    "S": "second", "f": "microsecond", "%": "year",
}  # fmt: skip
"""What a date is written with, and the unit of time that decides about it."""
COARSE = ("year", "month", "day", "hour", "minute", "second", "microsecond")
FIRST = time.days(date(1, 1, 1))


def _named(word: str, listed: tuple[str, ...]) -> Callable[[exp.Expr, Bind], Scalar]:
    """The English name of a part, one of a list."""

    def case(node: exp.Expr, value: Bind) -> Scalar:
        moment = temporal.moment(value(node.this), node)
        facts = Facts(Type.TEXT, moment.facts.nullable, values=listed)
        return Call(word, (moment,), facts)

    return case


def _last_day(node: exp.Expr, value: Bind) -> Scalar:
    moment = temporal.truncated("month", value(node.this), node)
    low, high = (_month_end(end) for end in moment.facts.span())
    return Call("last_day", (moment,), Facts(Type.DATE, moment.facts.nullable, 0, low, high))


def _month_end(end: int) -> int:
    day = time.as_datetime(end)
    return time.days(date(day.year, day.month, names.monthrange(day.year, day.month)[1]))


def _made(node: exp.Expr, value: Bind) -> Scalar:
    """make_date: NULL where there is no such day, or it lies outside the years 1 to 9999."""
    parts = [
        types.require(value(node.args[name]), INTEGERS, node, "MAKE_DATE")
        for name in ("year", "month", "day")
    ]
    low, high = (min(max(end, 1), 9999) for end in parts[0].facts.span())
    ends = time.days(date(low, 1, 1)), time.days(date(high, 12, 31))
    return Call("make_date", tuple(parts), Facts(Type.DATE, True, 0, ends[0], ends[1]))


def _written(node: exp.Expr, value: Bind) -> Scalar:
    """strftime: the moment is cut down to what the format shows, so that its values are few."""
    written, given = node.args["format"], node.this
    if isinstance(given, exp.Literal) and not isinstance(written, exp.Literal):
        written, given = given, written
    form = fixed(written, value, node)
    shown = [sign.removeprefix("-") for sign in SPECIFIER.findall(str(form.value))]
    if "%" in SPECIFIER.sub("", str(form.value)) or not set(shown) <= set(FINEST):
        raise UnsupportedFunction("This format is not answered.", position=place(node))
    moment = temporal.moment(value(given), node)
    finest = max((COARSE.index(FINEST[sign]) for sign in shown), default=0)
    if finest < COARSE.index("second"):
        moment = temporal.truncated(COARSE[finest], moment, node)
    return op.text("strftime", moment, form)


def _read(node: exp.Expr, value: Bind) -> Scalar:
    """strptime, NULL where the text has not the form."""
    form = fixed(node.args["format"], value, node)
    signs = [sign.removeprefix("-") for sign in SPECIFIER.findall(str(form.value))]
    if not set(signs) <= set("YymBbdjHIpMSf%"):
        raise UnsupportedFunction("This format is not answered.", position=place(node))
    made = Call("strptime", (subject(node, value), form), Facts(Type.TIMESTAMP))
    return types.in_era(made)


def _bucket(node: exp.Expr, value: Bind) -> Scalar:
    """time_bucket of a constant width: a date stays a date."""
    by = temporal.span(node.this, 1) if isinstance(node.this, exp.Interval) else None
    width = 0 if by is None else by.days * time.DAY + by.microseconds
    if by is None or by.months < 0 or width < 0 or bool(by.months) == bool(width):
        raise UnsupportedFunction(
            "TIME_BUCKET takes a constant interval, of months or of a fixed length.",
            position=place(node),
        )
    arg = types.require(value(node.expression), TEMPORAL, node, "TIME_BUCKET")
    moment = temporal.moment(arg, node)
    try:
        low, high = (time.bucketed(end, by.months, width) for end in moment.facts.span())
    except ValueError:
        raise temporal.unbounded(node) from None
    if low < FIRST * time.DAY:
        raise temporal.unbounded(node)
    facts = Facts(Type.TIMESTAMP, moment.facts.nullable, 0, low, high)
    made = Call(f"bucket:{by.months}:{width}", (moment,), facts)
    if arg.facts.type is Type.TIMESTAMP:
        return made
    if width % time.DAY:
        raise UnsupportedFunction("Dates are not divided into hours.", position=place(node))
    days = Facts(Type.DATE, facts.nullable, 0, low // time.DAY, high // time.DAY)
    return Call("date", (made,), days)


def _seconds(node: exp.Expr, value: Bind) -> Scalar:
    """epoch: seconds since 1970, a real."""
    of = value(node.this)
    return gaps.part("epoch", of) if gaps.is_gap(of) else temporal.seconds(of, node)


def _moved(sign: int) -> Callable[[exp.Expr, Bind], Scalar]:
    """date_add and its like of a constant interval."""

    def case(node: exp.Expr, value: Bind) -> Scalar:
        if not isinstance(node.expression, exp.Interval):
            raise TypeMismatch("What is added to a date is an interval.", position=place(node))
        return temporal.shifted(value(node.this), temporal.span(node.expression, sign), node)

    return case


def _elapsed(node: exp.Anonymous, value: Bind) -> Scalar:
    """datesub: how many whole units lie between two moments."""
    if len(node.expressions) != 3 or not isinstance(node.expressions[0], exp.Literal):
        raise UnsupportedFunction("DATE_SUB takes a constant unit.", position=place(node))
    unit = temporal.unit(node.expressions[0], node)
    start, end = (temporal.moment(value(side), node) for side in node.expressions[1:])
    low, high = temporal.apart(start, end, unit)
    return op.whole(f"since:{unit}", (start, end), low, high, null=op.nullable(start, end))


CASES: dict[type[exp.Expr], Callable[[exp.Expr, Bind], Scalar]] = {
    exp.Monthname: _named("monthname", MONTHS), exp.Dayname: _named("dayname", WEEKDAYS),
    exp.LastDay: _last_day, exp.DateFromParts: _made, exp.TimeToStr: _written,
    exp.StrToTime: _read, exp.DateBin: _bucket, exp.TimeToUnix: _seconds,
    exp.DateAdd: _moved(1), exp.DateSub: _moved(-1),
}  # fmt: skip
NAMED: dict[str, Callable[[exp.Anonymous, Bind], Scalar]] = {
    "datesub": _elapsed, "date_sub": _elapsed,
}  # fmt: skip

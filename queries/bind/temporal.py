"""Dates and times: parts, truncation, differences and intervals, each with its range."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from sqlglot import exp

from queries.algebra import calendar as time
from queries.algebra import operations as op
from queries.algebra.facts import TEMPORAL, Facts
from queries.algebra.scalars import Call, Literal, Scalar
from queries.bind import types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnboundedColumn, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]

FURTHEST = 14 * time.MICROSECONDS["hour"]
"""How far a zone's time may be from that of UTC, either way (P9)."""

PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "year", exp.Quarter: "quarter", exp.Month: "month", exp.Week: "week", exp.Day: "day",
    exp.DayOfMonth: "day", exp.DayOfWeek: "dayofweek", exp.DayOfWeekIso: "isodow",
    exp.DayOfYear: "dayofyear", exp.WeekOfYear: "week", exp.Hour: "hour", exp.Minute: "minute",
    exp.Second: "second",
}  # fmt: skip


def bind(node: exp.Expr, value: Bind) -> Scalar | None:
    """The scalar of a date function, or None where the node is none."""
    match node:
        case exp.Extract():
            return _extracted(str(node.this.name), node.expression, value, node)
        case exp.AtTimeZone():
            return _zoned(node, value)
        case exp.TimestampTrunc() | exp.DateTrunc():
            return truncated(unit(node.args.get("unit"), node), value(node.this), node)
        case exp.DateDiff() | exp.TimestampDiff():
            ends = [moment(value(side), node) for side in (node.expression, node.this)]
            return difference(unit(node.args.get("unit"), node), ends[0], ends[1], node)
        case exp.Anonymous() if node.name.lower() in ("date_part", "datepart"):
            return _named_part(node, value)
        case exp.Anonymous() if (
            time.spelled(node.name) in time.PARTS and len(node.expressions) == 1
        ):
            return part(node.name, value(node.expressions[0]), node)
    if type(node) in PARTS:
        return part(PARTS[type(node)], value(node.this), node)
    return None


def _zoned(node: exp.AtTimeZone, value: Bind) -> Scalar:
    """A time of one zone in another: `x AT TIME ZONE a AT TIME ZONE b`, a timestamp again."""
    inner = node.this.unnest()
    if not isinstance(inner, exp.AtTimeZone):
        raise UnsupportedFunction(
            "A moment of a time zone is answered only as the time of another.",
            position=place(node),
            hint="Write x AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Amsterdam'.",
        )
    at = moment(value(inner.this), node)
    low, high = at.facts.span()
    if low - 2 * FURTHEST < types.FIRST_DAY * time.DAY or not at.facts.bounded:
        raise unbounded(node)
    if high + 2 * FURTHEST > types.LAST_DAY * time.DAY:
        raise unbounded(node)
    zones = [types.text_literal(zone.args["zone"].name) for zone in (node, inner)]
    ends = low - 2 * FURTHEST, high + 2 * FURTHEST
    facts = Facts(Type.TIMESTAMP, at.facts.nullable, 0, ends[0], ends[1])
    return Call("zone", (*zones, at), facts)


def _named_part(node: exp.Anonymous, value: Bind) -> Scalar:
    if len(node.expressions) != 2 or not isinstance(node.expressions[0], exp.Literal):
        raise UnsupportedFunction("DATE_PART takes a constant part.", position=place(node))
    return _extracted(str(node.expressions[0].this), node.expressions[1], value, node)


def _extracted(name: str, of: exp.Expr, value: Bind, node: exp.Expr) -> Scalar:
    """A part of a moment, or the years of an age."""
    if isinstance(of, exp.Anonymous) and of.name.lower() == "age":
        return _aged(time.spelled(name), of, value)
    if name.lower() == "epoch":
        return seconds(value(of), node)
    return part(name, value(of), node)


def _aged(word: str, node: exp.Anonymous, value: Bind) -> Scalar:
    """The years of `age(a, b)`: the only part of an age that is answered."""
    if word != "year" or len(node.expressions) != 2:
        raise UnsupportedFunction(
            "Of an age between two moments only the year is answered.",
            position=place(node),
            hint="Write EXTRACT(year FROM age(a, b)), or date_diff('month', b, a).",
        )
    end, start = (moment(value(side), node) for side in node.expressions)
    low, high = apart(start, end, "year")
    return op.whole("age", (end, start), low, high, null=op.nullable(start, end))


def apart(start: Scalar, end: Scalar, unit: str) -> tuple[int, int]:
    """The whole units between two ranges, with room for months of unequal length."""
    (a, b), (c, d) = start.facts.span(), end.facts.span()
    return time.passed(b, c, unit) - 1, time.passed(a, d, unit) + 1


def seconds(arg: Scalar, node: exp.Expr) -> Scalar:
    """epoch: seconds since 1970, a real."""
    at = moment(arg, node)
    low, high = op.of_reals(*(Fraction(end, 10**6) for end in at.facts.span()))
    return Call("epoch", (at,), Facts(Type.REAL, at.facts.nullable, 0, low, high))


def part(name: str, arg: Scalar, node: exp.Expr) -> Call:
    """One part of a date or timestamp, an integer in a known range."""
    word = time.spelled(name)
    if word not in time.PARTS:
        raise UnsupportedFunction(f"The date part {word} is not answered.", position=place(node))
    at = moment(arg, node)
    low, high = time.part_range(*at.facts.span(), word)
    read = types.in_era(arg) if arg.facts.type in TEMPORAL else at
    return op.whole(f"part:{word}", (read,), low, high, null=at.facts.nullable)


def truncated(unit: str, arg: Scalar, node: exp.Expr) -> Call:
    """The start of the unit that a moment lies in, as a timestamp."""
    at = moment(arg, node)
    try:
        low, high = (time.truncated(end, unit) for end in at.facts.span())
    except ValueError:
        raise unbounded(node) from None
    facts = Facts(Type.TIMESTAMP, at.facts.nullable, 0, low, high)
    return Call(f"trunc:{unit}", (at,), facts)


def difference(unit: str, start: Scalar, end: Scalar, node: exp.Expr) -> Call:
    """How many unit boundaries lie between two moments."""
    (a, b), (c, d) = start.facts.span(), end.facts.span()
    low, high = time.between(b, c, unit), time.between(a, d, unit)
    return op.whole(f"diff:{unit}", (start, end), low, high, null=op.nullable(start, end))


def interval_moved(node: exp.Expr, value: Bind, sign: int) -> Scalar | None:
    """A moment plus or minus an interval literal, or None where neither side is an interval."""
    if isinstance(node.expression, exp.Interval):
        return shifted(value(node.this), span(node.expression, sign), node)
    if isinstance(node.this, exp.Interval) and sign == 1:
        return shifted(value(node.expression), span(node.this, 1), node)
    if isinstance(node.this, exp.Interval):
        raise TypeMismatch("An interval has nothing to subtract from.", position=place(node))
    return None


def moved(left: Scalar, right: Scalar, node: exp.Expr, sign: int) -> Scalar:
    """A date plus or minus days, or what lies between two moments; raises TypeMismatch."""
    if left.facts.type is Type.DATE and right.facts.type is Type.INTEGER:
        return _days_added(left, right, sign, node)
    if left.facts.type is Type.DATE and right.facts.type is Type.DATE and sign == -1:
        return _days_between(left, right, node)
    if sign == -1 and {left.facts.type, right.facts.type} <= TEMPORAL:
        return _gap(moment(left, node), moment(right, node), node)
    raise TypeMismatch(
        "These moments cannot be added or subtracted.",
        position=place(node),
        hint="Use date_diff('day', a, b).",
    )


def _gap(end: Scalar, start: Scalar, node: exp.Expr) -> Scalar:
    """The time between two moments of which one is a timestamp: an interval, as in DuckDB."""
    between = difference("microsecond", start, end, node)
    low, high = between.facts.span()
    return Call("gap", (between,), Facts(Type.INTERVAL, between.facts.nullable, 0, low, high))


def shifted(arg: Scalar, by: time.Span, node: exp.Expr) -> Scalar:
    """A moment moved by an interval: always a timestamp, as in DuckDB."""
    if arg.facts.type in TEMPORAL and not arg.facts.bounded:
        raise unbounded(node)
    at = moment(arg, node)
    low, high = (time.shifted(end, by) for end in at.facts.span())
    if low is None or high is None:
        raise TypeMismatch("The date leaves the years 1 to 9999.", position=place(node))
    if isinstance(at, Literal):
        return types.timestamp_literal(low)
    name = f"shift:{by.months}:{by.days}:{by.microseconds}"
    facts = Facts(Type.TIMESTAMP, at.facts.nullable, 0, low, high)
    return Call(name, (at,), facts)


def _days_added(left: Scalar, right: Scalar, sign: int, node: exp.Expr) -> Scalar:
    if not (left.facts.bounded and right.facts.bounded):
        raise unbounded(node)
    days = right if sign == 1 else op.negate(right)
    (a, b), (c, d) = left.facts.span(), days.facts.span()
    if not time.days(date.min) <= a + c <= b + d <= time.days(date.max):
        raise TypeMismatch("The date leaves the years that are answered.", position=place(node))
    facts = Facts(Type.DATE, op.nullable(left, right), 0, a + c, b + d)
    return Call("days+", (left, days), facts)


def _days_between(left: Scalar, right: Scalar, node: exp.Expr) -> Scalar:
    if not (left.facts.bounded and right.facts.bounded):
        raise unbounded(node)
    (a, b), (c, d) = left.facts.span(), right.facts.span()
    return op.whole("days-", (left, right), a - d, b - c, null=op.nullable(left, right))


def moment(arg: Scalar, node: exp.Expr) -> Scalar:
    """A timestamp of the years 1 to 9999, or NULL."""
    if isinstance(arg, Literal) and isinstance(arg.value, str):
        read = types.parsed_temporal(arg.value, Type.TIMESTAMP)
        arg = arg if read is None else read
    return types.in_era(types.to_timestamp(types.require(arg, TEMPORAL, node, "A date function")))


def unit(node: exp.Expr | None, parent: exp.Expr) -> str:
    """The one name of a unit of time; raises UnsupportedFunction."""
    word = time.spelled(node.name) if node is not None else ""
    if word not in time.UNITS:
        raise UnsupportedFunction("This unit of time is not answered.", position=place(parent))
    return word


def span(node: exp.Interval, sign: int) -> time.Span:
    """An interval literal; raises UnsupportedFunction."""
    unit = time.spelled(node.args["unit"].name) if node.args.get("unit") is not None else ""
    text = node.this.name if isinstance(node.this, exp.Literal) else ""
    try:
        found = time.span(sign * int(text), unit)
    except ValueError:
        found = None
    if found is None or abs(int(text)) > 10**6:
        raise UnsupportedFunction(
            "An interval is a constant whole number of units.", position=place(node)
        )
    return found


def unbounded(node: exp.Expr) -> UnboundedColumn:
    """The refusal where a date has no range, and needs one."""
    return UnboundedColumn(
        "A date in this expression has no declared range.",
        position=place(node),
        hint="Ask the curator to declare lower and upper for the column.",
    )

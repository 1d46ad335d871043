"""The time between two timestamps where an interval is meant: `a - b > INTERVAL '7 days'`.

A difference of timestamps is an interval to the engine, and the algebra has none: compared with a
constant one, or as its days, hours or seconds, it is a whole number of microseconds. The engine
compares intervals with a month as thirty days, so that is what a constant of months is here.
"""

from __future__ import annotations

from sqlglot import exp

from queries.algebra import calendar as time
from queries.algebra import operations as op
from queries.algebra.scalars import Scalar
from queries.bind import forms, temporal
from queries.bind.temporal import Bind
from queries.catalog.manifest import Type

MONTH = 30 * time.DAY
LARGER = {"hour": "day", "minute": "hour", "second": "minute"}
"""The unit whose remainder a part is: hours are told beside days, so there are at most 23."""


def gap(node: exp.Expr, value: Bind) -> Scalar | None:
    """The microseconds between two moments, one of them a timestamp; None for anything else."""
    found = node.unnest()
    if not isinstance(found, exp.Sub) or isinstance(found.expression, exp.Interval):
        return None
    forms.check(found)
    end, start = value(found.this), value(found.expression)
    if Type.TIMESTAMP not in (end.facts.type, start.facts.type):
        return None
    first, last = temporal.moment(start, found), temporal.moment(end, found)
    return temporal.difference("microsecond", first, last, found)


def compared(nodes: list[exp.Expr], value: Bind) -> list[Scalar] | None:
    """The sides of a comparison in microseconds where one is a constant interval, or None."""
    spans = [isinstance(node.unnest(), exp.Interval) for node in nodes]
    if not any(spans) or all(spans):
        return None
    found = [
        _constant(node.unnest()) if fixed else gap(node, value)
        for node, fixed in zip(nodes, spans, strict=True)
    ]
    return None if None in found else [one for one in found if one is not None]


def _constant(node: exp.Expr) -> Scalar | None:
    if not isinstance(node, exp.Interval):
        return None
    forms.check(node)
    span = temporal.span(node, 1)
    return op.number(span.months * MONTH + span.days * time.DAY + span.microseconds)


def part(word: str, node: exp.Expr, value: Bind) -> Scalar | None:
    """The seconds, or the days, hours, minutes or seconds shown, of a gap; None for others."""
    if word not in ("epoch", "day", *LARGER):
        return None
    between = gap(node, value)
    if between is None:
        return None
    if word == "epoch":
        return op.divide(op.to_real(between), op.to_real(op.number(10**6)))
    rest = between
    if word in LARGER:
        rest = op.remainder(between, op.number(time.MICROSECONDS[LARGER[word]]))
    return op.whole_divide(rest, op.number(time.MICROSECONDS[word]))


def bind(node: exp.Expr, value: Bind) -> Scalar | None:
    """EXTRACT or DATE_PART of a gap, or None where it is of something else."""
    if isinstance(node, exp.Extract):
        return part(time.spelled(str(node.this.name)), node.expression, value)
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart"):
        parts = node.expressions
        if len(parts) == 2 and isinstance(parts[0], exp.Literal):
            return part(time.spelled(str(parts[0].this)), parts[1], value)
    return None

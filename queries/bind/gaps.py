"""The time between two timestamps, an interval: compared, or as its days, hours or seconds.

A difference of timestamps is an interval to the engine. Here it is a whole number of microseconds
of a type of its own, which is carried through derived tables and compared, and of which no sum is
taken: intervals add days and hours apart from each other. The engine compares them with a month as
thirty days, so that is what a constant of months is here.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from queries.algebra import calendar as time
from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.scalars import Call, Scalar
from queries.bind import forms, temporal
from queries.bind.temporal import Bind
from queries.catalog.manifest import Type

MONTH = 30 * time.DAY
LARGER = {"hour": "day", "minute": "hour", "second": "minute"}
"""The unit whose remainder a part is: hours are told beside days, so there are at most 23."""
WORDS = frozenset({"epoch", "day", *LARGER})


def compared(nodes: list[exp.Expr], value: Bind) -> list[Scalar] | None:
    """The sides of a comparison where one is a constant interval, or None."""
    spans = [isinstance(node.unnest(), exp.Interval) for node in nodes]
    if not any(spans) or all(spans):
        return None
    return [
        _constant(bare) if isinstance(bare := node.unnest(), exp.Interval) else value(node)
        for node in nodes
    ]


def _constant(node: exp.Interval) -> Scalar:
    forms.check(node)
    span = temporal.span(node, 1)
    found = op.number(span.months * MONTH + span.days * time.DAY + span.microseconds)
    low, high = found.facts.span()
    return Call("gap", (found,), Facts(Type.INTERVAL, False, 0, low, high))


def is_gap(scalar: Scalar) -> bool:
    return scalar.facts.type is Type.INTERVAL


def part(word: str, gap: Scalar) -> Scalar:
    """The seconds, or the days, hours, minutes or seconds shown, of the time between two."""
    between = _microseconds(gap)
    if word == "epoch":
        return op.divide(op.to_real(between), op.to_real(op.number(10**6)))
    rest = between
    if word in LARGER:
        rest = op.remainder(between, op.number(time.MICROSECONDS[LARGER[word]]))
    return op.whole_divide(rest, op.number(time.MICROSECONDS[word]))


def _microseconds(gap: Scalar) -> Scalar:
    if isinstance(gap, Call) and gap.op == "gap":
        return gap.args[0]
    return Call("microseconds", (gap,), replace(gap.facts, type=Type.INTEGER))


def bind(node: exp.Expr, value: Bind) -> Scalar | None:
    """EXTRACT or DATE_PART of a gap, or None where it is of something else."""
    named = _named(node)
    if named is None or named[0] not in WORDS:
        return None
    of = value(named[1])
    return part(named[0], of) if is_gap(of) else temporal.bind(node, lambda _: of)


def _named(node: exp.Expr) -> tuple[str, exp.Expr] | None:
    """The part that is asked for, and of what; None of an age, which is no expression by itself."""
    word, of = "", node
    if isinstance(node, exp.Extract):
        word, of = str(node.this.name), node.expression
    elif isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart"):
        parts = node.expressions
        if len(parts) == 2 and isinstance(parts[0], exp.Literal):
            word, of = str(parts[0].this), parts[1]
    aged = isinstance(of, exp.Anonymous) and of.name.lower() == "age"
    return None if aged or not word else (time.spelled(word), of)

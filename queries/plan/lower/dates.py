"""Dates and times as engine SQL, each function in its total form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from queries.algebra.names import text
from queries.algebra.scalars import Call, Literal
from queries.plan.lower.words import constant

if TYPE_CHECKING:
    from queries.plan.lower.scalars import Scalars

Form = Callable[["Scalars", Call, list[str]], str]


def _era(to: Scalars, call: Call, _: list[str]) -> str:
    value = to.write(call.args[0])
    low, high = (constant(Literal(int(end), call.facts)) for end in call.facts.span())
    return f"(CASE WHEN ({value} BETWEEN {low} AND {high}) THEN {value} END)"


def _part(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"date_part({text(fixed[0])}, {to.write(call.args[0])})"


def _trunc(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"date_trunc({text(fixed[0])}, {to.write(call.args[0])})"


def _diff(to: Scalars, call: Call, fixed: list[str]) -> str:
    start, end = (to.write(arg) for arg in call.args)
    return f"date_diff({text(fixed[0])}, {start}, {end})"


def _shift(to: Scalars, call: Call, fixed: list[str]) -> str:
    made = to.write(call.args[0])
    for function, amount in zip(("to_months", "to_days", "to_microseconds"), fixed, strict=True):
        if int(amount):
            made = f"({made} + {function}({amount}))"
    return f"CAST({made} AS TIMESTAMP)"


def _days_added(to: Scalars, call: Call, _: list[str]) -> str:
    day, count = (to.write(arg) for arg in call.args)
    return f"({day} + CAST({count} AS INTEGER))"


FORMS: dict[str, Form] = {
    "era": _era, "part": _part, "trunc": _trunc, "diff": _diff, "shift": _shift,
    "days+": _days_added,
}  # fmt: skip

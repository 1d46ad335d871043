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


def _bucket(to: Scalars, call: Call, fixed: list[str]) -> str:
    months, width = fixed
    by = f"to_months({months})" if int(months) else f"to_microseconds({width})"
    return f"time_bucket({by}, {to.write(call.args[0])})"


def _since(to: Scalars, call: Call, fixed: list[str]) -> str:
    start, end = (to.write(arg) for arg in call.args)
    return f"datesub({text(fixed[0])}, {start}, {end})"


def _age(to: Scalars, call: Call, _: list[str]) -> str:
    end, start = (to.write(arg) for arg in call.args)
    return f"date_part('year', age({end}, {start}))"


def _made(to: Scalars, call: Call, _: list[str]) -> str:
    """A date read from text, since the engine's own function fails on a day that is none.

    Years beyond those of four digits become the year 0, which is none.
    """
    year, month, day = (to.write(arg) for arg in call.args)
    counted = f"(GREATEST(LEAST({year}, 10000), 0) + 10000)"
    four = f"NULLIF(right(CAST({counted} AS VARCHAR), 4), '0000')"
    return f"TRY_CAST(concat({four}, '-', {month}, '-', {day}) AS DATE)"


def _zone(to: Scalars, call: Call, _: list[str]) -> str:
    """A time in one zone as the time in another, by the moment that both are of."""
    into, of, value = (to.write(arg) for arg in call.args)
    return f"timezone({into}, timezone({of}, {value}))"


def _plain(name: str) -> Form:
    return lambda to, call, _: f"{name}({', '.join(to.write(arg) for arg in call.args)})"


FORMS: dict[str, Form] = {
    "era": _era, "part": _part, "trunc": _trunc, "diff": _diff, "shift": _shift,
    "days+": _days_added, "bucket": _bucket, "zone": _zone, "since": _since, "age": _age,
    "make_date": _made,
    "strftime": _plain("strftime"), "strptime": _plain("try_strptime"), "epoch": _plain("epoch"),
    "last_day": _plain("last_day"), "monthname": _plain("monthname"), "dayname": _plain("dayname"),
}  # fmt: skip

"""The clock and the time zones of a statement, bound before anything else reads it (P20).

`current_date` and `now()` become literals of the moment of planning, in the dataset's own time
zone, so that a stage's digest says which day it is of; `now()` is the minute's beginning, so that
what is asked twice in a minute is one question. Zones are those that the manifest declares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlglot import exp

from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction

MENTIONED = re.compile(
    r"\b(current_date|today|current_timestamp|localtimestamp|now|age)\b"
    r"|\b(get_current_timestamp|transaction_timestamp|getdate|curdate)\b",
    re.IGNORECASE,
)
MOMENTS = frozenset({"now", "get_current_timestamp", "transaction_timestamp"})
STAMPS = (exp.CurrentTimestamp, exp.Localtimestamp)
TIMED = (exp.CurrentDate, exp.Anonymous, *STAMPS)
UTC = "UTC"


def mentioned(sql: str) -> bool:
    """Whether a text may ask for the time, so that its plan is of one moment."""
    return MENTIONED.search(sql) is not None


def minute(now: datetime) -> datetime:
    """The moment that stands for all of its minute."""
    return now.replace(second=0, microsecond=0)


def bind(parts: Iterable[exp.Expr], now: datetime | None, zone: str) -> None:
    """Write the moment into the parts of a tree, in place, and refuse zones that are not declared.

    Without a moment the tree keeps its functions, which are then refused like any other unknown.
    """
    shown = None if now is None else minute(now).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for node in parts:
        if isinstance(node, exp.AtTimeZone):
            _check_zone(node, node.args["zone"], zone)
        elif shown is not None and isinstance(node, TIMED):
            _written(node, shown)


def _written(node: exp.Expr, now: datetime) -> None:
    if any(node.args.values()) and not isinstance(node, exp.Anonymous):
        return
    if isinstance(node, exp.CurrentDate):
        node.replace(_day(now))
    elif isinstance(node, STAMPS) or _is_now(node):
        node.replace(_typed(now.isoformat(sep=" "), "TIMESTAMP"))
    elif _is_age_of_today(node):
        node.set("expressions", [_day(now), node.expressions[0]])


def _is_age_of_today(node: exp.Expr) -> bool:
    named = isinstance(node, exp.Anonymous) and node.name.lower() == "age"
    return named and len(node.expressions) == 1


def _is_now(node: exp.Expr) -> bool:
    named = isinstance(node, exp.Anonymous) and node.name.lower() in MOMENTS
    return named and not node.expressions


def _day(now: datetime) -> exp.Expr:
    return _typed(now.date().isoformat(), "DATE")


def _typed(text: str, kind: str) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType.build(kind, dialect="duckdb"))


def _check_zone(node: exp.Expr, given: exp.Expr, zone: str) -> None:
    known = isinstance(given, exp.Literal) and given.name in (zone, UTC)
    if not known:
        raise UnsupportedFunction(
            f"The only time zones of this dataset are {zone} and {UTC}.",
            position=place(node),
            hint="Ask the curator to declare time_zone in the manifest.",
        )

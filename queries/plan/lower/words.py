"""Types and constants as the engine writes them."""

from __future__ import annotations

from queries.algebra.calendar import as_date, as_datetime
from queries.algebra.facts import ENGINE_TYPES, EXACT, Facts
from queries.algebra.names import text
from queries.algebra.scalars import Literal
from queries.catalog.manifest import Type
from queries.language.refusals import RangeTooLarge

BIGINT = 2**62
HUGEINT = 2**126


def width(*facts: Facts) -> str:
    """The engine's integer type that holds all the ranges; raises RangeTooLarge beyond 126 bits."""
    reach = max(max(abs(end) for end in one.span()) for one in facts)
    if reach >= HUGEINT:
        raise RangeTooLarge("An intermediate value may pass 126 bits.")
    return "BIGINT" if reach < BIGINT else "HUGEINT"


def constant(literal: Literal) -> str:
    """A constant, typed."""
    value, kind = literal.value, literal.facts.type
    if value is None:
        return f"CAST(NULL AS {ENGINE_TYPES[kind]})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if kind is Type.DATE:
        return f"DATE {text(as_date(int(value)).isoformat())}"
    if kind is Type.TIMESTAMP:
        return f"TIMESTAMP {text(as_datetime(int(value)).isoformat(sep=' '))}"
    if kind is Type.REAL:
        return f"CAST({text(repr(float(value)))} AS DOUBLE)"
    if kind in EXACT:
        return str(value) if int(value) >= 0 else f"({value})"
    return text(str(value))

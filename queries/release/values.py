"""Engine values as JSON values: what a client receives, and what a planner is given as keys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from queries.catalog.view import Value
from queries.release.answer import Cell, Rows

INTEGERS = frozenset(
    {
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
    }
)


def kind(engine_type: str) -> str:
    """The contract's name of an engine type; what has no name of its own is text."""
    if engine_type in INTEGERS:
        return "integer"
    if engine_type.endswith("]"):
        return "list"
    if engine_type.startswith("MAP("):
        return "map"
    if engine_type.startswith("DECIMAL"):
        return "decimal"
    names = {"DOUBLE": "real", "FLOAT": "real", "BOOLEAN": "boolean", "DATE": "date"}
    if engine_type.startswith("TIMESTAMP") and "ZONE" not in engine_type:
        return "timestamp"
    return names.get(engine_type, "text")


def plain(values: Sequence[Any]) -> Sequence[Value]:
    """A column as JSON values: decimals as numbers, times as ISO 8601, NaN and infinity as None."""
    if _are_plain(values):
        return values
    return [_plain(value) for value in values]


def plain_rows(rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[Value, ...], ...]:
    """Rows as JSON values, encoded column by column."""
    if not rows or not rows[0]:
        return tuple(rows)
    return tuple(zip(*(plain(column) for column in zip(*rows, strict=True)), strict=True))


def shown_rows(rows: Sequence[tuple[Any, ...]]) -> Rows:
    """The same of an answer, in which a cell may be a list or a map."""
    if not rows or not rows[0]:
        return tuple(rows)
    return tuple(zip(*(_cells(column) for column in zip(*rows, strict=True)), strict=True))


def _cells(values: Sequence[Any]) -> Sequence[Cell]:
    if any(isinstance(value, list | dict) for value in values):
        return [_cell(value) for value in values]
    return plain(values)


def _cell(value: Any) -> Cell:
    match value:
        case list():
            return tuple(plain(value))
        case dict():
            return tuple((_plain(key), _plain(each)) for key, each in value.items())
    return _plain(value)


def _are_plain(values: Sequence[Any]) -> bool:
    return {type(value) for value in values} <= {int, str, bool, type(None)}


def _plain(value: Any) -> Value:
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal() | float():
            number = float(value)
            return number if math.isfinite(number) else None
        case date():
            return value.isoformat()
    return str(value)

"""How a declared column is stored in a delivery: the contract between registration and engine.

Numbers of private tables are whole steps of their grid, so that sums are exact: a stored integer n
of a decimal column means n / 10**scale. Public tables keep decimals as decimals.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from queries.catalog.manifest import Column, Table, Type

UNIT = "_unit"
ORDINAL = "_ordinal"
DECIMAL_DIGITS = 18

_PLAIN = {
    Type.REAL: "DOUBLE",
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP",
}


def stored_columns(table: Table) -> tuple[Column, ...]:
    """The columns that a delivery holds: all but the unit's own id."""
    return tuple(column for column in table.columns if column.name != table.unit_key)


def stored_type(table: Table, column: Column) -> str:
    """The engine's type of a stored column, ENUM excepted (see `has_enum`: it is VARCHAR here)."""
    if column.type in _PLAIN:
        return _PLAIN[column.type]
    if table.public and column.type is Type.DECIMAL:
        return f"DECIMAL({DECIMAL_DIGITS},{column.scale})"
    return whole_type(column)


def whole_type(column: Column) -> str:
    """INTEGER where the declared bounds fit in 32 bits, else BIGINT."""
    bounds = [steps(column, value) for value in (column.lower, column.upper) if value is not None]
    small = len(bounds) == 2 and all(-(2**31) <= bound < 2**31 for bound in bounds)
    return "INTEGER" if small else "BIGINT"


def has_enum(table: Table, column: Column) -> bool:
    """Categories of private tables are an ENUM, in the manifest's order (P16)."""
    return not table.public and bool(column.categories)


def steps(column: Column, value: Decimal | date | datetime) -> int:
    """A numeric bound as the whole number that is stored for it."""
    if not isinstance(value, Decimal):
        raise ValueError(f"{column.name} is not a number")
    scaled = value * 10**column.scale
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} does not lie on the grid of {column.name}")
    return int(scaled)

"""Repairs: what registration does with a value outside its declaration, as SQL over parsed values.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what becomes of a row depends on that row, the manifest and public tables alone.
    Requires    nothing of other rows: no statistic of a column, no earlier delivery (P14, P16).
    Why         each repair is an expression over one row: a clamp to declared bounds, a look-up in
                declared categories or a public key, a cut to a declared length, or the row's
                removal. Columns that lead to a unit or stand in a key are never moved onto another
                value, since a clamped reference would give one unit's row to another: there the
                row is removed.
    Tried by    tests/deliver/test_neighbours.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from queries.catalog.manifest import Bound, Column, Manifest, Table, Type
from queries.catalog.storage import has_enum, steps, stored_columns
from queries.deliver import sql


@dataclass(frozen=True, slots=True)
class Violation:
    """A condition on parsed rows that leads to a repair; `outcome` says which, for the report."""

    column: str
    condition: str
    words: str
    outcome: str  # moved | null | cut | drop


@dataclass(frozen=True, slots=True)
class Repair:
    """A column's stored value, and its violations."""

    value: str
    violations: tuple[Violation, ...]


def binding(table: Table) -> frozenset[str]:
    """The columns whose values are never moved: those of the key and of the way to the unit."""
    way = (table.unit_via.column,) if table.unit_via else ()
    return frozenset((*table.key, *way))


def repair(manifest: Manifest, table: Table, column: Column) -> Repair:
    """What is stored for a parsed column of a private table."""
    found = tuple(_violations(manifest, table, column))
    value = x = sql.name(column.name)
    for violation in found:
        if violation.outcome == "moved":
            lower, upper = literal(column, column.lower), literal(column, column.upper)
            value = (
                f"CASE WHEN {x} < {lower} THEN {lower} WHEN {x} > {upper} THEN {upper} ELSE {x} END"
            )
        elif violation.outcome == "cut":
            value = f"left({x}, {column.length})"
        elif violation.outcome == "null" and not has_enum(table, column):
            value = f"CASE WHEN {violation.condition} THEN NULL ELSE {x} END"
    if has_enum(table, column):
        value = f"TRY_CAST({x} AS {sql.enum(column.categories)})"
    return Repair(value, found)


def repairs(manifest: Manifest, table: Table) -> dict[str, Repair]:
    """The repairs of all stored columns, by name."""
    return {c.name: repair(manifest, table, c) for c in stored_columns(table)}


def _violations(manifest: Manifest, table: Table, column: Column) -> Iterator[Violation]:
    fixed = column.name in binding(table)
    on = table.on_violation
    if (outside := out_of_bounds(column)) is not None:
        words = {"clamp": "moved", "null": "null", "drop": "drop"}
        yield Violation(
            column.name, outside, "out of bounds", "drop" if fixed else words[on.bounds]
        )
    if (unknown := out_of_category(manifest, column)) is not None:
        words_of = "not in its categories" if column.categories else "not in the table referred to"
        outcome = "drop" if fixed else on.category
        yield Violation(column.name, unknown, words_of, outcome)
    if (long := too_long(column)) is not None:
        yield Violation(column.name, long, "too long", "drop" if fixed else "cut")


def out_of_bounds(column: Column) -> str | None:
    """SQL: whether a parsed value lies outside the declared bounds."""
    if column.lower is None or column.upper is None:
        return None
    x = sql.name(column.name)
    lower, upper = literal(column, column.lower), literal(column, column.upper)
    return f"coalesce({x} < {lower} OR {x} > {upper}, false)"


def out_of_category(manifest: Manifest, column: Column) -> str | None:
    """SQL: whether a parsed value is none of the categories, or not a key it should be."""
    x = sql.name(column.name)
    if column.categories:
        known = f"TRY_CAST({x} AS {sql.enum(column.categories)})"
        return f"({x} IS NOT NULL AND {known} IS NULL)"
    if column.references is None:
        return None
    target = f"public.main.{sql.name(column.references.table)}"
    keys = f"SELECT {sql.name(column.references.column)} FROM {target}"
    return f"({x} IS NOT NULL AND NOT coalesce({x} IN ({keys}), false))"


def too_long(column: Column) -> str | None:
    """SQL: whether a text has more characters than declared."""
    if column.length is None:
        return None
    return f"coalesce(length({sql.name(column.name)}) > {column.length}, false)"


def literal(column: Column, value: Bound) -> str:
    """A declared bound as it compares with parsed values."""
    match value:
        case datetime():
            return f"TIMESTAMP {sql.text(value.isoformat(sep=' '))}"
        case date():
            moment = column.type is Type.TIMESTAMP
            return f"{'TIMESTAMP' if moment else 'DATE'} {sql.text(value.isoformat())}"
        case None:
            raise ValueError(f"{column.name} has no such bound")
        case _:
            return str(steps(column, value))

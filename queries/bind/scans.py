"""Scans of private tables: the columns of a sealed delivery, with the facts its manifest declares.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every fact given to a column holds for every row of the delivery.
    Requires    a delivery sealed with this manifest: registration clamped, dropped or nulled
                whatever disagreed with it, row by row within its own unit (P14-P16).
    Why         facts are read from the sealed manifest alone; a tighter bound that the analyst asks
                for is not claimed but made true, by a clamp in the engine's own SQL.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from queries.algebra.calendar import days, microseconds
from queries.algebra.facts import EXACT, Facts, stored
from queries.algebra.relations import Scan
from queries.algebra.scalars import Call, Column, Scalar
from queries.bind.joins import Member
from queries.catalog.manifest import Bound, Manifest, Table, Type
from queries.catalog.manifest import Column as Declared
from queries.catalog.storage import UNIT

Named = tuple[tuple[str, Scalar], ...]


def scanned(
    table: Table, number: int, manifest: Manifest, bounds: dict[str, tuple[int, int]]
) -> tuple[Scan, Named]:
    """The scan of a private table as source `number`, with its columns by name.

    `bounds` are the analyst's own, in whole steps, by "table.column" in lower case.
    """
    scan = Scan(number, table.name, rows_per_unit(table))
    named = []
    for declared in table.columns:
        facts = column_facts(table, declared, manifest)
        column = Column(number, column_name(table, declared), facts)
        tight = bounds.get(f"{table.name}.{declared.name}".lower())
        named.append((declared.name, column if tight is None else clamped(column, *tight)))
    return scan, tuple(named)


def rows_per_unit(table: Table) -> int:
    """The most rows registration left to one unit, in all deliveries that are read."""
    if table.unit_key is not None and table.key == (table.unit_key,):
        return table.deliveries
    if table.rows_per_unit is None:
        raise ValueError(f"{table.name} was registered without rows_per_unit")
    return table.rows_per_unit * table.deliveries


def unique_keys(table: Table, number: int) -> tuple[frozenset[tuple[int, str]], ...]:
    """The sets of columns that no two rows of the table share.

    Registration looks at one delivery. Of several, rows may share a key unless it holds the time
    that says in which of them a row lies.
    """
    if table.deliveries > 1 and table.block_column not in table.key:
        return ()
    names = [column_name(table, found) for n in table.key if (found := table.column(n)) is not None]
    return (frozenset((number, name) for name in names),) if names else ()


def column_name(table: Table, declared: Declared) -> str:
    """The name under which a delivery holds a column: the unit's id is its pseudonym."""
    return UNIT if declared.name == table.unit_key else declared.name


def member(table: Table, scan: Scan) -> Member:
    return Member(scan, frozenset({scan.id}), scan.rows, unique_keys(table, scan.id))


def clamped(column: Column, lower: int, upper: int) -> Call:
    """A column brought into a tighter range, row by row."""
    facts = replace(column.facts.within(lower, upper), identity=None, reference=None)
    return Call(f"clamp:{lower}:{upper}", (column,), facts)


def column_facts(table: Table, declared: Declared, manifest: Manifest) -> Facts:
    """What the sealed manifest proves about a column."""
    low, high = end_of(declared.lower, declared), end_of(declared.upper, declared)
    known, scale = True, 0
    if declared.type in EXACT:
        known, scale = low is not None and high is not None, declared.scale
        facts = stored(declared.type, scale).within(low, high)
        low, high = facts.span()
    reference = declared.references
    return Facts(
        declared.type,
        declared.nullable and not _owned(table, declared.name),
        scale,
        low,
        high,
        declared.categories or None,
        None if reference is None else (reference.table, reference.column),
        identity(table, declared.name, manifest),
        known,
        declared.length,
    )


def _owned(table: Table, name: str) -> bool:
    """Whether rows with a NULL here have no unit, and so were dropped at registration."""
    path = table.unit_via.column if table.unit_via is not None else table.unit_key
    return path is not None and path.lower() == name.lower()


def end_of(end: Bound, declared: Declared) -> int | None:
    """A declared bound in whole steps, days or microseconds; None for reals and undeclared ends."""
    match end:
        case Decimal() if declared.type in EXACT:
            return int(end.scaleb(declared.scale))
        case datetime():
            return microseconds(end.replace(tzinfo=None))
        case date() if declared.type is Type.TIMESTAMP:
            return microseconds(datetime(end.year, end.month, end.day))
        case date():
            return days(end)
    return None


def identity(table: Table, name: str, manifest: Manifest) -> str | None:
    """What an equal value of the column says about the unit: equal names mean the same unit."""
    folded = name.lower()
    if table.unit_key is not None and table.unit_key.lower() == folded:
        return "unit"
    if table.unit_via is not None and table.unit_via.column.lower() == folded:
        return _key_identity(manifest, table.unit_via.table, table.unit_via.key)
    if len(table.key) == 1 and table.key[0].lower() == folded:
        return f"{table.name}.{name}".lower()
    return None


def _key_identity(manifest: Manifest, table: str, key: str) -> str:
    target = manifest.table(table)
    if (
        target is not None
        and target.unit_key is not None
        and target.unit_key.lower() == key.lower()
    ):
        return "unit"
    return f"{table}.{key}".lower()

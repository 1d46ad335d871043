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
from queries.algebra.facts import EXACT, STORED, Facts
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
    known, owner = identities(table, manifest), _owner(table)
    named = []
    for declared in table.columns:
        folded = declared.name.lower()
        facts = column_facts(declared, known.get(folded), owned=folded == owner)
        column = Column(number, column_name(table, declared), facts)
        tight = bounds.get(f"{table.name}.{declared.name}".lower()) if bounds else None
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


def _owner(table: Table) -> str | None:
    """The column that leads to the unit, its name in lower case."""
    path = table.unit_via.column if table.unit_via is not None else table.unit_key
    return None if path is None else path.lower()


def column_facts(declared: Declared, identity: str | None, *, owned: bool) -> Facts:
    """What the sealed manifest proves about a column.

    `owned` is that rows with a NULL here have no unit, and so were dropped at registration.
    """
    low, high = end_of(declared.lower, declared), end_of(declared.upper, declared)
    known, scale = True, 0
    if declared.type in EXACT:
        known, scale = low is not None and high is not None, declared.scale
        high = STORED if high is None else min(high, STORED)
        low = min(high, -STORED if low is None else max(low, -STORED))
    reference = declared.references
    return Facts(
        declared.type,
        declared.nullable and not owned,
        scale,
        low,
        high,
        declared.categories or None,
        None if reference is None else (reference.table, reference.column),
        identity,
        known,
        declared.length,
    )


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


def identities(table: Table, manifest: Manifest) -> dict[str, str]:
    """What an equal value of a column (by its name in lower case) says about the unit.

    Equal names mean the same unit.
    """
    found: dict[str, str] = {}
    if len(table.key) == 1:
        found[table.key[0].lower()] = f"{table.name}.{table.key[0]}".lower()
    if table.unit_via is not None:
        path = table.unit_via
        found[path.column.lower()] = _key_identity(manifest, path.table, path.key)
    if table.unit_key is not None:
        found[table.unit_key.lower()] = "unit"
    return found


def _key_identity(manifest: Manifest, table: str, key: str) -> str:
    target = manifest.table(table)
    if (
        target is not None
        and target.unit_key is not None
        and target.unit_key.lower() == key.lower()
    ):
        return "unit"
    return f"{table}.{key}".lower()

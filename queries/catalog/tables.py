"""Tables of a manifest: public or private, their keys, and the way from each row to its unit.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every row of a private table has one way to its unit, and the columns that decide
                which rows a table keeps are declared ones.
    Requires    registration, which follows the way and drops what it does not lead to (P14).
    Why         a private table names its unit's id itself, or one column that refers to the key of
                another private table; ways without an end are refused, and the key referred to is
                unique, so no row can reach two units. `rows_per_unit` is there wherever one unit
                could have several rows, so slots and integer ranges rest on declared numbers (P4).
    Tried by    tests/catalog/test_faults.py
"""

from __future__ import annotations

import re
from typing import Any

from queries.catalog.columns import check_range, read_columns
from queries.catalog.faults import Path
from queries.catalog.manifest import Column, OnViolation, Reference, Table, Type, UnitPath
from queries.catalog.names import fault_of_name
from queries.catalog.shape import Faults, OnViolationShape, TableShape, shaped

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz")
_WAY = re.compile(r"\s*(\S.*?)\s*->\s*(\S.*)\.(\S+)\s*")
_PRIVATE_ONLY = (
    "unit_via", "rows_per_unit", "grain", "block_column", "lasting", "other_party", "on_violation",
)  # fmt: skip
_WAY_TYPES = (Type.INTEGER, Type.TEXT, Type.DATE)
_UNIT_TYPES = (Type.INTEGER, Type.TEXT)


def read_tables(value: object, faults: Faults) -> tuple[Table, ...]:
    """The tables of a manifest, as far as they are valid; every fault is noted."""
    if not isinstance(value, dict) or not value:
        faults.add(("tables",), "not a mapping of tables", "write NAME: {source: ..., ...}")
        return ()
    tables = tuple(_read_table(name, value[name], faults) for name in value)
    _check_names(tables, faults)
    for table in tables:
        _check_columns(table, tables, faults)
        if table.public:
            _check_public(table, faults)
        else:
            _check_private(table, tables, faults)
    _check_together(tables, faults)
    return tables


def _read_table(name: str, value: object, faults: Faults) -> Table:
    path = ("tables", name)
    data = shaped(TableShape, value, path, faults)
    columns = read_columns(data["columns"], (*path, "columns"), faults) if "columns" in data else ()
    unit_key = data.get("unit_key")
    key = tuple(data.get("key", ()))
    single = not data.get("public", False) and unit_key is not None and key == (unit_key,)
    return Table(
        name=name,
        columns=columns,
        source=data.get("source", ""),
        public=data.get("public", False),
        origin=data.get("origin"),
        key=key,
        unit_key=unit_key,
        unit_via=_unit_via(data, path, faults),
        rows_per_unit=data.get("rows_per_unit", 1 if single else None),
        grain=tuple(data.get("grain", ())),
        block_column=data.get("block_column"),
        lasting=data.get("lasting", False),
        other_party=data.get("other_party"),
        on_violation=_on_violation(data, path, faults),
    )


def _on_violation(data: dict[str, Any], path: Path, faults: Faults) -> OnViolation:
    if "on_violation" not in data:
        return OnViolation()
    return OnViolation(
        **shaped(OnViolationShape, data["on_violation"], (*path, "on_violation"), faults)
    )


def _unit_via(data: dict[str, Any], path: Path, faults: Faults) -> UnitPath | None:
    if "unit_via" not in data:
        return None
    path = (*path, "unit_via")
    value = data["unit_via"]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    match = _WAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        faults.add(path, "not one way to the unit", "write [column -> table.key]")
        return None
    return UnitPath(match[1], match[2], match[3])


def _check_names(tables: tuple[Table, ...], faults: Faults) -> None:
    seen: dict[str, str] = {}
    for table in tables:
        path = ("tables", table.name)
        if (fault := fault_of_name(table.name)) is not None:
            faults.add(path, fault)
        if (other := seen.setdefault(table.name.lower(), table.name)) != table.name:
            faults.add(path, f"differs from {other} by case alone", "SQL ignores case")
        if table.source and not table.source.lower().endswith(SUFFIXES):
            faults.add((*path, "source"), f"does not end in one of {', '.join(SUFFIXES)}")


def _exact(table: Table, name: str) -> Column | None:
    return next((column for column in table.columns if column.name == name), None)


def _declared(table: Table, name: str, path: Path, faults: Faults) -> Column | None:
    """The column of that very name; a fault where there is none, unless it is at fault itself."""
    column = _exact(table, name)
    if column is None and not faults.under(("tables", table.name, "columns", name)):
        near = table.column(name)
        hint = f"did you mean {near.name}?" if near else f"add it under {table.name}.columns"
        faults.add(path, f"there is no column {name} in {table.name}", hint)
    return column


def _check_columns(table: Table, tables: tuple[Table, ...], faults: Faults) -> None:
    path = ("tables", table.name)
    for column in table.columns:
        here = (*path, "columns", column.name)
        check_range(column, here, faults)
        if column.references is not None:
            _check_reference(column, column.references, tables, (*here, "references"), faults)
    for name in table.key:
        found = _declared(table, name, (*path, "key"), faults)
        if found is not None and (found.nullable or found.type is Type.REAL):
            faults.add((*path, "key"), f"{name} is a key, so it is neither nullable nor real")
    for word in ("key", "grain"):
        names = getattr(table, word)
        if len(set(names)) < len(names):
            faults.add((*path, word), "names a column twice")
        if not names and (*path, word) in faults.document.lines and not faults.under((*path, word)):
            faults.add((*path, word), "names no column")


def _check_reference(
    column: Column, reference: Reference, tables: tuple[Table, ...], path: Path, faults: Faults
) -> None:
    target = next((table for table in tables if table.name == reference.table), None)
    if target is None or not target.public:
        faults.add(path, f"there is no public table {reference.table}")
        return
    found = _declared(target, reference.column, path, faults)
    if found is None:
        return
    if target.key != (found.name,):
        faults.add(path, f"{found.name} is not the key of {target.name}", f"key: [{found.name}]")
    if found.type is not column.type:
        faults.add(path, f"is {column.type} and refers to {found.type}")


def _check_public(table: Table, faults: Faults) -> None:
    path = ("tables", table.name)
    if table.origin is None and not faults.under((*path, "origin")):
        faults.add(
            path, "a public table needs an origin", "origin: where it comes from, if not the data"
        )
    for word in _PRIVATE_ONLY:
        if (*path, word) in faults.document.lines:
            faults.add((*path, word), f"a public table has no {word}")
    if table.unit_key is not None:
        about = _declared(table, table.unit_key, (*path, "unit_key"), faults)
        if about is not None:
            _check_unit_column(about, (*path, "columns", about.name), faults)
    for column in table.columns:
        if column.references is not None:
            here = (*path, "columns", column.name, "references")
            faults.add(here, "columns of private tables alone have references")


def _check_private(table: Table, tables: tuple[Table, ...], faults: Faults) -> None:
    path = ("tables", table.name)
    if table.origin is not None:
        faults.add((*path, "origin"), "a private table has no origin", "or add public: true")
    _check_unit(table, tables, faults)
    for name in table.grain:
        _declared(table, name, (*path, "grain"), faults)
    if table.other_party is not None:
        _declared(table, table.other_party, (*path, "other_party"), faults)
    single = table.unit_key is not None and table.key == (table.unit_key,)
    if table.rows_per_unit is None and not faults.under((*path, "rows_per_unit")):
        faults.add(path, "needs rows_per_unit: the most rows one unit has", "rows_per_unit: 100")
    elif single and table.rows_per_unit != 1:
        faults.add((*path, "rows_per_unit"), "is 1, since the unit's id is the table's key")


def _check_unit(table: Table, tables: tuple[Table, ...], faults: Faults) -> None:
    path = ("tables", table.name)
    ways = [word for word in ("unit_key", "unit_via") if (*path, word) in faults.document.lines]
    if len(ways) != 1:
        faults.add(
            path,
            "a private table has either unit_key or unit_via",
            "unit_key: COLUMN, or unit_via: [COLUMN -> TABLE.KEY], or public: true",
        )
    if table.unit_key is not None:
        column = _declared(table, table.unit_key, (*path, "unit_key"), faults)
        if column is not None:
            _check_unit_column(column, (*path, "columns", column.name), faults)
    if table.unit_via is not None:
        _check_way(table, table.unit_via, tables, faults)


def _check_unit_column(column: Column, path: Path, faults: Faults) -> None:
    if column.type not in _UNIT_TYPES:
        faults.add(path, f"the unit's id is integer or text, not {column.type}")
    for word in ("nullable", "lower", "upper", "categories", "references", "length"):
        if (*path, word) in faults.document.lines:
            hint = "rows without a unit are always dropped" if word == "nullable" else None
            faults.add((*path, word), f"the unit's id has no {word}", hint)


def _check_way(table: Table, way: UnitPath, tables: tuple[Table, ...], faults: Faults) -> None:
    path = ("tables", table.name, "unit_via")
    column = _declared(table, way.column, path, faults)
    target = next((other for other in tables if other.name == way.table), None)
    if target is None or target.public:
        faults.add(path, f"there is no private table {way.table}")
        return
    found = _declared(target, way.key, path, faults)
    if found is None or column is None:
        return
    if target.unit_key == found.name:
        faults.add(path, f"{column.name} is the unit's id itself", f"unit_key: {column.name}")
    elif target.key != (found.name,):
        faults.add(path, f"{found.name} is not the key of {target.name}", f"key: [{found.name}]")
    if found.type is not column.type:
        faults.add(path, f"{column.name} is {column.type} and {found.name} is {found.type}")
    elif found.type not in _WAY_TYPES:
        faults.add(path, f"leads over {found.type}; an integer, text or date can refer")


def _check_together(tables: tuple[Table, ...], faults: Faults) -> None:
    private = [table for table in tables if not table.public]
    if not private and not faults.under(("tables",)):
        faults.add(("tables",), "no table is private", "public data need no gateway")
    kinds: dict[Type, str] = {}
    for table in tables:
        column = _exact(table, table.unit_key) if table.unit_key else None
        if column is not None and column.type in _UNIT_TYPES:
            kinds.setdefault(column.type, table.name)
    if len(kinds) > 1:
        words = " and ".join(f"{kind} in {name}" for kind, name in kinds.items())
        faults.add(("tables",), f"the unit's id is {words}", "one type, so that ids agree")
    for table in private:
        _check_end(table, private, faults)


def _check_end(table: Table, private: list[Table], faults: Faults) -> None:
    """The way from a table to the unit comes to an end."""
    seen = [table.name]
    here: Table | None = table
    while here is not None and here.unit_via is not None:
        name = here.unit_via.table
        if name in seen:
            words = " -> ".join([*seen, name])
            faults.add(("tables", table.name, "unit_via"), f"never reaches the unit: {words}")
            return
        seen.append(name)
        here = next((other for other in private if other.name == name), None)

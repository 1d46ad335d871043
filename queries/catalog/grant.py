"""Grants: the tables and columns of a dataset that one project may name; the rest is not there.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a plan over a narrowed view claims nothing that the sealed manifest does not prove,
                and every text that follows from the view is the same whatever was left out.
    Requires    planning, catalog and release engine to be given the view, never the manifest.
    Why         leaving a column out takes facts away and adds none: a key one column of which is
                hidden is no key, a reference to a hidden table is no reference. The unit of a row
                stays, since the engine finds it in a column of its own that no manifest names; a
                path to a hidden table keeps its meaning (equal values, one unit) under a name that
                stands for nothing.
    Tried by    tests/catalog/test_grant.py, tests/gateway/test_grants.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from queries.catalog.manifest import Column, Manifest, OnViolation, Table, UnitPath
from queries.catalog.view import PublicTable, View

Columns = frozenset[str] | None
"""Names of columns in lower case; None: all of them, whichever a delivery has."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be named: tables in lower case, each with its columns. None: everything."""

    tables: Mapping[str, Columns] | None = None

    @classmethod
    def of(cls, tables: Mapping[str, Sequence[str] | None] | None) -> Grant:
        """The grant of these names; None stands for all tables, or for all columns of one."""
        if tables is None:
            return EVERYTHING
        return cls({name.lower(): _folded(columns) for name, columns in tables.items()})

    def column(self, table: str, column: str) -> bool:
        """Whether a column may be named."""
        if self.tables is None:
            return True
        columns = self.tables.get(table.lower(), frozenset())
        return columns is None or column.lower() in columns

    @property
    def text(self) -> str:
        """The grant as text: the same for the same grant, and for no other."""
        return json.dumps(self.written())

    def written(self) -> dict[str, list[str] | None] | None:
        """The grant as JSON has it, in one order."""
        if self.tables is None:
            return None
        return {
            name: None if columns is None else sorted(columns)
            for name, columns in sorted(self.tables.items())
        }


EVERYTHING = Grant()


def _folded(columns: Sequence[str] | None) -> Columns:
    return None if columns is None else frozenset(name.lower() for name in columns)


def together(grants: Iterable[Grant]) -> Grant:
    """What may be named under one of them at least."""
    found: dict[str, Columns] = {}
    for grant in grants:
        if grant.tables is None:
            return EVERYTHING
        for name, columns in grant.tables.items():
            known = found.get(name, frozenset())
            found[name] = None if columns is None or known is None else known | columns
    return Grant(found)


def unknown(grant: Grant, manifest: Manifest) -> list[str]:
    """The names in a grant that the manifest does not have, as `table` or `table.column`."""
    found = []
    for name, columns in (grant.tables or {}).items():
        table = manifest.table(name)
        if table is None:
            found.append(name)
        else:
            found += [f"{name}.{c}" for c in sorted(columns or ()) if table.column(c) is None]
    return found


def narrowed(view: View, grant: Grant) -> View:
    """The view of somebody who may name what the grant names; the same view where that is all."""
    manifest = view.manifest
    if all(_shown(grant, table, c) for table in manifest.tables for c in table.columns):
        return view
    tables = _tables(manifest, grant)
    seen = replace(manifest, tables=tables, record=())
    public = {
        table.name: _facts(view.public[table.name], table) for table in tables if table.public
    }
    scope = tuple((table.name, _names(table)) for table in tables if table.public)
    return View(seen, hash_of(seen), view.delivery, public, scope)


def hash_of(manifest: Manifest) -> str:
    """SHA-256 of a narrowed manifest: it follows from what its reader sees, and from no more."""
    text = json.dumps(asdict(manifest), default=str, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _tables(manifest: Manifest, grant: Grant) -> tuple[Table, ...]:
    """The tables with the columns that are granted; a table without any is not there."""
    kept = [
        replace(table, columns=tuple(c for c in table.columns if _shown(grant, table, c)))
        for table in manifest.tables
    ]
    kept = [table for table in kept if table.columns]
    ways = _ways(kept)
    return tuple(_table(table, kept, ways) for table in kept)


def _shown(grant: Grant, table: Table, column: Column) -> bool:
    """Whether a column is there; which block a row lies in is there wherever something else is."""
    if column.added:
        return any(grant.column(table.name, c.name) for c in table.columns if not c.added)
    return grant.column(table.name, column.name)


def _ways(kept: Sequence[Table]) -> dict[tuple[str, str], str]:
    """Names that nobody can declare for the ends of paths that lead out of sight."""
    ends = [table.unit_via for table in kept if table.unit_via is not None]
    hidden = dict.fromkeys((e.table, e.key) for e in ends if not _seen(e.table, e.key, kept))
    return {end: f"_{number}" for number, end in enumerate(hidden)}


def _seen(table: str, column: str, kept: Sequence[Table]) -> bool:
    return any(one.name == table and one.column(column) is not None for one in kept)


def _table(table: Table, kept: Sequence[Table], ways: Mapping[tuple[str, str], str]) -> Table:
    names = set(_names(table))
    return replace(
        table,
        columns=tuple(_column(column, kept) for column in table.columns),
        source="",
        key=table.key if names.issuperset(table.key) else (),
        unit_key=table.unit_key if table.unit_key in names else None,
        unit_via=_path(table.unit_via, names, ways),
        grain=(),
        block_column=table.block_column if table.block_column in names else None,
        other_party=table.other_party if table.other_party in names else None,
        on_violation=OnViolation(),
    )


def _path(
    way: UnitPath | None, names: set[str], ways: Mapping[tuple[str, str], str]
) -> UnitPath | None:
    if way is None or way.column not in names:
        return None
    stand_in = ways.get((way.table, way.key))
    return way if stand_in is None else UnitPath(way.column, stand_in, stand_in)


def _column(column: Column, kept: Sequence[Table]) -> Column:
    refers = column.references
    if refers is None or _seen(refers.table, refers.column, kept):
        return column
    return replace(column, references=None)


def _names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _facts(known: PublicTable, table: Table) -> PublicTable:
    return PublicTable(known.rows, {name: known.columns[name] for name in _names(table)})

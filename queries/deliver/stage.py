"""Staging: the declared columns of a table's source files, parsed, in the scratch file.

Columns that the manifest does not list are never read. A value that its type cannot express fails
the registration, with its table, its column and how many there are, never the value itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from queries.catalog.blocks import block_column
from queries.catalog.manifest import Block, Column, Manifest, Table, Type
from queries.deliver import sql
from queries.deliver.engine import Engine, number
from queries.deliver.faults import RegistrationFailed
from queries.deliver.parsing import Parsed, TypesDisagree, parse, unit_id
from queries.deliver.sources import SourceFile, SourceUnusable, find_files, open_file, relation

ID = "_id"


@dataclass(frozen=True, slots=True)
class Staged:
    """A table in the scratch file: parsed columns, and `_id` where the unit's id stands in it.

    `outside` rows lay in no part of the block and are gone from it.
    """

    table: Table
    relation: str
    rows: int
    outside: int = 0


def open_sources(table: Table, folder: Path, engine: Engine) -> tuple[SourceFile, ...]:
    """A table's files, each of which has every declared column; raises SourceUnusable."""
    files = tuple(open_file(path, table, engine) for path in find_files(table, folder))
    for file in files:
        missing = [column.name for column in table.columns if file.column(column.name) is None]
        if missing:
            words = ", ".join(missing)
            raise SourceUnusable(f"{table.name}: {file.path.name} has no column {words}")
    return files


def stage(
    engine: Engine, manifest: Manifest, table: Table, files: tuple[SourceFile, ...]
) -> Staged:
    """Parse a table's files into the scratch file; raises RegistrationFailed."""
    target = f"main.{sql.name('s_' + table.name)}"
    selects = [_select(manifest, table, group) for group in _alike(files)]
    try:
        engine.execute("SET preserve_insertion_order = false")
        engine.execute(f"CREATE TABLE {target} AS {selects[0]}")
        for select in selects[1:]:
            engine.execute(f"INSERT INTO {target} {select}")
        engine.execute("SET preserve_insertion_order = true")
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        raise RegistrationFailed(
            f"{table.name}: a source file cannot be read; is it whole, in UTF-8, and has every row "
            "as many values as the first line?"
        ) from None
    _check_parsed(engine, table, target)
    outside = _leave(engine, manifest.block, table, target)
    return Staged(table, target, number(engine, f"SELECT count(*) FROM {target}"), outside)


def _leave(engine: Engine, block: Block | None, table: Table, relation: str) -> int:
    """Leave the rows outside of the block behind, before any repair moves a time; how many."""
    column = block_column(table)
    if block is None or column is None:
        return 0
    x = sql.name(column.name)
    first, after = (sql.text(day.isoformat()) for day in (block.starts, block.ends))
    kind = "DATE" if column.type is Type.DATE else "TIMESTAMP"
    inside = f"coalesce({x} >= {kind} {first} AND {x} < {kind} {after}, false)"
    return number(engine, f"DELETE FROM {relation} WHERE NOT {inside}")


def _alike(files: tuple[SourceFile, ...]) -> list[list[SourceFile]]:
    """Files of one form together."""
    groups: dict[tuple[object, ...], list[SourceFile]] = {}
    for file in files:
        groups.setdefault(file.form, []).append(file)
    return list(groups.values())


def _select(manifest: Manifest, table: Table, files: list[SourceFile]) -> str:
    parts: list[str] = []
    for place, column in enumerate(table.columns):
        parsed = parsed_column(manifest, table, column, files[0])
        bad = f"coalesce({parsed.bad}, false)" if parsed.bad else "false"
        if column.name == table.unit_key:
            parts.append(f"{unit_id(column, parsed.value)} AS {ID}")
        if column.name != table.unit_key or table.public:
            parts.append(f"{parsed.value} AS {sql.name(column.name)}")
        parts.append(f"{bad} AS {_flag(place)}")
    return f"SELECT {sql.listed(parts)} FROM {relation(files)}"


def parsed_column(manifest: Manifest, table: Table, column: Column, file: SourceFile) -> Parsed:
    """How a column is read from a file; raises SourceUnusable where the types disagree."""
    found = file.column(column.name)
    if found is None:
        raise SourceUnusable(f"{table.name}: {file.path.name} has no column {column.name}")
    try:
        return parse(column, sql.name(found[0]), found[1], manifest.time_zone)
    except TypesDisagree:
        raise SourceUnusable(
            f"{table.name}: {column.name} is {found[1].lower()} in {file.path.name}, "
            f"declared {column.type}"
        ) from None


def _flag(place: int) -> str:
    return f"_bad{place}"


_KINDS = {
    Type.INTEGER: "whole numbers",
    Type.DECIMAL: "numbers that fit the step",
    Type.REAL: "numbers",
    Type.TEXT: "text",
    Type.BOOLEAN: "true or false",
    Type.DATE: "dates",
    Type.TIMESTAMP: "times",
}


def _check_parsed(engine: Engine, table: Table, relation: str) -> None:
    flags = sql.listed(f"count_if({_flag(place)})" for place in range(len(table.columns)))
    counts = engine.execute(f"SELECT {flags} FROM {relation}").fetchone() or ()
    faults = [
        f"{table.name}: {count:,} values of {column.name} are not {_KINDS[column.type]}"
        for column, count in zip(table.columns, counts, strict=True)
        if count
    ]
    if faults:
        raise RegistrationFailed(*faults)

"""Synthetic rows in the shape of a delivery, made from its manifest and its public tables alone.

`python -I -m queries.deliver.synthetic FOLDER [BLOCK]` reads the sealed manifest and the public
file that were put there, and writes a private file beside them whose tables have the stored
columns, types, ranges, categories, keys and caps that a registration would have enforced.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the rows are the same for both.
    Requires    a folder that holds the sealed manifest and the public tables, and no other file.
    Why         nothing else is opened; values are drawn within what the manifest declares, by a
                generator that starts from a constant.
    Tried by    tests/deliver/test_synthetic.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb

from queries.catalog.blocks import within
from queries.catalog.delivered import MANIFEST, PRIVATE, PUBLIC
from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.catalog.reading import parse
from queries.catalog.storage import (
    ORDINAL,
    UNIT,
    has_enum,
    steps,
    stored_columns,
    stored_type,
)
from queries.deliver import sql
from queries.deliver.private import in_order

MOST_UNITS = 500
MOST_ROWS = 4
"""Rows of one unit in one table, where it may have more."""
MISSING = 0.05
SPREAD = 1_000
"""Whole numbers without a declared range are drawn from so many."""


def build(folder: Path, block: str | None = None) -> None:
    """Write the private file of a folder that holds a sealed manifest and public tables."""
    manifest = within(parse((folder / MANIFEST).read_bytes()).manifest, block)
    made = folder / f".{PRIVATE}"
    made.unlink(missing_ok=True)
    with duckdb.connect(str(made)) as engine:
        engine.execute(f"ATTACH {sql.text(str(folder / PUBLIC))} AS public (READ_ONLY)")
        engine.execute("SET threads = 1")
        engine.execute("SELECT setseed(0.5)")
        for table in manifest.tables:
            if table.public:
                engine.execute(_public(table))
        for table in in_order(manifest.tables):
            engine.execute(f"CREATE TABLE {sql.name(table.name)} ({_definition(table)})")
            engine.execute(f"INSERT INTO {sql.name(table.name)} {_rows(manifest, table)}")
    made.replace(folder / PRIVATE)


def _public(table: Table) -> str:
    """A public table as it stands; units that it describes are numbered."""
    shown = [sql.name(column.name) for column in stored_columns(table)]
    if table.unit_key is not None:
        shown.insert(0, f"CAST(row_number() OVER () AS BIGINT) AS {UNIT}")
    target = sql.name(table.name)
    return f"CREATE TABLE {target} AS SELECT {sql.listed(shown)} FROM public.main.{target}"


def _definition(table: Table) -> str:
    columns = [f"{UNIT} BIGINT NOT NULL", f"{ORDINAL} INTEGER NOT NULL"]
    for column in stored_columns(table):
        enum = has_enum(table, column)
        kind = sql.enum(column.categories) if enum else stored_type(table, column)
        columns.append(f"{sql.name(column.name)} {kind}")
    return sql.listed(columns)


def _rows(manifest: Manifest, table: Table) -> str:
    """SQL: the rows of every unit, at most as many as the manifest allows, each key once."""
    values = [f"{value} AS {sql.name(name)}" for name, value in _values(table)]
    drawn = f"SELECT {sql.listed([UNIT, *values])} FROM ({_owners(manifest, table)})"
    names = [sql.name(column.name) for column in stored_columns(table)]
    cell = [UNIT if name == table.unit_key else sql.name(name) for name in table.key]
    once = f" QUALIFY row_number() OVER (PARTITION BY {sql.listed(cell)}) = 1" if cell else ""
    kept = f"SELECT * FROM (SELECT * FROM ({drawn}){once}) {_within(table)}"
    if table.grain:
        grain = [UNIT, *(sql.name(n) for n in table.grain if n != table.unit_key)]
        first = f"row_number() OVER (PARTITION BY {sql.listed(grain)}) = 1"
        kept = f"SELECT * FROM ({kept}) QUALIFY {first}"
    rank = f"row_number() OVER (PARTITION BY {UNIT} ORDER BY {sql.listed(names or ['1'])}) - 1"
    columns = sql.listed([UNIT, f"CAST({rank} AS INTEGER)", *names])
    return f"SELECT {columns} FROM ({kept}) ORDER BY 1, 2"


def _within(table: Table) -> str:
    """SQL: no more rows of a unit than are declared."""
    return f"QUALIFY row_number() OVER (PARTITION BY {UNIT}) <= {table.rows_per_unit or 1}"


def _owners(manifest: Manifest, table: Table) -> str:
    """SQL: a line for each row to be made, with its unit, its number and its parent's key."""
    most = min(MOST_ROWS, table.rows_per_unit or 1)
    if table.unit_via is not None:
        parent, key = sql.name(table.unit_via.table), sql.name(table.unit_via.key)
        source = f"SELECT {UNIT}, {key} AS _parent FROM {parent} WHERE {key} IS NOT NULL"
    else:
        units = min(MOST_UNITS, manifest.unit.at_most)
        source = f"SELECT CAST(range + 1 AS BIGINT) AS {UNIT}, NULL AS _parent FROM range({units})"
    lines = f"FROM ({source}), range({most}) AS r(_copy) WHERE _copy <= random() * {most}"
    return f"SELECT {UNIT}, _parent, row_number() OVER () AS _n {lines}"


def _values(table: Table) -> Iterator[tuple[str, str]]:
    """The stored columns of a table, each with the SQL of one value."""
    for column in stored_columns(table):
        value = _value(table, column)
        if column.nullable:
            value = f"CASE WHEN random() >= {MISSING} THEN {value} END"
        yield column.name, value


def _value(table: Table, column: Column) -> str:
    """SQL: one value within what is declared of a column."""
    if table.unit_via is not None and column.name == table.unit_via.column:
        return "_parent"
    if column.references is not None:
        found = f"public.main.{sql.name(column.references.table)}"
        key = sql.name(column.references.column)
        keys = f"(SELECT list({key} ORDER BY {key}) FROM {found})"
        return f"{keys}[1 + {_whole(f'len({keys})')}]"
    if column.categories:
        listed = sql.listed(map(sql.text, column.categories))
        return f"[{listed}][1 + {_whole(str(len(column.categories)))}]"
    if len(table.key) == 1 and column.name == table.key[0]:
        return _numbered(column)
    return _plain(column)


def _numbered(column: Column) -> str:
    """SQL: a value of a key, different in each row."""
    match column.type:
        case Type.INTEGER | Type.DECIMAL:
            return f"{_low(column)} + _n"
        case Type.DATE:
            return f"CAST({_start(column)} + to_days(CAST(_n AS INTEGER)) AS DATE)"
        case Type.TIMESTAMP:
            return f"{_start(column)} + to_seconds(_n)"
    return "'k' || _n"


def _plain(column: Column) -> str:
    match column.type:
        case Type.BOOLEAN:
            return "random() < 0.5"
        case Type.REAL:
            return "100 * random()"
        case Type.TEXT:
            return f"left('word ' || {_whole('20')}, {column.length or 100})"
        case Type.DATE:
            return f"CAST({_start(column)} + to_days({_whole(str(_days(column)))}) AS DATE)"
        case Type.TIMESTAMP:
            return f"{_start(column)} + to_seconds({_whole(str(86_400 * _days(column)))})"
    low = _low(column)
    high = low + SPREAD if column.upper is None else steps(column, column.upper)
    return f"{low} + {_whole(str(max(low, high) - low + 1))}"


def _low(column: Column) -> int:
    return 0 if column.lower is None else steps(column, column.lower)


def _start(column: Column) -> str:
    lower = column.lower if isinstance(column.lower, date | datetime) else date(2020, 1, 1)
    kind = "TIMESTAMP" if column.type is Type.TIMESTAMP else "DATE"
    return f"{kind} {sql.text(lower.isoformat(' ') if isinstance(lower, datetime) else str(lower))}"


def _days(column: Column) -> int:
    """How many whole days a range of dates or times spans, at least one."""
    low, high = column.lower, column.upper
    if not (isinstance(low, date) and isinstance(high, date)):
        return 365
    return max(1, (high - low).days)


def _whole(count: str) -> str:
    """SQL: a whole number from 0 to below a count."""
    return f"CAST(floor(random() * {count}) AS BIGINT)"


if __name__ == "__main__":
    build(Path(sys.argv[1]), *sys.argv[2:])

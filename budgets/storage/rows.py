"""Every row of every table as one canonical line, so that two databases can be told to be the same.

A line is JSON with sorted keys and no blanks, in ASCII. Rows stand in the order of their keys, and
texts in the order of their bytes whatever the database's own, so one content has one hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, Table, func, insert, select, text

from budgets.chain import canonical
from budgets.storage.columns import Moment
from budgets.storage.schema import metadata, standing

BATCH = 500
TABLES: Sequence[Table] = [one for one in metadata.sorted_tables if one is not standing]
"""All that a ledger is, parents before children; `standing` speaks of the database itself."""


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a table has, and the hash of their lines."""

    rows: int
    digest: str


def rows(tx: Connection, table: Table) -> Iterator[Mapping[str, Any]]:
    """The rows of a table in the order of its key, as they are needed."""
    wanted = select(table).order_by(*(_ordered(tx, one) for one in table.primary_key))
    for row in tx.execution_options(yield_per=BATCH).execute(wanted).mappings():
        yield dict(row)


def line(table: Table, row: Mapping[str, Any], *, secrets: bool) -> str:
    """The one text of a row; without secrets it lacks the columns that no export may hold."""
    shown = [one.name for one in table.columns if secrets or not one.info.get("secret")]
    return canonical({"row": {name: _plain(row[name]) for name in shown}, "table": table.name})


def content(tx: Connection, table: Table) -> Content:
    """What a table holds, secrets included, in one hash."""
    count, digest = 0, hashlib.sha256()
    for row in rows(tx, table):
        count += 1
        digest.update(line(table, row, secrets=True).encode() + b"\n")
    return Content(count, digest.hexdigest())


def copy(source: Connection, target: Connection, table: Table) -> None:
    """Add every row of a table to the same table elsewhere."""
    batch: list[dict[str, Any]] = []
    for row in rows(source, table):
        batch.append(dict(row))
        if len(batch) == BATCH:
            target.execute(insert(table), batch)
            batch.clear()
    if batch:
        target.execute(insert(table), batch)


def count_on(tx: Connection, table: Table) -> None:
    """Let the server count up from the largest key there is; SQLite does so by itself."""
    key = table.autoincrement_column
    if key is None or tx.dialect.name != "postgresql":
        return
    quoted = tx.dialect.identifier_preparer.format_table(table)
    largest = tx.execute(select(func.max(key))).scalar()
    if largest is not None:
        named = {"table": quoted, "column": key.name, "largest": largest}
        tx.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :largest)"), named)


def empty(tx: Connection) -> bool:
    """Whether no table has a row."""
    return all(tx.execute(select(table).limit(1)).first() is None for table in TABLES)


def _ordered(tx: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, String) and tx.dialect.name == "postgresql":
        return column.collate("C")
    return column


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return Moment.written(value) if isinstance(value, datetime) else value

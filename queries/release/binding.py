"""What DuckDB makes of a query before it runs: the names and types of its columns."""

from __future__ import annotations

import duckdb

from queries.algebra.names import quoted
from queries.catalog.view import Tables
from queries.workers.sealed import selected

MOST_HELD = 1_000
"""The most empty tables that are kept."""

Columns = tuple[tuple[str, str], ...]


class Signatures:
    """Names and types of queries over public and empty tables: they are bound, never run.

    The connection must be used for nothing else. It keeps the empty tables, most of which are asked
    for again: to make them takes as long as to bind a query.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._held: dict[str, Columns] = {}

    def of(self, tables: Tables, sql: str) -> Columns:
        """The columns of one SELECT; an empty table hides a public one of its name."""
        statement = selected(self._connection, sql)
        read = sql.lower()
        given = {name.lower(): columns for name, columns in tables if name.lower() in read}
        if len(self._held) > MOST_HELD:
            self._drop(list(self._held))
        self._drop([name for name in self._held if name in read and name not in given])
        for name, columns in given.items():
            self._make(name, columns)
        found = self._connection.sql(statement)
        return tuple(zip(found.columns, map(str, found.types), strict=True))

    def _make(self, name: str, columns: Columns) -> None:
        if self._held.get(name) != columns:
            shown = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
            self._connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} ({shown})")
            self._held[name] = columns

    def _drop(self, names: list[str]) -> None:
        for name in names:
            self._connection.execute(f"DROP TABLE {quoted(name)}")
            del self._held[name]

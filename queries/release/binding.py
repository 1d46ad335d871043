"""What DuckDB makes of a query before it runs: the names and types of its columns."""

from __future__ import annotations

import duckdb

from queries.algebra.names import quoted
from queries.catalog.view import Tables
from queries.workers.sealed import selected


def signature(
    connection: duckdb.DuckDBPyConnection, tables: Tables, sql: str
) -> tuple[tuple[str, str], ...]:
    """Names and types of the columns of one SELECT over empty tables; it is bound, never run."""
    statement = selected(connection, sql)
    read = sql.lower()
    connection.execute("BEGIN")
    try:
        for name, columns in tables:
            if name.lower() not in read:
                continue
            shown = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
            connection.execute(f"CREATE TABLE {quoted(name)} ({shown})")
        found = connection.execute(f"DESCRIBE {statement.query}").fetchall()
    finally:
        connection.execute("ROLLBACK")
    return tuple((str(row[0]), str(row[1])) for row in found)

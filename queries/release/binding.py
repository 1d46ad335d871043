"""What DuckDB makes of a query before it runs: the names and types of its columns.

The engine's package has no public call that binds and does no more. Its `sql` runs at once whatever
writes, and so a SELECT whose WITH holds an INSERT; DESCRIBE takes twice as long. The one used here
is private to the package, whose version is fixed: a version without it fails at this import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
from duckdb import _seam

from queries.algebra.names import occurs, quoted
from queries.catalog.view import Tables
from queries.workers.sealed import selected

MOST_HELD = 1_000
"""The most empty tables that are kept under one connection."""

Columns = tuple[tuple[str, str], ...]


class Signatures:
    """Names and types of queries over public and empty tables: they are bound, never run.

    The connections must be used for nothing else. They keep the empty tables, most of which are
    asked for again: to make them takes as long as to bind a query. With two of them the tables as
    stored and as declared need not take turns.
    """

    def __init__(self, connections: Iterable[duckdb.DuckDBPyConnection]) -> None:
        self._places = list(map(_Place, connections))

    def of(self, tables: Tables, sql: str) -> Columns:
        """The columns of one SELECT; an empty table hides a public one of its name."""
        read = sql.lower()
        given = {name.lower(): columns for name, columns in tables if occurs(name, read)}
        place = self._fittest(given)
        statement = selected(place.connection, sql)
        place.prepare(given, read)
        found = _seam.bind(place.connection, statement)
        return tuple(zip(found.names, map(str, found.types), strict=True))

    def _fittest(self, given: Mapping[str, Columns]) -> _Place:
        """The place with the least to make; of equal ones that which was left alone the longest."""
        place = min(self._places, key=lambda one: one.to_make(given))
        self._places.remove(place)
        self._places.append(place)
        return place


class _Place:
    """Empty tables under one connection, by their names in lower case."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.held: dict[str, Columns] = {}

    def to_make(self, given: Mapping[str, Columns]) -> tuple[int, int]:
        """How many of the tables stand here otherwise, and how many stand here not at all."""
        other = sum(name in self.held and self.held[name] != own for name, own in given.items())
        return other, sum(name not in self.held for name in given)

    def prepare(self, given: Mapping[str, Columns], read: str) -> None:
        """Have exactly the tables given of those that a text can name."""
        if len(self.held) > MOST_HELD:
            self._drop(list(self.held))
        self._drop([name for name in self.held if occurs(name, read) and name not in given])
        for name, columns in given.items():
            self._make(name, columns)

    def _make(self, name: str, columns: Columns) -> None:
        if self.held.get(name) != columns:
            shown = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
            self.connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} ({shown})")
            self.held[name] = columns

    def _drop(self, names: list[str]) -> None:
        for name in names:
            self.connection.execute(f"DROP TABLE {quoted(name)}")
            del self.held[name]

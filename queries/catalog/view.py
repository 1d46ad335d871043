"""What one caller may see of a dataset: the sealed manifest and what is public about a delivery.

The binder is given a view, never the catalog: what is not in the view does not exist for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from queries.catalog.manifest import Manifest
from queries.catalog.past import Releases, no_releases

Value = int | str | bool | float | None
"""A key value as it travels: decimals as whole steps, dates and timestamps as ISO 8601 text."""


@dataclass(frozen=True, slots=True)
class PublicColumn:
    """What registration read from a public table: its range (steps, or ISO text) and nulls."""

    nullable: bool
    lower: int | str | None = None
    upper: int | str | None = None


@dataclass(frozen=True, slots=True)
class PublicTable:
    """Facts of a public table: its number of rows and those of its columns by name."""

    rows: int
    columns: Mapping[str, PublicColumn]


class TooMany(Exception):
    """A query over public tables has more rows than were asked for."""


Tables = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Empty tables: each a name with its columns' names and DuckDB types."""


JOINT = "+"
"""What stands between the ids of deliveries that are read as one."""


def deliveries_of(delivery: str) -> tuple[str, ...]:
    """The deliveries that a view is pinned to, oldest first."""
    return tuple(delivery.split(JOINT))


def newest(delivery: str) -> str:
    """The newest of these, whose public tables are read."""
    return deliveries_of(delivery)[-1]


Scope = tuple[tuple[str, tuple[str, ...]], ...]
"""Public tables, each with those of its columns that there are for somebody."""


class PublicRows(Protocol):
    """Reads public tables, and nothing else: implemented by the release engine."""

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        """At most `limit` rows of a query over public tables; raises TooManyRows beyond that."""
        ...

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        """Names and DuckDB types of a query's columns, over public tables and the empty `tables`.

        Raises NotBound (a QueryRefused) where the engine cannot bind the query.
        """
        ...


@dataclass(frozen=True, slots=True)
class View:
    """A dataset as one caller sees it, pinned to its delivery, and the caller's past releases.

    Where several blocks are read as one, `delivery` names a delivery of each, oldest first.

    `manifest_hash` is that of what is seen: of the sealed manifest where that is all of it. `scope`
    is what there is of the public tables; None: all that the delivery holds. `about` is the id of
    the release that `FROM release` means.
    """

    manifest: Manifest
    manifest_hash: str
    delivery: str
    public: Mapping[str, PublicTable]
    scope: Scope | None = None
    releases: Releases = field(default=no_releases, compare=False)
    about: str | None = None

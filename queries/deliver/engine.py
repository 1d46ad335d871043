"""The engine that builds a delivery: bounded memory, spill in the staging folder, no network."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import duckdb

from queries.catalog.delivered import PRIVATE, PUBLIC
from queries.deliver import sql
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.staging import Staging

MEMORY = "1GB"
MOST_THREADS = 4

Engine = duckdb.DuckDBPyConnection


@contextlib.contextmanager
def building(place: Staging, keys: PseudonymKeys) -> Iterator[Engine]:
    """A session on the staging folder's scratch file, with the delivery's two files attached."""
    engine = duckdb.connect(str(place.work), config=_settings(place))
    try:
        for alias, file in (("private", PRIVATE), ("public", PUBLIC)):
            engine.execute(f"ATTACH {sql.text(str(place.delivery / file))} AS {alias}")
        engine.execute("SET TimeZone = 'UTC'")
        keys.give(engine)
        yield engine
        for alias in ("private", "public"):
            engine.execute(f"CHECKPOINT {alias}")
            engine.execute(f"DETACH {alias}")
    finally:
        engine.close()


def _settings(place: Staging) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": max(1, min(MOST_THREADS, len(os.sched_getaffinity(0)))),
        "memory_limit": MEMORY,
        "temp_directory": str(place.spill),
        "preserve_insertion_order": "true",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
    }


def number(engine: Engine, query: str) -> int:
    """The one whole number that a query yields."""
    row = engine.execute(query).fetchone()
    return int(row[0]) if row is not None and row[0] is not None else 0

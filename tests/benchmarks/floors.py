"""The floor: the least that any ledger needs, said to the driver itself.

One bare durable transaction that updates one hot row: nothing is read, decided,
entered or stored. Each thread has a connection with the settings of the ledger's; threads on one
file take turns by a lock, since they would otherwise sleep and poll for the file's.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.budgets.places import Place

HOT = "UPDATE standing SET beats = beats + 1"
PRAGMAS = ("busy_timeout = 60000", "journal_mode = WAL", "synchronous = FULL")


class Floor:
    """Bare transactions on one place, by as many threads as like."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._own = threading.local()
        self._turn = threading.Lock()
        self._made: list[Any] = []

    def commit(self) -> None:
        """One bare durable transaction."""
        connection = getattr(self._own, "connection", None) or self._connected()
        if isinstance(self._place, Path):
            with self._turn:
                _commit(connection.execute, "BEGIN IMMEDIATE")
        else:
            _commit(connection.execute, "BEGIN")

    def close(self) -> None:
        """Close all connections."""
        for connection in self._made:
            connection.close()

    def _connected(self) -> Any:
        if isinstance(self._place, Path):
            made: Any = sqlite3.connect(self._place, isolation_level=None, check_same_thread=False)
            for pragma in PRAGMAS:
                made.execute(f"PRAGMA {pragma}")
        else:
            made = psycopg.connect(self._place, autocommit=True)
        self._made.append(made)
        self._own.connection = made
        return made


def _commit(execute: Callable[[str], object], begin: str) -> None:
    execute(begin)
    execute(HOT)
    execute("COMMIT")


@contextmanager
def floor(place: Place) -> Iterator[Floor]:
    """A floor whose connections are closed when the block ends."""
    made = Floor(place)
    try:
        yield made
    finally:
        made.close()

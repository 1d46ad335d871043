"""SQLite, embedded: everything that is said to SQLite alone.

A write transaction takes the write lock when it begins, so that what it has read cannot change
under it. A commit returns when the bytes are on disk (`synchronous=FULL` in WAL mode).
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

WRITES = "sluis_writes"
_PRAGMAS = (
    "PRAGMA busy_timeout = 60000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


def engine(path: Path) -> Engine:
    """An engine on the file, which is made for its owner alone if it is not there."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    made = create_engine(
        _url(path), hide_parameters=True, pool_size=16, max_overflow=64, pool_timeout=60
    )
    event.listen(made, "connect", _connected)
    event.listen(made, "begin", _begun)
    return made


class Turn:
    """One writer at a time: threads queue here instead of polling the file's lock.

    A thread that writes already is refused, since it would wait for itself.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writer: int | None = None

    def __enter__(self) -> None:
        if self._writer == threading.get_ident():
            raise RuntimeError("this thread has a write transaction open already")
        self._lock.acquire()
        self._writer = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._writer = None
        self._lock.release()


def _url(path: Path) -> URL:
    return make_url("sqlite+pysqlite://").set(database=str(path))


def _connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing of its own; `_begun` does
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begun(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

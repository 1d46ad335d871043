"""SQLite, embedded: everything that is said to SQLite alone.

A write transaction takes the write lock when it begins, so that what it has read cannot change
under it. A commit returns when the bytes are on disk (`synchronous=FULL` in WAL mode).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from budgets.storage.faults import StorageBusy
from budgets.storage.prepared import Prepared

WRITES = "sluis_writes"
_SEAL = "sealed_"
_PATIENCE = 60
"""How long, in seconds, a lock that somebody else holds is waited for."""
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_PATIENCE * 1000}",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 8000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)
_BEGIN, _BEGIN_WRITING = Prepared(text("BEGIN")), Prepared(text("BEGIN IMMEDIATE"))


class Sqlite:
    """One file. Its writers are serial whoever they are, so no transaction needs to be repeated."""

    embedded = True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._engine = engine(path)
        self._writing = self._engine.execution_options(**{WRITES: True})
        self._writer: Connection | None = None
        self._turn = threading.Lock()

    @contextmanager
    def write(self, serial: bool) -> Iterator[Connection]:
        """A write transaction. Threads queue here instead of polling the file's lock.

        All have the same connection, for as long as nothing goes wrong with it.
        """
        with self._turn, _told():
            connection = self._writer = self._writer or self._writing.connect()
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                self._drop()
                raise

    def _drop(self) -> None:
        """Give the connection that writes back."""
        dropped, self._writer = self._writer, None
        if dropped is not None:
            dropped.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def queue(self, ceiling: str) -> str:
        """All writers of a file wait for one another, whatever they write."""
        return ""

    def migrating(self, connection: Connection) -> None:
        """The write lock is held already: nobody else migrates meanwhile."""

    def sealing(self, connection: Connection, tables: Iterable[str]) -> None:
        """Let the file itself refuse every change of these tables, by whoever has it open."""
        for table, act in product(tables, ("INSERT", "UPDATE", "DELETE")):
            connection.exec_driver_sql(
                f'CREATE TRIGGER IF NOT EXISTS "{_SEAL}{table}_{act}" BEFORE {act} ON "{table}" '
                "BEGIN SELECT RAISE(ABORT, 'this ledger was moved'); END"
            )

    def unsealing(self, connection: Connection) -> None:
        """Let the file be changed again."""
        named = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        for (name,) in connection.exec_driver_sql(named).all():
            if name.startswith(_SEAL):
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._turn:
            self._drop()
        self._engine.dispose()


def engine(path: Path) -> Engine:
    """An engine on the file, which is made for its owner alone if it is not there."""
    _make(path)
    path.chmod(0o600)
    made = create_engine(
        _url(path), hide_parameters=True, pool_size=16, max_overflow=64, pool_timeout=60
    )
    event.listen(made, "connect", _connected)
    event.listen(made, "begin", _begun)
    return made


def _make(path: Path) -> None:
    """Make the file if it is not there; one that is there is not opened here.

    To close a file, whoever opened it, drops all locks that this process has on it: another one
    could then take away the log under a connection that is open here, with what it commits next.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


@contextmanager
def _told() -> Iterator[None]:
    """A file that another process keeps locked is out of reach, and nothing was changed."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise StorageBusy from error
        raise


def _url(path: Path) -> URL:
    return make_url("sqlite+pysqlite://").set(database=str(path))


def _connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing of its own; `_begun` does
    _log_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _log_ahead(connection: Any) -> None:
    """Have the file write its log ahead; SQLite does not wait by itself where others do the same.

    It is the one lock that its busy handler is not asked about, while the file is new.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _begun(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    (_BEGIN_WRITING if writes else _BEGIN).run(connection, {})

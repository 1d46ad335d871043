"""A place for books, looked at with nothing of the ledger's own code: plain SQL on both."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, create_engine, text

Place = Path | str
"""A file of SQLite, or the address of a database of PostgreSQL."""

ZERO = {"zero": b"\0"}


@contextmanager
def looking(place: Place) -> Iterator[Connection]:
    """A connection that sees the place as it is; what is written through it is kept."""
    with _engine(plain(place), os.getpid()).begin() as connection:
        yield connection


@lru_cache(maxsize=1)
def _engine(address: str, _process: int) -> Engine:
    """How a process looks at a place; connecting to a server again and again would take longest.

    A file is opened each time: what is left of it must be found by whoever comes first.
    """
    if address.startswith("sqlite"):
        return create_engine(address, poolclass=NullPool)
    return create_engine(address, pool_size=1, pool_pre_ping=True)


def plain(place: Place) -> str:
    """The place as SQLAlchemy addresses it."""
    if isinstance(place, Path):
        return f"sqlite:///{place}"
    return place.replace("postgresql:", "postgresql+psycopg:")


def edit(place: Place, *statements: str) -> None:
    """Change the books behind the ledger's back; `:zero` stands for one byte of nothing."""
    with looking(place) as connection:
        for statement in statements:
            connection.execute(text(statement), ZERO if ":zero" in statement else {})


def until_quiet(place: Place) -> None:
    """Wait until a server has noticed that its clients are dead: it may still finish a commit."""
    if isinstance(place, Path):
        return
    working = (
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    for _ in range(1000):
        with looking(place) as connection:
            if not connection.execute(text(working)).scalar():
                return
        time.sleep(0.01)
    raise AssertionError("a transaction of a dead client goes on")

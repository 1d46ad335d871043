"""A place for books, looked at with nothing of the ledger's own code: plain SQL on both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, text

Place = Path | str
"""A file of SQLite, or the address of a database of PostgreSQL."""

ZERO = {"zero": b"\0"}


@contextmanager
def looking(place: Place) -> Iterator[Connection]:
    """A connection that sees the place as it is; what is written through it is kept."""
    engine = create_engine(plain(place), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


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

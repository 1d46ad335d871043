"""Sees every statement that a driver is given, whoever gives it, right before it is sent.

What SQLAlchemy tells of its own executions is not all: a charge speaks to the driver itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event

See = Callable[[Any], None]
"""Gets the driver's connection."""


@contextmanager
def watched(see: See) -> Iterator[None]:
    """Connections that are made within the block tell of each statement while it lasts."""
    watching = True

    def connected(connection: Any, _record: object) -> None:
        def told(_: object = None) -> None:
            if watching:
                see(connection)

        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(lambda words: told() if words != "COMMIT" else None)
        else:
            connection.cursor_factory = _telling(told)

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        watching = False
        event.remove(Engine, "connect", connected)


def _telling(told: Callable[[], None]) -> type[psycopg.Cursor[Any]]:
    class Telling(psycopg.Cursor[Any]):
        def execute(self, *given: Any, **named: Any) -> Any:
            told()
            return super().execute(*given, **named)

    return Telling

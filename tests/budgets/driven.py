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

from budgets.storage.wire import Reply, Wire

See = Callable[[Any], None]
"""Gets the driver's connection."""


@contextmanager
def watched(see: See) -> Iterator[None]:
    """Connections that are made within the block tell of each statement while it lasts."""
    watching = True

    def told(connection: Any) -> None:
        if watching:
            see(connection)

    def connected(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(
                lambda words: told(connection) if words != "COMMIT" else None
            )
        else:
            connection.cursor_factory = _telling(psycopg.Cursor, told)

    event.listen(Engine, "connect", connected)
    plain = Wire.send, psycopg.RawCursor
    Wire.send, psycopg.RawCursor = _sending(told), _telling(psycopg.RawCursor, told)  # type: ignore[method-assign,misc]
    try:
        yield
    finally:
        watching = False
        Wire.send, psycopg.RawCursor = plain  # type: ignore[method-assign,misc]
        event.remove(Engine, "connect", connected)


def _telling(cursor: type[psycopg.Cursor[Any]], see: See) -> type[psycopg.Cursor[Any]]:
    class Telling(cursor):  # type: ignore[misc,valid-type]
        def execute(self, *given: Any, **named: Any) -> Any:
            see(self.connection)
            return super().execute(*given, **named)

    return Telling


def _sending(see: See) -> Callable[..., Reply]:
    send = Wire.send

    def told(wire: Wire, *given: Any) -> Reply:
        see(wire.driver)
        return send(wire, *given)

    return told

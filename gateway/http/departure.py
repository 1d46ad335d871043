"""Whether the caller of a request has gone away: its connection is closed from the other side."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from flask import request

from gateway.runner import never


def departure() -> Callable[[], bool]:
    """What says whether the caller of this request has gone; it may be asked from any thread."""
    connection = request.environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return never
    return lambda: _closed(connection)


def _closed(connection: socket.socket) -> bool:
    """Whether there is nothing to come: the end of the stream, or a broken connection."""
    try:
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        return bool(waiting.poll(0)) and not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True

"""A connection to PostgreSQL that breaks at a chosen moment of one step of the ledger.

The fault is injected from outside: SQLAlchemy's own events let the server end the session that is
about to send a statement or its COMMIT, or hand the COMMIT over and lose what was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

BEFORE_COMMIT = -1
ANSWER_LOST = -2
"""The server commits, and the connection breaks before it says so."""


class Breaking:
    """Breaks one session, the first that comes to the moment once it is armed.

    `moment` is a statement's number from 0, BEFORE_COMMIT or ANSWER_LOST; `end` ends a session by
    the number of its process.
    """

    def __init__(self, moment: int, end: Callable[[int], object]) -> None:
        self._moment, self._end = moment, end
        self._armed, self._seen = False, 0
        self.broke = False

    def arm(self) -> None:
        """From the next statement on, count."""
        self._armed = True

    def statement(self, connection: Any, *_: Any) -> None:
        """A statement is about to be sent."""
        if self._armed and self._moment == self._seen:
            self._take(connection)
        self._seen += self._armed

    def commit(self, connection: Any) -> None:
        """A COMMIT is about to be sent."""
        if self._armed and self._moment < 0 and connection.dialect.name == "postgresql":
            self._take(connection)

    def _take(self, connection: Any) -> None:
        self._armed, self.broke = False, True
        driver = connection.connection.driver_connection
        if self._moment == ANSWER_LOST:
            driver.execute("COMMIT")
            driver.close()
        else:
            self._end(driver.info.backend_pid)


@contextmanager
def breaking(moment: int, end: Callable[[int], object]) -> Iterator[Breaking]:
    """A Breaking that sees every session of this process while the block runs."""
    made = Breaking(moment, end)
    event.listen(Engine, "before_cursor_execute", made.statement)
    event.listen(Engine, "commit", made.commit)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", made.statement)
        event.remove(Engine, "commit", made.commit)

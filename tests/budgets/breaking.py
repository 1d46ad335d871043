"""A connection to PostgreSQL that breaks at a chosen moment of one step of the ledger.

The fault is injected from outside: the server ends the session that is about to send a statement
or its COMMIT, or is handed the COMMIT and its answer is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from tests.budgets.driven import watched

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

    def statement(self, driver: Any) -> None:
        """A statement is about to be sent."""
        if self._armed and self._moment == self._seen:
            self._take(driver)
        self._seen += self._armed

    def commit(self, connection: Any) -> None:
        """A COMMIT is about to be sent."""
        if self._armed and self._moment < 0 and connection.dialect.name == "postgresql":
            self._take(connection.connection.driver_connection)

    def _take(self, driver: Any) -> None:
        self._armed, self.broke = False, True
        if self._moment == ANSWER_LOST:
            driver.execute("COMMIT")
            driver.close()
        else:
            self._end(driver.info.backend_pid)


@contextmanager
def breaking(moment: int, end: Callable[[int], object]) -> Iterator[Breaking]:
    """A Breaking that sees every session made while the block runs."""
    made = Breaking(moment, end)
    event.listen(Engine, "commit", made.commit)
    try:
        with watched(made.statement):
            yield made
    finally:
        event.remove(Engine, "commit", made.commit)

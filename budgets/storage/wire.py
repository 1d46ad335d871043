"""Statements to PostgreSQL that are sent one after another, before any of them is answered.

What stands between a statement and its answer is a journey to the server and back, and the driver's
own work for each execution. Here a statement is prepared once in a session, its values are written
as text, and what was sent leaves together and is answered at once when the first answer is looked
at (libpq's pipeline mode, PostgreSQL 14, section 34.5). The server does it in order, each statement
seeing all that was done before it.

The driver's connection is left as it was found: outside the pipeline, in its transaction.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Sequence
from typing import Any

BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_BINARY, _TEXT = 1, 0


class Reply:
    """What the server says of one statement, once it has said it."""

    __slots__ = ("_wire", "found", "made")

    def __init__(self, wire: Wire, made: bytes | None = None) -> None:
        self._wire, self.made = wire, made
        self.found: Any = None

    @property
    def rowcount(self) -> int:
        """How many rows it changed or found; -1 while nobody knows."""
        changed = None if self.found is None else self.found.command_tuples
        return -1 if changed is None else changed

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Its rows; waits for all that was sent."""
        if self.found is None:
            self._wire.answered()
        return self._wire.rows(self.found)


class Wire:
    """One session of the driver's, spoken to in pipelines; for one thread at a time.

    `psycopg` is the driver's module, which is installed where there is a server to speak to.
    """

    def __init__(self, driver: Any, psycopg: Any) -> None:
        self.driver = driver
        self._to, self._errors, self._pq = driver.pgconn, psycopg.errors, psycopg.pq
        self._reader = psycopg.adapt.Transformer(driver)
        self._prepared: set[bytes] = set()
        self._sent: deque[Reply] = deque()
        self._open = False
        self._ready = select.poll()
        self._ready.register(self._to.socket, select.POLLIN)

    def send(self, name: bytes, sql: bytes, types: Sequence[int], values: Sequence[Any]) -> Reply:
        """Send a statement that is called `name` in this session; its answer comes later.

        `types` are those of its values, by number, 0 where the server is to find out.
        """
        given = [_written(value) for value in values]
        self._enter()
        if name not in self._prepared:
            self._to.send_prepare(name, sql, types)
            self._prepared.add(name)
            self._sent.append(Reply(self, name))
        kinds = [_BINARY if isinstance(value, bytes) else _TEXT for value in values]
        self._to.send_query_prepared(name, given, kinds)
        reply = Reply(self)
        self._sent.append(reply)
        return reply

    def depart(self) -> None:
        """Let what was sent leave now, as far as it does without waiting."""
        if self._open:
            self._to.flush()

    def answered(self) -> None:
        """Wait for the answers to all that was sent; raises the first error among them."""
        if not self._open:
            return
        failed: Exception | None = None
        try:
            self._to.pipeline_sync()
            self._flush()
            while self._sent:
                reply = self._sent.popleft()
                failed = self._take(reply) or failed
            self._next()  # the answer to the synchronization itself
            self._to.exit_pipeline_mode()
        except BaseException as error:  # noqa: BLE001  an interrupt leaves answers behind as well
            self._to.finish()  # nobody knows what is still on its way
            raise failed or error from None
        finally:
            self._sent.clear()
            self._open = False
        if failed is not None:
            raise failed

    def rows(self, found: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer as the driver reads them."""
        self._reader.set_pgresult(found)
        rows: list[tuple[Any, ...]] = self._reader.load_rows(0, found.ntuples, tuple)
        return rows

    def _enter(self) -> None:
        if self._open:
            return
        self._to.enter_pipeline_mode()
        self._open = True
        if self._to.transaction_status == self._pq.TransactionStatus.IDLE:
            self._to.send_query_params(BEGIN, None)
            self._sent.append(Reply(self))

    def _take(self, reply: Reply) -> Exception | None:
        """Give a statement its answer; an error of its own, not of one before it, is returned."""
        found = self._next()
        while self._next() is not None:
            pass
        status = self._pq.ExecStatus
        if found.status in (status.COMMAND_OK, status.TUPLES_OK):
            reply.found = found
            return None
        if reply.made is not None:
            self._prepared.discard(reply.made)
        if found.status == status.PIPELINE_ABORTED:
            return None
        error: Exception = self._errors.error_from_result(found, encoding="utf-8")
        return error

    def _next(self) -> Any:
        while self._to.is_busy():
            self._ready.poll()
            self._to.consume_input()
        return self._to.get_result()

    def _flush(self) -> None:
        """Send what is waiting, and read meanwhile: neither side waits for the other for ever."""
        if self._to.flush() == 0:
            return
        both = select.poll()
        both.register(self._to.socket, select.POLLIN | select.POLLOUT)
        while self._to.flush() != 0:
            for _, ready in both.poll():
                if ready & select.POLLIN:
                    self._to.consume_input()


def _written(value: Any) -> bytes | None:
    """A value as PostgreSQL reads it; bytes go as they are."""
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode()
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
    raise TypeError(f"no such value is sent: {type(value).__name__}")

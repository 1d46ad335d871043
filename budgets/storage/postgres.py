"""PostgreSQL, for several gateways: everything that is said to PostgreSQL alone.

Write transactions run at READ COMMITTED. That is enough because each step of a charge first locks
the row of its ceiling: whatever decides about it is read by later statements, each of which sees
all that was committed before it began, and so all that earlier holders of the lock have done. What
administrators do is serial altogether, by one advisory lock, so that "look, then add" means the
same as in SQLite. Reports read at REPEATABLE READ: one view of everything. Constraints say once
more what admission has decided.

A server that may lose a commit is refused, connection by connection, and the setting of the session
is pinned, so that a later reload of the server's configuration does not change it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoConnection

from budgets.storage.faults import (
    DriverMissing,
    NotAnAddress,
    NotDurable,
    OutcomeUnknown,
    StorageBusy,
)
from budgets.storage.prepared import answered, leave

IDLE = 1.0
"""Seconds after which a connection is tried before it is used again."""

CONNECTIONS = 20
"""The most connections that one process opens."""

ADMINISTRATION, MIGRATION = 0x51_0115, 0x51_0116
"""The advisory locks of administrative acts and of migrations."""

# A statement of a charge is planned once in a session, maybe while its tables are still empty: it
# must not read the whole of them for ever after.
_SESSION = """
SET lock_timeout = '10s';
SET statement_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s';
SET client_encoding = 'UTF8';
SET enable_seqscan = off;
SET jit = off;
SET timezone = 'UTC'
"""
_STANDING = """
SELECT current_setting('synchronous_commit'), current_setting('fsync'),
       current_setting('full_page_writes'), pg_is_in_recovery()::text
"""
_UNSAFE = (
    ("synchronous_commit", "off"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("pg_is_in_recovery", "true"),
)
_KEPT_ALIVE: Mapping[str, Any] = {
    "connect_timeout": 10,
    "application_name": "sluis",
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "prepare_threshold": None,
}

_UNREACHABLE = ("08", "57P", "53300")
"""Connection lost, server stopping or starting, too many connections."""
_STANDBY = "25006"
_TAKES_TOO_LONG = ("55P03", "57014")
_OVERTAKEN = ("40001", "40P01")
"""Serialization failure, deadlock."""
_ADDED_ALREADY = "23505"
"""Somebody else was faster to add a row of that name: whoever looks again finds it."""


class Undone(StorageBusy):
    """The transaction was rolled back through no fault of its own: it may be done again at once."""

    def __init__(self, cause: DBAPIError) -> None:
        super().__init__()
        self.cause = cause


class Postgres:
    """One database on a server, shared by as many gateways as like."""

    embedded = False

    def __init__(self, address: str) -> None:
        self._engine = engine(address)
        self.name = self._engine.url.set(drivername="postgresql").render_as_string()
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def write(self, serial: bool) -> Iterator[Connection]:
        """A write transaction, alone among administrative acts if it is `serial`."""
        repeated = (_STANDBY,) if serial else (_STANDBY, _ADDED_ALREADY)
        with told(*repeated), self._engine.connect() as connection:
            transaction = connection.begin()
            try:
                if serial:
                    connection.execute(select(func.pg_advisory_xact_lock(ADMINISTRATION)))
                    yield connection
                else:
                    with answered(connection):
                        yield connection
                _refuse_failed(connection)
            except BaseException:
                with suppress(DBAPIError):
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                raise _uncertain(error) from error

    def queue(self, ceiling: str) -> str:
        """Steps below one ceiling wait for one row; those below others need not wait for them."""
        return ceiling

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database."""
        with told(), self._reading.connect() as connection, connection.begin():
            yield connection

    def migrating(self, connection: Connection) -> None:
        """Nobody else migrates until this transaction ends, and it may take its time."""
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION)))

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()


def engine(address: str) -> Engine:
    """An engine on the server; it connects when it is used first."""
    try:
        made = create_engine(
            _url(address),
            isolation_level="READ COMMITTED",
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=60,
            connect_args=dict(_KEPT_ALIVE),
        )
    except ModuleNotFoundError:
        raise DriverMissing from None
    event.listen(made, "connect", _connected)
    event.listen(made, "checkin", _put_back)
    event.listen(made, "checkout", _taken)
    event.listen(made, "before_cursor_execute", leave)
    return made


@contextmanager
def told(*repeated: str) -> Iterator[None]:
    """Tell what PostgreSQL says of itself as a fault of ours; errors of statements stay theirs.

    What is in `repeated`, and what the server undid or was no longer there to do, is Undone.
    """
    try:
        yield
    except NoConnection:
        raise StorageBusy from None
    except DBAPIError as error:
        state = _state(error)
        _silence(error, state)
        if state in (*_OVERTAKEN, *repeated) or _unreachable(error, state):
            raise Undone(error) from error
        if state in _TAKES_TOO_LONG:
            raise StorageBusy from error
        raise


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise NotAnAddress from None
    if url.drivername not in {"postgresql", "postgres", "postgresql+psycopg"} or not url.database:
        raise NotAnAddress
    return url.set(drivername="postgresql+psycopg")


def _connected(connection: Any, _record: object) -> None:
    """Refuse a server that could lose a commit, and pin what this session promises."""
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(_SESSION)
        (found,) = cursor.execute(_STANDING).fetchall()
        for (setting, unsafe), value in zip(_UNSAFE, found, strict=True):
            if value == unsafe:
                raise NotDurable(setting, value)
        cursor.execute("SELECT set_config('synchronous_commit', %s, false)", [found[0]])
    connection.autocommit = False


def _put_back(_: Any, record: Any) -> None:
    record.info["idle since"] = monotonic()


def _taken(connection: Any, record: Any, _: object) -> None:
    """Whether a connection that was idle still stands; one that breaks in use is seen there."""
    if monotonic() - record.info.get("idle since", monotonic()) < IDLE:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise InvalidatePoolError from error


def _refuse_failed(connection: Connection) -> None:
    """PostgreSQL answers COMMIT after a failed statement by rolling back, without an error."""
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status.name == "INERROR":
        raise RuntimeError("a statement of this transaction has failed, so none of it is kept")


def _uncertain(error: DBAPIError) -> Exception:
    """What an error of COMMIT means: rolled back for certain, or nobody knows."""
    state = _state(error)
    if state.startswith(("23", "40")) and state != "40003":
        return Undone(error)
    return OutcomeUnknown()


def _silence(error: DBAPIError, state: str) -> None:
    """Leave of an error its class and its code: the server repeats values of rows in its words."""
    told = (f"({type(error.orig).__name__}) {state or 'no code'}",)
    error.args = told
    if error.orig is not None:
        error.orig.args = told


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _unreachable(error: DBAPIError, state: str) -> bool:
    if state in _TAKES_TOO_LONG:
        return False
    silent = not state and type(error.orig).__name__ == "OperationalError"
    return error.connection_invalidated or state.startswith(_UNREACHABLE) or silent

"""Statements that are compiled once and then run on the driver itself.

A charge runs a dozen statements while others wait for the row of its ceiling, so what it costs to
send one matters. SQLAlchemy writes them, types what goes in and what comes out, and keeps the
transaction; only its machinery for one execution is left out.

Within `answered`, a server is sent statements without waiting for answers before one is looked at
(`wire.py`). Answers that nobody looks at are row counts: they are compared with what was expected
before the transaction goes on to its commit.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, LargeBinary, String
from sqlalchemy.exc import DBAPIError

from budgets.storage.wire import Wire

_SESSION = "sluis_session"
_OIDS = ((Boolean, 16), (LargeBinary, 17), (Integer, 20), (String, 25))
"""What PostgreSQL calls the types of values; every whole number is sent as a large one."""
_NUMBER = count()
Values = Mapping[str, Any] | Sequence[Any]
Convert = Callable[[Any], Any]


class Pending:
    """What a transaction has been sent and has not answered yet."""

    __slots__ = ("_connection", "_expected", "_wire")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wire = _session(connection).wire
        self._expected: list[tuple[Any, int, Exception]] = []

    def send(self, compiled: _Compiled, values: Sequence[Any]) -> Any:
        """Send a statement, and wait for no answer."""
        return self._wire.send(compiled.name, compiled.sent, compiled.types, values)

    def expect(self, reply: Any, rows: int, otherwise: Exception) -> None:
        """Compare, once it is known, how many rows a statement changed."""
        self._expected.append((reply, rows, otherwise))

    def depart(self) -> None:
        """Let what was sent leave; its answers are waited for later."""
        self._wire.depart()

    def answered(self) -> None:
        """Wait for all answers; raises what was expected otherwise, the earliest first."""
        try:
            self._wire.answered()
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise _told(self._connection, error) from error
        self.compare()
        self._expected = []

    def compare(self) -> None:
        """Raise what was expected otherwise, as far as there are answers, the earliest first."""
        for reply, rows, otherwise in self._expected:
            if reply.rowcount not in (rows, -1):
                raise otherwise

    def end(self) -> None:
        """Look at no more answers: the transaction has ended, or is about to be undone."""
        with suppress(Exception):
            self._wire.answered()


@contextmanager
def answered(connection: Connection) -> Iterator[None]:
    """Send prepared statements without waiting; all are answered as expected when it ends.

    An embedded database answers at once all the same.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    session, pending = _session(connection), Pending(connection)
    session.pending = pending
    try:
        yield
        pending.answered()
    except DBAPIError:
        pending.end()
        pending.compare()  # what follows from a change that changed nothing is told as that
        raise
    finally:
        session.pending = None
        pending.end()


def leave(connection: Connection, *_: Any) -> None:
    """Wait for all answers before SQLAlchemy itself sends a statement."""
    session: _Session | None = connection.info.get(_SESSION)
    if session is not None and session.pending is not None:
        session.pending.answered()


def depart(tx: Connection) -> None:
    """Let what was sent leave now: a server does it while something else is done here."""
    session = _session(tx)
    if session.pending is not None:
        session.pending.depart()


class Answer:
    """What a statement that was sent has answered, once it is asked for.

    A driver that answers at once is read at once: a statement that is half read would keep what it
    sees of an embedded database, and with it the next transaction from beginning.
    """

    __slots__ = ("_compiled", "_found", "_reply", "_tx")

    def __init__(self, tx: Connection, compiled: _Compiled, reply: Any, known: bool) -> None:
        self._tx, self._compiled, self._reply = tx, compiled, reply
        self._found: list[Any] | None = None
        if known:
            self.plain()

    def rows(self) -> list[Any]:
        """All rows, with a name for each column."""
        read = self._compiled.read
        return [read(row) for row in self.plain()]

    def plain(self) -> list[Any]:
        """All rows as the driver reads them, times as whole microseconds."""
        if self._found is None:
            try:
                self._found = self._reply.fetchall()
            except self._tx.dialect.loaded_dbapi.Error as error:
                raise _told(self._tx, error) from error
        return self._found

    def first(self) -> Any | None:
        """The first row, or None."""
        found = self.plain()
        return self._compiled.read(found[0]) if found else None

    def scalar(self) -> Any:
        """The first column of the first row, or None without one."""
        found = self.first()
        return None if found is None else found[0]


class Prepared:
    """One statement, compiled once for each kind of database.

    `columns` are those that an insertion sets; no value of a statement is a list. Values have
    names; those of a statement with many rows are `placed` one after another, in that order.
    """

    def __init__(self, statement: Any, *columns: str, placed: Sequence[str] = ()) -> None:
        self._statement, self._columns, self._placed = statement, columns or None, placed
        self._compiled: dict[str, _Compiled] = {}

    def send(self, tx: Connection, values: Values) -> Answer:
        """Send the statement; its answer may be looked at later."""
        session, compiled = _session(tx), self._for(tx)
        return Answer(
            tx, compiled, self._sent(tx, session, compiled, values), session.pending is None
        )

    def rows(self, tx: Connection, values: Values) -> list[Any]:
        """Its rows."""
        return self.send(tx, values).rows()

    def first(self, tx: Connection, values: Values) -> Any | None:
        """Its first row, or None."""
        return self.send(tx, values).first()

    def write(self, tx: Connection, values: Values, otherwise: Exception, rows: int = 1) -> None:
        """Change so many rows; where it is another number, `otherwise` is raised, before the
        commit at the latest."""
        session = _session(tx)
        reply = self._sent(tx, session, self._for(tx), values)
        if session.pending is not None:
            session.pending.expect(reply, rows, otherwise)
        elif reply.rowcount != rows:
            raise otherwise

    def run(self, tx: Connection, values: Values) -> None:
        """Change what there is, be it nothing."""
        self._sent(tx, _session(tx), self._for(tx), values)

    def _sent(self, tx: Connection, session: _Session, compiled: _Compiled, values: Values) -> Any:
        """What the driver answers with: a cursor, or a reply that is still to come."""
        try:
            if session.pending is not None:
                return session.pending.send(compiled, compiled.given(values))
            return session.cursor().execute(compiled.sql, compiled.given(values))
        except tx.dialect.loaded_dbapi.Error as error:
            raise _told(tx, error) from error

    def _for(self, tx: Connection) -> _Compiled:
        compiled = self._compiled.get(tx.dialect.name)
        if compiled is None:
            compiled = _compiled(self._statement, self._columns, self._placed, tx.dialect)
            self._compiled[tx.dialect.name] = compiled
        return compiled


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one driver is given it, its values by their places.

    `constants` are values that never change, `writes` and `reads` what turns the value at a place
    into the driver's and back; `name`, `sent` and `types` are what a server prepares it by.
    """

    sql: str
    values: Callable[[Values], tuple[Any, ...]]
    constants: Mapping[str, Any]
    writes: tuple[tuple[int, Convert], ...]
    reads: tuple[tuple[int, Convert], ...]
    row: Any
    name: bytes
    sent: bytes
    types: tuple[int, ...]

    def given(self, values: Values) -> tuple[Any, ...]:
        """The parameters of one execution."""
        given = self.values({**dict(values), **self.constants} if self.constants else values)
        return _converted(given, self.writes) if self.writes else given

    def read(self, row: Sequence[Any]) -> Any:
        """A row of the driver's with our names and types."""
        return self.row._make(_converted(row, self.reads) if self.reads else row)


def _compiled(
    statement: Any, columns: Sequence[str] | None, placed: Sequence[str], dialect: Any
) -> _Compiled:
    if dialect.name == "postgresql":
        dialect = type(dialect)(paramstyle="numeric_dollar")
    made = statement.compile(dialect=dialect, column_keys=columns)
    binds = {name: bind for bind, name in made.bind_names.items()}
    shown = list(getattr(statement, "exported_columns", ()))
    writes = {name: _converts(bind, dialect) for name, bind in binds.items()}
    names = list(made.positiontup)
    return _Compiled(
        sql=made.string,
        values=_picked([placed.index(name) for name in names] if placed else names),
        constants={
            name: _through(writes[name], bind.effective_value)
            for name, bind in binds.items()
            if not bind.required
        },
        writes=tuple(
            (at, convert)
            for at, name in enumerate(names)
            if (convert := writes[name]) and binds[name].required
        ),
        reads=tuple(
            (at, convert)
            for at, column in enumerate(shown)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ),
        row=namedtuple("Row", [column.name for column in shown]),
        name=b"sluis_%d" % next(_NUMBER),
        sent=made.string.encode(),
        types=tuple(_oid(binds[name].type.dialect_impl(dialect)) for name in names),
    )


def _converted(row: Sequence[Any], how: Sequence[tuple[int, Convert]]) -> tuple[Any, ...]:
    """A row whose values at some places are converted, but for those that are missing."""
    found = list(row)
    for at, convert in how:
        if found[at] is not None:
            found[at] = convert(found[at])
    return tuple(found)


def _picked(named: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    if len(named) > 1:
        return itemgetter(*named)
    return lambda values: tuple(values[name] for name in named)


def _converts(bind: Any, dialect: Any) -> Convert | None:
    found: Convert | None = bind.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _oid(kind: Any) -> int:
    kind = getattr(kind, "impl_instance", kind)
    return next((oid for of, oid in _OIDS if isinstance(kind, of)), 0)


def _through(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)


class _Session:
    """What speaks to one connection of the driver's, made once for each.

    `pending` is there while statements are sent without waiting.
    """

    __slots__ = ("_driver", "_kept", "_module", "_wire", "pending")

    def __init__(self, tx: Connection) -> None:
        driver: Any = tx.connection.driver_connection
        embedded = tx.dialect.name == "sqlite"
        self._module: Any = tx.dialect.loaded_dbapi
        self._kept: Any = driver.cursor() if embedded else None
        self._driver = driver
        self._wire: Wire | None = None
        self.pending: Pending | None = None

    def cursor(self) -> Any:
        """What runs a statement at once, given the values by their places.

        One is enough for a driver that answers at once, since its answers are read at once.
        """
        return self._module.RawCursor(self._driver) if self._kept is None else self._kept

    @property
    def wire(self) -> Wire:
        """What speaks to it in pipelines."""
        if self._wire is None:
            self._wire = Wire(self._driver, self._module)
        return self._wire


def _session(tx: Connection) -> _Session:
    found: _Session | None = tx.info.get(_SESSION)
    if found is None:
        found = tx.info[_SESSION] = _Session(tx)
    return found


def _told(tx: Connection, error: Any) -> Exception:
    """An error of the driver as SQLAlchemy tells it, which forgets connections that broke."""
    if tx.dialect.is_disconnect(error, tx.connection, None):
        tx.exec_driver_sql("SELECT 1")  # fails the same way, and is seen by the pool
    told: Exception = DBAPIError.instance(
        None, None, error, tx.dialect.loaded_dbapi.Error, hide_parameters=True, dialect=tx.dialect
    )
    return told

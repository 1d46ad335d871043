"""Statements that are compiled once and then run on the driver itself.

A charge runs a dozen statements while others wait for the row of its ceiling, so what it costs to
send one matters. SQLAlchemy writes them, types what goes in and what comes out, and keeps the
transaction; only its machinery for one execution is left out.

Within `answered`, a server is sent statements without waiting for answers
before one is looked at (libpq's pipeline mode). Answers that nobody looks at are row counts: they
are compared with what was expected before the transaction goes on to its commit.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_PENDING = "sluis_pending"
Values = Mapping[str, Any]
Convert = Callable[[Any], Any]


class Pending:
    """What a transaction has been sent and has not answered yet."""

    __slots__ = ("_connection", "_expected", "_pipeline")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._expected: list[tuple[Any, int, Exception]] = []
        self._pipeline: Any = None

    def pipeline(self) -> None:
        """From now on, wait for no answer."""
        if self._pipeline is None:
            self._pipeline = _driver(self._connection).pipeline()
            self._pipeline.__enter__()

    def expect(self, cursor: Any, rows: int, otherwise: Exception) -> None:
        """Compare, once it is known, how many rows a statement changed."""
        self._expected.append((cursor, rows, otherwise))

    def answered(self) -> None:
        """Wait for all answers; raises what was expected otherwise, the earliest first."""
        with _told(self._connection):
            self._leave()
        self.compare()
        self._expected = []

    def compare(self) -> None:
        """Raise what was expected otherwise, as far as there are answers, the earliest first."""
        for cursor, rows, otherwise in self._expected:
            if cursor.rowcount not in (rows, -1):
                raise otherwise

    def end(self) -> None:
        """Look at no more answers: the transaction has ended, or is about to be undone."""
        with suppress(Exception):
            self._leave()

    def _leave(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.__exit__(None, None, None)


@contextmanager
def answered(connection: Connection) -> Iterator[None]:
    """Send prepared statements without waiting; all are answered as expected when it ends."""
    pending = Pending(connection)
    info = connection.info
    info[_PENDING] = pending
    try:
        yield
        pending.answered()
    except DBAPIError:
        pending.end()
        pending.compare()  # what follows from a change that changed nothing is told as that
        raise
    finally:
        info.pop(_PENDING, None)
        pending.end()


def leave(connection: Connection, *_: Any) -> None:
    """Wait for all answers before SQLAlchemy itself sends a statement."""
    pending = connection.info.get(_PENDING)
    if pending is not None:
        pending.answered()


class Answer:
    """What a statement that was sent has answered, once it is asked for."""

    __slots__ = ("_compiled", "_cursor", "_tx")

    def __init__(self, tx: Connection, compiled: _Compiled, cursor: Any) -> None:
        self._tx, self._compiled, self._cursor = tx, compiled, cursor

    def rows(self) -> list[Any]:
        """All rows, with a name for each column."""
        return [self._compiled.read(row) for row in self.plain()]

    def plain(self) -> list[Any]:
        """All rows as the driver reads them, times as whole microseconds."""
        with _told(self._tx):
            found: list[Any] = self._cursor.fetchall()
        return found

    def first(self) -> Any | None:
        """The first row, or None."""
        return next(iter(self.rows()), None)

    def scalar(self) -> Any:
        """The first column of the first row, or None without one."""
        found = self.first()
        return None if found is None else found[0]


class Prepared:
    """One statement, compiled once for each kind of database.

    `columns` are those that an insertion sets; no value of a statement is a list.
    """

    def __init__(self, statement: Any, *columns: str) -> None:
        self._statement, self._columns = statement, columns or None
        self._compiled: dict[str, _Compiled] = {}

    def send(self, tx: Connection, values: Values) -> Answer:
        """Send the statement; its answer may be looked at later."""
        compiled = self._for(tx)
        pending = tx.info.get(_PENDING)
        if pending is not None:
            pending.pipeline()
        cursor = _driver(tx).cursor()
        with _told(tx):
            cursor.execute(compiled.sql, compiled.given(values))
        return Answer(tx, compiled, cursor)

    def rows(self, tx: Connection, values: Values) -> list[Any]:
        """Its rows."""
        return self.send(tx, values).rows()

    def first(self, tx: Connection, values: Values) -> Any | None:
        """Its first row, or None."""
        return self.send(tx, values).first()

    def write(self, tx: Connection, values: Values, otherwise: Exception, rows: int = 1) -> None:
        """Change so many rows; where it is another number, `otherwise` is raised, before the
        commit at the latest."""
        cursor = self.send(tx, values)._cursor
        pending = tx.info.get(_PENDING)
        if pending is not None:
            pending.expect(cursor, rows, otherwise)
        elif cursor.rowcount != rows:
            raise otherwise

    def run(self, tx: Connection, values: Values) -> None:
        """Change what there is, be it nothing."""
        self.send(tx, values)

    def _for(self, tx: Connection) -> _Compiled:
        compiled = self._compiled.get(tx.dialect.name)
        if compiled is None:
            compiled = _compiled(self._statement, self._columns, tx.dialect)
            self._compiled[tx.dialect.name] = compiled
        return compiled


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one driver is given it.

    `values` are its parameters in order: a name to look up or None, a value that never changes,
    and what turns a value of ours into one of the driver's.
    """

    sql: str
    positional: bool
    values: tuple[tuple[str, bool, Any, Convert | None], ...]
    reads: tuple[tuple[int, Convert], ...]
    row: Any

    def given(self, values: Values) -> Any:
        """The parameters of one execution."""
        found = (
            (name, constant if fixed else _through(convert, values[name]))
            for name, fixed, constant, convert in self.values
        )
        return [value for _, value in found] if self.positional else dict(found)

    def read(self, row: Sequence[Any]) -> Any:
        """A row of the driver's with our names and types."""
        if self.reads:
            row = list(row)
            for at, convert in self.reads:
                row[at] = convert(row[at])
        return self.row._make(row)


def _compiled(statement: Any, columns: Sequence[str] | None, dialect: Any) -> _Compiled:
    made = statement.compile(dialect=dialect, column_keys=columns)
    binds = {name: bind for bind, name in made.bind_names.items()}
    positional = bool(made.positional)
    names = made.positiontup if positional else list(binds)
    shown = list(getattr(statement, "exported_columns", ()))
    return _Compiled(
        sql=made.string,
        positional=positional,
        values=tuple(_value(name, binds[name], dialect) for name in names),
        reads=tuple(
            (at, convert)
            for at, column in enumerate(shown)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ),
        row=namedtuple("Row", [column.name for column in shown]),
    )


def _value(name: str, bind: Any, dialect: Any) -> tuple[str, bool, Any, Convert | None]:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.required:
        return name, False, None, convert
    return name, True, _through(convert, bind.effective_value), None


def _through(convert: Convert | None, value: Any) -> Any:
    return value if convert is None else convert(value)


def _driver(tx: Connection) -> Any:
    return tx.connection.driver_connection


@contextmanager
def _told(tx: Connection) -> Iterator[None]:
    """Tell an error of the driver as SQLAlchemy does, which forgets connections that broke."""
    try:
        yield
    except tx.dialect.loaded_dbapi.Error as error:
        if tx.dialect.is_disconnect(error, tx.connection, None):
            tx.exec_driver_sql("SELECT 1")  # fails the same way, and is seen by the pool
        raise DBAPIError.instance(
            None, None, error, tx.dialect.loaded_dbapi.Error, hide_parameters=True,
            dialect=tx.dialect,
        ) from error  # fmt: skip

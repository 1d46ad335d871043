"""The store: opens the database, brings it to the present schema, and gives out transactions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection, inspect, select, text, update

from budgets.storage import migrations
from budgets.storage.faults import (
    Moved,
    NewerSchema,
    NotMigrated,
    OutcomeUnknown,
    StorageBusy,
)
from budgets.storage.postgres import Postgres, Undone
from budgets.storage.schema import metadata, standing
from budgets.storage.sqlite import Sqlite
from budgets.storage.together import Apart, Outcome, Step, Together

T = TypeVar("T")
Place = Path | str
"""A file, for SQLite, or an address `postgresql://...`."""

PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.0)
"""Seconds between attempts at what was undone: long enough for a server to start again."""


class Storage:
    """One database. What a transaction has written is durable once it returns."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._database = _database(place)
        self._writing = threading.local()
        self._moved: str | None = None
        self._together = Together(self._several)

    @classmethod
    def open(cls, place: Place) -> Storage:
        """The database at this place; a file is made and migrated where needed, a server's is not.

        Several gateways may use a server's database, of which none may change the tables under
        the others: that is an act of its own, `migrate`.
        """
        storage = cls(place)
        try:
            storage._check()
        except BaseException:
            storage.close()
            raise
        return storage

    @classmethod
    def migrated(cls, place: Place) -> Storage:
        """The database at this place, brought to the present schema."""
        storage = cls(place)
        storage._migrate()
        return storage

    @property
    def embedded(self) -> bool:
        """Whether this is a file of one machine, not a server's database."""
        return self._database.embedded

    @property
    def name(self) -> str:
        """Where the database is, without its password."""
        return self._database.name

    @property
    def moved(self) -> str | None:
        """Where the ledger was moved, or None while it lives here."""
        return self._moved

    def seal(self, where: str) -> None:
        """Refuse from now on every change, since the ledger moves to another place."""
        if self._moved not in (None, where):
            raise Moved(self._moved or where)
        if isinstance(self._database, Sqlite):
            with self._database.write(serial=True) as connection:
                connection.execute(update(standing).values(moved=where))
                self._database.sealing(connection, metadata.tables.keys() - {standing.name})
        self._moved = where

    def unseal(self) -> None:
        """Allow changes again: the ledger did not move after all."""
        if isinstance(self._database, Sqlite):
            with self._database.write(serial=True) as connection:
                self._database.unsealing(connection)
                connection.execute(update(standing).values(moved=None))
        self._moved = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed, on disk, when the block ends; undone if it raises.

        Such transactions are serial, on whatever machines they run: what one has read cannot
        change under it.
        """
        with self._alone(), self._database.write(serial=True) as connection:
            yield connection

    def act(
        self, ceiling: str, do: Callable[[Connection], T], done: Callable[[Connection], T | None]
    ) -> T:
        """One step of a charge below a ceiling, which is locked before anything is decided.

        Steps that wait at the same time share a transaction, each as if it had its own. What was
        undone through no fault of its own is done again. Where the connection broke in the midst
        of the commit, `done` first says in a new transaction, under the same lock, what became of
        it: so nothing happens twice. OutcomeUnknown if that cannot be found out.
        """
        doubt: OutcomeUnknown | None = None
        failed = StorageBusy()
        try:
            with self._alone():
                return cast(T, self._together.do(self._database.queue(ceiling), do))
        except OutcomeUnknown as error:
            doubt = error
        except (Undone, Apart):
            pass
        for pause in PAUSES:
            time.sleep(pause)
            try:
                return self._once(do, done if doubt else None)
            except OutcomeUnknown as error:
                doubt = error
            except Undone as error:
                failed = error
        raise doubt or failed

    def waiting(self, ceiling: str) -> int:
        """How many steps below a ceiling wait for the one that is being done."""
        return self._together.waiting(self._database.queue(ceiling))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database; nothing is written."""
        with self._database.read() as connection:
            yield connection

    def beat(self) -> None:
        """Commit something, durably: raises where nothing could be charged."""
        with self._alone(), self._database.write(serial=False) as connection:
            connection.execute(update(standing).values(beats=standing.c.beats + 1))

    def revision(self) -> str | None:
        """The revision that the database stands at, or None if it is empty."""
        with self.read() as connection:
            return revision(connection)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._database.close()

    def _check(self) -> None:
        with self.read() as connection:
            stands = revision(connection)
            if stands == migrations.HEAD:
                self._moved = moved_to(connection)
                return
        if stands is not None and not migrations.known(stands):
            raise NewerSchema(stands)
        if not self.embedded:
            raise NotMigrated(stands)
        self._migrate()

    def _migrate(self) -> None:
        with self.begin() as connection:
            self._database.migrating(connection)
            stands = revision(connection)
            if stands is not None and not migrations.known(stands):
                raise NewerSchema(stands)
            migrations.upgrade(connection)

    def _several(self, steps: Sequence[Step]) -> None:
        """Do steps in one transaction; none of them has an outcome before it is committed."""
        try:
            with self._database.write(serial=False) as connection:
                outcomes = [step.within(connection, len(steps) > 1) for step in steps]
        except Exception as error:  # noqa: BLE001  told to each caller
            known = len(steps) == 1 or isinstance(error, StorageBusy)
            outcomes = [Outcome(error=error if known else Apart()) for _ in steps]
        for step, outcome in zip(steps, outcomes, strict=True):
            step.outcome = outcome

    def _once(
        self, do: Callable[[Connection], T], done: Callable[[Connection], T | None] | None
    ) -> T:
        with self._alone(), self._database.write(serial=False) as connection:
            found = done(connection) if done else None
            return do(connection) if found is None else found

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A thread that writes already is refused, since it would wait for itself."""
        if self._moved is not None:
            raise Moved(self._moved)
        if getattr(self._writing, "now", False):
            raise RuntimeError("this thread has a write transaction open already")
        self._writing.now = True
        try:
            yield
        finally:
            self._writing.now = False


def revision(connection: Connection) -> str | None:
    """The revision that the database stands at, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def moved_to(connection: Connection) -> str | None:
    """Where the ledger was moved, or None while it lives here."""
    return connection.execute(select(standing.c.moved)).scalar()


def _database(place: Place) -> Sqlite | Postgres:
    return Postgres(place) if isinstance(place, str) else Sqlite(place)

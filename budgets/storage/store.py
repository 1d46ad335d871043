"""The store: opens the database, brings it to the present schema, and gives out transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from budgets.storage import migrations, sqlite


class Storage:
    """One database. Write transactions are serial and durable once they return."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = sqlite.Turn()

    @classmethod
    def open(cls, path: Path | str) -> Storage:
        """The database in this file, made and migrated where needed."""
        storage = cls(sqlite.engine(Path(path)))
        storage._migrate()
        return storage

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed, on disk, when the block ends; undone if it raises."""
        with self._writing, self._engine.connect() as plain:
            connection = plain.execution_options(**{sqlite.WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database; nothing is written."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self.read() as connection:
            if revision(connection) == migrations.HEAD:
                return
        with self.begin() as connection:
            migrations.upgrade(connection)


def revision(connection: Connection) -> str | None:
    """The revision that the database stands at, or None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

"""Where the ledger's tests keep their books: a file of SQLite, or a database of PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.budgets.places import Place
from tests.postgres import Server, memory, server

__all__ = ["places", "server"]

Places = Callable[[], Place]
LONG_ON_A_SERVER = {"test_crash"}
"""Suites that make a database for each moment at which a process can die."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A database takes a tenth of a second to make."""
    for item in items:
        module = item.nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py")
        call = getattr(item, "callspec", None)
        if module in LONG_ON_A_SERVER and call and call.params.get("places") == "postgres":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest) -> Iterator[Places]:
    """Makes a place for new books, empty and migrated, as often as it is called.

    Both databases are in memory: a process that is killed loses nothing that it has written.
    """
    if request.param == "sqlite":
        numbers = count()
        with tempfile.TemporaryDirectory(prefix="sluis-books-", dir=memory()) as folder:
            yield lambda: Path(folder) / f"{next(numbers)}.db"
        return
    found: Server = request.getfixturevalue("server")
    with found.databases("blank") as made:
        yield made


@pytest.fixture
def place(places: Places) -> Place:
    """A place for one ledger."""
    return places()

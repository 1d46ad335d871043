"""Which servers and databases are refused, and what a session is pinned to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from budgets.storage import Storage
from budgets.storage.faults import (
    NewerSchema,
    NotAnAddress,
    NotDurable,
    NotMigrated,
    StorageBusy,
)
from tests.budgets.books import blank, ready
from tests.budgets.places import Place, edit
from tests.postgres import Server


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    with server.databases("blank") as made:
        yield made()


def name(address: str) -> str:
    return address.partition("@/")[2].partition("?")[0]


def test_a_server_that_may_lose_a_commit_is_refused(address: str, server: Server) -> None:
    server.do(f"ALTER DATABASE {name(address)} SET synchronous_commit = off")
    with pytest.raises(NotDurable, match="synchronous_commit"):
        Storage.open(address)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_tear_its_pages_is_refused(
    setting: str, address: str, server: Server
) -> None:
    server.do(f"ALTER SYSTEM SET {setting} = off")
    server.do("SELECT pg_reload_conf()")
    try:
        until_it_says(server, setting, "off")
        with pytest.raises(NotDurable, match=setting):
            Storage.open(address)
    finally:
        server.do(f"ALTER SYSTEM RESET {setting}")
        server.do("SELECT pg_reload_conf()")
        until_it_says(server, setting, "on")


def until_it_says(server: Server, setting: str, value: str) -> None:
    for _ in range(1000):
        if server.do(f"SHOW {setting}") == value:
            return
    raise AssertionError(f"{setting} never became {value}")


def test_a_session_keeps_what_it_was_opened_with(address: str, server: Server) -> None:
    storage = Storage.open(address)
    storage.beat()
    server.do(f"ALTER DATABASE {name(address)} SET synchronous_commit = off")
    server.do("ALTER SYSTEM SET synchronous_commit = off")
    server.do("SELECT pg_reload_conf()")
    try:
        until_it_says(server, "synchronous_commit", "off")
        with storage.begin() as tx:
            assert tx.execute(text("SHOW synchronous_commit")).scalar() == "on"
    finally:
        server.do("ALTER SYSTEM RESET synchronous_commit")
        server.do("SELECT pg_reload_conf()")


def test_transactions_are_what_they_are_said_to_be(address: str) -> None:
    storage = Storage.open(address)
    with storage.begin() as tx:
        assert tx.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
        assert tx.execute(text("SHOW lock_timeout")).scalar() == "10s"
    with storage.read() as tx:
        assert tx.execute(text("SHOW transaction_isolation")).scalar() == "repeatable read"
        assert tx.execute(text("SHOW transaction_read_only")).scalar() == "on"


def test_a_server_is_migrated_by_an_act_of_its_own(server: Server) -> None:
    address = server.create()
    try:
        with pytest.raises(NotMigrated, match="empty"):
            Storage.open(address)
        Storage.migrated(address).close()
        Storage.migrated(address).close()
        Storage.open(address).beat()
    finally:
        server.drop(address)


def test_tables_of_a_later_version_are_refused(place: Place) -> None:
    Storage.open(blank(place)).close()
    edit(place, "UPDATE alembic_version SET version_num = '9999'")
    for opening in (Storage.open, Storage.migrated):
        with pytest.raises(NewerSchema, match="9999"):
            opening(place)


def test_a_statement_that_failed_in_silence_fails_the_commit(address: str) -> None:
    """PostgreSQL answers such a COMMIT with a rollback and no error."""
    storage = Storage.open(address)
    with pytest.raises(RuntimeError, match="failed"), storage.begin() as tx, suppress(DataError):
        tx.execute(text("SELECT 1/0"))


@pytest.mark.parametrize(
    "address", ["mysql://a/b", "postgresql://host", "postgresql://h:p:q/b", "a.db"]
)
def test_what_is_no_address_is_not_repeated(address: str) -> None:
    with pytest.raises(NotAnAddress) as refused:
        Storage.open(address)
    assert address not in str(refused.value)


@pytest.mark.slow
def test_a_server_that_is_not_there_is_told_as_out_of_reach(address: str, server: Server) -> None:
    ledger = ready(address)
    server.stop()
    try:
        with pytest.raises(StorageBusy):
            ledger.budget("areas")
        with pytest.raises(StorageBusy):
            Storage.open(address)
    finally:
        server.start()
    assert ledger.budget("areas").remaining.rho > 0

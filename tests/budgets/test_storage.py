"""The store: its file, its settings, its migrations, and what it does when the disk is full."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from budgets.account import Amounts
from budgets.charge import QueryState
from budgets.storage import Storage, accounts, migrations, posting, schema, sqlite
from budgets.storage.faults import StorageBusy
from budgets.storage.migrations.versions import r0019_idempotency
from tests.budgets import invariants
from tests.budgets.books import (
    LATE,
    NOON,
    PROJECT,
    STEP,
    answered,
    blank,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.conftest import Places
from tests.budgets.places import ZERO, Place, looking
from tests.postgres import Server


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.touch(mode=0o666)
    with Storage.open(path).begin() as tx:
        tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
        modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o600}
    assert len(list(tmp_path.iterdir())) == 3


def test_every_connection_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")
    asked = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
    with storage.read() as one, storage.read() as two:
        for tx in (one, two):
            found = [tx.execute(text(f"PRAGMA {name}")).scalar() for name in asked]
            assert found == ["wal", 2, 1, 0]


def test_migrations_make_the_tables_as_they_are_declared(places: Places) -> None:
    migrated, declared = places(), places()
    Storage.open(blank(migrated)).close()
    with looking(declared) as db:
        if not isinstance(declared, Path):
            db.execute(text("DROP SCHEMA public CASCADE"))
            db.execute(text("CREATE SCHEMA public"))
        schema.metadata.create_all(db)
    with looking(migrated) as one, looking(declared) as two:
        assert _tables(one) == _tables(two)
        assert len(_tables(one)) == len(schema.metadata.tables)


def _tables(db: Connection) -> dict[str, object]:
    """Every table as the database itself describes it, in no order."""
    seen = inspect(db)
    about = (
        seen.get_columns, seen.get_check_constraints, seen.get_unique_constraints,
        seen.get_foreign_keys, seen.get_indexes,
    )  # fmt: skip
    return {
        name: [sorted(_told(one) for one in kind(name)) for kind in about]
        + [seen.get_pk_constraint(name)["constrained_columns"]]
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def _told(item: Mapping[str, Any]) -> str:
    kept = {k: str(v).lower() for k, v in item.items() if k not in {"comment", "dialect_options"}}
    return repr(sorted(kept.items()))


def test_the_head_is_the_latest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_keys_of_retries_become_their_members_own(place: Place) -> None:
    ledger = ready(place)
    kept = [ledger.accept(PROJECT, "anna", key, "d" * 64, b"").id for key in ("anna:k", None)]
    storage = Storage.open(place)
    found = []
    for change in (r0019_idempotency.downgrade, r0019_idempotency.upgrade):
        with storage.begin() as tx, Operations.context(MigrationContext.configure(tx)):
            change()
        found.append([ledger.query(PROJECT, id).key for id in kept])
    storage.close()
    assert found == [["k", None], ["anna:k", None]]


def test_two_may_open_an_empty_file_at_once(tmp_path: Path) -> None:
    assert _opened_at_once(lambda: Storage.open(tmp_path / "a.db")) == [0] * 4


def test_a_new_file_is_opened_by_many_at_once(tmp_path: Path) -> None:
    """SQLite does not wait by itself while a new file changes to writing its log ahead."""

    def opened(path: Path) -> int:
        start.wait()
        made = sqlite.engine(path)
        with made.connect() as connection:
            found = connection.exec_driver_sql("SELECT 1").scalar_one()
        made.dispose()
        return int(found)

    with ThreadPoolExecutor(8) as pool:
        for name in range(60):
            start = threading.Barrier(8)
            assert set(pool.map(opened, [tmp_path / f"{name}.db"] * 8)) == {1}


def test_two_may_migrate_an_empty_server_at_once(server: Server) -> None:
    address = server.create()
    try:
        assert _opened_at_once(lambda: Storage.migrated(address)) == [0] * 4
    finally:
        server.drop(address)


def _opened_at_once(opening: Callable[[], Storage]) -> list[int]:
    start = threading.Barrier(4)

    def members() -> int:
        start.wait()
        with opening().read() as tx:
            return len(tx.execute(select(schema.member)).all())

    with ThreadPoolExecutor(4) as pool:
        return [job.result() for job in [pool.submit(members) for _ in range(4)]]


def test_a_write_within_a_write_is_refused_at_once(place: Place) -> None:
    storage = Storage.open(blank(place))
    with storage.begin(), pytest.raises(RuntimeError, match="already"), storage.begin():
        pass
    with storage.begin():
        pass


def test_a_failed_block_leaves_nothing(place: Place) -> None:
    storage = Storage.open(blank(place))

    def failing() -> None:
        with storage.begin() as tx:
            tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    with storage.read() as tx:
        assert tx.execute(select(schema.member)).all() == []


def test_administrators_look_and_then_add(place: Place) -> None:
    """What a serial transaction has read does not change under it, whoever else writes."""
    storages = [Storage.open(blank(place)) for _ in range(4)]
    start = threading.Barrier(4)

    def add(storage: Storage) -> bool:
        start.wait()
        with storage.begin() as tx:
            if tx.execute(select(schema.member)).first() is not None:
                return False
            tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
            return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, storages)) == [False, False, False, True]


def test_a_report_sees_one_moment(place: Place) -> None:
    storage = Storage.open(blank(place))
    with storage.read() as tx:
        assert tx.execute(select(schema.member)).all() == []
        with storage.begin() as other:
            other.execute(insert(schema.member).values(id="m", name="M", created=NOON))
        assert tx.execute(select(schema.member)).all() == []


def test_a_report_writes_nothing(server: Server) -> None:
    with server.databases("blank") as made:
        storage = Storage.open(made())
        with pytest.raises(DatabaseError), storage.read() as tx:
            tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))


def test_times_keep_their_zone(place: Place) -> None:
    storage = Storage.open(blank(place))
    with storage.begin() as tx:
        tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
        assert tx.execute(select(schema.member.c.created)).scalar() == NOON
    with pytest.raises(ValueError, match="zone"):
        schema.Moment.written(datetime(2026, 3, 1))


def test_a_beat_is_a_commit(place: Place) -> None:
    storage = Storage.open(blank(place))
    storage.beat()
    storage.beat()
    with looking(place) as db:
        assert db.execute(text("SELECT id, beats FROM standing")).all() == [(1, 2)]


TWICE = (
    "INSERT INTO charge SELECT id + 1, query, delivery, state, deadline, 1, 1, 1, '', '' "
    "FROM charge"
)
DOUBLED = (
    "INSERT INTO stage SELECT id + 1, project, digest, charge, scales, family, delta, state, NULL, "
    "'[]', false FROM stage"
)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE account SET spent_rho = cap_rho + 1",
        "UPDATE account SET reserved_rho = -1",
        "UPDATE account SET reserved_delta = 1, spent_delta = cap_delta",
        "UPDATE account SET allocated_rho = cap_rho + 1",
        "UPDATE account SET head = NULL",
        "UPDATE account SET kind = 'other'",
        "UPDATE query SET state = 'other'",
        "UPDATE stage SET document = :zero",
        "DELETE FROM project",
        TWICE,
        DOUBLED,
    ],
)
def test_the_database_itself_refuses(place: Place, sql: str) -> None:
    reserved(ready(place))
    storage = Storage.open(place)
    with pytest.raises(IntegrityError), storage.begin() as tx:
        tx.execute(text(sql), ZERO if ":zero" in sql else {})
    invariants.hold(place)


def test_errors_of_the_database_show_no_values(place: Place) -> None:
    storage = Storage.open(blank(place))
    secret = {"id": "m", "name": "secret", "created": NOON}
    twice = [secret, secret]
    with pytest.raises(DatabaseError) as failed, storage.begin() as tx:
        tx.execute(insert(schema.member), twice)
    assert "secret" not in str(failed.value)
    assert "(m)" not in str(failed.value)
    assert "(m)" not in str(failed.value.orig)


def test_a_full_disk_at_settlement_keeps_the_charge(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    ready(path)

    def full(connection: object, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[attr-defined]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # type: ignore[attr-defined]

    event.listen(Engine, "connect", full)
    try:
        ledger = opened(path)
        charge = reserved(ledger)
        ledger.started(charge)
        with pytest.raises(OperationalError, match="full"):
            ledger.settle(charge, bytes(100_000), tables(charge))
    finally:
        event.remove(Engine, "connect", full)
    invariants.hold(path)
    later = opened(path)
    assert later.query(PROJECT, charge.query).state is QueryState.RUNNING
    assert later.recover(LATE) == (charge.query,)
    assert invariants.taken(path) == STEP
    invariants.hold(path)


def impatient(connection: Connection) -> None:
    connection.connection.driver_connection.execute("PRAGMA busy_timeout = 300")  # type: ignore[union-attr]


def test_a_locked_file_is_waited_for_and_then_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    event.listen(Engine, "engine_connect", impatient)
    try:
        ledger = ready(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageBusy):
                reserved(ledger)
        assert invariants.taken(path) == 0
        reserved(ledger)
    finally:
        event.remove(Engine, "engine_connect", impatient)
    invariants.hold(path)


@pytest.mark.parametrize("part", ["rho", "delta", "epsilon"])
def test_a_posting_that_does_not_fit_changes_nothing(place: Place, part: str) -> None:
    """Were admission ever wrong, the conditional update would still refuse."""
    ledger = ready(place)
    answered(ledger, stage("a"))
    reserved(ledger)
    with Storage.open(place).begin() as tx:
        project = accounts.of_dataset(tx, "mobility")[1]
        over = getattr(project.remaining, part) + 1
        for act in (posting.reserve, posting.give_back, posting.spend, posting.resume):
            with pytest.raises(accounts.Overdrawn):
                act(tx, {project.id: Amounts(**{part: over})})
        assert accounts.of_dataset(tx, "mobility")[1] == project

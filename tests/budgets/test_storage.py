"""The store: its file, its settings, its migrations, and what it does when the disk is full."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, insert, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from budgets.account import Amounts
from budgets.charge import QueryState
from budgets.storage import Storage, accounts, migrations, schema
from tests.budgets import invariants
from tests.budgets.books import LATE, NOON, PROJECT, STEP, opened, ready, reserved, tables


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


def test_migrations_make_the_tables_as_they_are_declared(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")
    plain = create_engine(f"sqlite:///{tmp_path / 'b.db'}")
    schema.metadata.create_all(plain)
    query = text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%' AND sql > ''")
    with storage.read() as one, plain.connect() as two:
        migrated = {row.name: _words(row.sql) for row in one.execute(query)}
        declared = {row.name: _words(row.sql) for row in two.execute(query)}
    plain.dispose()
    assert migrated == declared
    assert len(declared) > 15


def _words(sql: str) -> list[str]:
    """A statement's parts, in no order: alembic lists constraints in an order of its own."""
    return sorted(part.strip(" ,") for part in sql.replace("\t", "").splitlines())


def test_the_head_is_the_latest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_two_may_open_an_empty_file_at_once(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def members() -> int:
        start.wait()
        with Storage.open(tmp_path / "a.db").read() as tx:
            return len(tx.execute(select(schema.member)).all())

    with ThreadPoolExecutor(4) as pool:
        assert [job.result() for job in [pool.submit(members) for _ in range(4)]] == [0] * 4


def test_a_write_within_a_write_is_refused_at_once(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")
    with storage.begin(), pytest.raises(RuntimeError, match="already"), storage.begin():
        pass
    with storage.begin():
        pass


def test_a_failed_block_leaves_nothing(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")

    def failing() -> None:
        with storage.begin() as tx:
            tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    with storage.read() as tx:
        assert tx.execute(select(schema.member)).all() == []


def test_times_keep_their_zone(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")
    with storage.begin() as tx:
        tx.execute(insert(schema.member).values(id="m", name="M", created=NOON))
        assert tx.execute(select(schema.member.c.created)).scalar() == NOON
    with pytest.raises(ValueError, match="zone"):
        schema.Moment.written(datetime(2026, 3, 1))


DOUBLED = (
    "INSERT INTO stage SELECT NULL, project, digest, charge, scales, family, delta, state, NULL "
    "FROM stage"
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
        "UPDATE stage SET document = x'00'",
        "DELETE FROM project",
        "INSERT INTO charge SELECT NULL, query, delivery, state, deadline, 1, 1, 1 FROM charge",
        DOUBLED,
    ],
)
def test_the_database_itself_refuses(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "a.db"
    reserved(ready(path))
    storage = Storage.open(path)
    with pytest.raises(IntegrityError), storage.begin() as tx:
        tx.execute(text(sql))
    invariants.hold(path)


def test_errors_of_the_database_show_no_values(tmp_path: Path) -> None:
    storage = Storage.open(tmp_path / "a.db")
    secret = {"id": "m", "name": "secret", "created": NOON}
    twice = [secret, secret]
    with pytest.raises(DatabaseError) as failed, storage.begin() as tx:
        tx.execute(insert(schema.member), twice)
    assert "secret" not in str(failed.value)


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


@pytest.mark.parametrize("part", ["rho", "delta", "epsilon"])
def test_a_posting_that_does_not_fit_changes_nothing(tmp_path: Path, part: str) -> None:
    """Were admission ever wrong, the conditional update would still refuse."""
    path = tmp_path / "a.db"
    reserved(ready(path))
    with Storage.open(path).begin() as tx:
        project = accounts.of_dataset(tx, "mobility")[1]
        over = getattr(project.remaining, part) + 1
        for act in (accounts.reserve, lambda tx, which, by: accounts.give_back(tx, {which: by})):
            with pytest.raises(accounts.Overdrawn):
                act(tx, project.id, Amounts(**{part: over}))
        assert accounts.of_dataset(tx, "mobility")[1] == project

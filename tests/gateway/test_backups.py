"""Backups: taken under load, put back after a kill, and never where that forgets a charge."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from budgets.ledger import Ledger
from budgets.refusals import BudgetExceeded
from budgets.storage import Storage
from gateway.audit.checkpoints import read_all
from gateway.audit.signing import Signer, public_key
from gateway.backups import BackupForgets, BackupUnusable, NotABackup, back_up, restore
from gateway.home import Home
from tests.audit.books import Books, full
from tests.budgets.books import DATASET, LATE, PROJECT, stage
from tests.budgets.conftest import place, places, server
from tests.budgets.places import Place
from tests.gateway.running import COUNT, make_home, running, start
from tests.gateway.test_cli import sluis

__all__ = ["place", "places", "server"]


@pytest.fixture
def books(tmp_path: Path, place: Place) -> Books:
    """Books on either database, with a checkpoint of all there is."""
    made = full(tmp_path / "home", place)
    made.checkpoints.take(keep=True)
    return made


def public(books: Books) -> list[Ed25519PublicKey]:
    """The key that signs for these books."""
    return [public_key(Signer(books.home).public)]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Home:
    return Home(tmp_path / "elsewhere").prepare()


def intact(path: Path | str) -> Ledger:
    storage = Storage.open(path)
    ledger = Ledger(storage, clock=lambda: LATE)
    assert ledger.verify(DATASET).intact
    return ledger


def test_a_backup_restores_what_was_there(
    books: Books, elsewhere: Home, tmp_path: Path, places: Callable[[], Place]
) -> None:
    kept = [books.checkpoints.now()]
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    there = places()
    found = restore(elsewhere, there, tmp_path / "b", kept, trusted=public(books))
    assert found.chains[f"dataset:{DATASET}"] == kept[0].statement["chains"][
        f"dataset:{DATASET}"
    ]["length"]  # fmt: skip
    after = intact(there)
    assert after.budget(PROJECT) == books.ledger.budget(PROJECT)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700
    assert not (tmp_path / "b" / "keys").exists()
    assert elsewhere.open_places() == []


def test_an_old_backup_is_refused_by_the_homes_own_checkpoint(books: Books, tmp_path: Path) -> None:
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    books.ask("later")
    books.checkpoints.take(keep=False)
    shutil.rmtree(tmp_path / "gone", ignore_errors=True)
    with pytest.raises(BackupForgets):
        restore(books.home, tmp_path / "new.db", tmp_path / "b", [])


def test_an_old_backup_is_refused_by_a_checkpoint_kept_elsewhere(
    books: Books, elsewhere: Home, tmp_path: Path
) -> None:
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    books.ask("later")
    kept = [books.checkpoints.now()]
    with pytest.raises(BackupForgets):
        restore(elsewhere, elsewhere.database, tmp_path / "b", kept, trusted=public(books))
    assert not elsewhere.database.exists()


def test_a_checkpoint_that_no_known_key_signed_shows_nothing(
    books: Books, elsewhere: Home, tmp_path: Path
) -> None:
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    now = books.checkpoints.now()
    altered = replace(now, statement={**now.statement, "chains": {}})
    for given, keys in ((altered, public(books)), (now, [])):
        with pytest.raises(BackupUnusable, match="signed by no key"):
            restore(elsewhere, elsewhere.database, tmp_path / "b", [given], trusted=keys)
    assert not elsewhere.database.exists()


def test_an_old_backup_is_refused_by_the_ledger_that_stands_there(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home").prepare()
    books = full(home.root, home.database)
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    books.ask("later")
    with pytest.raises(BackupForgets):
        restore(home, home.database, tmp_path / "b", [])
    assert intact(home.database).budget(PROJECT) == books.ledger.budget(PROJECT)


def test_where_nothing_tells_what_was_charged_it_is_refused(
    books: Books, elsewhere: Home, tmp_path: Path
) -> None:
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    with pytest.raises(BackupForgets, match="Nothing shows"):
        restore(elsewhere, elsewhere.database, tmp_path / "b", [])


def test_spending_the_rest_leaves_nothing_to_spend_twice(
    books: Books, elsewhere: Home, tmp_path: Path
) -> None:
    back_up(books.home, books.storage, tmp_path / "b", keys=False)
    books.ask("later")
    kept = [books.checkpoints.now()]
    restore(elsewhere, elsewhere.database, tmp_path / "b", kept, spend_rest=True)
    after = intact(elsewhere.database)
    left = after.ceiling(DATASET).remaining
    assert (left.rho, left.delta) == (0, 0)
    from tests.budgets.books import reserved

    with pytest.raises(BudgetExceeded):
        reserved(after, stage("more"))


def test_a_damaged_or_unfinished_backup_is_none(
    books: Books, elsewhere: Home, tmp_path: Path
) -> None:
    kept = [books.checkpoints.now()]
    folder = tmp_path / "b"
    back_up(books.home, books.storage, folder, keys=True)
    told = (folder / "backup.json").read_bytes()
    (folder / "backup.json").unlink()
    with pytest.raises(NotABackup):
        restore(elsewhere, elsewhere.database, folder, kept)
    (folder / "backup.json").write_bytes(told)
    (folder / "keys" / "signing").write_bytes(b"0" * 32)
    with pytest.raises(NotABackup):
        restore(elsewhere, elsewhere.database, folder, kept)
    with pytest.raises(BackupUnusable, match="not empty"):
        back_up(books.home, books.storage, folder, keys=False)


def _refused(folder: Path, home: Path) -> str:
    """Why a backup is not restored, once the workers of a killed server have let the home go."""
    end = time.monotonic() + 30
    while True:
        told = sluis("restore", str(folder), "--json", SLUIS_HOME=str(home))
        code = str(json.loads(told.stdout)["code"])
        if code != "home-in-use" or time.monotonic() > end:
            return code
        time.sleep(0.2)


@pytest.mark.slow
def test_a_running_gateway_is_backed_up_killed_and_restored(tmp_path: Path) -> None:
    """Charges run on while it is copied; the copy agrees with itself, and serves again."""
    home, folder = tmp_path / "home", tmp_path / "b"
    keys = make_home(home)
    gateway = start(home, keys)
    stop = threading.Event()

    def load() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            sql = COUNT.replace("GROUP", f"WHERE cost < {number} GROUP")
            gateway.query(sql, budget_share="0.1%")

    asking = [threading.Thread(target=load) for _ in range(3)]
    for one in asking:
        one.start()
    told = sluis("backup", str(folder), "--with-keys", "--json", SLUIS_HOME=str(home))
    stop.set()
    for one in asking:
        one.join()
    gateway.process.kill()
    gateway.process.wait(30)
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)["keys"] is True

    point = tmp_path / "point"
    point.write_text(json.dumps(json.loads((folder / "backup.json").read_text())["checkpoint"]))
    assert _refused(folder, home) == "backup-forgets"
    new = tmp_path / "new"
    words = ("restore", str(folder), "--checkpoint", str(point))
    assert sluis(*words, SLUIS_HOME=str(new)).returncode == 0
    with running(new, keys) as again:
        assert again.ask("GET", "/v1/projects/p/budget").status == 200
        assert again.query(COUNT).status == 201
        verified = sluis("ledger", "verify", "--json", SLUIS_HOME=str(new))
        assert all(one["intact"] for one in json.loads(verified.stdout))
        acts = again.ask("GET", "/v1/audit?limit=1000", key="auditor").json["entries"]
    assert {"home.backed-up", "home.restored"} <= {one["act"] for one in acts}
    assert list(read_all((new / "checkpoints").read_text().splitlines()))


@pytest.mark.slow
def test_no_home_is_restored_under_a_running_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home)):
        assert sluis("backup", str(tmp_path / "b"), SLUIS_HOME=str(home)).returncode == 0
        told = sluis("restore", str(tmp_path / "b"), "--json", SLUIS_HOME=str(home))
        assert json.loads(told.stdout)["code"] == "home-in-use"

"""`sluis doctor` finds what is wrong and says what to do."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.audit.checkpoints import Checkpoints, LedgerForgets
from gateway.audit.signing import Signer
from gateway.audit.succession import rotate
from gateway.diagnosis import Finding, diagnose
from gateway.home import Home
from gateway.record import Record
from gateway.settings import load
from tests.budgets.places import edit
from tests.gateway.running import make_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    make_home(place)
    return place


def problems(home: Path) -> list[Finding]:
    return [found for found in diagnose(load(home=str(home))) if not found.ok]


def test_a_sound_home_has_no_problem(home: Path) -> None:
    found = diagnose(load(home=str(home)))
    assert all(one.ok for one in found), [one for one in found if not one.ok]
    checks = {one.check for one in found}
    assert {"home", "database", "ledger", "delivery", "worker", "disk", "clock", "opendp"} <= checks


def test_open_modes_and_broken_seals_are_found(home: Path) -> None:
    (home / "keys" / "unit").chmod(0o644)
    (manifest,) = (home / "deliveries").glob("*/manifest.yaml")
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes() + b"# edited\n")
    found = problems(home)
    assert {one.check for one in found} == {"home", "delivery"}
    assert all(one.do for one in found)


@pytest.mark.parametrize("table", ["act", "entry"])
def test_a_database_that_forgets_is_found_without_a_server(home: Path, table: str) -> None:
    storage = Storage.open(home / "sluis.db")
    Checkpoints(Home(home), storage, Signer(Home(home))).take(keep=True)
    storage.close()
    assert not problems(home)
    edit(home / "sluis.db", f"DELETE FROM {table} WHERE number = (SELECT MAX(number) FROM {table})")
    (found,) = [one for one in problems(home) if one.check == "record"]
    assert found.says.startswith("ledger-forgets: ")
    assert found.do == LedgerForgets.hint


def test_a_database_from_before_the_last_charge_is_found(home: Path, tmp_path: Path) -> None:
    """The restore by hand that would forget: an older copy in the place of the database."""
    older = tmp_path / "older.db"
    shutil.copyfile(home / "sluis.db", older)
    storage = Storage.open(home / "sluis.db")
    Ledger(storage).allocate("p", Fraction(1), None, "root", "more")
    Checkpoints(Home(home), storage, Signer(Home(home))).take(keep=False)
    storage.close()
    for file in home.glob("sluis.db*"):
        file.unlink()
    shutil.copyfile(older, home / "sluis.db")
    (home / "sluis.db").chmod(0o600)
    assert [one.says.partition(":")[0] for one in problems(home)] == ["ledger-forgets"]


def test_a_key_that_was_replaced_is_found(home: Path) -> None:
    storage, secret = Storage.open(home / "sluis.db"), home / "keys" / "signing"
    before = Signer(Home(home)), secret.read_bytes()
    rotate(Home(home), storage, Record(storage))
    storage.close()
    assert not problems(home)
    secret.write_bytes(before[1])
    (found,) = problems(home)
    assert found.says.startswith("signing-key-retired: ")


def test_a_home_that_is_not_there_is_said(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "none")
    assert found.check == "home"

"""`sluis doctor` finds what is wrong and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.diagnosis import Finding, diagnose
from gateway.settings import load
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


def test_a_home_that_is_not_there_is_said(tmp_path: Path) -> None:
    (found,) = problems(tmp_path / "none")
    assert found.check == "home"

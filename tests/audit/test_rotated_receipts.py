"""Receipts across a change of the signing key: signed before and checked after, and the reverse."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.booked import charged
from gateway.audit.proving import prove
from gateway.audit.signing import Signer, public_key
from gateway.home import Home
from tests.gateway.running import COUNT, make_home, running
from tests.gateway.test_cli import sluis

AFTER = COUNT.replace("GROUP", "WHERE cost < 50 GROUP")
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Rotated:
    """A release of before the change, two of after it, and what an auditor is given.

    The last one is `free`: the first is served again.
    """

    before: Path
    after: Path
    free: Path
    manifest: Path
    export: Path
    old: str
    new: str
    thief: Signer

    def says(self, release: Path, key: str, *more: str) -> tuple[int, str]:
        """What `sluis receipt verify` says of it to who was given that key."""
        words = ("receipt", "verify", str(release), "--manifest", str(self.manifest))
        told = sluis(*words, "--public-key", key, *more)
        return told.returncode, told.stdout

    def with_export(self, release: Path, key: str) -> tuple[int, str]:
        return self.says(release, key, "--audit", str(self.export))


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Rotated:
    folder = tmp_path_factory.mktemp("rotated")
    home = folder / "home"
    keys = make_home(home)
    place, files = (
        {"SLUIS_HOME": str(home)},
        [folder / name for name in ("before", "after", "free")],
    )
    with running(home, keys) as gateway:
        files[0].write_bytes(gateway.query(COUNT, epsilon="0.1").body)
    thief = Signer(Home(home))
    told = sluis("audit", "rotate", **place)
    assert told.returncode == 0, told.stderr
    with running(home, keys) as gateway:
        files[1].write_bytes(gateway.query(AFTER, epsilon="0.1").body)
        files[2].write_bytes(gateway.query(COUNT, epsilon="0.05").body)
    export = folder / "export"
    assert sluis("audit", "export", str(export), **place).returncode == 0
    manifest = folder / "home-sources-visits" / "visits.yaml"
    return Rotated(*files, manifest, export, thief.public, Signer(Home(home)).public, thief)


def test_each_receipt_holds_by_the_key_that_signed_it(rotated: Rotated) -> None:
    assert rotated.old != rotated.new
    assert rotated.says(rotated.before, rotated.old) == (0, "yes\n")
    assert rotated.says(rotated.after, rotated.new) == (0, "yes\n")


def test_the_other_key_alone_says_no_and_with_the_export_yes(rotated: Rotated) -> None:
    """The export carries the change, signed by both: one key leads to the other, either way."""
    assert json.loads(rotated.free.read_bytes())["receipt"]["statement"]["position"] is None
    assert rotated.with_export(rotated.free, rotated.new) == (0, "yes\n")
    for release, other in ((rotated.before, rotated.new), (rotated.after, rotated.old)):
        code, told = rotated.says(release, other)
        assert code != 0
        assert "The signature is not that of the given key." in told
        for key in (rotated.old, rotated.new):
            assert rotated.with_export(release, key) == (0, "yes\n")


def test_what_the_old_key_signs_of_a_later_charge_is_not_believed(
    rotated: Rotated, tmp_path: Path
) -> None:
    """The very statement that the new key signed, too; of an earlier charge it is believed.

    What cost nothing is as late as its settlement.
    """
    later = (rotated.after, False), (rotated.free, False)
    for release, believed in ((rotated.before, True), *later):
        whole: dict[str, Any] = json.loads(release.read_bytes())
        statement = dict(whole["receipt"]["statement"])
        kind, _ = statement.pop("kind"), statement.pop("version")
        whole["receipt"] |= rotated.thief.sign(kind, **statement).document()
        forged = tmp_path / "forged"
        forged.write_text(json.dumps(whole))
        for key in (rotated.old, rotated.new):
            code, told = rotated.with_export(forged, key)
            assert (code == 0) is believed
            assert believed or "a key that had been replaced by the time" in told


def test_an_export_of_before_knows_of_no_change(rotated: Rotated) -> None:
    """Who holds the lines up to the change alone believes the old key, and no other."""
    lines = rotated.export.read_bytes().splitlines(keepends=True)
    after = json.loads(rotated.after.read_bytes())
    manifest = rotated.manifest.read_bytes()
    known = [public_key(rotated.old)]
    assert prove(after, manifest, known)
    cut = [line for line in lines if b"signing.rotated" not in line]
    assert charged(after, cut, known), "a line that was left out is found"

"""Keys of several gateways, and keys that give way to others: who is believed, and until when."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gateway.audit.books import Books as Opened
from gateway.audit.checkpoints import Checkpoints, kept
from gateway.audit.signing import Signed, Signer, public_key
from gateway.audit.succession import NEXT, KeyRetired, rotate, signer
from gateway.audit.verifying import Verdict, verify
from gateway.home import Home, HomeInUse, take_lock
from gateway.record import Deed
from tests.audit.books import Books, full
from tests.budgets.books import PROJECT
from tests.budgets.places import Place


@pytest.fixture
def books(tmp_path: Path, place: Place) -> Books:
    return full(tmp_path / "home", place)


class Other:
    """Another gateway on the same database, with a home of its own."""

    def __init__(self, root: Path, books: Books) -> None:
        self.home = Home(root).prepare()
        self.signer = Signer(self.home)
        self.checkpoints = Checkpoints(self.home, books.storage, self.signer)


def judged(lines: list[bytes], *keys: str, kept: list[Signed] | None = None) -> Verdict:
    return verify(lines, [public_key(one) for one in keys], kept or [])


def rotated(books: Books) -> tuple[str, str]:
    """The key of some books rotated, which go on with the new one."""
    found = rotate(books.home, books.storage, books.record)
    books.signer = signer(books.home, books.storage)
    books.checkpoints = Checkpoints(books.home, books.storage, books.signer)
    return found


def test_checkpoints_of_several_gateways_are_believed_by_all_their_keys(
    books: Books, tmp_path: Path
) -> None:
    other = Other(tmp_path / "other", books)
    other.checkpoints.take(keep=True)
    books.ask("c")
    other.checkpoints.take(keep=True)
    stranger = Other(tmp_path / "stranger", books).checkpoints.now()
    lines, theirs = books.export(), list(kept(other.home))
    both = books.signer.public, other.signer.public
    found = judged(lines, *both, kept=theirs)
    assert found.findings == ()
    assert found.checkpoints == 4
    assert (
        judged(lines, both[0], kept=theirs).findings
        == ("A checkpoint that was given is not signed with the given key.",) * 2
    )
    assert not judged(lines, both[1], kept=theirs).intact
    assert not judged(lines, *both, kept=[*theirs, stranger]).intact
    assert not judged(lines).intact


def test_an_export_by_another_gateway_is_believed_by_its_key_alone(
    books: Books, tmp_path: Path
) -> None:
    other = Other(tmp_path / "other", books)
    books.home, books.signer = other.home, other.signer
    lines = books.export()
    assert judged(lines, other.signer.public).intact
    assert not judged(lines, Signer(Home(tmp_path / "home")).public).intact


@pytest.mark.parametrize("times", [1, 3])
def test_an_export_verifies_across_a_change_by_any_of_the_keys(books: Books, times: int) -> None:
    keys = [books.signer.public]
    for _ in range(times):
        old, new = rotated(books)
        assert old == keys[-1]
        keys.append(new)
        books.ask(new)
        books.checkpoints.take(keep=True)
    assert len(set(keys)) == times + 1
    lines = books.export()
    for key in keys:
        found = judged(lines, key)
        assert found.findings == ()
        assert len(found.keys) == times + 1
    stranger = Signer(Home(books.home.root / "stranger").prepare()).public
    assert not judged(lines, stranger).intact


def test_what_a_replaced_key_signs_afterwards_is_not_believed(books: Books) -> None:
    """Not even by who was given that key, and whatever date it gives."""
    stolen = books.signer
    before = Checkpoints(books.home, books.storage, stolen).now()
    rotated(books)
    after = Checkpoints(books.home, books.storage, stolen).now()
    told = {name: one for name, one in after.statement.items() if name != "at"}
    dated = stolen.sign(at=0, **told)
    books.record.told(Deed.KEY_MADE, PROJECT, new="another", member="anna")
    later = Checkpoints(books.home, books.storage, stolen).now()
    lines = books.export()
    assert judged(lines, stolen.public, kept=[before]).intact
    for one in (after, dated, later):
        assert not judged(lines, stolen.public, kept=[one]).intact
    books.signer = stolen
    findings = judged(books.export(), stolen.public).findings
    assert "The closing signature is not that of the given key." in findings


def test_a_succession_that_one_of_the_keys_did_not_sign_is_found(books: Books) -> None:
    thief = Signer(Home(books.home.root / "thief").prepare())
    named = {"old": books.signer.public, "new": thief.public}
    by_new = thief.sign("succession", **named).signature
    books.record.told(Deed.SIGNING_ROTATED, **named, by_old=by_new, by_new=by_new)
    findings = judged(books.export(), books.signer.public).findings
    assert any("not one that an export has there" in one for one in findings)


def test_a_change_that_was_cut_off_is_finished_or_forgotten(books: Books) -> None:
    secret = books.home.keys / "signing"
    before = secret.read_bytes()
    Signer(books.home, NEXT)
    assert signer(books.home, books.storage).public == books.signer.public
    _, new = rotated(books)
    after = secret.read_bytes()
    (books.home.keys / NEXT).write_bytes(after)
    secret.write_bytes(before)
    assert signer(books.home, books.storage).public == new
    assert secret.read_bytes() == after
    assert sorted(path.name for path in books.home.keys.iterdir()) == ["signing"]


def test_a_replaced_key_that_comes_back_signs_nothing(books: Books) -> None:
    before = (books.home.keys / "signing").read_bytes()
    rotated(books)
    (books.home.keys / "signing").write_bytes(before)
    with pytest.raises(KeyRetired):
        signer(books.home, books.storage)
    (books.home.keys / "signing").unlink()
    fresh = signer(books.home, books.storage)
    assert fresh.public not in json.dumps([str(line) for line in books.export()])


def test_no_key_changes_under_a_running_server(books: Books) -> None:
    lock = take_lock(books.home)
    with pytest.raises(HomeInUse):
        rotate(books.home, books.storage, books.record)
    os.close(lock)
    rotate(books.home, books.storage, books.record)


def test_no_key_changes_under_a_server_that_shares_it(books: Books, tmp_path: Path) -> None:
    """Homes of several gateways may have one folder of keys between them."""
    second = tmp_path / "second"
    second.mkdir(mode=0o700)
    (second / "keys").symlink_to(books.home.keys)
    other = Opened(Home(second).prepare(), books.storage, 3600)
    assert other.signer.public == books.signer.public
    with pytest.raises(HomeInUse):
        rotate(books.home, books.storage, books.record)
    other.close()
    _, new = rotate(books.home, books.storage, books.record)
    again = Opened(Home(second), books.storage, 3600)
    assert again.signer.public == new
    again.close()

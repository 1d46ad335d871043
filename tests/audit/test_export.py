"""An export is checked with a public key alone, and whatever was done to it is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from budgets.chain import GENESIS, canonical
from gateway.audit import checkpoints
from gateway.audit.signing import NotAKey, Signer, public_key
from gateway.audit.verifying import Verdict, verify
from gateway.home import Home
from tests.audit.books import Books, full
from tests.budgets.books import DATASET, NOON, PROJECT, STEP, asked, claim, opened, reserved, stage
from tests.budgets.invariants import PARTS
from tests.budgets.places import Place, edit, looking


@pytest.fixture
def books(tmp_path: Path, place: Place) -> Books:
    return full(tmp_path / "home", place)


def judged(books: Books, lines: list[bytes]) -> Verdict:
    return verify(lines, [public_key(books.signer.public)])


def test_what_was_exported_is_intact(books: Books) -> None:
    found = judged(books, books.export())
    assert found.findings == ()
    assert found.questions == 3
    assert found.checkpoints == 2
    assert found.chains["record"].length == 4
    assert found.chains["dataset:mobility"].length > 6


def test_an_export_without_texts_holds_none_and_is_intact(books: Books) -> None:
    lines = books.export(texts=False)
    assert judged(books, lines).intact
    assert b"secret" not in b"".join(lines)
    assert b"secret" in b"".join(books.export())


def test_who_asked_what_stands_in_the_chain_for_every_answer(books: Books) -> None:
    notes = [json.loads(entry.note) for entry, _ in books.ledger.entries("mobility")]
    paid = [note for note in notes if "asked" in note and "document" not in note]
    free = [note for note in notes if "asked" in note and "document" in note]
    assert [note["by"] for note in paid] == ["anna", None]
    assert [note["by"] for note in free] == ["anna"]
    assert paid[0]["asked"] == free[0]["asked"]


def test_accounts_add_up_to_what_the_ledger_has(books: Books) -> None:
    """All of them, by every part, with what was taken back and what was forfeited."""
    ledger = books.ledger
    ledger.limit(PROJECT, "anna", Fraction(1), "ada", "each")
    ledger.void(reserved(ledger, stage("void", delta=5)))
    reserved(ledger, stage("keyed", delta=7))
    ledger.open_dataset("poll", Fraction(4), Fraction(0))
    ledger.open_project("pure", "poll")
    ledger.allocate("pure", Fraction(1), Fraction(0), "ada", "first")
    ledger.reserve(claim(asked(ledger, project="pure"), stage("p", epsilon=3 * STEP), blocks=()))
    ledger.forfeit(DATASET, "ada", "restored")
    with looking(books.place) as tx:
        rows = [dict(row) for row in tx.execute(text("SELECT * FROM account")).mappings()]
    assert judged(books, books.export()).accounts == {
        ":".join(filter(None, (row["kind"], row["owner"], row["name"]))): {
            "capacity": {part: row[f"cap_{part}"] for part in PARTS},
            "charged": {part: row[f"reserved_{part}"] + row[f"spent_{part}"] for part in PARTS},
        }
        for row in rows
    }


def rewritten(books: Books, change: Callable[[dict[str, Any]], None]) -> list[bytes]:
    """An export of other entries, by an office that writes chains and signature anew."""
    books.home.checkpoints.unlink()
    found = [json.loads(line) for line in books.export()]
    heads = found[-1]["statement"]["chains"]
    before = dict.fromkeys(heads, GENESIS)
    for line in found:
        if "entry" not in line:
            continue
        chain, entry = line["chain"], line["entry"]
        change(entry)
        linked = before[chain].encode() + b"\n" + canonical(entry).encode()
        before[chain] = line["hash"] = hashlib.sha256(linked).hexdigest()
        heads[chain]["head"] = line["hash"]
    return closed(books, [canonical(line).encode() + b"\n" for line in found[:-1]], heads)


def closed(books: Books, lines: list[bytes], heads: object) -> list[bytes]:
    """These lines and a last one that signs them, as the office does."""
    rest = {"lines": len(lines), "sha256": hashlib.sha256(b"".join(lines)).hexdigest()}
    closing = books.signer.sign("export", at=0, chains=heads, texts=True, **rest)
    return [*lines, canonical(closing.document()).encode() + b"\n"]


@pytest.mark.parametrize(
    ("once", "other"),
    [(b'"rho":', b'"rho":0,"rho":'), (b'{"chain":', b'{"chain": '), (b"}\n", b'}{"a":1}\n')],
)
def test_a_line_is_written_in_one_way_only(books: Books, once: bytes, other: bytes) -> None:
    """One that others would read otherwise is found, although the office signs it."""
    lines = books.export()
    heads = json.loads(lines[-1])["statement"]["chains"]
    assert judged(books, closed(books, lines[:-1], heads)).intact
    at = next(number for number, line in enumerate(lines) if b'"event":"reserve"' in line)
    lines[at] = lines[at].replace(once, other, 1)
    assert judged(books, closed(books, lines[:-1], heads)).findings[0] == (
        f"Line {at + 1} is not one that an export has there."
    )


@pytest.mark.parametrize("part", ["rho", "delta", "epsilon"])
def test_an_office_that_charges_more_than_the_ceiling_is_found(books: Books, part: str) -> None:
    """It has the key, and writes chain, checkpoints and signature anew."""

    def dearer(entry: dict[str, Any]) -> None:
        if entry.get("event") == "reserve":
            entry[part] += 10**15

    findings = judged(books, rewritten(books, dearer)).findings
    assert findings
    assert all("was charged more than it may hold" in one for one in findings)


@pytest.mark.parametrize(
    ("hours", "word"), [(-2, "charges what had ended"), (9, "returns what had not ended")]
)
def test_an_office_that_tells_of_another_end_is_found(books: Books, hours: int, word: str) -> None:
    """A charge after the end that it tells of, or a return before it."""
    end = NOON + timedelta(hours=1)
    books.ledger.term(PROJECT, end, "ada", "agreed")
    books.ask("one more")
    late = opened(books.place, clock=lambda: end)
    assert late.expire(DATASET)
    assert judged(books, books.export()).intact

    def moved(entry: dict[str, Any]) -> None:
        if entry.get("event") == "term":
            told = json.loads(entry["note"]) | {
                "until": (NOON + timedelta(hours=hours)).isoformat()
            }
            entry["note"] = canonical(told)

    findings = judged(books, rewritten(books, moved)).findings
    assert findings
    assert all(word in one for one in findings)


def test_another_key_is_not_believed(books: Books, tmp_path: Path) -> None:
    other = Signer(Home(tmp_path / "other").prepare())
    assert not verify(books.export(), [public_key(other.public)]).intact


def test_a_key_is_read_from_its_text_or_a_file(books: Books, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(books.signer.public + "\n")
    assert public_key(str(file)) == public_key(books.signer.public)
    with pytest.raises(NotAKey):
        public_key("no key")


@dataclass(frozen=True)
class Export:
    """One export to alter, of books that are the same in all examples."""

    books: Books
    lines: list[bytes]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Export:
    place = tmp_path_factory.mktemp("export")
    books = full(place / "home", place / "a.db")
    return Export(books, books.export())


@given(data=st.data())
def test_a_byte_that_was_changed_is_found(export: Export, data: st.DataObject) -> None:
    text = bytearray(b"".join(export.lines))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    assert not judged(export.books, bytes(text).splitlines(keepends=True)).intact


@given(data=st.data())
def test_a_line_that_was_dropped_is_found(export: Export, data: st.DataObject) -> None:
    some = st.sets(st.integers(0, len(export.lines) - 1), min_size=1)
    gone = data.draw(some)
    left = [line for number, line in enumerate(export.lines) if number not in gone]
    assert not judged(export.books, left).intact


@given(data=st.data())
def test_a_line_that_was_inserted_is_found(export: Export, data: st.DataObject) -> None:
    lines = list(export.lines)
    at = data.draw(st.integers(0, len(lines)))
    lines.insert(at, data.draw(st.sampled_from(export.lines) | st.binary(max_size=20)))
    if b"".join(lines) != b"".join(export.lines):
        assert not judged(export.books, b"".join(lines).splitlines(keepends=True)).intact


@given(data=st.data())
def test_lines_in_another_order_are_found(export: Export, data: st.DataObject) -> None:
    lines = data.draw(st.permutations(export.lines).filter(lambda found: found != export.lines))
    assert not judged(export.books, list(lines)).intact


@given(data=st.data())
def test_an_export_that_was_cut_off_is_found(export: Export, data: st.DataObject) -> None:
    text = b"".join(export.lines)
    left = text[: data.draw(st.integers(0, len(text) - 1))]
    assert not judged(export.books, left.splitlines(keepends=True)).intact


Alter = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    ("which", "alter", "says"),
    [
        ("entry", lambda one: one["entry"].update(at=1), "does not follow"),
        ("question", lambda one: one["question"].update(text="{}"), "not the one that was charged"),
        ("question", lambda one: one["question"].update(query="x"), "is missing"),
    ],
)
def test_what_was_altered_is_named(export: Export, which: str, alter: Alter, says: str) -> None:
    number = next(i for i, line in enumerate(export.lines) if which in json.loads(line))
    changed = json.loads(export.lines[number])
    alter(changed)
    lines = list(export.lines)
    lines[number] = canonical(changed).encode() + b"\n"
    findings = judged(export.books, lines).findings
    assert any(says in one for one in findings)
    if which == "entry":
        assert findings[0].startswith(f"Line {number + 1}:")


@pytest.mark.parametrize(
    "lines", [[], [b""], [b"\n"], [b"[" * 100_000], [b"\xff\n"], [b"{}\n"], [b'{"chain":1}\n']]
)
def test_what_is_no_export_is_not_intact(export: Export, lines: list[bytes]) -> None:
    assert not judged(export.books, lines).intact


def test_an_office_that_writes_its_books_anew_is_found_out_by_a_kept_checkpoint(
    tmp_path: Path,
) -> None:
    """It has the key and the database: what binds it is what somebody else has kept."""
    books = full(tmp_path / "home", tmp_path / "a.db")
    kept = books.checkpoints.now()
    key = [public_key(books.signer.public)]
    books.ask("c")
    assert verify(books.export(), key, [kept]).intact
    anew = full(tmp_path / "home", tmp_path / "b.db")
    anew.home.checkpoints.unlink()
    assert verify(anew.export(), key).intact
    assert not verify(anew.export(), key, [kept]).intact


def test_an_edited_database_does_not_agree_with_its_checkpoints(books: Books) -> None:
    books.checkpoints.check()
    edit(books.place, "UPDATE act SET about = '{}' WHERE number = 2")
    assert not judged(books, books.export()).intact


@pytest.mark.parametrize("table", ["act", "entry"])
def test_a_database_that_forgets_is_refused(books: Books, table: str) -> None:
    books.checkpoints.take(keep=False)
    books.checkpoints.check()
    most = f"(SELECT MAX(number) FROM {table})"
    edit(books.place, f"DELETE FROM {table} WHERE number = {most}")
    with pytest.raises(checkpoints.LedgerForgets):
        books.checkpoints.check()


def test_a_checkpoint_is_written_when_something_was_added(books: Books) -> None:
    books.checkpoints.take(keep=True)
    before = books.home.checkpoints.read_bytes(), books.home.checkpoint.read_bytes()
    books.checkpoints.take(keep=True)
    assert (books.home.checkpoints.read_bytes(), books.home.checkpoint.read_bytes()) == before
    books.ask("d")
    books.checkpoints.take(keep=False)
    assert books.home.checkpoints.read_bytes() == before[0]
    assert books.home.checkpoint.read_bytes() != before[1]
    assert books.home.open_places() == []

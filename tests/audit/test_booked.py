"""What an export says against a receipt: who was charged, for what, how much, and for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from budgets.charge import Charge, QueryRecord
from budgets.loss import PrivacyLoss
from gateway.audit import receipts
from gateway.audit.booked import charged
from gateway.audit.receipts import loss_shown, position
from gateway.audit.signing import Signer, public_key
from gateway.home import Home
from tests.audit.books import TEXT, Books, asked_for
from tests.audit.test_export import rewritten
from tests.audit.test_succession import rotated
from tests.budgets.books import BLOCKS, DATASET, PROJECT, STEP, claim, document, stage, tables
from tests.budgets.places import Place

ASKED: dict[str, object] = {"sql": "SELECT COUNT(*) FROM pings", "options": {}, "source": None}
UNSETTLED = "The export has no release of this query."
ELSEWHERE = "The charge stands elsewhere."
ANOTHER_LOSS = "The charge is of another loss."
REPLACED = "It is signed with a key that had been replaced by the time it was entered."


@dataclass
class Paid:
    """Books in which a query of two stages was charged, one of them at four times in blocks."""

    books: Books
    query: QueryRecord
    charge: Charge

    def receipt(self, **other: object) -> dict[str, Any]:
        """What a receipt of it states, or something else."""
        stages = [{"claimed": one, "paid_by": None} for one in self.charge.stages]
        return {
            "statement": {
                "query": self.query.id,
                "project": PROJECT,
                "dataset": DATASET,
                "blocks": list(BLOCKS),
                "asked": self.query.digest,
                "stages": [*stages, {"claimed": "earlier", "paid_by": "another"}],
                "loss": loss_shown(self.charge.loss),
                "position": position(self.charge),
                **ASKED,
                **other,
            }
        }

    def against(self, lines: list[bytes] | None = None, **other: object) -> tuple[str, ...]:
        found = self.books.export() if lines is None else lines
        return charged(self.receipt(**other), found, [public_key(self.books.signer.public)])


@pytest.fixture
def paid(tmp_path: Path, place: Place) -> Paid:
    books = Books(tmp_path / "home", place)
    books.ask("before")
    text = json.dumps(ASKED).encode()
    query = asked_for(books.ledger, text)
    wanted = claim(query, replace(stage("a"), partial=True), stage("b"), analyst="anna")
    charge = books.ledger.reserve(replace(wanted, asked=query.digest))
    books.ledger.started(charge)
    books.ledger.settle(charge, document(charge), tables(charge))
    books.ask("after")
    books.checkpoints.take(keep=True)
    return Paid(books, query, charge)


def test_a_charge_that_stands_says_nothing_against_its_receipt(paid: Paid) -> None:
    assert paid.against() == ()
    assert paid.against(paid.books.export(texts=False)) == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"query": "q"}, "The export has no charge of this query."),
        ({"project": "other"}, "The charge is another project's."),
        ({"blocks": [BLOCKS[0]]}, "The charge was not posted to the blocks that were read."),
        ({"blocks": [*BLOCKS, "z"]}, "The charge was not posted to the blocks that were read."),
        ({"stages": []}, "The charge is for other stages."),
        ({"stages": [{"claimed": "a", "paid_by": None}]}, "The charge is for other stages."),
        ({"asked": "d" * 64}, "The charge is for another question."),
        ({"loss": {"rho": STEP, "delta": 0, "epsilon": None}}, ANOTHER_LOSS),
        ({"loss": {"rho": 2 * STEP + 1, "delta": 0, "epsilon": None}}, ANOTHER_LOSS),
        ({"sql": "SELECT 1"}, "The question was another."),
        ({"options": {"other": True}}, "The question was another."),
        ({"source": "x"}, "The question was another."),
    ],
)
def test_what_a_receipt_says_falsely_is_found(paid: Paid, other: dict[str, Any], said: str) -> None:
    assert said in paid.against(**other)


@pytest.mark.parametrize(
    "moved",
    [
        {"entry": 1}, {"entry": -1}, {"head": "0" * 64}, {"chain": "dataset:other"},
        {"chain": "record"},
    ],
)  # fmt: skip
def test_a_charge_stands_where_the_receipt_says(paid: Paid, moved: dict[str, Any]) -> None:
    at = paid.receipt()["statement"]["position"]
    if "entry" in moved:
        moved = {"entry": at["entry"] + moved["entry"]}
    assert paid.against(position=at | moved)


def test_who_says_it_was_charged_before_it_was_is_found(paid: Paid) -> None:
    """At an entry with the head after it, but not that of the charge."""
    entries = list(paid.books.ledger.entries(DATASET))
    entry, head = entries[0]
    at = paid.receipt()["statement"]["position"] | {"entry": entry.number, "head": head}
    assert ELSEWHERE in paid.against(position=at)


def test_an_export_that_was_changed_shows_nothing(paid: Paid) -> None:
    lines = paid.books.export()
    found = paid.against(lines[:-1])
    assert found
    assert all(one.startswith("The export: ") for one in found)


def test_a_release_that_was_free_needs_no_charge_but_was_stored(paid: Paid) -> None:
    free = paid.books.ask("before")
    told = {"query": free.id, "position": None, "asked": free.digest, **json.loads(TEXT)}
    lines = paid.books.export(texts=False)
    assert paid.against(lines, **told) == ()
    assert paid.against(lines, **told | {"query": "q"}) == (UNSETTLED,)
    assert paid.against(lines, **told | {"dataset": "other"}) == (UNSETTLED,)
    assert paid.against(lines, **told | {"asked": "d" * 64}) == (
        "The release is of another question.",
    )


def test_a_release_that_was_not_stored_is_found(paid: Paid) -> None:
    """Signed, but its run failed, or it has not ended: nobody was to have it."""
    query = asked_for(paid.books.ledger, json.dumps(ASKED).encode())
    wanted = replace(claim(query, stage("c"), analyst="anna"), asked=query.digest)
    other = Paid(paid.books, query, paid.books.ledger.reserve(wanted))
    assert other.against() == (UNSETTLED,)
    paid.books.ledger.fault(other.charge, "incident")
    assert other.against() == (UNSETTLED,)


def test_a_charge_that_was_taken_back_is_found(paid: Paid) -> None:
    ledger = paid.books.ledger
    query = asked_for(ledger, json.dumps(ASKED).encode())
    wanted = replace(claim(query, stage("c"), analyst="anna"), asked=query.digest)
    charge = ledger.reserve(wanted)
    other = Paid(paid.books, query, charge)
    ledger.void(charge)
    assert other.against() == ("The charge was taken back.",)
    again = ledger.reserve(wanted)
    ledger.started(again)
    ledger.settle(again, document(again), tables(again))
    assert Paid(paid.books, query, again).against() == ()
    assert other.against() == (ELSEWHERE,)


def test_what_was_served_again_was_paid_by_a_charge_that_stands(paid: Paid) -> None:
    free = paid.books.ask("before")
    told = {"query": free.id, "asked": free.digest, "position": None, **json.loads(TEXT)}
    again = paid.receipt(**told) | {"originals": [paid.receipt()]}
    lines, keys = paid.books.export(texts=False), [public_key(paid.books.signer.public)]
    assert charged(again, lines, keys) == ()
    again["originals"] = [paid.receipt(project="other")]
    found = charged(again, lines, keys)
    assert found == (f"The receipt of query {paid.query.id}: The charge is another project's.",)


def _less(kind: str) -> Callable[[dict[str, Any]], None]:
    def change(entry: dict[str, Any]) -> None:
        if entry["event"] == "reserve" and entry["account"][0] == kind and entry["charge"] == 2:
            entry["rho"] -= 1 if kind != "block" else 4 * STEP

    return change


@pytest.mark.parametrize("kind", ["dataset", "block", "project"])
def test_every_account_of_the_path_was_charged_as_much(paid: Paid, kind: str) -> None:
    """By an office that posts less to one of them, and signs it all."""
    lines = rewritten(paid.books, _less(kind))
    at = paid.receipt()["statement"]["position"]
    hashes = {
        (one["chain"], one["entry"]["number"]): one["hash"]
        for one in map(json.loads, lines)
        if "chain" in one
    }
    moved = at | {"head": hashes[at["chain"], at["entry"]]}
    assert paid.against(lines, position=moved) == (ANOTHER_LOSS,)


def _settled(books: Books, text: str, name: str) -> Paid:
    """A query of one stage of this name, charged and released."""
    query = asked_for(books.ledger, text.encode())
    wanted = replace(claim(query, stage(name), analyst="anna"), asked=query.digest)
    charge = books.ledger.reserve(wanted)
    if charge.stages:
        books.ledger.started(charge)
    books.ledger.settle(charge, document(charge), tables(charge))
    return Paid(books, query, charge)


def test_a_key_is_believed_of_what_stands_before_it_was_replaced(paid: Paid) -> None:
    """Of a charge by where it was entered, of what cost nothing by its settlement.

    Whichever of the keys an auditor was given; and nobody else's is believed of anything.
    """
    books, thief = paid.books, paid.books.signer
    text = json.dumps(ASKED)
    before = [_settled(books, text, name) for name in ("c", "c")]
    keys = rotated(books)
    after = [_settled(books, text, name) for name in ("d", "c")]
    assert [one.charge.entry is None for one in (*before, *after)] == [False, True] * 2
    stranger = Signer(Home(books.home.root / "stranger").prepare())
    lines = books.export()
    for key in map(public_key, keys):
        for one, old in [(one, True) for one in (paid, *before)] + [(one, False) for one in after]:
            stages = [{"claimed": name, "paid_by": None} for name in one.charge.stages]
            told = one.receipt(stages=stages, blocks=list(BLOCKS))
            assert charged(_signed(books.signer, told), lines, [key]) == ()
            found = charged(_signed(thief, told), lines, [key])
            assert found == (() if old else (REPLACED,))
            assert charged(_signed(stranger, told), lines, [key]) == (REPLACED,)


def _signed(signer: Signer, receipt: dict[str, Any]) -> dict[str, Any]:
    return signer.sign(receipts.KIND, **receipt["statement"]).document()


def test_a_pure_account_was_charged_the_epsilon_and_no_delta(tmp_path: Path, place: Place) -> None:
    books = Books(tmp_path / "home", place)
    books.ledger.open_dataset("poll", Fraction(4), Fraction(0))
    books.ledger.open_project("pure", "poll")
    books.ledger.allocate("pure", Fraction(1), Fraction(0), "ada", "first")
    text = json.dumps(ASKED).encode()
    query = books.ledger.accept("pure", "anna", None, hashlib.sha256(text).hexdigest(), text)
    pure = replace(stage("a"), loss=PrivacyLoss(5 * STEP, 0, 100 * STEP))
    wanted = replace(claim(query, pure, blocks=()), asked=query.digest)
    charge = books.ledger.reserve(wanted)
    books.ledger.started(charge)
    books.ledger.settle(charge, document(charge), tables(charge))
    told: dict[str, Any] = {"project": "pure", "dataset": "poll", "blocks": []}
    one, loss = Paid(books, query, charge), loss_shown(charge.loss)
    assert one.against(**told) == ()
    for wrong in ({"delta": 1}, *({"epsilon": 100 * STEP + more} for more in (-1, 1))):
        assert one.against(**told, loss=loss | wrong) == (ANOTHER_LOSS,)
    assert one.against(**told, loss=loss | {"epsilon": None}) == (ANOTHER_LOSS,)

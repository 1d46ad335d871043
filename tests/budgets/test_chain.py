"""The chain: whatever is done to the ledger's file behind its back, `verify` tells."""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from budgets import drawn, verifying
from budgets.account import Amounts
from budgets.chain import GENESIS, Entry, canonical, first_break, link, settlement
from budgets.reading import understood, written
from budgets.reporting import Verification
from budgets.storage import postgres
from tests.budgets.books import DATASET, LATE, answered, opened, ready, reserved, stage
from tests.budgets.conftest import Places
from tests.budgets.places import Place, edit, looking

entries = st.lists(
    st.builds(
        Entry,
        dataset=st.just("m"),
        number=st.just(0),
        event=st.sampled_from(["reserve", "settle"]),
        account=st.just(("project", "m", "p")),
        charge=st.none() | st.integers(1, 9),
        amounts=st.builds(Amounts, st.integers(), st.integers(), st.integers()),
        note=st.text(max_size=5),
        at=st.integers(),
    ),
    min_size=2,
    max_size=6,
)


def chained(listed: list[Entry]) -> list[tuple[Entry, str]]:
    previous, made = GENESIS, []
    for number, entry in enumerate(listed, start=1):
        numbered = entry._replace(number=number)
        previous = link(previous, numbered)
        made.append((numbered, previous))
    return made


def broken(chain: list[tuple[Entry, str]], like: list[tuple[Entry, str]]) -> int | None:
    return first_break(chain, like[-1][1], len(like))


@given(entries)
def test_a_whole_chain_has_no_break(listed: list[Entry]) -> None:
    chain = chained(listed)
    assert broken(chain, chain) is None
    assert first_break([], GENESIS, 0) is None


@given(entries, st.data())
def test_an_edited_entry_is_found(listed: list[Entry], data: st.DataObject) -> None:
    chain = chained(listed)
    at = data.draw(st.integers(0, len(chain) - 1))
    entry, digest = chain[at]
    edited = entry._replace(amounts=entry.amounts + Amounts(rho=-1))
    assert broken([*chain[:at], (edited, digest), *chain[at + 1 :]], chain) == at + 1


@given(entries, st.data())
def test_a_dropped_entry_is_found(listed: list[Entry], data: st.DataObject) -> None:
    chain = chained(listed)
    at = data.draw(st.integers(0, len(chain) - 1))
    assert broken([*chain[:at], *chain[at + 1 :]], chain) == at + 1


@given(entries, st.data())
def test_reordered_entries_are_found(listed: list[Entry], data: st.DataObject) -> None:
    chain = chained(listed)
    at = data.draw(st.integers(0, len(chain) - 2))
    swapped = [*chain[:at], chain[at + 1], chain[at], *chain[at + 2 :]]
    assert broken(swapped, chain) == at + 1


def test_a_rewritten_chain_has_another_head() -> None:
    """Whoever kept the head can tell even a chain that is consistent with itself."""
    entry = Entry("m", 1, "reserve", ("dataset", "", "m"), 1, Amounts(5), "{}", 0)
    kept = chained([entry, entry])
    forged = chained([entry._replace(amounts=Amounts(4)), entry])
    assert broken(forged, forged) is None
    assert broken(forged, kept) is not None


def test_the_hash_is_over_the_canonical_text() -> None:
    entry = Entry("m", 1, "reserve", ("dataset", "", "m"), None, Amounts(5), "{}", 7)
    text = (
        '{"account":["dataset","","m"],"at":7,"charge":null,"dataset":"m","delta":0,"epsilon":0,'
        '"event":"reserve","note":"{}","number":1,"rho":5}'
    )
    assert entry.canonical() == text.encode()
    assert link(GENESIS, entry) == hashlib.sha256(f"{GENESIS}\n{text}".encode()).hexdigest()


@pytest.fixture
def place(places: Places) -> Place:
    place = places()
    ledger = ready(place)
    ledger.limit("areas", "anna", ledger.budget("areas").epsilon, "ada", "all")
    answered(ledger, stage("a"), stage("b"))
    ledger.void(reserved(ledger))
    failed = reserved(ledger)
    ledger.started(failed)
    ledger.fault(failed, "incident")
    reserved(ledger)
    ledger.recover(LATE)
    reserved(ledger)
    return place


def verified(place: Place, *statements: str) -> Verification:
    edit(place, *statements)
    return opened(place).verify(DATASET)


def test_an_honest_ledger_is_intact(place: Place) -> None:
    found = verified(place)
    assert (found.broken_at, found.disagreements, found.entries) == (None, (), 32)
    assert found.intact


ALTER = "UPDATE entry SET {} WHERE number = 6"


@pytest.mark.parametrize(
    "change",
    [
        "event = 'settle'",
        "rho = rho - 1",
        "delta = delta + 1",
        "epsilon = 1",
        "charge = NULL",
        "account = 2",
        "note = '{}'",
        "at = at + 1",
        "hash = 'zz' || substr(hash, 3)",
    ],
)
def test_no_column_of_an_entry_can_change(place: Place, change: str) -> None:
    assert verified(place, ALTER.format(change)).broken_at == 6


@pytest.mark.parametrize("number", [1, 7, 32])
def test_no_entry_can_go(place: Place, number: int) -> None:
    assert verified(place, f"DELETE FROM entry WHERE number = {number}").broken_at == number


def test_no_entries_can_change_places(place: Place) -> None:
    swap = (
        "UPDATE entry SET number = -1 WHERE number = 5",
        "UPDATE entry SET number = 5 WHERE number = 6",
        "UPDATE entry SET number = 6 WHERE number = -1",
    )
    assert verified(place, *swap).broken_at == 5


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE account SET spent_rho = spent_rho - 1 WHERE kind = 'project'", "project"),
        ("UPDATE account SET reserved_rho = 0 WHERE kind = 'dataset'", "dataset"),
        ("UPDATE account SET allocated_rho = 0 WHERE kind = 'dataset'", "dataset"),
        ("UPDATE account SET cap_rho = cap_rho + 1 WHERE kind = 'analyst'", "analyst"),
        ("UPDATE account SET epsilon = epsilon * 2 WHERE kind = 'project'", "project"),
        ("UPDATE release SET document = :zero", "release"),
        ("DELETE FROM release", "release"),
        ("UPDATE stage SET document = :zero WHERE digest = 'a'", "stage"),
        ("UPDATE stage SET mechanisms = '[[1]]' WHERE digest = 'a'", "drew"),
        ("UPDATE stage SET mechanisms = '[[1]]' WHERE state = 'lost'", "drew"),
        ("UPDATE stage SET digest = 'other' WHERE state = 'faulted'", "drew"),
        (
            "INSERT INTO release SELECT number, :zero FROM query WHERE state = 'faulted' LIMIT 1",
            "release",
        ),
    ],
)
def test_what_the_entries_do_not_say_is_found(place: Place, change: str, word: str) -> None:
    found = verified(place, change)
    assert found.broken_at is None
    assert not found.intact
    assert any(word in sentence for sentence in found.disagreements)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE account SET spent_rho = spent_rho", "NULL"),
        ("UPDATE entry SET rho = rho - 1 WHERE number = 14", "14"),
        ("UPDATE entry SET note = '[' WHERE event = 'settle'", "MIN(number)"),
        ("DELETE FROM entry WHERE number = 10", "10"),
        ("UPDATE account SET length = length - 1 WHERE kind = 'dataset'", "MAX(number) + 1"),
    ],
)
def test_several_processes_say_the_same(
    place: Place, change: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(place, change)
    where = "event = 'settle'" if "MIN" in broken else "TRUE"
    with looking(place) as tx:
        expected = tx.execute(text(f"SELECT {broken} FROM entry WHERE {where}")).scalar()
    alone = opened(place).verify(DATASET)
    monkeypatch.setattr(verifying, "LONG", 0)
    together = opened(place).verify(DATASET)
    assert alone.broken_at == together.broken_at == expected
    assert alone.intact == together.intact == (expected is None)


SLOW = "import time; from budgets import verifying; time.sleep(1); verifying.main()"
"""A part that takes longer than the session below may be silent, however fast the machine is."""


def test_a_server_does_not_end_the_session_that_waits_for_its_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = postgres._SESSION.replace("session_timeout = '60s'", "session_timeout = '500ms'")
    assert brief != postgres._SESSION
    monkeypatch.setattr(postgres, "_SESSION", brief)
    monkeypatch.setattr(verifying, "COMMAND", (sys.executable, "-I", "-c", SLOW))
    monkeypatch.setattr(verifying, "LONG", 0)
    monkeypatch.setattr(verifying, "PATIENCE", 0.02)
    assert opened(place).verify(DATASET).intact


def test_a_chain_cut_anywhere_comes_to_the_same(place: Place) -> None:
    """Each account, by its entries alone, in two parts as in one."""
    length = opened(place).verify(DATASET).entries
    with looking(place) as tx:
        sums = "SELECT kind, owner, name, reserved_rho, spent_rho FROM account ORDER BY id"
        standing = {(k, o, n): (held, spent) for k, o, n, held, spent in tx.execute(text(sums))}
    for cut in range(length + 1):
        parts = (
            verifying.found(place, DATASET, 0, cut),
            verifying.found(place, DATASET, cut, length),
        )
        assert [part.broken_at for part in parts] == [None, None]
        assert [part.wrong for part in parts] == [(), ()]
        assert sum(part.releases for part in parts) == 1
        assert sum(part.tables for part in parts) == 2
        told = [understood(written(part)).told for part in parts]
        assert told == [part.told for part in parts]
        assert figures([*told[0], *told[1]]) == standing


def figures(told: list[Entry]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """What is reserved and what is spent, of each account that entries name."""
    taken: dict[tuple[str, str, str], int] = defaultdict(int)
    held: dict[int | None, dict[tuple[str, str, str], int]] = defaultdict(dict)
    for entry in told:
        taken[entry.account] += entry.amounts.rho if entry.event in ("reserve", "void") else 0
        if entry.event == "reserve":
            held[entry.charge][entry.account] = entry.amounts.rho
        elif entry.event in ("settle", "void", "fault", "lost"):
            held[entry.charge] = {}
    reserved = {name: sum(of.get(name, 0) for of in held.values()) for name in taken}
    return {name: (reserved[name], taken[name] - reserved[name]) for name in taken}


def test_the_text_of_an_entry_is_canonical_json() -> None:
    for account, charge, note in [
        (("dataset", "", 'a "quoted" \\ é\u2028'), None, '{"a":1}'),
        (("analyst", "areas", "anna"), 7, '{"reason":"caf\u00e9 \x00"}'),
    ]:
        entry = Entry("mé", 3, "reserve", account, charge, Amounts(1, -2, 3), note, -5)
        value = {
            "account": list(account), "at": -5, "charge": charge, "dataset": "mé", "delta": -2,
            "epsilon": 3, "event": "reserve", "note": note, "number": 3, "rho": 1,
        }  # fmt: skip
        assert entry.canonical() == canonical(value).encode("ascii")


names = st.text(max_size=8)


@given(query=names, document=names, stages=st.dictionaries(names, names, max_size=3))
def test_the_note_of_a_settlement_is_canonical_json(
    query: str, document: str, stages: dict[str, str]
) -> None:
    value = {"query": query, "document": document, "stages": stages}
    assert settlement(query, document, stages) == canonical(value)


@given(stages=st.lists(st.tuples(names, names), max_size=3))
def test_the_digest_of_draws_is_of_canonical_json(stages: list[tuple[str, str]]) -> None:
    listed = canonical(sorted([name, mechanisms] for name, mechanisms in stages))
    assert drawn.digest(stages) == hashlib.sha256(listed.encode("ascii")).hexdigest()


def test_an_export_can_be_verified_by_itself(place: Place) -> None:
    ledger = opened(place)
    exported = list(ledger.entries(DATASET))
    assert first_break(exported, ledger.verify(DATASET).head, len(exported)) is None
    assert list(ledger.entries(DATASET, after=10)) == exported[10:]

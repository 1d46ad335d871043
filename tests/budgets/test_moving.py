"""Moving a ledger from a file to a server: all of it or nothing, and never two that charge."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert
from sqlalchemy.exc import IntegrityError

from budgets.charge import QueryState
from budgets.exporting import lines
from budgets.moving import move
from budgets.refusals import ChargeClosed
from budgets.storage import Storage, rows, schema
from budgets.storage.faults import Moved, NotMoved, OutcomeUnknown
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    LATE,
    NOON,
    PROJECT,
    STEP,
    answered,
    asked,
    claim,
    document,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.breaking import ANSWER_LOST, breaking
from tests.budgets.places import edit
from tests.postgres import Server


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    with server.databases("blank") as made:
        yield made()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Books with a charge in every state, a limit, a frozen project, members and deliveries."""
    path = tmp_path / "a.db"
    ledger = ready(path)
    ledger.limit(PROJECT, "anna", ledger.budget(PROJECT).epsilon, "ada", "all")
    answered(ledger, stage("a", delta=3), stage("b"))
    ledger.void(reserved(ledger))
    ledger.fault(reserved(ledger), "incident")
    reserved(ledger, stage("lost"))
    ledger.recover(LATE)
    asked(ledger, "key")
    reserved(ledger, stage("open"))
    with Storage.open(path).begin() as tx:
        tx.execute(insert(schema.member).values(id="zoë", name="Zoë ☃", created=NOON))
        tx.execute(insert(schema.member).values(id="Adam", name="", created=NOON))
        values = {"member": "zoë", "project": None, "role": "auditor", "created": NOON}
        tx.execute(insert(schema.membership).values(**values))
        secret = {"prefix": "sluis_x", "hash": "f" * 64, "project": PROJECT, "role": "analyst"}
        tx.execute(insert(schema.api_key).values(id="k", member="zoë", created=NOON, **secret))
    return path


def test_everything_is_there_afterwards(path: Path, address: str) -> None:
    before = opened(path)
    text = list(lines(Storage.open(path)))
    proof = move(Storage.open(path), Storage.open(address))
    after = opened(address)
    assert list(lines(Storage.open(address))) == text
    assert proof.heads == {DATASET: after.verify(DATASET).head}
    assert proof.tables["entry"].rows == after.verify(DATASET).entries > 10
    assert after.verify(DATASET) == before.verify(DATASET)
    assert after.verify(DATASET).intact
    assert after.budget(PROJECT, "anna") == before.budget(PROJECT, "anna")
    assert after.queries(PROJECT) == before.queries(PROJECT)
    invariants.hold(address)


def test_the_ledger_goes_on_where_it_moved(path: Path, address: str) -> None:
    """What was open is lost at its deadline; what was released is free; numbers go on."""
    held = reserved(opened(path))
    move(Storage.open(path), Storage.open(address))
    ledger = opened(address)
    with pytest.raises(ChargeClosed):
        ledger.void(held)
    taken = invariants.taken(address)
    assert answered(ledger, stage("b")).loss.rho == 0
    new = answered(ledger)
    assert new.id > held.id
    assert ledger.document(PROJECT, new.query) == document(new)
    assert len(ledger.recover(LATE)) == 2
    assert invariants.taken(address) == taken + STEP
    again = asked(ledger, "key")
    assert again.state is QueryState.QUEUED
    invariants.hold(address)
    assert ledger.verify(DATASET).intact


def test_the_source_charges_nothing_any_more(path: Path, address: str) -> None:
    """Not even through a ledger that was opened long before."""
    old = opened(path)
    query = asked(old)
    running = reserved(old)
    old.started(running)
    move(Storage.open(path), Storage.open(address))
    for act in (
        lambda: old.reserve(claim(query, stage("new"))),
        lambda: old.settle(running, document(running), tables(running)),
        lambda: asked(old),
    ):
        with pytest.raises(IntegrityError, match="moved"):
            act()
    with pytest.raises(Moved, match="postgresql://sluis"):
        asked(opened(path))
    with pytest.raises(Moved):
        Storage.open(path).beat()
    assert opened(path).budget(PROJECT) == opened(address).budget(PROJECT)
    assert opened(path).verify(DATASET).intact


def test_a_target_with_anything_in_it_is_refused(path: Path, address: str) -> None:
    ready(address)
    with pytest.raises(NotMoved, match="not empty"):
        move(Storage.open(path), Storage.open(address))
    answered(opened(path))


@pytest.mark.parametrize(
    "edited",
    [
        "UPDATE entry SET rho = rho + 1 WHERE number = 5",
        "UPDATE account SET spent_rho = spent_rho - 1 WHERE kind = 'project'",
        "UPDATE release SET document = :zero",
    ],
)
def test_a_ledger_that_disagrees_with_itself_stays(path: Path, address: str, edited: str) -> None:
    edit(path, edited)
    with pytest.raises(NotMoved, match="agree"):
        move(Storage.open(path), Storage.open(address))
    with Storage.open(address).read() as tx:
        assert rows.empty(tx)
    assert asked(opened(path)).state is QueryState.QUEUED


def test_what_the_server_cannot_hold_is_said(path: Path, address: str) -> None:
    edit(path, "UPDATE member SET name = 'a' || char(0) || 'b' WHERE id = 'Adam'")
    with pytest.raises(NotMoved, match="member"):
        move(Storage.open(path), Storage.open(address))
    answered(opened(path))


def test_a_table_that_came_out_otherwise_is_found(path: Path, address: str) -> None:
    """A trigger of the server changes what is stored: the move is undone."""
    edit(
        address,
        "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.name = 'other'; RETURN NEW; END $$",
        "CREATE TRIGGER other BEFORE INSERT ON member FOR EACH ROW EXECUTE FUNCTION other()",
    )
    with pytest.raises(NotMoved, match="member"):
        move(Storage.open(path), Storage.open(address))
    answered(opened(path))


def test_where_the_commit_is_in_doubt_the_source_stays_sealed(
    path: Path, address: str, server: Server
) -> None:
    """And the same command finishes the move."""
    with breaking(ANSWER_LOST, server.end) as breaks, pytest.raises(OutcomeUnknown):
        target = Storage.open(address)
        source = Storage.open(path)
        breaks.arm()
        move(source, target)
    with pytest.raises(Moved):
        asked(opened(path))
    proof = move(Storage.open(path), Storage.open(address))
    assert proof.tables["release"].rows == 1
    answered(opened(address))


def killed(act: Callable[[], None], moment: int) -> bool:
    """Do it in a child that is killed before its statement of that number; whether it was."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

        code = 1
        try:
            event.listen(Engine, "before_cursor_execute", count)
            event.listen(Engine, "commit", count)
            act()
            code = 0
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.slow
def test_killed_at_any_moment_it_can_be_finished(path: Path, server: Server) -> None:
    """Wherever it dies, at most one of the two takes charges; the same command ends the move."""
    expected = list(lines(Storage.open(path)))
    moment, seen = 3, 0
    while True:
        copied = path.with_name(f"{moment}.db")
        for file in path.parent.glob("a.db*"):
            if not file.name.endswith("-shm"):
                shutil.copyfile(file, f"{copied}{file.name.removeprefix('a.db')}")
        with server.databases("blank") as made:
            address = made()
            if not killed(partial(carried, copied, address), moment):
                break
            seen += _carries_on(copied, address, expected)
        moment += 7
    assert moment > 60
    assert seen > 4


def _carries_on(path: Path, address: str, expected: list[str]) -> bool:
    """Nothing is lost, and the move can be finished if it had begun; whether it had."""
    assert list(lines(Storage.open(path))) == expected
    if charges(path):
        with Storage.open(address).read() as tx:
            assert rows.empty(tx)
        return False
    carried(path, address)
    assert list(lines(Storage.open(address))) == expected
    assert not charges(path)
    return True


def carried(path: Path, address: str) -> None:
    move(Storage.open(path), Storage.open(address))


def charges(path: Path) -> bool:
    try:
        Storage.open(path).beat()
    except Moved:
        return False
    return True


def test_an_export_is_canonical_complete_and_holds_no_secret(path: Path) -> None:
    text = list(lines(Storage.open(path)))
    first, *body, last = [json.loads(line) for line in text]
    assert first["format"] == "sluis-ledger"
    assert [json.dumps(one, sort_keys=True, separators=(",", ":")) for one in body] == text[1:-1]
    assert "f" * 64 not in "\n".join(text)
    assert {one["table"] for one in body} <= set(last["tables"])
    assert set(last["tables"]) == schema.metadata.tables.keys() - {"standing"}
    for name, told in last["tables"].items():
        mine = [line for line, one in zip(text[1:-1], body, strict=True) if one["table"] == name]
        assert told["rows"] == len(mine)
        joined = "".join(f"{line}\n" for line in mine)
        assert told["sha256"] == hashlib.sha256(joined.encode()).hexdigest()


def test_a_chain_can_be_checked_from_the_export_alone(path: Path) -> None:
    """With nothing of the ledger's code: JSON and SHA-256."""
    _, *body, last = [json.loads(line) for line in lines(Storage.open(path))]
    of = {one["row"]["id"]: one["row"] for one in body if one["table"] == "account"}
    digest = "0" * 64
    for one in (line["row"] for line in body if line["table"] == "entry"):
        account = of[one["account"]]
        named = {"account": [account["kind"], account["owner"], account["name"]]}
        value = {k: v for k, v in one.items() if k != "hash"} | named
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(f"{digest}\n{text}".encode()).hexdigest()
        assert digest == one["hash"]
    assert last["heads"][DATASET]["head"] == digest

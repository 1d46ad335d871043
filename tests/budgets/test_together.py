"""Steps of a charge that share a transaction: each as if it had its own, none before its commit."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event

from budgets.charge import Charge, QueryState
from budgets.ledger import Ledger
from budgets.refusals import BudgetExceeded, ChargeClosed
from budgets.storage import Storage
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    LATE,
    NOON,
    POLICY,
    PROJECT,
    STEP,
    asked,
    capped,
    claim,
    document,
    opened,
    reserved,
    stage,
    tables,
)
from tests.budgets.breaking import ANSWER_LOST, BEFORE_COMMIT, breaking
from tests.budgets.dying import NEVER, dies
from tests.budgets.places import Place
from tests.postgres import Server

Step = Callable[[], Charge | None]


def gathered(storage: Storage, steps: Sequence[Step]) -> list[Future[Charge | None]]:
    """The outcomes of steps that all waited while an earlier one was being done."""
    entered, gate = threading.Event(), threading.Event()

    def hold(tx: Connection) -> bool:
        entered.set()
        return gate.wait(60)

    with ThreadPoolExecutor(len(steps) + 1) as pool:
        first = pool.submit(storage.act, PROJECT, hold, lambda tx: None)
        assert entered.wait(60)
        outcomes = [pool.submit(step) for step in steps]
        until(lambda: storage.waiting(PROJECT) == len(steps))
        gate.set()
    assert first.result()
    return outcomes


def until(true: Callable[[], bool]) -> None:
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never became true")


@contextmanager
def commits() -> Iterator[list[None]]:
    """As many items as there were commits within the block, reports' included."""
    seen: list[None] = []

    def note(_: object) -> None:
        seen.append(None)

    event.listen(Engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "commit", note)


def books(place: Place, charges: int) -> tuple[Storage, Ledger]:
    capped(place, charges)
    storage = Storage.open(place)
    return storage, Ledger(storage, POLICY, clock=lambda: NOON)


def reserving(ledger: Ledger) -> Step:
    query = asked(ledger)
    return lambda: ledger.reserve(claim(query, stage(query.id)))


def test_steps_that_wait_share_one_commit(place: Place) -> None:
    storage, ledger = books(place, 20)
    steps = [reserving(ledger) for _ in range(6)]
    with commits() as seen:
        charges = [one.result() for one in gathered(storage, steps)]
    assert len(seen) == 2
    assert len({charge.id for charge in charges if charge}) == 6
    assert invariants.taken(place) == 6 * STEP
    invariants.hold(place)


def test_a_refusal_is_its_callers_alone(place: Place) -> None:
    """Three of five are afforded, and what the other two had done is undone with them."""
    storage, ledger = books(place, 3)
    outcomes = gathered(storage, [reserving(ledger) for _ in range(5)])
    errors = [one.exception() for one in outcomes]
    assert sum(error is None for error in errors) == 3
    assert sum(isinstance(error, BudgetExceeded) for error in errors) == 2
    states = [query.state for query in ledger.queries(PROJECT)]
    assert states.count(QueryState.RUNNING) == 3
    assert states.count(QueryState.QUEUED) == 2
    invariants.hold(place)


def test_a_step_that_changes_nothing_leaves_the_others_whole(place: Place) -> None:
    """A settlement of a charge that was lost meanwhile waits among settlements that hold."""
    storage, ledger = books(place, 9)
    charges = [reserved(ledger) for _ in range(4)]
    for charge in charges:
        ledger.started(charge)
    late = reserved(ledger)
    ledger.started(late)
    ledger.fault(late, "incident")

    def settling(charge: Charge) -> Step:
        return lambda: ledger.settle(charge, document(charge), tables(charge))

    outcomes = gathered(storage, [settling(one) for one in (*charges[:2], late, *charges[2:])])
    errors = [one.exception() for one in outcomes]
    assert [type(error) for error in errors if error] == [ChargeClosed]
    assert errors[2] is not None
    for charge in charges:
        assert ledger.document(PROJECT, charge.query) == document(charge)
    assert ledger.document(PROJECT, late.query) is None
    invariants.hold(place)


def test_killed_before_the_commit_none_of_them_is_charged(place: Place) -> None:
    capped(place, 9)

    def kill(_: Connection) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def several(ledger: Ledger, arm: Callable[[], None]) -> None:
        storage = ledger._storage
        steps = [reserving(ledger) for _ in range(4)]
        gathered(storage, [*steps, lambda: storage.act(PROJECT, kill, lambda _: None)])

    assert dies(place, several, NEVER)
    assert invariants.taken(place) == 0
    invariants.hold(place)


@pytest.mark.parametrize("moment", [BEFORE_COMMIT, ANSWER_LOST, 0, 5, 12])
def test_each_is_done_once_where_the_shared_connection_breaks(moment: int, server: Server) -> None:
    with server.databases("blank") as make:
        address = make()
        capped(address, 9)
        with breaking(moment, server.end) as breaks:
            storage = Storage.open(address)
            ledger = Ledger(storage, POLICY, clock=lambda: NOON)
            steps = [reserving(ledger) for _ in range(4)]
            steps.append(_armed(ledger, breaks.arm))
            charges = [one.result() for one in gathered(storage, steps)]
        assert breaks.broke
        assert len({charge.id for charge in charges if charge}) == 5
        assert invariants.taken(address) == 5 * STEP
        assert ledger.verify(DATASET).intact
        assert len(opened(address).recover(LATE)) == 5
        invariants.hold(address)


def _armed(ledger: Ledger, arm: Callable[[], None]) -> Step:
    """The same as the others; what follows in their transaction is counted."""
    reserve = reserving(ledger)

    def armed() -> Charge | None:
        arm()
        return reserve()

    return armed

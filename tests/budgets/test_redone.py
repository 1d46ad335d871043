"""Steps of a charge whose connection to PostgreSQL breaks: none is done twice, none forgotten."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from budgets import charging
from budgets.charge import Charge, QueryState
from budgets.ledger import Ledger
from budgets.refusals import BudgetExceeded
from budgets.storage import Storage
from budgets.storage.faults import OutcomeUnknown, StorageBusy
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    LATE,
    PROJECT,
    STEP,
    answered,
    asked,
    capped,
    claim,
    document,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.breaking import ANSWER_LOST, BEFORE_COMMIT, breaking
from tests.budgets.places import plain
from tests.postgres import Server, running_server, with_blank


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    with server.databases("blank") as made:
        yield made()


def accepted(ledger: Ledger, arm: Callable[[], None]) -> Charge | None:
    arm()
    asked(ledger, "key")
    return None


def charged(ledger: Ledger, arm: Callable[[], None]) -> Charge:
    query = asked(ledger, "key")
    arm()
    return ledger.reserve(claim(query, stage("count")))


def settled(ledger: Ledger, arm: Callable[[], None]) -> Charge:
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    arm()
    ledger.settle(charge, document(charge), tables(charge))
    return charge


def voided(ledger: Ledger, arm: Callable[[], None]) -> Charge:
    charge = reserved(ledger, stage("count"))
    arm()
    ledger.void(charge)
    return charge


def faulted(ledger: Ledger, arm: Callable[[], None]) -> Charge:
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    arm()
    ledger.fault(charge, "incident")
    return charge


STEPS = {
    "accept": (accepted, QueryState.QUEUED, 0),
    "reserve": (charged, QueryState.RUNNING, STEP),
    "settle": (settled, QueryState.RELEASED, STEP),
    "void": (voided, QueryState.QUEUED, 0),
    "fault": (faulted, QueryState.FAULTED, STEP),
}


@pytest.mark.parametrize("moment", [BEFORE_COMMIT, ANSWER_LOST, 0, 1, 3])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_done_once_wherever_its_connection_breaks(
    name: str, moment: int, address: str, server: Server
) -> None:
    """The caller does not even notice; the books hold one query, one charge, one release."""
    step, state, taken = STEPS[name]
    ready(address)
    with breaking(moment, server.end) as breaks:
        ledger = opened(address)
        charge = step(ledger, breaks.arm)
    assert breaks.broke
    invariants.hold(address)
    (query,) = ledger.queries(PROJECT)
    assert query.state is state
    assert invariants.taken(address) == taken
    if name == "reserve":
        assert charge is not None
        ledger.void(charge)
        assert invariants.taken(address) == 0
    if name == "settle":
        assert charge is not None
        assert ledger.document(PROJECT, query.id) == document(charge)
    assert ledger.verify(DATASET).intact


def test_what_another_call_reserved_is_not_taken_for_ones_own(address: str) -> None:
    """A server that crashed may give a number again: only the holder tells whose charge it is."""
    ledger = ready(address)
    first = reserved(ledger)
    with Storage.open(address).begin() as tx:
        assert not charging.reserved_by(tx, first, "0" * 32)


def test_an_administrators_act_that_may_have_been_done_is_not_repeated(
    address: str, server: Server
) -> None:
    ready(address)
    with breaking(ANSWER_LOST, server.end) as breaks, pytest.raises(OutcomeUnknown):
        ledger = opened(address)
        breaks.arm()
        ledger.allocate(PROJECT, Fraction(1), None, "ada", "more")
    assert ledger.budget(PROJECT).epsilon == 3


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that a test may stop, with an empty, migrated database to copy."""
    with running_server() as made:
        yield with_blank(made)


@pytest.mark.slow
@pytest.mark.parametrize("moment", [BEFORE_COMMIT, ANSWER_LOST])
def test_where_nobody_can_tell_the_charge_stays(moment: int, own: Server) -> None:
    """The server is gone with the answer: unknown. Afterwards the charge is whole or absent."""
    address = own.create("blank")
    query = asked(ready(address), "key")

    def gone(_: int) -> None:
        own.stop()

    with breaking(moment, gone) as breaks, pytest.raises(OutcomeUnknown):
        if moment == ANSWER_LOST:
            event.listen(Engine, "handle_error", lambda _: own.stop(), once=True)
        ledger = opened(address)
        breaks.arm()
        ledger.reserve(claim(query, stage("count")))
    own.start()
    invariants.hold(address)
    taken = invariants.taken(address)
    assert taken == (STEP if moment == ANSWER_LOST else 0)
    again = opened(address)
    lost = again.recover(LATE)
    assert lost == ((query.id,) if taken else ())
    assert invariants.taken(address) == taken
    invariants.hold(address)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT])
def test_a_server_restarted_under_load_loses_nothing(how: signal.Signals, own: Server) -> None:
    """Six threads of two gateways charge and release meanwhile; nobody is charged twice."""
    address = own.create("blank")
    capped(address, 300)
    done: list[Charge] = []
    failed: list[BaseException] = []
    enough = threading.Event()

    def work(ledger: Ledger) -> None:
        while not enough.is_set():
            try:
                done.append(answered(ledger))
            except (StorageBusy, BudgetExceeded) as error:
                failed.append(error)

    ledgers = [opened(address), opened(address)]
    pool = [threading.Thread(target=work, args=(ledgers[n % 2],)) for n in range(6)]
    for thread in pool:
        thread.start()
    for _ in range(2):
        until(lambda known=len(done): len(done) >= known + 10)
        own.stop(how)
        own.start()
    until(lambda known=len(done): len(done) >= known + 10)
    enough.set()
    for thread in pool:
        thread.join()
    invariants.hold(address)
    ledger = opened(address)
    for charge in done:
        assert ledger.document(PROJECT, charge.query) == document(charge)
    known = {charge.query for charge in done}
    charged = {one.id for one in ledger.queries(PROJECT, limit=1000) if one.loss is not None}
    assert known <= charged
    assert len(charged - known) <= len(failed)
    assert invariants.taken(address) == len(charged) * STEP
    assert ledger.verify(DATASET).intact


def until(true: Callable[[], bool]) -> None:
    """Wait until it is true, for a minute at most."""
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never became true")


@pytest.mark.slow
def test_a_locked_ceiling_is_waited_for_and_then_refused(address: str) -> None:
    ledger = ready(address)
    query = asked(ledger)
    engine = create_engine(plain(address))
    with engine.begin() as other:
        other.execute(text("SELECT * FROM account FOR UPDATE"))
        with pytest.raises(StorageBusy):
            ledger.reserve(claim(query, stage("count")))
    engine.dispose()
    assert ledger.query(PROJECT, query.id).state is QueryState.QUEUED
    assert ledger.reserve(claim(query, stage("count"))).loss.rho == STEP
    assert invariants.taken(address) == STEP


@pytest.mark.slow
def test_a_full_disk_of_the_server_keeps_the_charge(own: Server) -> None:
    """Tables on a disk of a few MiB: the release does not fit, so it is lost, and stays charged."""
    small = own.small_disk(24)
    if small is None:
        pytest.skip("a small disk cannot be mounted here")
    own.do(f"CREATE TABLESPACE small LOCATION '{small}'")
    address = own.create("blank TABLESPACE small")
    ledger = ready(address)
    charge = reserved(ledger)
    ledger.started(charge)
    with pytest.raises(OperationalError):
        ledger.settle(charge, os.urandom(30 << 20), tables(charge))
    invariants.hold(address)
    later = opened(address)
    assert later.query(PROJECT, charge.query).state is QueryState.RUNNING
    assert later.recover(LATE) == (charge.query,)
    assert invariants.taken(address) == STEP
    invariants.hold(address)

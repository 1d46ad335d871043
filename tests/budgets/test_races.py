"""Two callers at once: threads and processes that fight over one cap, one key, one stage."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest

from budgets.ledger import Ledger
from budgets.refusals import (
    AlreadyAnswered,
    BudgetExceeded,
    BudgetRefused,
    ChargeClosed,
    InFlight,
    KeyReused,
)
from tests.budgets import invariants
from tests.budgets.books import (
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
from tests.budgets.places import Place


def together(*acts: Callable[[], object]) -> list[object]:
    """What each act returned or refused, all begun at the same moment in threads of their own."""
    start = threading.Barrier(len(acts))

    def one(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except BudgetRefused as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def in_processes(place: Place, count: int, act: Callable[[Ledger], int]) -> int:
    """The sum of what `act` returns (0..255) in several processes, each with its own ledger."""
    ready_pipe = os.pipe()
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            code = 255
            try:
                os.close(ready_pipe[1])
                os.read(ready_pipe[0], 1)  # returns when the parent closes its end
                code = act(opened(place))
            finally:
                os._exit(code)
        children.append(child)
    os.close(ready_pipe[0])
    os.close(ready_pipe[1])
    statuses = [os.waitpid(child, 0)[1] for child in children]
    assert all(os.WIFEXITED(status) and os.WEXITSTATUS(status) < 255 for status in statuses)
    return sum(os.WEXITSTATUS(status) for status in statuses)


def until_refused(ledger: Ledger) -> int:
    """Charges until the budget refuses; settles, faults and leaves by turns."""
    done = 0
    while True:
        try:
            charge = reserved(ledger)
        except BudgetExceeded:
            return done
        done += 1
        ledger.started(charge)
        if done % 2:
            ledger.settle(charge, document(charge), tables(charge))


@pytest.mark.parametrize("affordable", [1, 7, 40])
def test_threads_spend_a_cap_exactly(affordable: int, place: Place) -> None:
    ledger = capped(place, affordable)
    done = together(*[lambda: until_refused(ledger)] * 8)
    assert sum(int(str(number)) for number in done) == affordable
    assert invariants.taken(place) == affordable * STEP
    invariants.hold(place)


def test_processes_spend_a_cap_exactly(place: Place) -> None:
    capped(place, 40)
    assert in_processes(place, 4, until_refused) == 40
    assert invariants.taken(place) == 40 * STEP
    invariants.hold(place)


def test_processes_with_threads_spend_a_cap_exactly(place: Place) -> None:
    capped(place, 30)

    def threads(ledger: Ledger) -> int:
        done = together(*[lambda: until_refused(ledger)] * 3)
        return sum(int(str(number)) for number in done)

    assert in_processes(place, 3, threads) == 30
    assert invariants.taken(place) == 30 * STEP
    invariants.hold(place)


@pytest.mark.slow
def test_eight_processes_with_sixty_four_clients_spend_a_ceiling_exactly(place: Place) -> None:
    """What is spent equals the sum of all charges, and never passes the cap."""
    capped(place, 200)

    def clients(ledger: Ledger) -> int:
        done = together(*[lambda: until_refused(ledger)] * 8)
        return sum(int(str(number)) for number in done)

    assert in_processes(place, 8, clients) == 200
    assert invariants.taken(place) == invariants.taken(place, "dataset") == 200 * STEP
    invariants.hold(place)
    assert opened(place).verify("mobility").intact


def test_one_key_is_one_query(place: Place) -> None:
    ledger = ready(place)
    records = together(*[lambda: asked(ledger, "key").id] * 8)
    assert len(set(records)) == 1
    assert len(ledger.queries(PROJECT)) == 1


def test_one_key_with_two_bodies_is_one_query(place: Place) -> None:
    ledger = ready(place)
    bodies = [letter * 64 for letter in "abcdef"]
    acts = [
        lambda digest=digest: ledger.accept(PROJECT, "anna", "key", digest, b"").digest
        for digest in bodies
    ]
    found = Counter(together(*acts))
    assert found[KeyReused] == 5
    assert len(found) == 2
    assert len(ledger.queries(PROJECT)) == 1


def test_one_query_is_charged_once(place: Place) -> None:
    ledger = ready(place)
    query = asked(ledger, "key")
    wanted = claim(query, stage("count"))
    found = together(*[lambda: type(ledger.reserve(wanted)).__name__] * 8)
    assert Counter(found) == {"Charge": 1, InFlight: 7}
    assert invariants.taken(place) == STEP


def test_one_stage_is_paid_once(place: Place) -> None:
    """Eight different queries that need the same stage: one pays, the others wait."""
    ledger = ready(place)
    claims = [claim(asked(ledger), stage("count")) for _ in range(8)]

    def one(index: int) -> str:
        charge = ledger.reserve(claims[index])
        ledger.started(charge)
        ledger.settle(charge, document(charge), tables(charge))
        return "paid" if charge.stages else "free"

    found = Counter(together(*[lambda index=index: one(index) for index in range(8)]))
    assert found["paid"] == 1
    assert found["paid"] + found["free"] + found[InFlight] == 8
    assert invariants.taken(place) == STEP
    invariants.hold(place)


def test_one_end_for_a_charge(place: Place) -> None:
    """Settling, faulting and recovering at once: exactly one of them happens."""
    ledger = ready(place, epsilon="5")
    for _ in range(12):
        ledger.thaw(PROJECT, "ada", "looked")
        charge = reserved(ledger)
        ledger.started(charge)
        found = together(
            lambda charge=charge: ledger.settle(charge, document(charge), tables(charge)),
            lambda charge=charge: ledger.fault(charge, "incident"),
            lambda: ledger.recover(LATE) or ChargeClosed,
        )
        assert found.count(ChargeClosed) == 2
        invariants.hold(place)


def test_void_and_start_exclude_each_other(place: Place) -> None:
    ledger = ready(place, epsilon="5")
    for _ in range(12):
        charge = reserved(ledger)
        before = invariants.taken(place)
        started, voided = together(
            lambda charge=charge: ledger.started(charge), lambda charge=charge: ledger.void(charge)
        )
        assert [started, voided].count(ChargeClosed) == 1
        gone = invariants.taken(place) == before - STEP
        assert gone is (voided is None)
    invariants.hold(place)


def test_allocations_at_once_do_not_exceed_the_ceiling(place: Place) -> None:
    ledger = ready(place, epsilon="1", delta="1e-8")
    names = [f"other{number}" for number in range(6)]
    for name in names:
        ledger.open_project(name, "mobility")

    def allocate(name: str) -> str:
        ledger.allocate(name, Fraction(1), Fraction(4, 10**8), "ada", "share")
        return "given"

    found = Counter(str(item) for item in together(*[lambda n=n: allocate(n) for n in names]))
    assert found["given"] == 2
    ceiling = ledger.ceiling("mobility")
    assert ceiling.promised.delta == (1 + 4 + 4) * 10**10 // 2
    invariants.hold(place)


def test_a_retry_after_the_release_finds_it(place: Place) -> None:
    ledger = ready(place)
    query = asked(ledger, "key")
    charge = ledger.reserve(claim(query, stage("count")))
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    again = asked(ledger, "key")
    assert again.id == query.id
    with pytest.raises(AlreadyAnswered):
        ledger.reserve(claim(again, stage("count")))
    assert ledger.document(PROJECT, again.id) == document(charge)
    assert answered(ledger, stage("count")).loss.rho == 0


def test_a_refusal_leaves_nothing_open(place: Place) -> None:
    """What was asked and not looked at keeps no view of a file from whoever writes next."""
    ledger, other = capped(place, 3), opened(place)
    query = asked(ledger)
    ledger.reserve(claim(query, stage("first")))
    with pytest.raises(InFlight) as refused:
        ledger.reserve(claim(query, stage("second")))
    asked(other)
    asked(ledger)
    assert refused.value.__traceback__ is not None

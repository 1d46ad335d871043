"""The crash table of budgets/LEDGER.md: a real process is killed at every statement of every step.

Each test kills children before each statement of one step, before its commit and after it, and
looks at what the file says afterwards, before and after recovery.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.charge import Charge, QueryState
from budgets.ledger import Ledger
from budgets.refusals import AlreadyAnswered, ChargeClosed
from tests.budgets import invariants
from tests.budgets.books import (
    DEADLINE,
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
from tests.budgets.conftest import Places
from tests.budgets.dying import AFTER, BEFORE_COMMIT, NEVER, dies
from tests.budgets.places import Place, until_quiet

Arm = Callable[[], None]


@dataclass(frozen=True)
class Left:
    """What a crash left: the newest query's state (None: no query), its loss and its release."""

    state: QueryState | None
    charged: int
    released: bool = False


QUEUED = Left(QueryState.QUEUED, 0)
RUNNING = Left(QueryState.RUNNING, STEP)
LOST = Left(QueryState.FAULTED, STEP)
RELEASED = Left(QueryState.RELEASED, STEP, released=True)
NOTHING = Left(None, 0)


def left(place: Place) -> Left:
    ledger = opened(place)
    latest = ledger.queries(PROJECT, limit=1)
    if not latest:
        return NOTHING
    query = latest[0]
    charged = query.loss.rho if query.loss else 0
    assert charged == invariants.taken(place) == invariants.taken(place, "dataset")
    return Left(query.state, charged, ledger.document(PROJECT, query.id) is not None)


def recovered(place: Place) -> Left:
    """What stands once the deadline has passed and recovery has run (twice, as it may)."""
    ledger = opened(place)
    ledger.recover(LATE)
    assert ledger.recover(LATE) == ()
    invariants.hold(place)
    return left(place)


def accept(ledger: Ledger, arm: Arm) -> None:
    arm()
    asked(ledger)


def reserve(ledger: Ledger, arm: Arm) -> None:
    wanted = claim(asked(ledger), stage("count"))
    arm()
    ledger.reserve(wanted)


def run(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    arm()


def settle(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    arm()
    ledger.settle(charge, document(charge), tables(charge))


def void(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger, stage("count"))
    arm()
    ledger.void(charge)


def fault(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    arm()
    ledger.fault(charge, "incident")


def recover(ledger: Ledger, arm: Arm) -> None:
    ledger.started(reserved(ledger, stage("count")))
    arm()
    assert len(ledger.recover(LATE)) == 1


STEPS = {
    "accept": (accept, NOTHING, NOTHING, QUEUED, QUEUED),
    "reserve": (reserve, QUEUED, QUEUED, RUNNING, LOST),
    "settle": (settle, RUNNING, LOST, RELEASED, RELEASED),
    "void": (void, RUNNING, LOST, QUEUED, QUEUED),
    "fault": (fault, RUNNING, LOST, LOST, LOST),
    "recover": (recover, RUNNING, LOST, LOST, LOST),
}
"""The step; what is left and what recovery makes of it, killed before and after its commit."""


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_killed_before_any_statement_or_the_commit(name: str, places: Places) -> None:
    step, before, then, _, _ = STEPS[name]
    moments = [BEFORE_COMMIT, *range(100)]
    killed = 0
    for moment in moments:
        place = places()
        ready(place)
        if not dies(place, step, moment):
            break
        killed += 1
        invariants.hold(place)
        assert (left(place), recovered(place)) == (before, then), f"at moment {moment}"
    assert 4 <= killed < len(moments)


@pytest.mark.parametrize("name", STEPS)
def test_killed_after_the_commit(name: str, place: Place) -> None:
    step, _, _, after, then = STEPS[name]
    ready(place)
    assert dies(place, step, AFTER)
    invariants.hold(place)
    assert (left(place), recovered(place)) == (after, then)


@pytest.mark.parametrize("step", [reserve, run], ids=["before started", "after started"])
def test_killed_while_it_runs(step: Callable[[Ledger, Arm], None], place: Place) -> None:
    """Whether the plan had gone to the enclave or not, nothing is given back."""
    ready(place)
    assert dies(place, step, AFTER)
    assert left(place) == RUNNING
    assert opened(place).recover(DEADLINE) == ()
    assert recovered(place) == LOST


def test_killed_with_stages_served(place: Place) -> None:
    """A query that a stored stage serves costs nothing, dead or alive."""

    def again(ledger: Ledger, arm: Arm) -> None:
        charge = ledger.reserve(claim(asked(ledger), stage("count")))
        arm()
        ledger.settle(charge, b"the same", {})

    answered(ready(place), stage("count"))
    assert dies(place, again, BEFORE_COMMIT)
    ledger = opened(place)
    assert len(ledger.recover(LATE)) == 1
    invariants.hold(place)
    assert invariants.taken(place) == STEP
    assert ledger.budget(PROJECT).faults == 0


def test_killed_while_allocating(places: Places) -> None:
    def allocate(ledger: Ledger, arm: Arm) -> None:
        arm()
        ledger.allocate(PROJECT, Fraction(1), None, "ada", "more")

    for moment in [BEFORE_COMMIT, *range(20)]:
        place = places()
        before = ready(place).budget(PROJECT).allocated
        if not dies(place, allocate, moment):
            break
        invariants.hold(place)
        assert opened(place).budget(PROJECT).allocated == before
    assert moment > 4
    assert opened(place).budget(PROJECT).epsilon == 3
    invariants.hold(place)


def test_what_was_acknowledged_survives(place: Place, tmp_path: Path) -> None:
    """Every release that a child reported before it was killed is there, to the byte."""
    ready(place)

    def five(ledger: Ledger, arm: Arm) -> None:
        for _ in range(5):
            charge = answered(ledger)
            (tmp_path / charge.query).write_bytes(document(charge))
        arm()
        answered(ledger)

    assert dies(place, five, BEFORE_COMMIT)
    invariants.hold(place)
    ledger = opened(place)
    reported = [file for file in tmp_path.iterdir() if len(file.name) == 32]
    assert len(reported) == 5
    for file in reported:
        assert ledger.document(PROJECT, file.name) == file.read_bytes()
    assert invariants.taken(place) == 5 * STEP


def charging_threads(place: Place, reports: int) -> None:
    """Four threads that charge and release for ever, and report each release they have stored."""
    ledger = opened(place)

    def work() -> None:
        while True:
            os.write(reports, answered(ledger).query.encode())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("reported", [1, 2, 3, 5, 8, 13, 21])
def test_killed_from_outside_amid_threads(reported: int, place: Place) -> None:
    """Wherever four threads happen to be, every release that was reported is there."""
    capped(place, 400)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            charging_threads(place, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        known = [pipe.read(32).decode() for _ in range(reported)]
        os.kill(child, signal.SIGKILL)
        rest = pipe.read().decode()
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    until_quiet(place)
    known += [rest[start : start + 32] for start in range(0, len(rest), 32)]
    invariants.hold(place)
    ledger = opened(place)
    for query in known:
        assert ledger.document(PROJECT, query) == f"release of {query}".encode()
    taken = invariants.taken(place)
    assert len(ledger.recover(LATE)) <= 4
    assert len(known) * STEP <= taken == invariants.taken(place)
    invariants.hold(place)


def test_a_late_settlement_of_a_lost_charge_releases_nothing(place: Place) -> None:
    """Another process has declared the charge lost meanwhile."""
    ledger = ready(place)
    charge = reserved(ledger, stage("count"))
    ledger.started(charge)
    assert opened(place).recover(LATE) == (charge.query,)
    with pytest.raises(ChargeClosed):
        ledger.settle(charge, document(charge), tables(charge))
    assert left(place) == LOST
    with pytest.raises(AlreadyAnswered):
        ledger.reserve(claim(ledger.query(PROJECT, charge.query), stage("count")))
    invariants.hold(place)


def test_a_charge_is_not_voided_by_another_process(place: Place) -> None:
    """Not even by a fork of the one that holds it, nor by a second ledger on the same file."""
    ledger = ready(place)
    charge: Charge = reserved(ledger, stage("count"))

    def stranger(other: Ledger, arm: Arm) -> None:
        for one in (other, ledger):
            with pytest.raises(ChargeClosed):
                one.void(charge)

    assert not dies(place, stranger, NEVER)
    assert left(place) == RUNNING
    ledger.void(charge)
    assert left(place) == QUEUED

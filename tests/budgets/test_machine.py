"""The ledger as a state machine: one caller, bursts of threads, killed processes, recovery.

The machine keeps its own account of what was acknowledged. After every step the file must agree
with it and keep every promise: never above a budget, never a release without its charge, nothing
given back after the start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from budgets.charge import Charge, Claim, QueryState, StageClaim
from budgets.ledger import Ledger
from budgets.refusals import (
    BudgetExceeded,
    BudgetRefused,
    ChargeClosed,
    DatasetFrozen,
    InFlight,
    NotFree,
    NotRedeemable,
    ProjectFrozen,
)
from tests.budgets import invariants
from tests.budgets.books import (
    BLOCKS,
    DATASET,
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
    reserved,
    stage,
    tables,
)
from tests.budgets.conftest import Places
from tests.budgets.dying import AFTER, BEFORE_COMMIT, dies

AFFORDABLE = 25
OTHER = "other"
PART = Fraction(1, 100)
costs = st.integers(1, 3).map(lambda times: times * STEP)
read = st.sampled_from([BLOCKS, BLOCKS[:1], BLOCKS[1:]])
moments = st.sampled_from([BEFORE_COMMIT, AFTER, 0, 1, 3, 6, 10, 15])


class Books(RuleBasedStateMachine):
    """Everything that callers, crashes and administrators may do, in any order."""

    fresh = Bundle("fresh")
    running = Bundle("running")

    def __init__(self, places: Places) -> None:
        super().__init__()
        self.places = places

    @initialize()
    def open(self) -> None:
        self.place = self.places()
        self.ledger = capped(self.place, AFFORDABLE)
        self.ledger.open_project(OTHER, DATASET)
        self.ledger.allocate(OTHER, PART, None, "ada", "beside")
        self.stopped = False
        self.taken = 0
        self.released: dict[str, bytes] = {}
        self.paid: set[str] = set()

    def afford(self, act: Callable[[], Charge], cost: int) -> Charge | None:
        """Do what reserves `cost`; it is refused exactly when it must be."""
        status = self.ledger.budget(PROJECT)
        try:
            charge = act()
        except ProjectFrozen:
            assert status.frozen
            return None
        except DatasetFrozen:
            assert self.stopped
            return None
        except BudgetExceeded:
            assert status.remaining.rho < cost
            return None
        except InFlight:
            return None
        assert not status.frozen
        assert not self.stopped
        self.taken += charge.loss.rho
        assert charge.loss.rho in (0, cost)
        return charge

    @rule(target=fresh, cost=costs, blocks=read)
    def reserve(self, cost: int, blocks: tuple[str, ...]) -> object:
        charge = self.afford(lambda: self._reserved(cost, blocks), cost)
        return multiple() if charge is None else charge

    def _reserved(self, cost: int, blocks: tuple[str, ...]) -> Charge:
        query = asked(self.ledger)
        return self.ledger.reserve(claim(query, stage(query.id, rho=cost), blocks=blocks))

    @rule(target=fresh, shared=st.sampled_from("abc"), cost=costs)
    def reserve_a_shared_stage(self, shared: str, cost: int) -> object:
        charge = self.afford(lambda: reserved(self.ledger, stage(shared, rho=cost)), cost)
        if charge is None:
            return multiple()
        assert (charge.loss.rho == 0) is (shared in self.paid)
        return charge

    @rule(target=running, charge=consumes(fresh))
    def start(self, charge: Charge) -> Charge:
        self.ledger.started(charge)
        return charge

    @rule(charge=consumes(fresh))
    def void(self, charge: Charge) -> None:
        try:
            self.ledger.void(charge)
        except ChargeClosed:
            assert self.state(charge) is QueryState.FAULTED
        else:
            self.taken -= charge.loss.rho

    @rule(charge=running)
    def void_too_late(self, charge: Charge) -> None:
        with pytest.raises(ChargeClosed):
            self.ledger.void(charge)

    @rule(charge=consumes(running))
    def settle(self, charge: Charge) -> None:
        try:
            self.ledger.settle(charge, document(charge), tables(charge))
        except ChargeClosed:
            assert self.state(charge) is QueryState.FAULTED
        else:
            self.released[charge.query] = document(charge)
            self.paid.update(charge.stages)

    @rule(charge=consumes(running))
    def fault(self, charge: Charge) -> None:
        try:
            self.ledger.fault(charge, "incident")
        except ChargeClosed:
            assert self.state(charge) is QueryState.FAULTED

    @rule(target=running, charge=consumes(running))
    def redeem(self, charge: Charge) -> object:
        """Its run fails, and it is run once more under the same charge; then no more."""
        try:
            self.ledger.fault(charge, "incident")
        except ChargeClosed:
            assert self.state(charge) is QueryState.FAULTED
        wanted = Claim(charge.query, PROJECT, self.stages(charge), DEADLINE, blocks=BLOCKS)
        try:
            self.ledger.redeem(PROJECT, charge.query, "ada", "a disk was full")
        except NotRedeemable:
            assert charge.redeemed or not charge.stages
            return multiple()
        try:
            again = self.ledger.reserve(wanted)
        except (ProjectFrozen, DatasetFrozen, InFlight):
            return multiple()
        except NotRedeemable:  # it was charged for one block, or at another price
            return multiple()
        self.ledger.started(again)
        return again

    def stages(self, charge: Charge) -> tuple[StageClaim, ...]:
        return tuple(stage(digest, rho=charge.loss.rho) for digest in charge.stages)

    @rule(late=st.booleans())
    def recover(self, late: bool) -> None:
        lost = self.ledger.recover(LATE if late else DEADLINE)
        assert late or not lost

    @rule()
    def thaw(self) -> None:
        self.ledger.thaw(PROJECT, "ada", "looked")

    @rule()
    def freeze(self) -> None:
        self.ledger.freeze(PROJECT, "ada", "a key was stolen")

    @rule(stopped=st.booleans())
    def freeze_the_dataset(self, stopped: bool) -> None:
        act = self.ledger.freeze_dataset if stopped else self.ledger.thaw_dataset
        act(DATASET, "ada", "an incident")
        self.stopped = stopped

    @rule(back=st.booleans())
    def transfer(self, back: bool) -> None:
        giver, receiver = (OTHER, PROJECT) if back else (PROJECT, OTHER)
        before = self.epsilons()
        try:
            self.ledger.transfer(giver, receiver, PART / 4, "ada", "a better use")
        except NotFree as refused:
            assert refused.remaining.rho < refused.requested.rho or before[giver] <= PART / 4
            assert self.epsilons() == before
        else:
            assert sum(self.epsilons().values()) == sum(before.values())

    def epsilons(self) -> dict[str, Fraction]:
        return {name: self.ledger.budget(name).epsilon for name in (PROJECT, OTHER)}

    @rule(moment=moments)
    def killed_in_transfer(self, moment: int) -> None:
        def step(ledger: Ledger, arm: Callable[[], None]) -> None:
            arm()
            with suppress(NotFree):
                ledger.transfer(PROJECT, OTHER, PART / 4, "ada", "a better use")

        before = self.epsilons()
        dies(self.place, step, moment)
        after = self.epsilons()
        assert sum(after.values()) == sum(before.values())
        assert before[PROJECT] - after[PROJECT] in (0, PART / 4)

    @rule()
    def reopen(self) -> None:
        """Another process carries on: it holds no charge, so it can void none."""
        self.stale = self.ledger
        self.ledger = opened(self.place)
        self.ledger, self.stale = self.stale, self.ledger
        assert self.stale.budget(PROJECT) == self.ledger.budget(PROJECT)

    @rule(threads=st.integers(2, 4))
    def burst(self, threads: int) -> None:
        """Several threads charge and release at once until each has done so or was refused."""
        made: list[Charge] = []

        def one() -> None:
            try:
                made.append(answered(self.ledger))
            except BudgetRefused:
                return

        status = self.ledger.budget(PROJECT)
        pool = [threading.Thread(target=one) for _ in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        affordable = (
            0 if status.frozen or self.stopped else min(threads, status.remaining.rho // STEP)
        )
        assert len(made) == affordable
        self.taken += len(made) * STEP
        self.released |= {charge.query: document(charge) for charge in made}

    @rule(moment=moments)
    def killed_in_reserve(self, moment: int) -> None:
        def step(ledger: Ledger, arm: Callable[[], None]) -> None:
            try:
                query = asked(ledger)
                arm()
                ledger.reserve(claim(query, stage(query.id)))
            except BudgetRefused:
                return

        self.killed(step, moment, STEP)

    @rule(moment=moments)
    def killed_in_settle(self, moment: int) -> None:
        def step(ledger: Ledger, arm: Callable[[], None]) -> None:
            try:
                charge = reserved(ledger)
            except BudgetRefused:
                return
            ledger.started(charge)
            arm()
            ledger.settle(charge, document(charge), tables(charge))

        self.killed(step, moment, STEP)

    def killed(
        self, step: Callable[[Ledger, Callable[[], None]], None], moment: int, cost: int
    ) -> None:
        """A child does one charge and is killed in it; afterwards it took all of it or nothing."""
        status = self.ledger.budget(PROJECT)
        dies(self.place, step, moment)
        now = invariants.taken(self.place)
        assert now - self.taken in (0, cost)
        if status.frozen or self.stopped or status.remaining.rho < cost:
            assert now == self.taken
        self.taken = now

    def state(self, charge: Charge) -> QueryState:
        return self.ledger.query(PROJECT, charge.query).state

    @invariant()
    def the_file_keeps_every_promise(self) -> None:
        invariants.hold(self.place)
        assert invariants.taken(self.place) == self.taken == invariants.taken(self.place, "dataset")
        assert self.taken <= self.ledger.budget(PROJECT).allocated.rho
        blocks = [one.reserved.rho + one.spent.rho for one in self.ledger.blocks(DATASET)]
        assert max(blocks) <= self.taken <= sum(blocks)

    @invariant()
    def what_was_released_stays_released(self) -> None:
        for query, bytes_ in self.released.items():
            assert self.ledger.document(PROJECT, query) == bytes_

    @invariant()
    def the_ledger_agrees_with_itself(self) -> None:
        assert self.ledger.verify(DATASET).intact


@pytest.mark.slow
def test_any_order_of_acts_keeps_every_promise(places: Places) -> None:
    """As hypothesis would have it."""
    examples = 30 if isinstance(places(), Path) else 12
    tried = settings(max_examples=examples, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(lambda: Books(places), settings=tried)  # type: ignore[no-untyped-call]

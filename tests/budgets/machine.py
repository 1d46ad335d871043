"""The ledger as a state machine, first part: charges, from callers that crash and in bursts.

The machine keeps its own account of what was acknowledged. After every step the file must agree
with it and keep every promise: never above a budget, never a release without its charge, nothing
given back after the start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from budgets.charge import Charge, Claim, QueryState, StageClaim
from budgets.ledger import Ledger
from budgets.refusals import (
    AllocationExpired,
    BudgetExceeded,
    BudgetRefused,
    ChargeClosed,
    DatasetFrozen,
    InFlight,
    NotRedeemable,
    ProjectFrozen,
    UnknownEarmark,
)
from tests.budgets import invariants
from tests.budgets.books import (
    BLOCKS,
    DATASET,
    DEADLINE,
    LATE,
    NOON,
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
REPORT = "report"
HOUR = timedelta(hours=1)
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
        self.now, self.end = NOON, None
        capped(self.place, AFFORDABLE)
        self.ledger = opened(self.place, clock=lambda: self.now)
        self.ledger.open_project(OTHER, DATASET)
        self.ledger.allocate(OTHER, PART, None, "ada", "beside")
        self.stopped = False
        self.taken = 0
        self.released: dict[str, bytes] = {}
        self.paid: set[str] = set()

    def afford(
        self, act: Callable[[], Charge], cost: int, earmark: str | None = None
    ) -> Charge | None:
        """Do what reserves `cost`; it is refused exactly when it must be."""
        status = self.ledger.budget(PROJECT, None, earmark)
        assert status.expired is self.ended
        try:
            charge = act()
        except AllocationExpired:
            assert self.ended
            return None
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
        assert not (self.ended and charge.loss.rho)
        self.taken += charge.loss.rho
        assert charge.loss.rho in (0, cost)
        return charge

    @property
    def ended(self) -> bool:
        """Whether the allocation has ended, by the clock or by the latest entry."""
        return self.end is not None and self.end <= max(self.now, invariants.latest(self.place))

    @rule(target=fresh, cost=costs, blocks=read)
    def reserve(self, cost: int, blocks: tuple[str, ...]) -> object:
        charge = self.afford(lambda: self._reserved(cost, blocks), cost)
        return multiple() if charge is None else charge

    def _reserved(self, cost: int, blocks: tuple[str, ...], earmark: str | None = None) -> Charge:
        query = asked(self.ledger)
        wanted = claim(query, stage(query.id, rho=cost), blocks=blocks, earmark=earmark)
        return self.ledger.reserve(wanted)

    @rule(target=fresh, cost=costs)
    def reserve_what_is_kept(self, cost: int) -> object:
        try:
            charge = self.afford(lambda: self._reserved(cost, BLOCKS, REPORT), cost, REPORT)
        except UnknownEarmark:
            assert not self.ledger.earmarks(PROJECT)
            return multiple()
        return multiple() if charge is None else charge

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
    def reopen(self) -> None:
        """Another process carries on: it holds no charge, so it can void none."""
        self.stale = self.ledger
        self.ledger = opened(self.place, clock=lambda: self.now)
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

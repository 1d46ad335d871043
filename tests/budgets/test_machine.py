"""The ledger as a state machine: whatever callers, crashes and administrators do, in any order.

Beside charges (`machine.py`) budgets are moved, kept for later, ended and begun anew, all is frozen
and thawed, and the clock goes on or back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
    run_state_machine_as_test,
)

from budgets.earmarking import Part
from budgets.ledger import Ledger
from budgets.refusals import (
    AllocationExpired,
    NotFree,
    UnknownEarmark,
)
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    PROJECT,
)
from tests.budgets.conftest import Places
from tests.budgets.dying import dies
from tests.budgets.machine import HOUR, OTHER, PART, REPORT, Books, moments


class Acts(Books):
    """What administrators do, and what time does."""

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

    @rule(share=st.integers(1, 5))
    def earmark(self, share: int) -> None:
        free = self.ledger.budget(PROJECT)
        part = Part(share=Fraction(share, 10))
        try:
            self.ledger.earmark(PROJECT, REPORT, part, "lena", "a report")
        except AllocationExpired:
            assert self.ended
        except ValueError:  # a share of nothing: all was returned before anything was spent
            assert free.returned.rho == free.allocated.rho
        except NotFree as refused:
            assert refused.remaining.rho == free.remaining.rho
            assert not (
                0 < refused.requested.rho <= free.remaining.rho
                and refused.requested.delta <= free.remaining.delta
            )
        else:
            kept = self.ledger.budget(PROJECT)
            assert kept.remaining.rho + kept.promised.rho - free.promised.rho == free.remaining.rho

    @rule()
    def lift(self) -> None:
        before = self.ledger.budget(PROJECT)
        try:
            self.ledger.lift(PROJECT, REPORT, "lena", "no report")
        except UnknownEarmark:
            return
        after = self.ledger.budget(PROJECT)
        assert after.promised.rho == 0
        assert after.remaining.rho == (
            0 if self.ended else before.remaining.rho + before.promised.rho
        )

    @rule(hours=st.sampled_from([None, 1, 2]))
    def term(self, hours: int | None) -> None:
        until = None if hours is None else self.now + hours * HOUR
        try:
            self.ledger.term(PROJECT, until, "ada", "agreed")
        except ValueError:
            assert until is not None
            assert until <= invariants.latest(self.place)
        else:
            self.end = until

    @rule(hours=st.sampled_from([-2, 1, 3]))
    def clock(self, hours: int) -> None:
        """The clock goes on, or is set back."""
        self.now += hours * HOUR

    @rule()
    def look(self) -> None:
        """Whoever looks leaves nothing to return."""
        assert self.ledger.budget(PROJECT).expired is self.ended
        assert not self.ledger.expire(DATASET)

    @rule()
    def allocate_anew(self) -> None:
        until = max(self.now, invariants.latest(self.place)) + HOUR
        if self.ended:
            with pytest.raises(AllocationExpired):
                self.ledger.allocate(PROJECT, PART / 10, None, "ada", "more")
        before = self.ledger.budget(PROJECT)
        self.ledger.allocate(PROJECT, PART / 10, None, "ada", "anew", until=until)
        self.end = until
        after = self.ledger.budget(PROJECT)
        assert after.remaining.rho >= before.remaining.rho
        assert after.returned.rho == 0

    @rule(back=st.booleans())
    def transfer(self, back: bool) -> None:
        giver, receiver = (OTHER, PROJECT) if back else (PROJECT, OTHER)
        before, whole = self.epsilons(), not self.ledger.budget(PROJECT).returned.rho
        try:
            self.ledger.transfer(giver, receiver, PART / 4, "ada", "a better use")
        except AllocationExpired:
            assert self.ended
        except NotFree as refused:
            assert refused.remaining.rho < refused.requested.rho or before[giver] <= PART / 4
            assert self.epsilons() == before
        else:
            assert not whole or sum(self.epsilons().values()) == sum(before.values())

    def epsilons(self) -> dict[str, Fraction]:
        return {name: self.ledger.budget(name).epsilon for name in (PROJECT, OTHER)}

    @rule(moment=moments)
    def killed_in_transfer(self, moment: int) -> None:
        def step(ledger: Ledger, arm: Callable[[], None]) -> None:
            arm()
            with suppress(NotFree, AllocationExpired):
                ledger.transfer(PROJECT, OTHER, PART / 4, "ada", "a better use")

        if self.ledger.budget(PROJECT).returned.rho:
            return
        before = self.epsilons()
        dies(self.place, step, moment)
        after = self.epsilons()
        assert sum(after.values()) == sum(before.values())
        assert before[PROJECT] - after[PROJECT] in (0, PART / 4)


@pytest.mark.slow
def test_any_order_of_acts_keeps_every_promise(places: Places) -> None:
    """As hypothesis would have it."""
    examples = 30 if isinstance(places(), Path) else 12
    tried = settings(max_examples=examples, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(lambda: Acts(places), settings=tried)  # type: ignore[no-untyped-call]

"""Allocations end: what they have not spent goes back to the ceiling, once, and nothing revives."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from budgets.earmarking import Part
from budgets.ledger import Ledger
from budgets.refusals import (
    AllocationExceeded,
    AllocationExpired,
    BudgetExceeded,
    UnknownDataset,
)
from budgets.storage import Storage
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    NOON,
    POLICY,
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
from tests.budgets.places import Place, edit
from tests.budgets.test_races import together

HOUR = timedelta(hours=1)
END = NOON + HOUR
AFTER = END + HOUR


def at(place: Place, moment: datetime) -> Ledger:
    """The ledger of a gateway whose clock stands at a moment."""
    return Ledger(Storage.open(place), POLICY, clock=lambda: moment)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    """A project whose allocation ends in an hour, and that has spent a little of it."""
    found = ready(place)
    answered(found, stage("count"))
    found.term(PROJECT, END, "ada", "the agreement ends")
    return found


def events(ledger: Ledger, *names: str) -> list[tuple[str, str, int]]:
    """The entries of these events: the account's kind, why, and the amount of rho."""
    return [
        (one.account[0], json.loads(one.note)["reason"], one.amounts.rho)
        for one, _ in ledger.entries(DATASET)
        if one.event in names
    ]


def test_what_was_not_spent_returns_to_the_ceiling(ledger: Ledger, place: Place) -> None:
    before = ledger.budget(PROJECT)
    assert (before.ends, before.expired, before.returned.rho) == (END, False, 0)
    later = at(place, END)
    found = later.budget(PROJECT)
    assert (found.expired, found.remaining.rho, found.remaining.delta) == (True, 0, 0)
    assert found.allocated == before.allocated
    assert found.spent == before.spent
    assert found.returned == before.remaining
    assert events(later, "return") == [("project", "expired", -before.remaining.rho)]
    assert later.ceiling(DATASET).promised.rho == STEP
    assert later.verify(DATASET).intact
    invariants.hold(place)


def test_until_the_end_it_is_charged_and_not_from_it_on(ledger: Ledger, place: Place) -> None:
    answered(at(place, END - timedelta(microseconds=1)), stage("in time"))
    late = at(place, END)
    query = asked(late)
    with pytest.raises(AllocationExpired) as refused:
        late.reserve(claim(query, stage("late")))
    assert refused.value.code == "allocation-expired"
    assert refused.value.hint is not None
    assert len(events(late, "return")) == 1
    assert invariants.taken(place) == 2 * STEP
    assert late.verify(DATASET).intact


def test_what_was_released_stays_free(ledger: Ledger, place: Place) -> None:
    late = at(place, AFTER)
    charge = late.reserve(claim(asked(late), stage("count")))
    assert (charge.stages, charge.loss.rho) == ((), 0)
    late.settle(charge, document(charge), {})
    with pytest.raises(AllocationExpired):
        late.reserve(claim(asked(late), stage("count"), stage("another")))


def test_what_runs_at_the_end_is_settled(ledger: Ledger, place: Place) -> None:
    running = reserved(ledger, stage("running"))
    ledger.started(running)
    late = at(place, AFTER)
    assert late.expire(DATASET)
    assert late.budget(PROJECT).reserved.rho == STEP
    late.settle(running, document(running), tables(running))
    assert late.budget(PROJECT).spent.rho == 2 * STEP
    assert late.document(PROJECT, running.query) == document(running)
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_what_is_voided_after_the_end_returns_as_well(ledger: Ledger, place: Place) -> None:
    waiting = reserved(ledger, stage("waiting"))
    late = at(place, AFTER)
    late.expire(DATASET)
    ledger.void(waiting)
    assert late.ceiling(DATASET).promised.rho == STEP
    with pytest.raises(AllocationExpired):
        ledger.reserve(claim(asked(ledger), stage("waiting")))
    assert [amount for _, _, amount in events(late, "return")][1:] == [-STEP]
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_a_clock_that_is_set_back_revives_nothing(ledger: Ledger, place: Place) -> None:
    late, early = at(place, AFTER), at(place, NOON)
    late.budget(PROJECT)
    assert early.budget(PROJECT).expired
    with pytest.raises(AllocationExpired):
        early.reserve(claim(asked(early), stage("early")))
    with pytest.raises(ValueError, match="later than now"):
        early.term(PROJECT, END + timedelta(minutes=1), "ada", "by a clock that is late")


def test_any_later_entry_counts_as_the_time(ledger: Ledger, place: Place) -> None:
    """Nobody has looked at the project itself, and nothing was returned."""
    late, early = at(place, AFTER), at(place, NOON)
    late.open_project("other", DATASET)
    late.freeze_dataset(DATASET, "ada", "an incident")
    late.thaw_dataset(DATASET, "ada", "looked")
    with pytest.raises(AllocationExpired):
        early.reserve(claim(asked(early), stage("early")))


def test_a_new_allocation_begins_anew(ledger: Ledger, place: Place) -> None:
    late = at(place, AFTER)
    for named in (None, END):
        with pytest.raises((AllocationExpired, ValueError)):
            late.allocate(PROJECT, Fraction(1), None, "ada", "more", until=named)
    late.allocate(PROJECT, Fraction(1), None, "ada", "a second year", until=AFTER + HOUR)
    found = late.budget(PROJECT)
    assert (found.ends, found.expired, found.returned.rho) == (AFTER + HOUR, False, 0)
    assert Fraction(1) < found.epsilon < Fraction(5, 4)
    assert found.spent.rho == STEP
    assert found.allocated.rho - found.spent.rho == found.remaining.rho > 0
    answered(late, stage("again"))
    with pytest.raises(BudgetExceeded):
        late.reserve(claim(asked(late), stage("all", rho=found.remaining.rho)))
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_an_end_is_moved_and_taken_away(ledger: Ledger, place: Place) -> None:
    ledger.allocate(PROJECT, Fraction(1), None, "ada", "more")
    assert ledger.budget(PROJECT).ends == END
    ledger.allocate(PROJECT, Fraction(1), None, "ada", "and longer", until=AFTER)
    assert at(place, END).budget(PROJECT).remaining.rho > 0
    ledger.term(PROJECT, None, "ada", "open-ended")
    assert at(place, AFTER).budget(PROJECT).ends is None
    answered(at(place, AFTER), stage("late"))
    assert ledger.verify(DATASET).intact


def test_what_was_returned_is_not_brought_back_by_another_end(ledger: Ledger, place: Place) -> None:
    late = at(place, AFTER)
    late.term(PROJECT, None, "ada", "open-ended")
    found = late.budget(PROJECT)
    assert (found.expired, found.remaining.rho, found.spent.rho) == (False, 0, STEP)
    with pytest.raises(BudgetExceeded):
        late.reserve(claim(asked(late), stage("late")))
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_what_returned_can_be_given_to_another_project(ledger: Ledger, place: Place) -> None:
    late = at(place, AFTER)
    late.open_project("other", DATASET)
    most = (Fraction(799, 100), Fraction(1, 10**7) - Fraction(1, 10**16))
    with pytest.raises(AllocationExceeded):
        ledger.allocate("other", *most, "ada", "too early")
    late.allocate("other", *most, "ada", "what came back")
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_nothing_is_moved_out_of_or_into_what_has_ended(ledger: Ledger, place: Place) -> None:
    late = at(place, AFTER)
    late.open_project("other", DATASET)
    late.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "beside")
    for giver, receiver in ((PROJECT, "other"), ("other", PROJECT)):
        with pytest.raises(AllocationExpired):
            late.transfer(giver, receiver, Fraction(1, 10), "ada", "moved")
    with pytest.raises(AllocationExpired):
        late.earmark(PROJECT, "report", Part(share=Fraction(1, 10)), "ada", "kept")
    assert late.verify(DATASET).intact


def test_a_pure_allocation_ends_under_a_ceiling_of_rho(place: Place) -> None:
    ledger = ready(place, epsilon="1", delta="0")
    answered(ledger, stage("count", rho=STEP // 2, epsilon=10**11))
    ledger.term(PROJECT, END, "ada", "the agreement ends")
    late = at(place, END)
    found = late.budget(PROJECT)
    assert (found.returned.epsilon, found.remaining.epsilon) == (9 * 10**11, 0)
    assert late.ceiling(DATASET).promised.rho == 10**10 // 2
    late.allocate(PROJECT, Fraction(1, 2), None, "ada", "anew", until=AFTER)
    assert late.budget(PROJECT).epsilon == Fraction(6, 10)
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_many_who_look_at_once_return_it_once(ledger: Ledger, place: Place) -> None:
    houses = [at(place, AFTER) for _ in range(4)]
    queries = [asked(ledger) for _ in houses]
    looks = [lambda one=one: one.budget(PROJECT) for one in houses]
    sweeps = [lambda one=one: one.expire(DATASET) for one in houses]
    charges = [
        lambda one=one, query=query: one.reserve(claim(query, stage(query.id)))
        for one, query in zip(houses, queries, strict=True)
    ]
    found = together(*looks, *sweeps, *charges)
    assert found.count(AllocationExpired) == 4
    assert len(events(ledger, "return")) == 1
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_limit_within_a_project_ends_with_it(ledger: Ledger, place: Place) -> None:
    ledger.limit(PROJECT, "anna", Fraction(1), "ada", "a guest")
    late = at(place, AFTER)
    found = late.budget(PROJECT, "anna")
    assert (found.expired, found.remaining.rho) == (True, 0)
    with pytest.raises(AllocationExpired):
        late.reserve(claim(asked(late), stage("late"), analyst="anna"))


def test_a_sweep_where_nothing_has_ended_changes_nothing(ledger: Ledger) -> None:
    assert not ledger.expire(DATASET)
    assert not events(ledger, "return")
    with pytest.raises(UnknownDataset):
        ledger.expire("nowhere")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE account SET expires = expires + 1 WHERE kind = 'project'", "ends at another"),
        ("UPDATE account SET expires = NULL WHERE kind = 'project'", "ends at another"),
        ("UPDATE account SET latest = latest - 1 WHERE parent IS NULL", "another time"),
    ],
)
def test_an_end_or_a_time_that_entries_do_not_say_is_found(
    ledger: Ledger, place: Place, change: str, word: str
) -> None:
    edit(place, change)
    found = ledger.verify(DATASET)
    assert found.broken_at is None
    assert word in " ".join(found.disagreements)


def test_a_charge_after_the_end_is_found(ledger: Ledger, place: Place) -> None:
    """By a program that does not look at ends, on a table whose end was taken away."""
    edit(place, "UPDATE account SET expires = NULL WHERE kind = 'project'")
    late = at(place, AFTER)
    answered(late, stage("late"))
    edit(place, f"UPDATE account SET expires = {_micros(END)} WHERE kind = 'project'")
    found = opened(place).verify(DATASET).disagreements
    assert any("after its allocation's end" in one for one in found)


def _micros(moment: datetime) -> int:
    return round(moment.timestamp()) * 10**6

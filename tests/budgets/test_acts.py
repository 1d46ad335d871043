"""Acts over accounts: transfers, overcommitted ceilings, freezing. Each adds; none edits."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from budgets.ledger import Ledger
from budgets.refusals import (
    AllocationExceeded,
    BudgetExceeded,
    CeilingReached,
    DatasetFrozen,
    NotFree,
    OtherDataset,
    Overcommitted,
    ProjectFrozen,
)
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
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
from tests.budgets.conftest import Places
from tests.budgets.dying import AFTER, BEFORE_COMMIT, dies
from tests.budgets.places import Place, edit
from tests.budgets.test_crash import Arm
from tests.budgets.test_races import together

OTHER = "flows"


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return two(place)


def two(place: Place) -> Ledger:
    """Two projects of epsilon 2 and 1 under a ceiling of 8."""
    ledger = ready(place, epsilon="2", delta="2e-8")
    ledger.open_project(OTHER, DATASET)
    ledger.allocate(OTHER, Fraction(1), Fraction(1, 10**8), "ada", "first")
    return ledger


def epsilons(ledger: Ledger) -> tuple[Fraction, Fraction]:
    return ledger.budget(PROJECT).epsilon, ledger.budget(OTHER).epsilon


def notes(ledger: Ledger, event: str) -> list[dict[str, object]]:
    return [json.loads(one.note) for one, _ in ledger.entries(DATASET) if one.event == event]


def test_a_transfer_moves_epsilon_and_keeps_both_deltas(places: Places) -> None:
    place = places()
    ledger, alone = two(place), ready(places(), epsilon="1.5", delta="2e-8")
    before = ledger.ceiling(DATASET).promised.rho
    ledger.transfer(PROJECT, OTHER, Fraction(1, 2), "ada", "a report of its own")
    assert epsilons(ledger) == (Fraction(3, 2), Fraction(3, 2))
    assert ledger.budget(PROJECT).allocated == alone.budget(PROJECT).allocated
    assert ledger.budget(OTHER).delta == Fraction(1, 10**8)
    assert ledger.ceiling(DATASET).promised.rho < before
    given, taken = notes(ledger, "transfer")
    assert (given["to"], taken["from"]) == (OTHER, PROJECT)
    assert {given["by"], taken["by"]} == {"ada"}
    assert given["reason"] == "a report of its own"
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_transfer_takes_nothing_that_was_charged(ledger: Ledger, place: Place) -> None:
    answered(ledger, stage("a", rho=ledger.budget(PROJECT).price(Fraction(3, 2))))
    running = reserved(ledger, stage("b"))
    with pytest.raises(NotFree) as refused:
        ledger.transfer(PROJECT, OTHER, Fraction(1, 2), "ada", "too much")
    assert refused.value.requested.rho > refused.value.remaining.rho
    for whole in (Fraction(2), Fraction(3)):
        with pytest.raises(NotFree):
            ledger.transfer(PROJECT, OTHER, whole, "ada", "all of it")
    assert epsilons(ledger) == (2, 1)
    ledger.transfer(PROJECT, OTHER, Fraction(1, 10), "ada", "a little")
    ledger.started(running)
    ledger.settle(running, document(running), tables(running))
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_transfer_that_the_ceiling_does_not_hold_is_refused(place: Place) -> None:
    """A large budget grows by more than what a small one frees."""
    ledger = ready(place, epsilon="5.5", delta="5e-8")
    ledger.open_project(OTHER, DATASET)
    ledger.allocate(OTHER, Fraction(9, 2), Fraction(5, 10**8), "ada", "the smaller")
    with pytest.raises(AllocationExceeded):
        ledger.transfer(OTHER, PROJECT, Fraction(3), "ada", "to the larger")
    assert epsilons(ledger) == (Fraction(11, 2), Fraction(9, 2))
    invariants.hold(place)


def test_a_transfer_is_between_two_projects_of_one_dataset(ledger: Ledger) -> None:
    ledger.open_dataset("breaches", Fraction(8), Fraction(1, 10**7))
    ledger.open_project("sectors", "breaches")
    for receiver in ("sectors", PROJECT):
        with pytest.raises(OtherDataset):
            ledger.transfer(PROJECT, receiver, Fraction(1, 2), "ada", "wrong")


def test_a_transfer_opens_the_account_of_a_project_without_budget(
    ledger: Ledger, place: Place
) -> None:
    ledger.open_project("new", DATASET)
    ledger.transfer(PROJECT, "new", Fraction(1, 2), "ada", "a start")
    assert ledger.budget("new").epsilon == Fraction(1, 2)
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_transfers_at_once_take_a_budget_once(ledger: Ledger, place: Place) -> None:
    acts = [lambda: ledger.transfer(PROJECT, OTHER, Fraction(3, 4), "ada", "race")] * 6
    assert together(*acts).count(NotFree) == 4
    assert epsilons(ledger) == (Fraction(1, 2), Fraction(5, 2))
    invariants.hold(place)


def test_a_transfer_and_charges_at_once_never_pass_a_capacity(place: Place) -> None:
    ledger = two(place)
    whole = ledger.budget(PROJECT).allocated.rho

    def charge() -> object:
        return ledger.reserve(claim(asked(ledger), stage("a", rho=whole * 3 // 5)))

    def move() -> object:
        return ledger.transfer(PROJECT, OTHER, Fraction(1), "ada", "race")

    found = together(charge, move, move)
    assert (BudgetExceeded in found) is (invariants.taken(place) == 0)
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


@pytest.mark.slow
def test_killed_in_a_transfer_both_or_neither_changed(places: Places) -> None:
    def transfer(ledger: Ledger, arm: Arm) -> None:
        arm()
        ledger.transfer(PROJECT, OTHER, Fraction(1, 2), "ada", "a better use")

    for moment in [BEFORE_COMMIT, *range(30)]:
        place = places()
        two(place)
        if not dies(place, transfer, moment):
            break
        assert epsilons(opened(place)) == (2, 1)
        invariants.hold(place)
    assert moment > 6
    assert dies(place, transfer, AFTER)
    assert epsilons(opened(place)) == (1, 2)
    invariants.hold(place)


def test_a_ceiling_promises_more_only_where_its_policy_says_so(place: Place) -> None:
    """And charging stops at it all the same."""
    ledger = ready(place, epsilon="8", delta="5e-8")
    ledger.open_project(OTHER, DATASET)
    beyond = (OTHER, Fraction(6), Fraction(5, 10**8), "ada", "beyond")
    with pytest.raises(AllocationExceeded):
        ledger.allocate(*beyond)
    ledger.overcommit(DATASET, 200, "ada", "the board agreed: few projects use all")
    ledger.allocate(*beyond)
    with pytest.raises(AllocationExceeded):
        ledger.allocate(OTHER, Fraction(8), None, "ada", "beyond that, too")
    ceiling = ledger.ceiling(DATASET)
    assert ceiling.promised.rho > ceiling.allocated.rho
    answered(ledger, stage("a", rho=ledger.budget(PROJECT).remaining.rho))
    with pytest.raises(CeilingReached):
        left = ledger.budget(OTHER).remaining.rho
        ledger.reserve(claim(asked(ledger, project=OTHER), stage("a", rho=left)))
    assert invariants.taken(place, "dataset") <= ceiling.allocated.rho
    with pytest.raises(Overcommitted):
        ledger.overcommit(DATASET, 100, "ada", "back")
    assert notes(ledger, "overcommit")[0]["per_cent"] == 200
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_policy_that_was_written_into_the_table_is_found(ledger: Ledger, place: Place) -> None:
    edit(place, "UPDATE account SET overcommit = 900 WHERE parent IS NULL")
    assert "may not promise" in ledger.verify(DATASET).disagreements[0]


@pytest.mark.parametrize("percent", [0, 99, 1001])
def test_a_ceiling_promises_what_it_has_at_least(ledger: Ledger, percent: int) -> None:
    with pytest.raises(ValueError, match="per cent"):
        ledger.overcommit(DATASET, percent, "ada", "odd")


def test_a_frozen_dataset_stops_all_its_projects(ledger: Ledger, place: Place) -> None:
    waiting, running = asked(ledger), reserved(ledger, stage("b"))
    ledger.started(running)
    ledger.freeze_dataset(DATASET, "ada", "a provider asked for it")
    assert ledger.ceiling(DATASET).frozen
    for project in (PROJECT, OTHER):
        with pytest.raises(DatasetFrozen):
            asked(ledger, project=project)
    with pytest.raises(DatasetFrozen):
        ledger.reserve(claim(waiting, stage("a")))
    ledger.settle(running, document(running), tables(running))
    assert ledger.document(PROJECT, running.query) == document(running)
    assert invariants.taken(place) == STEP
    ledger.freeze(PROJECT, "ada", "its key, too")
    ledger.thaw_dataset(DATASET, "ada", "the provider agreed")
    with pytest.raises(ProjectFrozen):
        ledger.reserve(claim(waiting, stage("a")))
    ledger.thaw(PROJECT, "ada", "a new key")
    ledger.reserve(claim(waiting, stage("a")))
    assert [note["reason"] for note in notes(ledger, "freeze")] == [
        "a provider asked for it",
        "its key, too",
    ]
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_faults_and_freezes_of_one_project_are_not_anothers(ledger: Ledger) -> None:
    """Nor does thawing the one forget the other's faults, or thaw it (P22)."""

    def standing(project: str) -> tuple[bool, int]:
        return ledger.budget(project).frozen, ledger.budget(project).faults

    def fails(project: str) -> None:
        charge = ledger.reserve(claim(asked(ledger, project=project), stage("a")))
        ledger.started(charge)
        ledger.fault(charge, "incident")

    for _ in range(2):
        fails(PROJECT)
    assert (standing(PROJECT), standing(OTHER)) == ((False, 2), (False, 0))
    ledger.freeze(OTHER, "ada", "now")
    assert (standing(PROJECT), standing(OTHER)) == ((False, 2), (True, 0))
    ledger.thaw(OTHER, "ada", "looked at")
    assert (standing(PROJECT), standing(OTHER)) == ((False, 2), (False, 0))
    fails(PROJECT)
    fails(OTHER)
    assert (standing(PROJECT), standing(OTHER)) == ((True, 3), (False, 1))
    ledger.thaw(OTHER, "ada", "looked at")
    assert standing(PROJECT) == (True, 3)


def test_a_limit_is_charged_in_its_own_project_alone(ledger: Ledger, place: Place) -> None:
    for project in (PROJECT, OTHER):
        ledger.limit(project, "anna", Fraction(1, 2), "ada", "fair")
    for project in (PROJECT, OTHER):
        query = asked(ledger, project=project)
        ledger.reserve(claim(query, stage("a"), analyst="anna"))
    paid = [one.account for one, _ in ledger.entries(DATASET) if one.event == "reserve"]
    limits = [account for account in paid if account[0] == "analyst"]
    assert limits == [("analyst", PROJECT, "anna"), ("analyst", OTHER, "anna")]
    invariants.hold(place)


def test_after_a_freeze_has_returned_nothing_more_is_charged(ledger: Ledger, place: Place) -> None:
    """Whatever charges are on their way: each is before the freeze, or refused."""
    queries = [asked(ledger) for _ in range(6)]
    acts = [lambda q=q: ledger.reserve(claim(q, stage(q.id))) for q in queries]
    found = together(*acts, lambda: ledger.freeze_dataset(DATASET, "ada", "now"))
    frozen = found.count(DatasetFrozen)
    assert invariants.taken(place) == (6 - frozen) * STEP
    last = [(one.event, one.account[0]) for one, _ in ledger.entries(DATASET)]
    reserves = [place for place, one in enumerate(last) if one[0] == "reserve"]
    assert all(place < last.index(("freeze", "dataset")) for place in reserves)
    invariants.hold(place)

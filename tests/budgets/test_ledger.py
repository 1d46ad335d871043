"""The ledger step by step, with one caller."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import insert

from budgets.admission import Policy
from budgets.charge import QueryState
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.refusals import (
    AlreadyAnswered,
    BudgetExceeded,
    ChargeClosed,
    InFlight,
    KeyReused,
    ProjectFrozen,
)
from budgets.storage import Storage, schema
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    DEADLINE,
    LATE,
    NOON,
    PROJECT,
    STEP,
    answered,
    asked,
    claim,
    document,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.places import Place


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return ready(place)


def test_a_charge_from_reservation_to_release(ledger: Ledger, place: Place) -> None:
    query = asked(ledger)
    assert (query.state, query.loss, query.created) == (QueryState.QUEUED, None, NOON)
    charge = ledger.reserve(claim(query, stage("count", delta=3)))
    assert charge.stages == ("count",)
    running = ledger.query(PROJECT, query.id)
    assert (running.state, running.deadline) == (QueryState.RUNNING, DEADLINE)
    budget = ledger.budget(PROJECT)
    assert (budget.reserved, budget.spent.rho) == (PrivacyLoss(STEP, 3), 0)
    ledger.started(charge)
    ledger.settle(charge, b"answer", {"count": b"table"})
    budget = ledger.budget(PROJECT)
    assert (budget.reserved.rho, budget.spent) == (0, PrivacyLoss(STEP, 3))
    assert ledger.document(PROJECT, query.id) == b"answer"
    assert ledger.query(PROJECT, query.id).loss == PrivacyLoss(STEP, 3)
    assert ledger.ceiling(DATASET).spent == PrivacyLoss(STEP, 3)
    invariants.hold(place)


@pytest.mark.parametrize("epsilon", ["2", "0.1", "0.333333333333", "7.99"])
def test_a_request_at_the_whole_epsilon_is_affordable_exactly_once(
    place: Place, epsilon: str
) -> None:
    ledger = ready(place, epsilon=epsilon)
    price = ledger.budget(PROJECT).price(Fraction(epsilon))
    answered(ledger, stage("a", rho=price))
    assert ledger.budget(PROJECT).remaining.rho == 0
    with pytest.raises(BudgetExceeded) as refused:
        reserved(ledger, stage("b", rho=10**7))
    assert refused.value.remaining.rho == 0


def test_a_request_a_little_above_the_whole_epsilon_is_refused(place: Place) -> None:
    ledger = ready(place, epsilon="2")
    price = ledger.budget(PROJECT).price(Fraction("2.000000001"))
    with pytest.raises(BudgetExceeded):
        reserved(ledger, stage("a", rho=price))
    assert invariants.taken(place) == 0


def test_quote_and_debit_agree(ledger: Ledger) -> None:
    stages = [stage("a", rho=3), stage("b", rho=12345678901)]
    assert ledger.quote(PROJECT, stages) == reserved(ledger, *stages).loss
    assert ledger.quote(PROJECT, [stage("c", rho=3)]) == PrivacyLoss(10**7)
    assert reserved(ledger, stage("c", rho=3)).loss == PrivacyLoss(10**7)


def test_a_stored_stage_serves_for_nothing(ledger: Ledger) -> None:
    answered(ledger, stage("a"), stage("b"))
    both = [stage("a", scale=11.0), stage("c")]
    assert ledger.quote(PROJECT, both) == PrivacyLoss(STEP)
    charge = reserved(ledger, *both)
    assert (charge.stages, charge.served) == (("c",), {"a": b"table of a"})
    assert charge.loss == PrivacyLoss(STEP)
    finer = reserved(ledger, stage("b", scale=9.0))
    assert finer.stages == ("b",)


def test_a_query_served_in_full_costs_nothing_even_without_budget(place: Place) -> None:
    ledger = ready(place)
    answered(ledger, stage("a", rho=ledger.budget(PROJECT).remaining.rho))
    free = reserved(ledger, stage("a"))
    assert (free.loss, free.stages) == (PrivacyLoss(0, 0, 0), ())
    ledger.settle(free, b"again", {})
    assert ledger.document(PROJECT, free.query) == b"again"
    invariants.hold(place)


def test_a_stage_of_another_project_does_not_serve(ledger: Ledger) -> None:
    answered(ledger, stage("a"))
    ledger.open_project("other", DATASET)
    ledger.allocate("other", Fraction(1), None, "ada", "first")
    query = asked(ledger, project="other")
    assert ledger.reserve(claim(query, stage("a"))).stages == ("a",)


def test_a_stage_in_flight_is_waited_for(ledger: Ledger, place: Place) -> None:
    first = reserved(ledger, stage("a"))
    with pytest.raises(InFlight):
        reserved(ledger, stage("a", rho=5 * STEP, scale=1.0))
    assert invariants.taken(place) == STEP
    ledger.void(first)
    assert reserved(ledger, stage("a")).stages == ("a",)


def test_a_void_gives_back_and_the_query_waits_again(ledger: Ledger, place: Place) -> None:
    query = asked(ledger)
    charge = ledger.reserve(claim(query, stage("a")))
    ledger.void(charge)
    assert invariants.taken(place) == 0
    waiting = ledger.query(PROJECT, query.id)
    assert (waiting.state, waiting.loss) == (QueryState.QUEUED, None)
    with pytest.raises(ChargeClosed):
        ledger.void(charge)
    with pytest.raises(ChargeClosed):
        ledger.started(charge)
    again = ledger.reserve(claim(query, stage("a")))
    assert again.id != charge.id
    invariants.hold(place)


def test_after_the_start_nothing_is_given_back(ledger: Ledger, place: Place) -> None:
    charge = reserved(ledger)
    ledger.started(charge)
    with pytest.raises(ChargeClosed):
        ledger.void(charge)
    with pytest.raises(ChargeClosed):
        ledger.started(charge)
    ledger.fault(charge, "incident")
    with pytest.raises(ChargeClosed):
        ledger.void(charge)
    assert invariants.taken(place) == STEP
    faulted = ledger.query(PROJECT, charge.query)
    assert (faulted.state, faulted.incident) == (QueryState.FAULTED, "incident")
    assert faulted.loss == PrivacyLoss(STEP)
    assert ledger.budget(PROJECT).spent.rho == STEP
    invariants.hold(place)


def test_a_stage_that_faulted_is_paid_again(ledger: Ledger, place: Place) -> None:
    charge = reserved(ledger, stage("a"))
    ledger.started(charge)
    ledger.fault(charge, "incident")
    assert reserved(ledger, stage("a")).stages == ("a",)
    assert invariants.taken(place) == 2 * STEP


def test_a_settlement_holds_what_was_paid_for(ledger: Ledger) -> None:
    charge = reserved(ledger, stage("a"), stage("b"))
    ledger.started(charge)
    for wrong in ({}, {"a": b""}, {"a": b"", "b": b"", "c": b""}):
        with pytest.raises(ValueError, match="exactly the stages"):
            ledger.settle(charge, b"answer", wrong)
    ledger.settle(charge, b"answer", tables(charge))
    with pytest.raises(ChargeClosed):
        ledger.settle(charge, b"another", tables(charge))
    assert ledger.document(PROJECT, charge.query) == b"answer"


def test_what_was_not_started_is_not_settled(ledger: Ledger) -> None:
    charge = reserved(ledger)
    with pytest.raises(ValueError, match="started before"):
        ledger.settle(charge, b"answer", tables(charge))


def test_a_query_is_charged_once(ledger: Ledger) -> None:
    charge = reserved(ledger, stage("a"))
    again = claim(ledger.query(PROJECT, charge.query), stage("b"))
    with pytest.raises(InFlight):
        ledger.reserve(again)
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    with pytest.raises(AlreadyAnswered):
        ledger.reserve(again)


def test_a_key_with_the_same_body_is_the_same_query(ledger: Ledger) -> None:
    first = asked(ledger, "key")
    assert asked(ledger, "key") == first
    assert ledger.find(PROJECT, "key", first.digest) == first
    assert ledger.find(PROJECT, "other", first.digest) is None
    assert ledger.find(PROJECT, None, first.digest) is None
    assert asked(ledger).id != asked(ledger).id
    for refused in (ledger.find, lambda p, k, d: ledger.accept(p, "anna", k, d, b"")):
        with pytest.raises(KeyReused):
            refused(PROJECT, "key", "e" * 64)


def test_history_is_paged_from_the_latest(ledger: Ledger) -> None:
    made = [asked(ledger).id for _ in range(5)]
    page = ledger.queries(PROJECT, limit=2)
    rest = ledger.queries(PROJECT, after=page[-1].number, limit=10)
    assert [query.id for query in (*page, *rest)] == made[::-1]


def test_recovery_takes_what_is_past_its_deadline_and_nothing_else(
    ledger: Ledger, place: Place
) -> None:
    charge = reserved(ledger)
    assert ledger.recover(DEADLINE) == ()
    assert ledger.recover(LATE) == (charge.query,)
    assert ledger.recover(LATE) == ()
    lost = ledger.query(PROJECT, charge.query)
    assert lost.state is QueryState.FAULTED
    assert lost.incident
    assert invariants.taken(place) == STEP
    with pytest.raises(ChargeClosed):
        ledger.void(charge)
    invariants.hold(place)


def test_a_clock_that_is_set_back_changes_nothing_but_times(place: Place) -> None:
    """Order is kept by sequences, and nothing is given back because it seems to be early."""
    now = [NOON]
    ready(place)
    ledger = Ledger(Storage.open(place), clock=lambda: now[0])
    first = reserved(ledger)
    now[0] = NOON - timedelta(days=400)
    second = reserved(ledger)
    answered(ledger, stage("count"))
    assert [entry.number for entry, _ in ledger.entries(DATASET)] == list(range(1, 18))
    assert [query.id for query in ledger.queries(PROJECT)][1:] == [second.query, first.query]
    assert ledger.recover(now[0]) == ()
    assert ledger.verify(DATASET).intact
    assert ledger.recover(LATE) == (first.query, second.query)
    assert invariants.taken(place) == 3 * STEP
    invariants.hold(place)


def test_three_faults_freeze_a_project(ledger: Ledger, place: Place) -> None:
    for _ in range(2):
        charge = reserved(ledger)
        ledger.started(charge)
        ledger.fault(charge, "incident")
    waiting = asked(ledger)
    assert not ledger.budget(PROJECT).frozen
    reserved(ledger)
    ledger.recover(LATE)
    assert (ledger.budget(PROJECT).frozen, ledger.budget(PROJECT).faults) == (True, 3)
    with pytest.raises(ProjectFrozen):
        ledger.reserve(claim(waiting, stage("a")))
    with pytest.raises(ProjectFrozen):
        asked(ledger)
    ledger.thaw(PROJECT, "ada", "a disk was full")
    assert (ledger.budget(PROJECT).frozen, ledger.budget(PROJECT).faults) == (False, 0)
    ledger.reserve(claim(waiting, stage("a")))
    notes = [entry.note for entry, _ in ledger.entries(DATASET)]
    assert any("a disk was full" in note for note in notes)
    invariants.hold(place)


def test_a_policy_of_its_own(place: Place) -> None:
    ledger = ready(place, policy=Policy(floor=5 * STEP, faults=1))
    charge = reserved(ledger)
    assert charge.loss.rho == 5 * STEP
    ledger.started(charge)
    ledger.fault(charge, "incident")
    assert ledger.budget(PROJECT).frozen


def test_an_administrator_freezes(ledger: Ledger) -> None:
    answered(ledger, stage("a"))
    ledger.freeze(PROJECT, "ada", "a key was stolen")
    with pytest.raises(ProjectFrozen):
        reserved(ledger, stage("a"))


def test_a_delivery_is_in_use_while_a_charge_on_it_is_reserved(place: Place) -> None:
    ready(place)
    storage = Storage.open(place)
    with storage.begin() as tx:
        row = {"id": "d1", "number": 1, "dataset": DATASET, "manifest_hash": "0" * 64}
        place = {"directory": "deliveries/d1", "registered_at": NOON, "active": True}
        tx.execute(insert(schema.delivery).values(row | place))
    ledger = Ledger(storage, clock=lambda: NOON)
    wanted = claim(asked(ledger), stage("a"))
    charge = ledger.reserve(replace(wanted, delivery="d1"))
    assert (ledger.in_use("d1"), ledger.in_use("d2")) == (True, False)
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    assert not ledger.in_use("d1")

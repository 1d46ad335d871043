"""Ceilings, projects, allocations and limits: acts of administrators, each an entry."""

from __future__ import annotations

from fractions import Fraction

import pytest

from budgets.account import Accountant, Kind
from budgets.charge import QueryState
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.refusals import (
    AllocationExceeded,
    BudgetExceeded,
    BudgetRefused,
    CeilingDiffers,
    CeilingReached,
    DeltaFixed,
    NameTaken,
    NotFree,
    NothingAllocated,
    PureBudget,
    UnknownDataset,
    UnknownProject,
    UnknownQuery,
)
from budgets.storage import Storage
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    NOON,
    PROJECT,
    STEP,
    answered,
    asked,
    claim,
    opened,
    ready,
    reserved,
    stage,
)
from tests.budgets.conftest import Places
from tests.budgets.places import Place, edit


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return ready(place)


def test_allocations_add_epsilon_at_the_projects_delta(places: Places) -> None:
    ledger, once = ready(places(), epsilon="1"), ready(places(), epsilon="3")
    ledger.allocate(PROJECT, Fraction(2), None, "ada", "more")
    assert ledger.budget(PROJECT) == once.budget(PROJECT)
    assert ledger.ceiling(DATASET) == once.ceiling(DATASET)
    with pytest.raises(DeltaFixed):
        ledger.allocate(PROJECT, Fraction(1), Fraction(1, 10**9), "ada", "more")
    assert [entry.event for entry, _ in ledger.entries(DATASET)] == ["open"] * 3 + ["allocate"] * 2


def test_without_a_delta_a_project_gets_its_share_of_the_ceilings(place: Place) -> None:
    ledger = ready(place, epsilon="2", delta=None)
    assert ledger.budget(PROJECT).delta == Fraction(1, 4 * 10**7)
    for number in range(3):
        ledger.open_project(f"p{number}", DATASET)
        ledger.allocate(f"p{number}", Fraction(2), None, "ada", "a quarter each")
    assert ledger.ceiling(DATASET).promised.delta == ledger.ceiling(DATASET).allocated.delta


def test_allocations_stay_within_the_ceiling(ledger: Ledger, place: Place) -> None:
    ledger.open_project("other", DATASET)
    for epsilon, delta in (("8", "5e-8"), ("1", "1e-7")):
        with pytest.raises(AllocationExceeded) as refused:
            ledger.allocate("other", Fraction(epsilon), Fraction(delta), "ada", "too much")
        assert refused.value.remaining.rho < ledger.ceiling(DATASET).allocated.rho
    with pytest.raises(NothingAllocated):
        ledger.budget("other")
    invariants.hold(place)


def test_the_whole_ceiling_can_be_one_projects(place: Place) -> None:
    ledger = ready(place, epsilon="8", delta="1e-7")
    assert ledger.budget(PROJECT).allocated == ledger.ceiling(DATASET).allocated


def test_pure_projects_under_a_pure_ceiling(place: Place) -> None:
    ledger = ready(place, epsilon="1", delta="0", ceiling=("1.5", "0"))
    assert ledger.budget(PROJECT).accountant is Accountant.PURE
    assert ledger.budget(PROJECT).price(Fraction(1)) == 10**12
    answered(ledger, stage("a", rho=125 * 10**9, epsilon=5 * 10**11))
    for impure in (stage("b"), stage("b", delta=1, epsilon=1)):
        with pytest.raises(PureBudget):
            reserved(ledger, impure)
    with pytest.raises(BudgetExceeded) as refused:
        reserved(ledger, stage("b", rho=1, epsilon=5 * 10**11 + 1))
    assert refused.value.remaining == PrivacyLoss(0, 0, 5 * 10**11)
    ledger.open_project("other", DATASET)
    with pytest.raises(PureBudget):
        ledger.allocate("other", Fraction(1, 10), Fraction(1, 10**9), "ada", "gaussian")
    with pytest.raises(AllocationExceeded):
        ledger.allocate("other", Fraction(6, 10), Fraction(0), "ada", "too much")
    ledger.allocate("other", Fraction(5, 10), None, "ada", "the rest")
    invariants.hold(place)


def test_a_pure_project_under_a_zcdp_ceiling(place: Place) -> None:
    ledger = ready(place, epsilon="1", delta="0")
    assert ledger.ceiling(DATASET).promised == PrivacyLoss(5 * 10**11, 0)
    answered(ledger, stage("a", rho=125 * 10**9, epsilon=5 * 10**11))
    assert ledger.budget(PROJECT).spent == PrivacyLoss(0, 0, 5 * 10**11)
    assert ledger.ceiling(DATASET).spent == PrivacyLoss(125 * 10**9, 0)
    invariants.hold(place)


def test_an_analyst_may_have_a_limit(ledger: Ledger, place: Place) -> None:
    ledger.limit(PROJECT, "anna", Fraction(1, 10), "ada", "a first look")
    limit = ledger.budget(PROJECT, "anna")
    assert limit.kind is Kind.ANALYST
    price = limit.price(Fraction(1, 10))
    assert price == limit.remaining.rho < ledger.budget(PROJECT).remaining.rho
    query = asked(ledger)
    with pytest.raises(BudgetExceeded) as refused:
        ledger.reserve(claim(query, stage("a", rho=price + 1), analyst="anna"))
    assert refused.value.budget.kind is Kind.ANALYST
    ledger.reserve(claim(query, stage("a", rho=price), analyst="anna"))
    assert ledger.budget(PROJECT, "anna").remaining.rho == 0
    assert ledger.budget(PROJECT).reserved.rho == ledger.ceiling(DATASET).reserved.rho == price
    assert ledger.reserve(claim(asked(ledger), stage("b"), analyst="bert")).loss.rho == STEP
    invariants.hold(place)


def test_no_limit_is_charged_without_its_project(ledger: Ledger, place: Place) -> None:
    """Were the account between a limit and the ceiling not found, nothing would be posted to it."""
    ledger.limit(PROJECT, "anna", Fraction(1, 10), "ada", "a first look")
    edit(place, "UPDATE account SET name = 'gone' WHERE kind = 'project'")
    with pytest.raises(NothingAllocated):
        ledger.reserve(claim(asked(ledger), stage("a"), analyst="anna"))


def test_a_limit_is_changed_by_an_entry_and_holds_what_was_charged(
    ledger: Ledger, place: Place
) -> None:
    ledger.limit(PROJECT, "anna", Fraction(1, 10), "ada", "a first look")
    price = ledger.budget(PROJECT, "anna").price(Fraction(1, 10))
    ledger.reserve(claim(asked(ledger), stage("a", rho=price), analyst="anna"))
    with pytest.raises(NotFree) as refused:
        ledger.limit(PROJECT, "anna", Fraction(1, 20), "ada", "less")
    assert refused.value.remaining.rho == 0
    ledger.limit(PROJECT, "anna", Fraction(1, 5), "ada", "more")
    ledger.limit(PROJECT, "anna", Fraction(1, 10), "ada", "after all not")
    assert ledger.budget(PROJECT, "anna").remaining.rho == 0
    events = [entry.event for entry, _ in ledger.entries(DATASET) if entry.account[2] == "anna"]
    assert events == ["open", "reserve", "limit", "limit"]
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_the_ceiling_holds_though_a_project_has_more(place: Place) -> None:
    """Allocations cannot exceed a ceiling; were one to, charging would still stop there."""
    ledger = ready(place, epsilon="8", delta="1e-7")
    ledger.open_project("other", DATASET)
    with pytest.raises(AllocationExceeded):
        ledger.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "beyond")
    edit(place, "UPDATE account SET allocated_rho = 0, allocated_delta = 0")
    ledger.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "beyond")
    answered(ledger, stage("a", rho=ledger.budget(PROJECT).remaining.rho))
    with pytest.raises(CeilingReached) as refused:
        ledger.reserve(claim(asked(ledger, project="other"), stage("a")))
    assert refused.value.remaining == ledger.budget("other").remaining


def test_a_ceiling_is_opened_once_and_raised_explicitly(ledger: Ledger, place: Place) -> None:
    ledger.open_dataset(DATASET, Fraction(8), Fraction(1, 10**7))
    with pytest.raises(CeilingDiffers):
        ledger.open_dataset(DATASET, Fraction(9), Fraction(1, 10**7))
    for epsilon, delta in ((7, "1e-7"), (9, "0"), (9, "1e-8")):
        with pytest.raises(CeilingDiffers):
            ledger.raise_ceiling(DATASET, Fraction(epsilon), Fraction(delta), "ada", "why")
    ledger.raise_ceiling(DATASET, Fraction(9), Fraction(1, 10**7), "ada", "a second year")
    ledger.open_dataset(DATASET, Fraction(9), Fraction(1, 10**7))
    assert ledger.ceiling(DATASET).epsilon == 9
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_what_is_not_there_is_refused(ledger: Ledger) -> None:
    for unknown in (
        lambda: ledger.accept("none", "anna", None, "d" * 64, b""),
        lambda: ledger.budget("none"),
        lambda: ledger.queries("none"),
        lambda: ledger.quote("none", [stage("a")]),
        lambda: ledger.thaw("none", "ada", "why"),
        lambda: ledger.allocate("none", Fraction(1), None, "ada", "why"),
    ):
        with pytest.raises(UnknownProject):
            unknown()
    for absent in (
        lambda: ledger.open_project("p", "none"),
        lambda: ledger.verify("none"),
        lambda: ledger.ceiling("none"),
    ):
        with pytest.raises(UnknownDataset):
            absent()
    ledger.open_project("other", DATASET)
    mine = asked(ledger)
    with pytest.raises(UnknownQuery):
        ledger.query("other", mine.id)
    assert ledger.document("other", answered(ledger).query) is None
    with pytest.raises(NameTaken):
        ledger.open_project(PROJECT, DATASET)


def test_a_project_without_a_budget_is_told_so(ledger: Ledger) -> None:
    ledger.open_project("other", DATASET)
    query = asked(ledger, project="other")
    with pytest.raises(NothingAllocated):
        ledger.reserve(claim(query, stage("a")))
    assert ledger.query("other", query.id).state is QueryState.QUEUED


def test_administrative_acts_join_a_transaction(place: Place) -> None:
    ready(place)
    storage = Storage.open(place)
    ledger = Ledger(storage, clock=lambda: NOON)

    def both() -> None:
        with storage.begin() as tx:
            ledger.open_project("other", DATASET, title="Other", within=tx)
            ledger.allocate("other", Fraction(50), None, "ada", "too much", within=tx)

    with pytest.raises(AllocationExceeded):
        both()
    with pytest.raises(UnknownProject):
        opened(place).budget("other")


def test_every_refusal_has_a_code_and_says_why() -> None:
    def below(kind: type[BudgetRefused]) -> set[type[BudgetRefused]]:
        return {kind, *(one for sub in kind.__subclasses__() for one in below(sub))}

    kinds = below(BudgetRefused)
    assert len({kind.code for kind in kinds}) == len(kinds) > 15
    assert all(kind.__doc__ for kind in kinds)

"""What a project keeps for later: nothing else takes it, and it is given back by an act."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction

import pytest

from budgets.account import Kind
from budgets.charge import Charge, Claim
from budgets.earmarking import Part
from budgets.ledger import Ledger
from budgets.refusals import BudgetExceeded, NotFree, NotRedeemable, UnknownEarmark
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
    document,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.places import Place, edit
from tests.budgets.test_expiring import at
from tests.budgets.test_races import together

REPORT = "final-report"
THIRD = Part(share=Fraction(30, 100))


@pytest.fixture
def ledger(place: Place) -> Ledger:
    """A project that affords ten charges and keeps three of them for its report."""
    found = capped(place, 10)
    found.earmark(PROJECT, REPORT, THIRD, "lena", "the report is due in June")
    return found


def kept(ledger: Ledger, digest: str, rho: int = STEP, analyst: str | None = None) -> Claim:
    """A claim on what is kept for the report."""
    query = asked(ledger)
    stages = (stage(digest, rho=rho),)
    return Claim(
        query.id, PROJECT, stages, DEADLINE, analyst, blocks=BLOCKS, earmark=REPORT
    )  # fmt: skip


def drawn(ledger: Ledger, digest: str, rho: int = STEP) -> Charge:
    """A charge to what is kept, run and released."""
    charge = ledger.reserve(kept(ledger, digest, rho))
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    return charge


def left(ledger: Ledger) -> tuple[int, int, int]:
    """Rho that is free, that is kept for later, and that has been taken."""
    found, report = ledger.budget(PROJECT), ledger.budget(PROJECT, None, REPORT)
    taken = found.reserved.rho + found.spent.rho
    assert found.promised.rho == report.remaining.rho
    assert found.allocated.rho == found.remaining.rho + found.promised.rho + taken
    return found.remaining.rho, report.remaining.rho, taken


def test_a_share_is_kept_and_ordinary_charges_cannot_take_it(ledger: Ledger, place: Place) -> None:
    whole = ledger.budget(PROJECT).allocated
    third = -(-whole.rho * 30 // 100)
    assert left(ledger) == (whole.rho - third, third, 0)
    assert ledger.budget(PROJECT).promised.delta == -(-whole.delta * 30 // 100)
    for number in range(7):
        answered(ledger, stage(f"{number}"))
    with pytest.raises(BudgetExceeded) as refused:
        reserved(ledger, stage("7"))
    assert refused.value.budget.kind is Kind.PROJECT
    assert refused.value.remaining.rho < STEP
    for number in range(3):
        drawn(ledger, f"report {number}")
    with pytest.raises(BudgetExceeded) as refused:
        drawn(ledger, "report 3")
    assert (refused.value.budget.kind, refused.value.budget.name) == (Kind.EARMARK, REPORT)
    assert refused.value.budget.allocated == ledger.budget(PROJECT, None, REPORT).allocated
    assert invariants.taken(place) == 10 * STEP
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_charge_to_what_is_kept_leaves_what_is_free(ledger: Ledger, place: Place) -> None:
    free, report, _ = left(ledger)
    charge = ledger.reserve(kept(ledger, "report"))
    assert left(ledger) == (free, report - STEP, STEP)
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))
    assert left(ledger) == (free, report - STEP, STEP)
    invariants.hold(place)


def test_a_voided_charge_is_kept_again(ledger: Ledger, place: Place) -> None:
    before = left(ledger)
    ledger.void(ledger.reserve(kept(ledger, "report")))
    assert left(ledger) == before
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_failed_charge_is_gone_and_redeemed_from_the_same(ledger: Ledger, place: Place) -> None:
    free, report, _ = left(ledger)
    wanted = kept(ledger, "report")
    charge = ledger.reserve(wanted)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    assert left(ledger) == (free, report - STEP, STEP)
    ledger.redeem(PROJECT, wanted.query, "ada", "a disk was full")
    again = ledger.reserve(wanted)
    ledger.started(again)
    ledger.settle(again, document(again), tables(again))
    assert left(ledger) == (free, report - STEP, STEP)
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_charge_is_redeemed_from_no_other_part(ledger: Ledger) -> None:
    query = asked(ledger)
    stages = (stage("plain"),)
    plain = Claim(query.id, PROJECT, stages, DEADLINE, blocks=BLOCKS)
    charge = ledger.reserve(plain)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    ledger.redeem(PROJECT, query.id, "ada", "a disk was full")
    with pytest.raises(NotRedeemable):
        ledger.reserve(Claim(query.id, PROJECT, stages, DEADLINE, blocks=BLOCKS, earmark=REPORT))


def test_it_is_lifted_with_what_it_still_keeps(ledger: Ledger, place: Place) -> None:
    whole = ledger.budget(PROJECT).allocated.rho
    running = ledger.reserve(kept(ledger, "report"))
    ledger.lift(PROJECT, REPORT, "lena", "the report was cancelled")
    assert left(ledger) == (whole - STEP, 0, STEP)
    with pytest.raises(BudgetExceeded):
        ledger.reserve(kept(ledger, "another"))
    ledger.void(running)
    assert left(ledger) == (whole - STEP, STEP, 0)
    ledger.lift(PROJECT, REPORT, "lena", "and the rest")
    assert left(ledger) == (whole, 0, 0)
    told = [json.loads(one.note) for one, _ in ledger.entries(DATASET) if one.event == "lift"]
    assert [one["reason"] for one in told] == ["the report was cancelled", "and the rest"]
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_more_is_kept_under_the_same_name_and_under_others(ledger: Ledger, place: Place) -> None:
    whole = ledger.budget(PROJECT).allocated.rho
    ledger.earmark(PROJECT, REPORT, Part(share=Fraction(1, 10)), "lena", "and its annex")
    ledger.earmark(PROJECT, "audit", Part(share=Fraction(1, 10)), "lena", "a check at the end")
    names = [(one.name, one.remaining.rho) for one in ledger.earmarks(PROJECT)]
    tenth, third = -(-whole // 10), -(-whole * 30 // 100)
    assert names == [("audit", tenth), (REPORT, third + tenth)]
    with pytest.raises(NotFree):
        ledger.earmark(PROJECT, "more", Part(share=Fraction(51, 100)), "lena", "too much")
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_an_epsilon_that_is_kept_affords_exactly_that_epsilon_once(place: Place) -> None:
    ledger = ready(place)
    half = Fraction(1, 2)
    ledger.earmark(PROJECT, REPORT, Part(epsilon=half), "lena", "the report")
    price = ledger.budget(PROJECT).price(half)
    assert ledger.budget(PROJECT, None, REPORT).remaining.rho == price
    with pytest.raises(BudgetExceeded):
        drawn(ledger, "too much", price + 1)
    drawn(ledger, "exactly", price)
    assert ledger.budget(PROJECT, None, REPORT).remaining.rho == 0
    assert ledger.verify(DATASET).intact


def test_a_pure_project_keeps_epsilon(place: Place) -> None:
    ledger = ready(place, epsilon="1", delta="0")
    ledger.earmark(PROJECT, REPORT, Part(epsilon=Fraction(1, 4)), "lena", "the report")
    ledger.earmark(PROJECT, "audit", Part(share=Fraction(1, 4)), "lena", "the audit")
    assert ledger.budget(PROJECT).remaining.epsilon == 10**12 // 2
    assert ledger.budget(PROJECT, None, REPORT).remaining.epsilon == 10**12 // 4
    with pytest.raises(BudgetExceeded):
        reserved(ledger, stage("dear", epsilon=6 * 10**11))
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_part_that_amounts_to_nothing_is_not_kept(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="nothing"):
        ledger.earmark(PROJECT, "dust", Part(epsilon=Fraction(1, 10**12)), "lena", "dust")
    assert [one.name for one in ledger.earmarks(PROJECT)] == [REPORT]


def test_nothing_kept_is_moved_to_another_project(ledger: Ledger, place: Place) -> None:
    ledger.open_project("other", DATASET)
    given = ledger.budget(PROJECT).epsilon
    with pytest.raises(NotFree):
        ledger.transfer(PROJECT, "other", given * 9 / 10, "ada", "most of it")
    ledger.transfer(PROJECT, "other", given / 10, "ada", "a little")
    assert ledger.budget(PROJECT, None, REPORT).remaining.rho > 0
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_a_later_allocation_leaves_what_is_kept(ledger: Ledger, place: Place) -> None:
    before = ledger.budget(PROJECT, None, REPORT).remaining
    ledger.allocate(PROJECT, Fraction(1), None, "ada", "more")
    assert ledger.budget(PROJECT, None, REPORT).remaining == before
    assert ledger.verify(DATASET).intact


def test_a_limit_holds_for_what_is_kept_as_well(ledger: Ledger) -> None:
    ledger.limit(PROJECT, "anna", Fraction(1, 1000), "ada", "a guest")
    most = ledger.budget(PROJECT, "anna").remaining.rho
    assert ledger.budget(PROJECT, "anna", REPORT).remaining.rho == most < STEP
    with pytest.raises(BudgetExceeded) as refused:
        ledger.reserve(kept(ledger, "report", analyst="anna"))
    assert refused.value.budget.kind is Kind.ANALYST


def test_a_name_that_keeps_nothing_is_refused(ledger: Ledger) -> None:
    query = asked(ledger)
    stages = (stage("report"),)
    with pytest.raises(UnknownEarmark):
        ledger.reserve(Claim(query.id, PROJECT, stages, DEADLINE, blocks=BLOCKS, earmark="none"))
    with pytest.raises(UnknownEarmark):
        ledger.lift(PROJECT, "none", "lena", "nothing")
    with pytest.raises(UnknownEarmark):
        ledger.budget(PROJECT, None, "none")


def test_another_projects_name_is_none_of_this_one(ledger: Ledger) -> None:
    ledger.open_project("other", DATASET)
    ledger.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "beside")
    query = asked(ledger, project="other")
    with pytest.raises(UnknownEarmark):
        ledger.reserve(
            Claim(query.id, "other", (stage("a"),), DEADLINE, blocks=BLOCKS, earmark=REPORT)
        )


def test_what_is_kept_ends_with_its_allocation(ledger: Ledger, place: Place) -> None:
    drawn(ledger, "report")
    whole = ledger.budget(PROJECT).allocated.rho
    ledger.term(PROJECT, NOON + timedelta(hours=1), "ada", "the agreement ends")
    late = at(place, NOON + timedelta(hours=2))
    assert late.budget(PROJECT).returned.rho == whole - STEP
    assert late.budget(PROJECT, None, REPORT).remaining.rho == 0
    found = [one for one, _ in late.entries(DATASET) if one.event == "return"]
    assert [one.account[0] for one in found] == ["earmark", "project"]
    assert late.ceiling(DATASET).promised.rho == STEP
    assert late.verify(DATASET).intact
    invariants.hold(place)


def test_threads_take_what_is_free_and_what_is_kept_and_no_more(place: Place) -> None:
    ledger = capped(place, 4)
    ledger.earmark(PROJECT, REPORT, Part(share=Fraction(1, 2)), "lena", "half")
    plain = [lambda n=n: reserved(ledger, stage(f"p{n}")) for n in range(4)]
    report = [lambda n=n: ledger.reserve(kept(ledger, f"r{n}")) for n in range(4)]
    assert together(*plain, *report).count(BudgetExceeded) == 4
    assert invariants.taken(place) == 4 * STEP
    ledger.recover(LATE)
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_an_act_and_charges_at_once_keep_every_promise(place: Place) -> None:
    ledger = capped(place, 4)
    plain = [lambda n=n: reserved(ledger, stage(f"p{n}")) for n in range(4)]
    half = Part(share=Fraction(1, 2))
    found = together(*plain, lambda: ledger.earmark(PROJECT, REPORT, half, "lena", "half"))
    refused = found.count(BudgetExceeded) + found.count(NotFree)
    assert refused in (1, 2)
    assert opened(place).verify(DATASET).intact
    invariants.hold(place)


@pytest.mark.parametrize("part", [(None, None), (Fraction(1, 2), Fraction(1))])
def test_a_part_is_named_in_one_way(part: tuple[Fraction | None, Fraction | None]) -> None:
    with pytest.raises(ValueError, match="a part is"):
        Part(*part)


@pytest.mark.parametrize("share", [Fraction(-1, 10), Fraction(0), Fraction(11, 10)])
def test_a_share_is_of_the_whole(share: Fraction) -> None:
    with pytest.raises(ValueError, match="a share lies"):
        Part(share=share)


def test_a_part_that_is_kept_and_not_entered_is_found(ledger: Ledger, place: Place) -> None:
    edit(place, "UPDATE account SET allocated_rho = allocated_rho - 1 WHERE kind = 'project'")
    found = ledger.verify(DATASET)
    assert "promised something else" in found.disagreements[0]

"""Admission, accounts and claims: the pure part, by example and by property."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.account import Account, Accountant, Amounts, Grant, Kind, grant, promised, shown
from budgets.admission import Policy, due, postings
from budgets.amounts import ATTO, PICO
from budgets.charge import Claim, StageClaim, StoredStage, served_by
from budgets.loss import NONE, PrivacyLoss, total
from budgets.refusals import BudgetExceeded, CeilingReached, PureBudget
from tests.budgets.books import POLICY, stage

ZCDP = Grant(8 * PICO, ATTO // 10**7)
PURE = Grant(2 * PICO, 0)

small = st.integers(0, 10**6)
losses = st.builds(PrivacyLoss, small, small, st.none() | small)


NONE_SPENT = Amounts()


def account(
    kind: Kind = Kind.PROJECT, given: Grant = ZCDP, spent: Amounts = NONE_SPENT, number: int = 1
) -> Account:
    parent = None if kind is Kind.DATASET else number - 1
    none = Amounts()
    return Account(
        number, kind, "", kind.value, "m", parent, given, given.capacity, none, none, spent
    )


@given(losses, losses, losses)
def test_losses_add_in_any_order(one: PrivacyLoss, two: PrivacyLoss, three: PrivacyLoss) -> None:
    assert (one + two) + three == one + (two + three)
    assert total([one, two, three]) == total([three, one, two])
    assert one + NONE == one


def test_one_impure_release_makes_the_whole_impure() -> None:
    pure = PrivacyLoss(1, 0, 2)
    assert (pure + PrivacyLoss(1)).epsilon is None
    assert pure.pure
    assert not PrivacyLoss(1, 1, 2).pure


@pytest.mark.parametrize("parts", [(-1, 0, None), (0, -1, None), (0, 0, -1)])
def test_a_loss_is_not_negative(parts: tuple[int, int, int | None]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        PrivacyLoss(*parts)


def test_half_of_delta_is_for_conversion_and_half_for_keys() -> None:
    given_ = grant(Fraction(8), Fraction(1, 10**7))
    assert given_.accountant is Accountant.ZCDP
    assert given_.conversion_delta == Fraction(1, 2 * 10**7)
    assert given_.capacity.delta == ATTO // (2 * 10**7)
    assert given_.capacity.epsilon == 0


def test_without_delta_a_budget_is_pure() -> None:
    assert PURE.accountant is Accountant.PURE
    assert PURE.capacity == Amounts(epsilon=2 * PICO)


@pytest.mark.parametrize(
    ("epsilon", "delta"), [("0", "0"), ("1", "0.6"), ("1e-13", "0"), ("2000000", "0")]
)
def test_absurd_budgets_are_refused(epsilon: str, delta: str) -> None:
    with pytest.raises(ValueError, match="of a budget"):
        grant(Fraction(epsilon), Fraction(delta))


def test_a_pure_promise_weighs_half_its_square_above() -> None:
    assert promised(PURE, Accountant.ZCDP) == Amounts(rho=2 * PICO)
    assert promised(PURE, Accountant.PURE) == PURE.capacity
    with pytest.raises(PureBudget):
        promised(ZCDP, Accountant.PURE)


@given(st.lists(st.integers(1, PICO), min_size=1, max_size=6))
def test_pure_losses_never_pass_the_rho_that_was_promised(parts: list[int]) -> None:
    """Charges of epsilon_i post epsilon_i^2 / 2; the promise of their sum covers them."""
    rho = sum(Fraction(part, PICO) ** 2 / 2 for part in parts)
    assert rho * PICO <= promised(Grant(sum(parts), 0), Accountant.ZCDP).rho


@given(losses, st.integers(0, 2 * 10**6))
def test_admission_is_a_comparison_of_every_part(loss: PrivacyLoss, margin: int) -> None:
    cap = ZCDP.capacity
    spent = Amounts(rho=max(0, cap.rho - margin), delta=max(0, cap.delta - margin))
    path = [account(spent=spent)]
    if loss.rho <= margin and loss.delta <= margin:
        assert postings(path, loss) == (Amounts(rho=loss.rho, delta=loss.delta),)
    else:
        with pytest.raises(BudgetExceeded) as refused:
            postings(path, loss)
        assert refused.value.requested == loss
        assert refused.value.remaining == PrivacyLoss(margin, margin, None)


@given(
    asked=st.integers(0, 10**6), reserved=st.integers(0, 10**6), margin=st.integers(0, 2 * 10**6)
)
def test_admission_to_a_pure_account_is_a_comparison_of_epsilon(
    asked: int, reserved: int, margin: int
) -> None:
    """What is reserved and what is spent are taken alike, and either is given back in full."""
    spent = Amounts(epsilon=PURE.capacity.epsilon - margin - reserved)
    held = replace(account(given=PURE, spent=spent), reserved=Amounts(epsilon=reserved))
    assert held.remaining == Amounts(epsilon=margin)
    assert held.reserved + spent - spent == held.reserved
    if asked <= margin:
        assert postings([held], PrivacyLoss(0, 0, asked)) == (Amounts(epsilon=asked),)
    else:
        with pytest.raises(BudgetExceeded) as refused:
            postings([held], PrivacyLoss(0, 0, asked))
        assert refused.value.remaining == PrivacyLoss(0, 0, margin)


def test_a_grant_is_what_half_a_delta_converts_and_half_a_delta_hands_out() -> None:
    """In whole units: a delta too small to halve, or above one half, is none."""
    for delta in (2, 3, ATTO // 2 - 1, ATTO // 2):
        given_ = Grant(PICO, delta)
        assert given_.capacity.delta == delta // 2
        assert isinstance(given_.capacity.delta, int)
    for delta in (-2, -1, 1, ATTO // 2 + 1):
        with pytest.raises(ValueError, match="delta of a budget"):
            Grant(PICO, delta)
    assert Grant(10**6 * PICO, 0).capacity == Amounts(epsilon=10**6 * PICO)
    for epsilon in (-1, 0, 10**6 * PICO + 1):
        with pytest.raises(ValueError, match="epsilon of a budget"):
            Grant(epsilon, 0)


@pytest.mark.parametrize("rho", [10**18 + 1, 2**63, 10**30])
def test_absurd_losses_are_refused_before_they_reach_the_database(rho: int) -> None:
    with pytest.raises(BudgetExceeded):
        postings([account()], PrivacyLoss(rho))


def test_a_pure_account_counts_epsilon_and_those_above_count_rho() -> None:
    path = [account(Kind.DATASET), account(given=PURE, number=2)]
    posted = postings(path, PrivacyLoss(5, 0, 100))
    assert posted == (Amounts(rho=5), Amounts(epsilon=100))


@pytest.mark.parametrize("loss", [PrivacyLoss(1), PrivacyLoss(1, 1, 1)])
def test_a_pure_account_refuses_what_is_not_pure(loss: PrivacyLoss) -> None:
    with pytest.raises(PureBudget):
        postings([account(Kind.DATASET, PURE), account(number=2)], loss)


def test_a_ceiling_shows_the_project_and_not_itself() -> None:
    full = account(Kind.DATASET, spent=ZCDP.capacity)
    project = account(number=2, spent=Amounts(rho=ZCDP.capacity.rho - 700))
    analyst = account(Kind.ANALYST, number=3, spent=Amounts(rho=ZCDP.capacity.rho - 800))
    with pytest.raises(CeilingReached) as refused:
        postings([full, project, analyst], PrivacyLoss(500))
    assert refused.value.budget.kind is Kind.PROJECT
    assert refused.value.remaining == shown(project.remaining, Accountant.ZCDP)


def test_of_two_that_refuse_the_nearer_is_named() -> None:
    path = [account(Kind.DATASET, spent=ZCDP.capacity), account(spent=ZCDP.capacity, number=2)]
    with pytest.raises(BudgetExceeded) as refused:
        postings(path, PrivacyLoss(500))
    assert refused.value.budget.kind is Kind.PROJECT
    assert refused.value.remaining == PrivacyLoss(0, 0, None)


def test_what_is_run_costs_at_least_the_floor() -> None:
    assert (POLICY.floor, POLICY.faults) == (10**7, 3)
    assert due([stage("a", rho=3), stage("b", rho=4)], 10**7) == PrivacyLoss(10**7)
    assert due([stage("a", rho=10**8, delta=7)], 10**7) == PrivacyLoss(10**8, 7)
    assert due([], 10**7) == NONE


@given(parts=st.lists(losses, min_size=1, max_size=4), floor=st.integers(0, 10**6))
def test_no_part_of_a_loss_is_foundbelow_the_sum_of_what_is_run(
    parts: list[PrivacyLoss], floor: int
) -> None:
    claims = [StageClaim(f"s{n}", loss, (1.0,), "discrete-laplace") for n, loss in enumerate(parts)]
    found = due(claims, floor)
    assert found.rho == max(floor, sum(loss.rho for loss in parts))
    assert found.delta == sum(loss.delta for loss in parts)
    epsilons = [loss.epsilon for loss in parts]
    if None in epsilons:
        assert found.epsilon is None
    else:
        whole = sum(epsilon or 0 for epsilon in epsilons)
        assert found.epsilon is not None
        assert found.epsilon >= whole
        assert found.epsilon == whole or whole**2 < 2 * floor * PICO


@pytest.mark.parametrize(("floor", "faults"), [(-1, 3), (0, 0), (10**7, -1)])
def test_a_policy_without_sense_is_refused(floor: int, faults: int) -> None:
    assert (Policy(0, 1).floor, Policy(0, 1).faults) == (0, 1)
    with pytest.raises(ValueError, match="a floor is not negative"):
        Policy(floor, faults)


def test_a_loss_is_pure_only_where_it_is_an_epsilon_alone() -> None:
    assert not PrivacyLoss(1).pure
    assert not PrivacyLoss(1, 1).pure
    assert PrivacyLoss(1, 0, 0).pure


@given(st.integers(1, 10**13))
def test_the_floor_of_a_pure_charge_is_the_least_epsilon_worth_it(floor: int) -> None:
    epsilon = due([stage("a", rho=0, epsilon=0)], floor).epsilon
    assert epsilon is not None
    assert Fraction(epsilon, PICO) ** 2 / 2 >= Fraction(floor, PICO)
    assert Fraction(epsilon - 1, PICO) ** 2 / 2 < Fraction(floor, PICO)


stored = StoredStage(1, "count", (10.0, 20.0), "discrete-gaussian", 5)
wanted = StageClaim("count", PrivacyLoss(1, 5), (10.0, 20.0), "discrete-gaussian")


def differing(**parts: object) -> StageClaim:
    return replace(wanted, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "serves"),
    [
        (wanted, True),
        (differing(scales=(10.5, 20.0)), True),
        (differing(scales=(9.5, 25.0)), False),
        (differing(scales=(10.0,)), True),
        (differing(scales=(9.0,)), False),
        (differing(scales=(10.0, 20.0, 30.0)), False),
        (differing(family="discrete-laplace"), False),
        (differing(digest="other"), False),
        (differing(loss=PrivacyLoss(1, 4)), True),
        (differing(loss=PrivacyLoss(1, 6)), False),
    ],
)
def test_a_stored_stage_serves_what_is_no_more_precise(asked: StageClaim, serves: bool) -> None:
    assert stored.serves(asked) is serves


def test_the_most_precise_stored_stage_serves() -> None:
    finer = StoredStage(2, "count", (5.0, 20.0), "discrete-gaussian", 5)
    assert served_by([stored, finer], wanted) == finer
    assert served_by([], wanted) is None


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_is_positive_and_finite(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        stage("a", scale=scale)


def test_a_claim_names_a_stage_once_and_a_deadline_with_its_zone() -> None:
    with pytest.raises(ValueError, match="once"):
        Claim("q", "p", (stage("a"), stage("a")), datetime(2026, 1, 1).astimezone())
    with pytest.raises(ValueError, match="zone"):
        Claim("q", "p", (stage("a"),), datetime(2026, 1, 1))

"""Prices mean what P25 says: the same epsilon everywhere, affordable exactly once."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budgets.account import Account, Amounts, Kind, grant
from budgets.amounts import PICO
from budgets.loss import PrivacyLoss
from budgets.refusals import BudgetExceeded
from budgets.standing import BudgetStatus, status
from gateway.prices import Asked, PricePolicy, Unit, fits, resolved, share
from gateway.refusals import PriceNotOffered, PriceTooLarge, PriceUnderFloor

POLICY = PricePolicy(PICO // 10**5, Fraction(1), Fraction(1, 20))


def budget(epsilon: str, delta: str, spent: Amounts = Amounts()) -> BudgetStatus:
    given_ = grant(Fraction(epsilon), Fraction(delta))
    none = Amounts()
    return status(
        Account(
            id=1,
            kind=Kind.PROJECT,
            name="p",
            dataset="d",
            parent=None,
            grant=given_,
            cap=given_.capacity,
            allocated=none,
            reserved=none,
            spent=spent,
            owner="d",
        )
    )


@given(st.fractions(Fraction(1, 10), 20, max_denominator=1000))
def test_a_request_at_the_whole_epsilon_costs_the_whole_budget(epsilon: Fraction) -> None:
    whole = budget(str(float(epsilon)), "1e-7")
    price = resolved(Asked(Unit.EPSILON, whole.epsilon), whole, POLICY)
    assert price.rho == whole.allocated.rho
    assert fits(PrivacyLoss(price.rho), whole)
    assert not fits(PrivacyLoss(price.rho + 1), whole)


def test_a_share_is_of_the_whole_and_delta_of_what_is_left() -> None:
    found = budget("2", "1e-7", Amounts(rho=10**9, delta=10**9))
    price = resolved(Asked(Unit.SHARE, Fraction(1, 100)), found, POLICY)
    assert price.rho == found.allocated.rho // 100
    assert price.delta == found.remaining.delta // 20
    assert share(PrivacyLoss(found.allocated.rho), found) == 1


def test_pure_projects_speak_epsilon() -> None:
    pure = budget("2", "0")
    price = resolved(Asked(Unit.EPSILON, Fraction(1, 2)), pure, POLICY)
    assert (price.epsilon, price.delta) == (PICO // 2, 0)
    assert resolved(Asked(Unit.SHARE, Fraction(1)), pure, POLICY).epsilon == 2 * PICO
    with pytest.raises(PriceNotOffered):
        resolved(Asked(Unit.RHO, Fraction(1, 100)), pure, POLICY)


@pytest.mark.parametrize("delta", ["0", "1e-7"])
def test_prices_out_of_reach_are_refused_with_what_remains(delta: str) -> None:
    with pytest.raises(BudgetExceeded) as refusal:
        resolved(Asked(Unit.EPSILON, Fraction(3)), budget("2", delta), POLICY)
    assert refusal.value.remaining.rho or refusal.value.remaining.epsilon


@pytest.mark.parametrize("delta", ["0", "1e-7"])
def test_the_least_price_that_is_named_is_accepted(delta: str) -> None:
    found = budget("2", delta)
    with pytest.raises(PriceUnderFloor) as refusal:
        resolved(Asked(Unit.EPSILON, Fraction(1, 10**6)), found, POLICY)
    least = Fraction((refusal.value.hint or "").split()[4])
    assert resolved(Asked(Unit.EPSILON, least), found, POLICY).rho >= POLICY.floor


def test_the_policy_limits_one_request() -> None:
    policy = PricePolicy(POLICY.floor, Fraction(1, 10), Fraction(0))
    with pytest.raises(PriceTooLarge):
        resolved(Asked(Unit.SHARE, Fraction(1, 5)), budget("2", "1e-7"), policy)
    assert resolved(Asked(Unit.SHARE, Fraction(1, 10)), budget("2", "1e-7"), policy).delta == 0

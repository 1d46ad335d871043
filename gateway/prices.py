"""Prices: what a request offers to lose, resolved to the loss that the plan may use (P25).

`epsilon` has one meaning everywhere: the epsilon of an (epsilon, delta) statement at the project's
own delta. A request at exactly the project's epsilon is therefore exactly affordable, once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from budgets.account import Accountant
from budgets.amounts import PICO, granted, written
from budgets.conversion import epsilon_of
from budgets.loss import PrivacyLoss
from budgets.refusals import BudgetExceeded
from budgets.standing import BudgetStatus
from gateway.refusals import PriceNotOffered, PriceTooLarge, PriceUnderFloor
from queries.plan.price import Price


class Unit(StrEnum):
    """The ways to name a price."""

    EPSILON = "epsilon"
    RHO = "rho"
    SHARE = "budget_share"
    LEFT = "remaining_share"


@dataclass(frozen=True, slots=True)
class Asked:
    """A price as the caller named it; a share is of the whole allocation, or of what is left."""

    unit: Unit
    amount: Fraction


@dataclass(frozen=True, slots=True)
class PricePolicy:
    """What the house allows: rho floor in 1e-12, the most of a budget, the share of delta."""

    floor: int
    most: Fraction
    delta_share: Fraction


def resolved(asked: Asked, budget: BudgetStatus, policy: PricePolicy) -> Price:
    """The price in whole units; refuses what is under the floor or above what one may ask."""
    if budget.accountant is Accountant.PURE:
        return _pure(asked, budget, policy)
    rho = _rho(asked, budget)
    if rho < policy.floor:
        raise _too_small(budget, policy)
    price = Price(rho=rho, delta=threshold_delta(budget, policy))
    limited(price, budget, policy)
    return price


def threshold_delta(budget: BudgetStatus, policy: PricePolicy) -> int:
    """The delta at which keys may be released: the policy's share of what is left, in 1e-18."""
    if budget.accountant is Accountant.PURE:
        return 0
    return max(0, granted(policy.delta_share * _left(budget).delta, 1))


def _left(budget: BudgetStatus) -> PrivacyLoss:
    """What a price may be a share of: what is left, or was when the allocation ended.

    So a question is planned as it was, and what was released before is served again.
    """
    return budget.returned if budget.expired else budget.remaining


def least(budget: BudgetStatus, policy: PricePolicy) -> int:
    """The least that an executed query costs: epsilon in a pure project, rho elsewhere."""
    return _least_epsilon(policy) if budget.accountant is Accountant.PURE else policy.floor


def share(loss: PrivacyLoss, budget: BudgetStatus) -> Fraction:
    """A loss as a share of the whole allocation, by what the project's accountant counts."""
    if budget.accountant is Accountant.PURE:
        return Fraction(loss.epsilon or 0, budget.allocated.epsilon or 1)
    return Fraction(loss.rho, budget.allocated.rho or 1)


def fits(loss: PrivacyLoss, budget: BudgetStatus) -> bool:
    """Whether the project could pay the loss as it stands."""
    left = budget.remaining
    if budget.accountant is Accountant.PURE:
        pure = loss.epsilon is not None and loss.delta == 0
        return pure and (loss.epsilon or 0) <= (left.epsilon or 0)
    return loss.rho <= left.rho and loss.delta <= left.delta


def _rho(asked: Asked, budget: BudgetStatus) -> int:
    match asked.unit:
        case Unit.SHARE:
            return granted(asked.amount * budget.allocated.rho, 1)
        case Unit.LEFT:
            return granted(asked.amount * max(0, _left(budget).rho), 1)
        case Unit.RHO:
            return granted(asked.amount)
        case Unit.EPSILON:
            return budget.price(asked.amount)


def _pure(asked: Asked, budget: BudgetStatus, policy: PricePolicy) -> Price:
    if asked.unit is Unit.RHO:
        raise PriceNotOffered(
            "This project has a pure budget, in which epsilons add; rho is no price here.",
            hint="Give epsilon, budget_share, remaining_share or max_error.",
        )
    epsilon = _epsilon(asked, budget)
    if epsilon < _least_epsilon(policy):
        raise _too_small(budget, policy)
    price = Price(rho=max(1, epsilon * epsilon // (2 * PICO)), delta=0, epsilon=epsilon)
    limited(price, budget, policy)
    return price


def _epsilon(asked: Asked, budget: BudgetStatus) -> int:
    match asked.unit:
        case Unit.SHARE:
            return granted(asked.amount * (budget.allocated.epsilon or 0), 1)
        case Unit.LEFT:
            return granted(asked.amount * max(0, _left(budget).epsilon or 0), 1)
    return granted(asked.amount)


def limited(price: Price, budget: BudgetStatus, policy: PricePolicy) -> None:
    """Refuse what no budget of this project could ever pay, and what the policy holds too much."""
    pure = budget.accountant is Accountant.PURE
    asked = (price.epsilon or 0) if pure else price.rho
    whole = (budget.allocated.epsilon or 0) if pure else budget.allocated.rho
    if asked > whole:
        loss = PrivacyLoss(price.rho, 0, price.epsilon)
        raise BudgetExceeded(loss, budget)
    if asked > granted(policy.most * whole, 1):
        raise PriceTooLarge(
            f"One query may cost at most {float(policy.most):.1%} of this project's budget.",
            hint="Offer less, or ask an administrator.",
        )


def _too_small(budget: BudgetStatus, policy: PricePolicy) -> PriceUnderFloor:
    """The refusal that names the least price, in the project's own words."""
    if budget.accountant is Accountant.PURE:
        least = _short(_least_epsilon(policy) / PICO)
    else:
        least = _short(epsilon_of(policy.floor, budget.conversion_delta))
    return PriceUnderFloor(
        "The price is under the least that an executed query costs here.",
        hint=f"Offer at least epsilon {least} (rho {written(policy.floor)}).",
    )


def _least_epsilon(policy: PricePolicy) -> int:
    """The epsilon, in 1e-12, whose square halved is the floor, rounded up."""
    return math.isqrt(max(2 * policy.floor * PICO - 1, 0)) + 1


def _short(amount: float) -> str:
    """Three digits, rounded up, so that the amount named is accepted."""
    unit = Fraction(10) ** (math.floor(math.log10(amount)) - 2)
    return f"{float(math.ceil(Fraction(amount) / unit) * unit):.3g}"

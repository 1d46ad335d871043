"""Budgets planned ahead: what typical questions need, and what other allocations would give them.

It follows from the manifest, declared sizes and public tables alone (P23): no data are read, and
nothing is charged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from budgets.account import Accountant
from budgets.admission import due_in_blocks
from budgets.amounts import ATTO, PICO, granted
from budgets.conversion import epsilon_of
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss, total
from budgets.standing import BudgetStatus
from gateway import budgeting
from gateway.planning import Planned, Planner
from gateway.submission import Question

MULTIPLES = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4))
"""The allocations that are compared with the one that reaches what was asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A question that a project is expected to ask, and how often, each time of other data or
    with other conditions: what is the same is free.
    """

    title: str
    question: Question
    times: int


@dataclass(frozen=True, slots=True)
class Paying:
    """A block with its ceiling as it stands, and what all the questions take of it."""

    block: BudgetStatus
    loss: PrivacyLoss

    def at(self, by: Fraction, budget: BudgetStatus) -> float:
        """The ceiling that the block needs, as epsilon at its own delta, at a multiple of all."""
        return self.block.epsilon_for(_scaled(self.loss, by, budget))

    def shown(self, budget: BudgetStatus) -> dict[str, Any]:
        pure = self.block.accountant is Accountant.PURE
        held, taken = self.block.allocated, self.loss
        part, whole = (taken.epsilon, held.epsilon) if pure else (taken.rho, held.rho)
        return {
            "name": self.block.name,
            "epsilon": _up(self.at(Fraction(1), budget)),
            "ceiling": budgeting.decimal(self.block.epsilon),
            "ceiling_share": budgeting.percent(Fraction(part or 0, whole or 1)),
        }


class Provision:
    """Plans the budget of a project that is to be."""

    def __init__(self, planner: Planner, ledger: Ledger) -> None:
        self._planner, self._ledger = planner, ledger

    def planned(
        self, dataset: str, delta: Fraction | None, asks: Sequence[Expected]
    ) -> dict[str, Any]:
        """What the questions cost in all, and how exact they are at other allocations."""
        ceiling = self._ledger.ceiling(dataset)
        budget = _supposed(ceiling, ceiling.delta if delta is None else delta)
        made = [self._planner.supposed(ask.question, dataset, budget) for ask in asks]
        whole = sum(_amount(one, budget) * ask.times for one, ask in zip(made, asks, strict=True))
        paying = self._paying(dataset, made, asks)
        return {
            "dataset": dataset,
            "accountant": budget.accountant.value,
            "delta": budgeting.decimal(budget.delta),
            "questions": [
                self._told(one, ask, budget) for one, ask in zip(made, asks, strict=True)
            ],
            "allocations": [
                _allocation(whole, by, budget, ceiling)
                | {"block_epsilon": _most(one.at(by, budget) for one in paying)}
                for by in MULTIPLES
            ],
            "blocks": [one.shown(budget) for one in paying],
        }

    def _paying(
        self, dataset: str, made: Sequence[Planned], asks: Sequence[Expected]
    ) -> list[Paying]:
        """What each block of a growing dataset pays in all; nothing where it has none."""
        if not any(one.blocks for one in made):
            return []
        read = [
            (one.blocks, _times(due_in_blocks(one.claims, 0), ask.times))
            for one, ask in zip(made, asks, strict=True)
        ]
        return [
            Paying(block, total(loss for names, loss in read if block.name in names))
            for block in self._ledger.blocks(dataset)
        ]

    def _told(self, made: Planned, ask: Expected, budget: BudgetStatus) -> dict[str, Any]:
        amount = _amount(made, budget)
        return {
            "title": ask.title,
            "times": ask.times,
            "blocks": list(made.blocks),
            "epsilon": _epsilon(amount, budget),
            "expected_error": self._planner.errors(made),
            "warnings": list(made.plan.warnings),
        }


def _supposed(ceiling: BudgetStatus, delta: Fraction) -> BudgetStatus:
    """A budget at this delta that has all that the ceiling holds; pure where there is no delta."""
    pure = delta == 0
    accountant = Accountant.PURE if pure else Accountant.ZCDP
    epsilon = granted(ceiling.epsilon, PICO) if pure else None
    rho = 0 if pure else max(ceiling.allocated.rho, PICO)
    held = PrivacyLoss(rho, granted(delta / 2, ATTO), epsilon)
    return replace(
        ceiling,
        accountant=accountant,
        delta=delta,
        conversion_delta=delta / 2,
        allocated=held,
        remaining=held,
    )


def _amount(made: Planned, budget: BudgetStatus) -> int:
    """What a question costs as its accountant counts: epsilon or rho, in 1e-12."""
    loss = made.loss
    return (loss.epsilon or 0) if budget.accountant is Accountant.PURE else loss.rho


def _most(found: Iterable[float]) -> str | None:
    values = list(found)
    return _up(max(values)) if values else None


def _times(loss: PrivacyLoss, times: int) -> PrivacyLoss:
    """The losses of one question, asked so often."""
    epsilon = None if loss.epsilon is None else loss.epsilon * times
    return PrivacyLoss(loss.rho * times, loss.delta * times, epsilon)


def _scaled(loss: PrivacyLoss, by: Fraction, budget: BudgetStatus) -> PrivacyLoss:
    """The losses at a multiple of what the project counts: rho goes by the square of epsilon."""
    if budget.accountant is not Accountant.PURE:
        return PrivacyLoss(math.ceil(loss.rho * by), loss.delta)
    return PrivacyLoss(math.ceil(loss.rho * by * by), 0, math.ceil((loss.epsilon or 0) * by))


def _epsilon(amount: int, budget: BudgetStatus) -> str:
    """An amount as the epsilon that an administrator allocates, rounded up to four digits."""
    if budget.accountant is Accountant.PURE:
        return _up(amount / PICO)
    return _up(epsilon_of(amount, budget.conversion_delta))


def _up(amount: float) -> str:
    if amount == 0:
        return "0"
    unit = 10.0 ** (math.floor(math.log10(amount)) - 3)
    return f"{math.ceil(amount / unit) * unit:.4g}"


def _allocation(
    whole: int, by: Fraction, budget: BudgetStatus, ceiling: BudgetStatus
) -> dict[str, Any]:
    """One allocation: errors shrink with epsilon, or with the root of rho."""
    pure = budget.accountant is Accountant.PURE
    amount = math.ceil(whole * by)
    weighed = pure and ceiling.accountant is Accountant.ZCDP
    taken = Fraction(amount * amount, 2 * PICO) if weighed else Fraction(amount)
    held = ceiling.allocated.rho or ceiling.allocated.epsilon or 1
    return {
        "epsilon": _epsilon(amount, budget),
        "errors": float(1 / by) if pure else 1 / math.sqrt(by),
        "ceiling_share": budgeting.percent(taken / held),
    }

"""What is spent, for the operators' metrics: one figure an account and state."""

from __future__ import annotations

from collections.abc import Iterator

from budgets.account import Accountant
from budgets.amounts import PICO
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.refusals import NothingAllocated
from budgets.standing import BudgetStatus
from gateway.metrics import Spent
from gateway.registry import Registry


def spending(ledger: Ledger, registry: Registry) -> Iterator[Spent]:
    """The budgets of all datasets and of all projects that have one."""
    for name in registry.datasets():
        yield from _figures(name, "", ledger.ceiling(name))
    for one in registry.projects():
        try:
            yield from _figures(one.dataset, one.name, ledger.budget(one.name))
        except NothingAllocated:
            continue


def _figures(dataset: str, project: str, status: BudgetStatus) -> Iterator[Spent]:
    pure = status.accountant is Accountant.PURE
    states = {"allocated": status.allocated, "reserved": status.reserved, "spent": status.spent}
    if project:
        states |= {"kept": status.promised, "returned": status.returned}
    for state, loss in states.items():
        unit = "epsilon" if pure else "rho"
        yield Spent(dataset, project, unit, state, _amount(loss, pure=pure))


def _amount(loss: PrivacyLoss, *, pure: bool) -> float:
    return ((loss.epsilon or 0) if pure else loss.rho) / PICO

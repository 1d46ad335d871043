"""Budgets for people: every amount exactly, as a share, and in words that need no Greek.

The words are computed from public facts alone: how often a typical question could be asked at a
margin that this budget can afford a number of times (P23).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from budgets.account import Account, Accountant, Amounts
from budgets.account import shown as shown_as
from budgets.amounts import ATTO, PICO, written
from budgets.chain import Entry, Event
from budgets.loss import PrivacyLoss
from budgets.standing import BudgetStatus
from gateway.prices import share
from gateway.typical import Typical, typical
from queries.catalog.view import View

MARGINS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000)
ENOUGH = 20
LEFT = ("kept", "returned", "remaining")
"""What is left to somebody, and so rounded down."""


def shown(budget: BudgetStatus, view: View, floor: int) -> dict[str, Any]:
    """The whole budget of a project as JSON."""
    manifest, asked = view.manifest, typical(view)
    margin = _margin(budget, asked, floor)
    parts = {
        "allocated": budget.allocated,
        "reserved": budget.reserved,
        "spent": budget.spent,
        "kept": budget.promised,
        "returned": budget.returned,
        "remaining": budget.remaining,
    }
    return {
        "project": budget.name,
        "dataset": manifest.dataset,
        "accountant": budget.accountant.value,
        "frozen": budget.frozen,
        "ends": None if budget.ends is None else budget.ends.isoformat(),
        "expired": budget.expired,
        "guarantee": {
            "epsilon": decimal(budget.epsilon),
            "delta": decimal(budget.delta),
            "unit": f"all rows of one {manifest.unit.name}",
        },
    } | {
        name: loss_shown(loss, budget, up=name not in LEFT)
        | {"words": _words(name, loss, budget, asked, margin, floor)}
        for name, loss in parts.items()
    }


def kept(
    earmarks: Iterable[Account], budget: BudgetStatus, view: View, floor: int
) -> list[dict[str, Any]]:
    """What a project keeps for later, by name: of its whole budget, and in words."""
    asked = typical(view)
    margin = _margin(budget, asked, floor)
    found = []
    for one in earmarks:
        none = budget.expired
        left = shown_as(Amounts() if none else one.remaining, one.accountant)
        told = loss_shown(left, budget, up=False)
        words = _words("kept", left, budget, asked, margin, floor)
        says = f"{told['budget_share'].replace('%', ' %')} is kept for `{one.name}`."
        found.append({"name": one.name, "says": says} | told | {"words": words})
    return found


def loss_shown(loss: PrivacyLoss, budget: BudgetStatus, *, up: bool = True) -> dict[str, str]:
    """A loss: exact amounts as text, epsilon at the project's delta, and a share of the whole."""
    pure = budget.accountant is Accountant.PURE
    epsilon = written(loss.epsilon or 0) if pure else f"{_up(budget.epsilon_for(loss)):.6g}"
    return {
        "rho": written(loss.rho),
        "delta": written(loss.delta, ATTO),
        "epsilon": epsilon,
        "budget_share": percent(share(loss, budget), up=up),
    }


def exact_loss(loss: PrivacyLoss) -> dict[str, str]:
    """A loss where no project's account can be told, in whole amounts."""
    amounts = {"rho": written(loss.rho), "delta": written(loss.delta, ATTO)}
    return amounts | ({} if loss.epsilon is None else {"epsilon": written(loss.epsilon)})


def percent(part: Fraction, *, up: bool = True) -> str:
    """Per cent: what is spent is rounded up and never reads as nothing, what is left down."""
    if part == 0:
        return "0%"
    digits = max(2, 1 - math.floor(math.log10(float(part) * 100)))
    steps = (math.ceil if up else math.floor)(part * 100 * 10**digits)
    return f"{steps / 10**digits:.{digits}f}".rstrip("0").rstrip(".") + "%"


def decimal(amount: Fraction) -> str:
    """A fraction of a power of ten as people write it: 2, 0.5, 1e-08."""
    return f"{float(amount):.12g}"


def _words(
    name: str, loss: PrivacyLoss, budget: BudgetStatus, asked: Typical, margin: int, floor: int
) -> str:
    count = _counts(loss, budget, asked, margin, floor)
    more = " more" if name == "remaining" else ""
    if count == 0 and not _any(loss, budget):
        return "nothing"
    many = f"about {count:,}" if count else "less than one"
    return f"{many}{more} {asked.words(max(1, count))} at +-{margin:,}"


def _any(loss: PrivacyLoss, budget: BudgetStatus) -> bool:
    return bool(loss.epsilon if budget.accountant is Accountant.PURE else loss.rho)


def _margin(budget: BudgetStatus, asked: Typical, floor: int) -> int:
    """The least margin of such counts that the whole budget affords a number of times."""
    for margin in MARGINS:
        if _counts(budget.allocated, budget, asked, margin, floor) >= ENOUGH:
            return margin
    return MARGINS[-1]


def _counts(
    loss: PrivacyLoss, budget: BudgetStatus, asked: Typical, margin: int, floor: int
) -> int:
    """How many times this loss pays for such counts, +- margin in 95 of 100 cases."""
    if budget.accountant is Accountant.PURE:
        least = math.isqrt(2 * floor * PICO)
        return (loss.epsilon or 0) // max(asked.loss(margin, pure=True), least, 1)
    return loss.rho // max(asked.loss(margin, pure=False), floor, 1)


def _up(amount: float) -> float:
    """Six digits, rounded up."""
    if amount <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(amount)) - 5)
    return math.ceil(amount / unit - 1e-9) * unit


def allocations(entries: Iterable[tuple[Entry, str]], project: str) -> list[dict[str, str]]:
    """What a project was given, each time as the whole that stands afterwards."""
    return [
        json.loads(entry.note) | {"at": _moment(entry.at)}
        for entry, _ in entries
        if entry.event == Event.ALLOCATE and entry.account[2] == project
    ]


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 10**6, UTC).isoformat(timespec="seconds")

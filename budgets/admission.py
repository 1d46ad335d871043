"""Admission: whether a loss fits every account of a path. Additions and comparisons, no more.

Privacy note
    Neighbours  as each dataset's manifest declares them; every account of a path states its
                guarantee for the same ones.
    Claim       no account's reserved and spent losses together exceed its capacity, so what has
                been released under it stays within the (epsilon, delta) that was granted.
    Requires    losses that depend on text, manifest and policy alone; a charge posted to the whole
                path in one transaction before the first row is read (P20, P21).
    Why         each account is posted what is lost between its own neighbours: those of a block
                differ in a unit's rows of that block, its others being the same, so that a stage
                may move twice as far (`StageClaim.partial`). Adaptively chosen losses add, and a
                fixed budget that stops is a valid filter (Whitehouse et al. 2023). Whole numbers
                add exactly.
    Tried by    tests/budgets/test_machine.py
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from budgets.account import Account, Accountant, Amounts, Kind
from budgets.amounts import LARGEST, PICO
from budgets.charge import StageClaim
from budgets.loss import NONE, PrivacyLoss, total
from budgets.refusals import BudgetExceeded, CeilingReached
from budgets.standing import kept, status

VISIBLE = frozenset({Kind.PROJECT, Kind.EARMARK, Kind.ANALYST})
"""The accounts of a path that whoever asks may see (P24)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of the house: the least that an executed query costs (rho, 1e-12), faults allowed."""

    floor: int = PICO // 10**5
    faults: int = 3

    def __post_init__(self) -> None:
        if self.floor < 0 or self.faults < 1:
            raise ValueError("a floor is not negative and at least one fault is allowed")


def due(stages: Iterable[StageClaim], floor: int) -> PrivacyLoss:
    """What these stages cost when they are run: their losses added, raised to the floor (P22)."""
    losses = [stage.loss for stage in stages]
    if not losses:
        return NONE
    loss = total(losses)
    epsilon = None if loss.epsilon is None else max(loss.epsilon, _least(floor))
    return PrivacyLoss(max(loss.rho, floor), loss.delta, epsilon)


def _least(floor: int) -> int:
    """The least epsilon of which the rho is that floor at least."""
    return math.isqrt(max(2 * floor * PICO - 1, 0)) + 1 if floor else 0


def due_in_blocks(stages: Iterable[StageClaim], floor: int) -> PrivacyLoss:
    """What each block pays for these stages: for twice the sensitivity of those that are partial.

    Twice the sensitivity at the same noise is four times the rho and twice the epsilon (Bun and
    Steinke 2016, Proposition 1.9); the delta of thresholding is that of either neighbour.
    """
    return due((replace(one, loss=doubled(one.loss)) if one.partial else one
                for one in stages), floor)  # fmt: skip


def doubled(loss: PrivacyLoss) -> PrivacyLoss:
    """The loss of the same noise for twice the sensitivity."""
    epsilon = None if loss.epsilon is None else 2 * loss.epsilon
    return PrivacyLoss(4 * loss.rho, loss.delta, epsilon)


def postings(
    path: Sequence[Account], loss: PrivacyLoss, in_blocks: PrivacyLoss | None = None
) -> tuple[Amounts, ...]:
    """What the loss posts to each account of the path, root first; raises a refusal if one is full.

    Blocks are posted `in_blocks`, where that is more. Of several that refuse, the one nearest to
    the caller is named.
    """
    more = loss if in_blocks is None else in_blocks
    amounts = tuple(one.posting(more if one.kind is Kind.BLOCK else loss) for one in path)
    for account, asked in reversed(list(zip(path, amounts, strict=True))):
        if max(asked.parts) > LARGEST or not account.admits(asked):
            raise exceeded(path, account, loss)
    return amounts


def exceeded(path: Sequence[Account], account: Account, loss: PrivacyLoss) -> BudgetExceeded:
    """The refusal of `account`, showing no more than the caller may see."""
    if account.kind is Kind.EARMARK:
        project = next(one for one in path if one.id == account.parent)
        return BudgetExceeded(loss, kept(account, status(project)))
    if account.kind in VISIBLE:
        return BudgetExceeded(loss, status(account))
    least = min((a for a in path if a.kind in VISIBLE), key=_share_left)
    return CeilingReached(loss, status(least))


def _share_left(account: Account) -> float:
    if account.accountant is Accountant.PURE:
        return account.remaining.epsilon
    return account.remaining.rho

"""Earmarks: a part of a project's budget that is kept under a name for later.

Whoever does not name it cannot be charged to it. A charge that names it posts to the project and
to the earmark, each within what it has. What is kept is an amount: a later allocation leaves it.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       a project and its earmarks together lose no more than the project was granted.
    Requires    each act is one transaction that has locked the ceiling's row, as charges do.
    Why         an earmark only narrows what is admitted: each charge posts to the project as well.
                The project admits what is reserved, spent, kept and asked together, where what an
                earmark keeps is lowered by as much as is charged to it, in the same transaction.
    Tried by    tests/budgets/test_earmarks.py, tests/budgets/test_machine.py
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection

from budgets import amounts, expiring
from budgets.account import Account, Accountant, Amounts, Kind, holding, rho_of_request, shown
from budgets.chain import Event
from budgets.opening import dataset_of, granted, project_of, root_of
from budgets.refusals import NotFree, UnknownEarmark
from budgets.storage import accounts, journal
from budgets.storage.journal import Item


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a project's budget: a share of the whole, or an epsilon at the project's delta."""

    share: Fraction | None = None
    epsilon: Fraction | None = None

    def __post_init__(self) -> None:
        if (self.share is None) is (self.epsilon is None):
            raise ValueError("a part is a share or an epsilon")
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError("a share lies above 0% and is at most 100%")

    def of(self, project: Account) -> Amounts:
        """The amounts of this part of a project's budget; a share is rounded up, to be one."""
        if self.epsilon is None:
            return _shared(project.cap, self.share or Fraction(0))
        asked = amounts.granted(self.epsilon)
        if project.accountant is Accountant.PURE:
            return Amounts(epsilon=asked)
        rho = rho_of_request(project.grant, asked)
        part = Fraction(rho, max(1, project.cap.rho))
        return replace(_shared(project.cap, part), rho=rho)

    @property
    def words(self) -> str:
        """How it was named, exactly."""
        if self.share is not None:
            return f"{self.share * 100}%"
        return f"epsilon {self.epsilon}"


def earmark(
    tx: Connection, name: str, label: str, part: Part, by: str, reason: str, at: datetime
) -> None:
    """Keep a part of what a project has free under a name, on top of what is kept there."""
    root = expiring.returned(tx, root_of(tx, dataset_of(tx, name)), at)
    project = project_of(tx, root.dataset, name)
    expiring.refuse_ended((root, project), at)
    kept = part.of(project)
    if kept == Amounts():
        raise ValueError("so small a part amounts to nothing")
    if not kept.within(project.remaining):
        free = shown(project.remaining, project.accountant)
        raise NotFree(shown(kept, project.accountant), free)
    made = _grown(tx, project, label, kept)
    accounts.keep(tx, project.id, kept)
    note = granted(made.grant) | {"by": by, "kept": part.words, "reason": reason}
    journal.append(tx, root, [Item(Event.EARMARK, made, kept, note=note)], at)


def lift(tx: Connection, name: str, label: str, by: str, reason: str, at: datetime) -> None:
    """Give all that an earmark still keeps back to its project; what it has taken stays."""
    root = expiring.returned(tx, root_of(tx, dataset_of(tx, name)), at)
    project = project_of(tx, root.dataset, name)
    found = named(tx, name, label)
    free = found.remaining
    accounts.empty(tx, found)
    accounts.keep(tx, project.id, -free)
    note = {"by": by, "reason": reason}
    journal.append(tx, root, [Item(Event.LIFT, found, -free, note=note)], at)


def named(tx: Connection, project: str, label: str) -> Account:
    """What a project keeps under a name."""
    if (found := accounts.find(tx, Kind.EARMARK, project, label)) is None:
        raise UnknownEarmark(label)
    return found


def opened_to(project: Account, one: Account) -> Account:
    """The project as it stands to whoever asks from one of its earmarks."""
    return replace(project, allocated=project.allocated - one.remaining)


def _grown(tx: Connection, project: Account, label: str, kept: Amounts) -> Account:
    """The account of an earmark that keeps so much more."""
    before = accounts.find(tx, Kind.EARMARK, project.name, label)
    cap = kept if before is None else before.cap + kept
    given = holding(cap, project.grant)
    if before is None:
        of = (Kind.EARMARK, project.name, label, given, project)
        return accounts.opened(tx, *of, cap=cap)
    accounts.regrant(tx, before, given, cap)
    return replace(before, grant=given)


def _shared(whole: Amounts, share: Fraction) -> Amounts:
    return Amounts(*(math.ceil(part * share) for part in whole.parts))

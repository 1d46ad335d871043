"""Who may spend how much: ceilings raised, budgets allocated and transferred, limits, promises.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       no act here lets an account take back what was charged, nor lets more be charged
                under a ceiling than the ceiling holds, overcommitted or not.
    Requires    each act is one transaction that has locked the ceiling's row, as charges do.
    Why         a capacity never falls below what is reserved and spent: it is compared under the
                lock, and the table's CHECK says it again. What may be promised is another figure
                than the capacity that charging compares with, and alone follows `overcommit`.
    Tried by    tests/budgets/test_acts.py, tests/budgets/test_machine.py
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection

from budgets import amounts, expiring
from budgets.account import Account, Amounts, Grant, Kind, grant, promised, shown, weight
from budgets.chain import Event
from budgets.loss import PrivacyLoss
from budgets.opening import dataset_of, granted, project_of, root_of
from budgets.refusals import (
    AboveCeiling,
    AllocationExceeded,
    CeilingDiffers,
    DeltaFixed,
    NotFree,
    OtherDataset,
    Overcommitted,
    UnknownBlock,
)
from budgets.storage import accounts, journal
from budgets.storage.journal import Item

MOST_PROMISED = 1000
"""The most that a ceiling may promise, in per cent of what it holds."""


def raise_ceiling(
    tx: Connection,
    name: str,
    ceiling: Grant,
    by: str,
    reason: str,
    at: datetime,
    block: str | None = None,
) -> None:
    """Give a dataset, or one block of it, a larger ceiling under the same accountant.

    Never a smaller one, and to no block more than the dataset has: nothing of what was charged is
    forgotten, and whoever is in several blocks is promised what the dataset's ceiling says.
    """
    root = root_of(tx, name)
    raised = root if block is None else _block(tx, root, block)
    grown = ceiling.capacity - raised.cap
    lowered = not raised.cap.within(ceiling.capacity) or ceiling.epsilon < raised.grant.epsilon
    if lowered or ceiling.accountant is not raised.accountant:
        raise CeilingDiffers(name, block)
    most = root.grant
    if block is not None and (ceiling.epsilon > most.epsilon or ceiling.delta > most.delta):
        raise AboveCeiling(name)
    accounts.regrant(tx, raised, ceiling)
    note = granted(ceiling) | {"by": by, "reason": reason}
    journal.append(tx, root, [Item(Event.RAISE, raised, grown, note=note)], at)


def _block(tx: Connection, root: Account, name: str) -> Account:
    if (found := accounts.find(tx, Kind.BLOCK, root.dataset, name)) is None:
        raise UnknownBlock(name)
    return found


def overcommit(tx: Connection, name: str, percent: int, by: str, reason: str, at: datetime) -> None:
    """Let a dataset's projects be promised so much of its ceiling, which holds all the same."""
    if not 100 <= percent <= MOST_PROMISED:
        raise ValueError(f"a ceiling promises from 100 to {MOST_PROMISED} per cent of what it has")
    root = expiring.returned(tx, root_of(tx, name), at)
    if not root.allocated.within(root.at(percent).promisable):
        raise Overcommitted(name)
    accounts.overcommit(tx, root, percent)
    note = {"by": by, "per_cent": percent, "reason": reason}
    journal.append(tx, root, [Item(Event.OVERCOMMIT, root, note=note)], at)


def allocate(
    tx: Connection,
    name: str,
    epsilon: Fraction,
    delta: Fraction | None,
    by: str,
    reason: str,
    at: datetime,
    until: datetime | None = None,
) -> None:
    """Promise a project more; the first allocation fixes its accountant and its delta.

    Capacity is computed from the sum of all epsilons at the project's delta. Without a delta the
    project keeps its own, or at first gets the ceiling's in the proportion of the epsilons. Named,
    `until` is the end of all that the project has; the end that stands is kept without it, and
    nothing is added to what has ended.
    """
    root = expiring.returned(tx, root_of(tx, dataset_of(tx, name)), at)
    before, given = _more(tx, root, name, epsilon, delta)
    if until is None and before is not None:
        expiring.refuse_ended((root, before), at)
    _promise(tx, root, _above(root, given) - _held(root, before))
    made, grown = _granted_to(tx, root, before, name, given)
    note = granted(given) | {"by": by, "reason": reason}
    if until is not None:
        note |= expiring.ends(tx, root, made, until, at)
    journal.append(tx, root, [Item(Event.ALLOCATE, made, grown, note=note)], at)


def transfer(
    tx: Connection,
    giver: str,
    receiver: str,
    epsilon: Fraction,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Take epsilon from what one project may spend and give it to another of the same dataset.

    Each keeps its own delta. Since losses of large budgets weigh more than in proportion, what the
    giver frees of the ceiling may be more than what the receiver takes, or less: then it is refused
    where the ceiling does not hold the rest. The end of what is moved is the receiver's from then
    on; nothing is taken from what a project keeps for later, or from what has ended.
    """
    root = expiring.returned(tx, root_of(tx, dataset_of(tx, giver)), at)
    if dataset_of(tx, receiver) != root.dataset or giver == receiver:
        raise OtherDataset(receiver)
    source = project_of(tx, root.dataset, giver)
    expiring.refuse_ended((root, source), at)
    left = _less(source, epsilon)
    before, given = _more(tx, root, receiver, epsilon, None)
    if before is not None:
        expiring.refuse_ended((root, before), at)
    less = _above(root, left) - _held(root, source)
    _promise(tx, root, less + _above(root, given) - _held(root, before))
    accounts.regrant(tx, source, left)
    made, grown = _granted_to(tx, root, before, receiver, given)
    why: dict[str, object] = {"by": by, "reason": reason}
    items = [
        Item(Event.TRANSFER, source, left.capacity - source.cap,
             note=granted(left) | why | {"to": receiver}),
        Item(Event.TRANSFER, made, grown, note=granted(given) | why | {"from": giver}),
    ]  # fmt: skip
    journal.append(tx, root, items, at)


def limit(
    tx: Connection, name: str, analyst: str, epsilon: Fraction, by: str, reason: str, at: datetime
) -> None:
    """Limit what one analyst may spend of a project, at the project's delta. Limits may overlap.

    Another limit takes the place of the first, but not below what was charged under it.
    """
    root = root_of(tx, dataset_of(tx, name))
    parent = project_of(tx, root.dataset, name)
    given = Grant(amounts.granted(epsilon), parent.grant.delta)
    note = granted(given) | {"by": by, "reason": reason}
    before = accounts.find(tx, Kind.ANALYST, name, analyst)
    if before is None:
        made = accounts.opened(tx, Kind.ANALYST, name, analyst, given, parent)
        item = Item(Event.OPEN, made, made.cap, note=note)
    else:
        _keep(before, given)
        accounts.regrant(tx, before, given)
        item = Item(Event.LIMIT, before, given.capacity - before.cap, note=note)
    journal.append(tx, root, [item], at)


def _more(
    tx: Connection, root: Account, name: str, epsilon: Fraction, delta: Fraction | None
) -> tuple[Account | None, Grant]:
    """A project's account as it stands, and its grant with so much more."""
    before = accounts.find(tx, Kind.PROJECT, root.dataset, name)
    if before is None:
        return None, _first(root, epsilon, delta)
    stands = before.stands
    if delta is not None and amounts.granted(delta, amounts.ATTO) != stands.delta:
        raise DeltaFixed(before.name)
    added = Grant(amounts.granted(epsilon), stands.delta)
    return before, Grant(stands.epsilon + added.epsilon, stands.delta)


def _first(root: Account, epsilon: Fraction, delta: Fraction | None) -> Grant:
    if delta is None:
        share = min(Fraction(1), epsilon * amounts.PICO / root.grant.epsilon)
        delta = share * Fraction(root.grant.delta, amounts.ATTO)
    return grant(epsilon, delta)


def _less(source: Account, epsilon: Fraction) -> Grant:
    """A project's grant with so much less; it keeps what was charged, and more than nothing."""
    taken, stands = Grant(amounts.granted(epsilon), source.grant.delta), source.stands
    if taken.epsilon >= stands.epsilon:
        raise NotFree(
            shown(source.cap, source.accountant), shown(source.remaining, source.accountant)
        )
    left = Grant(stands.epsilon - taken.epsilon, stands.delta)
    _keep(source, left)
    return left


def _keep(before: Account, given: Grant) -> None:
    """Refuse a grant that does not hold what was charged already and what is kept for later."""
    if not (before.taken + before.kept).within(given.capacity):
        less = shown((before.cap - given.capacity).floored, before.accountant)
        raise NotFree(less, shown(before.remaining, before.accountant))


def _above(root: Account, given: Grant) -> Amounts:
    """What a grant weighs in the ceiling above it."""
    return promised(given, root.accountant)


def _held(root: Account, before: Account | None) -> Amounts:
    """What a project weighs in the ceiling above it as it stands."""
    if before is None:
        return Amounts()
    return weight(before.cap, before.accountant, root.accountant)


def _promise(tx: Connection, root: Account, more: Amounts) -> None:
    """Set so much more aside, if the ceiling may promise it; less is always possible."""
    if not (root.allocated + more).within(root.promisable):
        free = root.promisable - root.allocated
        raise AllocationExceeded(_told(root, more), _told(root, free))
    accounts.promise(tx, root, more)


def _told(root: Account, figure: Amounts) -> PrivacyLoss:
    """Amounts of a ceiling as a loss; a part that is negative reads as nothing."""
    return shown(figure.floored, root.accountant)


def _granted_to(
    tx: Connection, root: Account, before: Account | None, name: str, given: Grant
) -> tuple[Account, Amounts]:
    if before is None:
        made = accounts.opened(tx, Kind.PROJECT, root.dataset, name, given, root)
        return made, made.cap
    accounts.regrant(tx, before, given)
    return before, given.capacity - before.cap

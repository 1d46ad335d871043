"""Acts of administrators: ceilings, projects, allocations, limits, freezing. Each is an entry.

Nothing here is edited in silence: an act adds to what stands, says by whom and why, and becomes
part of the ceiling's chain in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction

from sqlalchemy import Connection, bindparam, insert, select, update

from budgets import amounts
from budgets.account import Account, Amounts, Grant, Kind, grant, promised, shown
from budgets.chain import Event
from budgets.refusals import (
    AllocationExceeded,
    CeilingDiffers,
    DeltaFixed,
    NameTaken,
    NothingAllocated,
    PureBudget,
    UnknownDataset,
    UnknownProject,
)
from budgets.storage import accounts, journal
from budgets.storage.prepared import Prepared
from budgets.storage.schema import dataset as datasets
from budgets.storage.schema import project as projects

_DATASET = Prepared(select(projects.c.dataset).where(projects.c.name == bindparam("named")))


def open_dataset(tx: Connection, name: str, ceiling: Grant, unit: str, at: datetime) -> None:
    """Open a ceiling; the same ceiling again changes nothing, another one is refused."""
    if (root := accounts.root(tx, name)) is not None:
        if root.grant != ceiling:
            raise CeilingDiffers(name)
        return
    tx.execute(insert(datasets).values(name=name, unit=unit, created=at))
    made = accounts.opened(tx, Kind.DATASET, "", name, ceiling, None)
    _enter(tx, made, journal.Item(Event.OPEN, made, made.cap, note=_granted(ceiling)), at)


def open_block(
    tx: Connection, name: str, block: str, ceiling: Grant, note: Mapping[str, object], at: datetime
) -> None:
    """Open the ceiling of one block of a dataset.

    A block that stands keeps what was charged to it: the same ceiling again changes nothing,
    another one is refused (P17).
    """
    root = _root(tx, name)
    if (stands := accounts.find(tx, Kind.BLOCK, name, block)) is not None:
        if stands.grant != ceiling:
            raise CeilingDiffers(name, block)
        return
    if root.accountant is not ceiling.accountant:
        raise PureBudget(Kind.BLOCK if root.grant.delta else Kind.DATASET)
    made = accounts.opened(tx, Kind.BLOCK, name, block, ceiling, root)
    item = journal.Item(Event.OPEN, made, made.cap, note=_granted(ceiling) | dict(note))
    _enter(tx, root, item, at)


def raise_ceiling(
    tx: Connection, name: str, ceiling: Grant, by: str, reason: str, at: datetime
) -> None:
    """Give a dataset a larger ceiling under the same accountant; never a smaller one."""
    root = _root(tx, name)
    grown = ceiling.capacity - root.cap
    lowered = not root.cap.within(ceiling.capacity) or ceiling.epsilon < root.grant.epsilon
    if lowered or ceiling.accountant is not root.accountant:
        raise CeilingDiffers(name)
    accounts.regrant(tx, root, ceiling)
    note = _granted(ceiling) | {"by": by, "reason": reason}
    _enter(tx, root, journal.Item(Event.RAISE, root, grown, note=note), at)


def open_project(tx: Connection, name: str, dataset: str, title: str, at: datetime) -> None:
    """Open a project without a budget; its account is opened by the first allocation."""
    _root(tx, dataset)
    if tx.execute(select(projects.c.name).where(projects.c.name == name)).first() is not None:
        raise NameTaken(name)
    tx.execute(insert(projects).values(name=name, dataset=dataset, title=title, created=at))


def allocate(
    tx: Connection,
    name: str,
    epsilon: Fraction,
    delta: Fraction | None,
    by: str,
    reason: str,
    at: datetime,
) -> None:
    """Promise a project more; the first allocation fixes its accountant and its delta.

    Capacity is computed from the sum of all epsilons at the project's delta. Without a delta the
    project keeps its own, or at first gets the ceiling's in the proportion of the epsilons.
    """
    root = _root(tx, dataset_of(tx, name))
    before = accounts.find(tx, Kind.PROJECT, root.dataset, name)
    given = _first(root, epsilon, delta) if before is None else _more(before, epsilon, delta)
    above = promised(given, root.accountant)
    if before is not None:
        above = above - promised(before.grant, root.accountant)
    if not (root.allocated + above).within(root.cap):
        raise AllocationExceeded(
            shown(above, root.accountant), shown(root.cap - root.allocated, root.accountant)
        )
    accounts.promise(tx, root, above)
    made, grown = _granted_to(tx, root, before, name, given)
    note = _granted(given) | {"by": by, "reason": reason}
    _enter(tx, root, journal.Item(Event.ALLOCATE, made, grown, note=note), at)


def open_limit(
    tx: Connection, name: str, analyst: str, epsilon: Fraction, by: str, reason: str, at: datetime
) -> None:
    """Limit what one analyst may spend of a project, at the project's delta. Limits may overlap."""
    dataset = dataset_of(tx, name)
    root = _root(tx, dataset)
    parent = accounts.find(tx, Kind.PROJECT, dataset, name)
    if parent is None:
        raise NothingAllocated(name)
    if accounts.find(tx, Kind.ANALYST, name, analyst) is not None:
        raise NameTaken(analyst)
    limit = Grant(amounts.granted(epsilon), parent.grant.delta)
    made = accounts.opened(tx, Kind.ANALYST, name, analyst, limit, parent)
    note = _granted(limit) | {"by": by, "reason": reason}
    _enter(tx, root, journal.Item(Event.OPEN, made, made.cap, note=note), at)


def freeze(tx: Connection, name: str, frozen: bool, by: str, reason: str, at: datetime) -> None:
    """Freeze a project, or thaw it and forget its faults."""
    root = _root(tx, dataset_of(tx, name))
    values: dict[str, bool | int] = {"frozen": frozen} if frozen else {"frozen": False, "faults": 0}
    tx.execute(update(projects).where(projects.c.name == name).values(values))
    event = Event.FREEZE if frozen else Event.THAW
    note = {"by": by, "project": name, "reason": reason}
    _enter(tx, root, journal.Item(event, root, note=note), at)


def dataset_of(tx: Connection, name: str) -> str:
    """The dataset that a project reads."""
    found: str | None = _DATASET.send(tx, {"named": name}).scalar()
    if found is None:
        raise UnknownProject(name)
    return found


def standing(tx: Connection, name: str) -> tuple[bool, int]:
    """Whether a project is frozen, and how many faults it has had since it was last thawed."""
    row = tx.execute(
        select(projects.c.frozen, projects.c.faults).where(projects.c.name == name)
    ).one()
    return row.frozen, row.faults


def _root(tx: Connection, dataset: str) -> Account:
    if (root := accounts.root(tx, dataset)) is None:
        raise UnknownDataset(dataset)
    return root


def _first(root: Account, epsilon: Fraction, delta: Fraction | None) -> Grant:
    if delta is None:
        share = min(Fraction(1), epsilon * amounts.PICO / root.grant.epsilon)
        delta = share * Fraction(root.grant.delta, amounts.ATTO)
    return grant(epsilon, delta)


def _more(before: Account, epsilon: Fraction, delta: Fraction | None) -> Grant:
    stands = before.grant
    if delta is not None and amounts.granted(delta, amounts.ATTO) != stands.delta:
        raise DeltaFixed(before.name)
    added = Grant(amounts.granted(epsilon), stands.delta)
    return Grant(stands.epsilon + added.epsilon, stands.delta)


def _granted_to(
    tx: Connection, root: Account, before: Account | None, name: str, given: Grant
) -> tuple[Account, Amounts]:
    if before is None:
        made = accounts.opened(tx, Kind.PROJECT, root.dataset, name, given, root)
        return made, made.cap
    accounts.regrant(tx, before, given)
    return before, given.capacity - before.cap


def _granted(given: Grant) -> dict[str, object]:
    return {
        "epsilon": amounts.written(given.epsilon),
        "delta": amounts.written(given.delta, amounts.ATTO),
    }


def _enter(tx: Connection, root: Account, item: journal.Item, at: datetime) -> None:
    journal.append(tx, root, [item], at)

"""Opening datasets and projects, and what all acts of administrators share.

Nothing is edited in silence: an act adds to what stands, says by whom and why, and becomes part of
the ceiling's chain in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from budgets import amounts
from budgets.account import Account, Grant, Kind
from budgets.chain import Event
from budgets.refusals import (
    CeilingDiffers,
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
    journal.append(tx, made, [journal.Item(Event.OPEN, made, made.cap, note=granted(ceiling))], at)


def open_block(
    tx: Connection, name: str, block: str, ceiling: Grant, note: Mapping[str, object], at: datetime
) -> None:
    """Open the ceiling of one block of a dataset.

    A block that stands keeps what was charged to it: the same ceiling again changes nothing,
    another one is refused (P17).
    """
    root = root_of(tx, name)
    if (stands := accounts.find(tx, Kind.BLOCK, name, block)) is not None:
        if stands.grant != ceiling:
            raise CeilingDiffers(name, block)
        return
    if root.accountant is not ceiling.accountant:
        raise PureBudget(Kind.BLOCK if root.grant.delta else Kind.DATASET)
    made = accounts.opened(tx, Kind.BLOCK, name, block, ceiling, root)
    told = granted(ceiling) | dict(note)
    journal.append(tx, root, [journal.Item(Event.OPEN, made, made.cap, note=told)], at)


def open_project(tx: Connection, name: str, dataset: str, title: str, at: datetime) -> None:
    """Open a project without a budget; its account is opened by the first allocation."""
    root_of(tx, dataset)
    if tx.execute(select(projects.c.name).where(projects.c.name == name)).first() is not None:
        raise NameTaken(name)
    tx.execute(insert(projects).values(name=name, dataset=dataset, title=title, created=at))


def dataset_of(tx: Connection, name: str) -> str:
    """The dataset that a project reads."""
    found: str | None = _DATASET.send(tx, {"named": name}).scalar()
    if found is None:
        raise UnknownProject(name)
    return found


def ceiling_of(tx: Connection, dataset: str) -> Account:
    """The ceiling of a dataset as it stands, not locked."""
    if (root := accounts.find(tx, Kind.DATASET, "", dataset)) is None:
        raise UnknownDataset(dataset)
    return root


def root_of(tx: Connection, dataset: str) -> Account:
    """The ceiling of a dataset, locked."""
    if (root := accounts.root(tx, dataset)) is None:
        raise UnknownDataset(dataset)
    return root


def project_of(tx: Connection, dataset: str, name: str) -> Account:
    """The account of a project that has a budget."""
    if (found := accounts.find(tx, Kind.PROJECT, dataset, name)) is None:
        raise NothingAllocated(name)
    return found


def granted(given: Grant) -> dict[str, object]:
    """A grant as a note tells it: the whole that stands from then on."""
    return {
        "epsilon": amounts.written(given.epsilon),
        "delta": amounts.written(given.delta, amounts.ATTO),
    }

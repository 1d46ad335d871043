"""Freezing: one act after which nothing more is charged, in a project or in a whole dataset.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       once a freeze has returned, no query of what is frozen is charged, so none is begun,
                by whatever gateway; what was charged before stays charged.
    Requires    `reserve` reads both marks under the lock of the ceiling's row (P20).
    Why         the mark is written under the same lock, so each charge is before it or refused. A
                query that runs keeps its charge, ends at its slot as any other (P22), and what it
                drew is stored; whether it is sent meanwhile is the gateway's to decide, which does
                not: storing tells nobody anything.
    Tried by    tests/budgets/test_acts.py
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from budgets.chain import Event
from budgets.opening import dataset_of, root_of
from budgets.storage import accounts, journal
from budgets.storage.schema import project as projects


def freeze_project(
    tx: Connection, name: str, frozen: bool, by: str, reason: str, at: datetime
) -> None:
    """Freeze a project and its members' access to it; or thaw both and forget its faults."""
    root = root_of(tx, dataset_of(tx, name))
    values: dict[str, bool | int] = {"frozen": frozen, "locked": frozen}
    values |= {} if frozen else {"faults": 0}
    tx.execute(update(projects).where(projects.c.name == name).values(values))
    event = Event.FREEZE if frozen else Event.THAW
    note = {"by": by, "project": name, "reason": reason}
    journal.append(tx, root, [journal.Item(event, root, note=note)], at)


def freeze_dataset(
    tx: Connection, name: str, frozen: bool, by: str, reason: str, at: datetime
) -> None:
    """Freeze a ceiling, and so all projects under it; or thaw it, and each is as it was."""
    root = root_of(tx, name)
    accounts.freeze(tx, root, frozen)
    event = Event.FREEZE if frozen else Event.THAW
    note = {"by": by, "dataset": name, "reason": reason}
    journal.append(tx, root, [journal.Item(event, root, note=note)], at)


def standing(tx: Connection, name: str) -> tuple[bool, int]:
    """Whether a project is frozen, and how many faults it has had since it was last thawed."""
    row = tx.execute(
        select(projects.c.frozen, projects.c.faults).where(projects.c.name == name)
    ).one()
    return row.frozen, row.faults

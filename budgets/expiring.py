"""Expiry: an allocation may have an end, after which what it has not spent is its dataset's again.

An end stands on the whole of a project's allocation. It is set with an allocation, or by an act of
its own, and moved by either. What has ended is returned by an entry of its own: by whoever looks at
the budget or is refused a charge, by each act over budgets, and by a sweep. Nothing is edited: the
entries before it stand, and the project begins anew with its next allocation.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       after its end nothing is charged to an allocation, what was charged before stays
                charged, and what is returned was charged to nobody.
    Requires    the ceiling's row locked, as charges lock it; a charge compares the end before it
                posts anything.
    Why         a capacity that is returned falls to what is reserved and spent, no lower, and the
                table's CHECK says so once more. Time is the greatest in the chain, so a clock that
                is set back revives nothing. Done twice, nothing is left to return; a charge that is
                voided afterwards leaves a rest that is returned by the same rule.
    Tried by    tests/budgets/test_expiring.py, tests/budgets/test_machine.py
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from budgets.account import Account, Amounts, Kind, weight
from budgets.chain import Event
from budgets.opening import dataset_of, project_of, root_of
from budgets.refusals import AllocationExpired
from budgets.storage import accounts, journal
from budgets.storage.journal import Item


def present(root: Account, at: datetime) -> datetime:
    """The time that counts under a ceiling: the clock's, or the latest of its chain."""
    return at if root.latest is None else max(at, root.latest)


def ended(root: Account, project: Account, at: datetime) -> bool:
    """Whether a project's allocation has ended."""
    return project.expires is not None and project.expires <= present(root, at)


def refuse_ended(path: Iterable[Account], at: datetime) -> None:
    """Raise a refusal if the path runs through an allocation that has ended."""
    root, *below = path
    for one in below:
        if one.expires is not None and ended(root, one, at):
            raise AllocationExpired(one.name, one.dataset, one.expires)


def due(tx: Connection, root: Account, at: datetime) -> tuple[Account, ...]:
    """The projects under a ceiling that have something to return."""
    found = accounts.ending(tx, root.dataset, present(root, at))
    return tuple(one for one in found if one.cap != one.taken)


def returned(tx: Connection, root: Account, at: datetime) -> Account:
    """Return what ended allocations still hold to their locked ceiling; the ceiling afterwards."""
    for project in due(tx, root, at):
        items = [_emptied(tx, one) for one in accounts.earmarks(tx, project.name)]
        accounts.keep(tx, project.id, -project.kept)
        items = [item for item in items if item.amounts != Amounts()]
        items.append(_emptied(tx, project))
        less = [weight(cap, project.accountant, root.accountant)
                for cap in (project.cap, project.taken)]  # fmt: skip
        accounts.promise(tx, root, less[1] - less[0])
        journal.append(tx, root, items, at)
        root = root_of(tx, root.dataset)
    return root


def term(
    tx: Connection, name: str, until: datetime | None, by: str, reason: str, at: datetime
) -> None:
    """Let a project's allocation end then, or not at all; what has been returned stays so."""
    root = returned(tx, root_of(tx, dataset_of(tx, name)), at)
    project = project_of(tx, root.dataset, name)
    note = {"by": by, "reason": reason} | ends(tx, root, project, until, at)
    journal.append(tx, root, [Item(Event.TERM, project, note=note)], at)


def ends(
    tx: Connection, root: Account, project: Account, until: datetime | None, at: datetime
) -> dict[str, object]:
    """Set the end of a project's allocation; what the entry tells of it."""
    if until is not None and until <= present(root, at):
        raise ValueError("an allocation ends later than now")
    accounts.end(tx, project, until)
    return {"until": None if until is None else written(until)}


def written(until: datetime) -> str:
    """An end as entries tell it, to the microsecond, in UTC."""
    return until.astimezone(UTC).isoformat()


def _emptied(tx: Connection, one: Account) -> Item:
    accounts.empty(tx, one)
    note: dict[str, object] = {"by": "policy", "reason": "expired"}
    if one.kind is Kind.PROJECT and one.expires is not None:
        note["until"] = written(one.expires)
    return Item(Event.RETURN, one, one.taken - one.cap, note=note)

"""The life of a charge within one transaction each: reserve, settle, void, fault, lose.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       every stage that is run was charged to the whole path before, by one transaction;
                nothing but a void by its own reserver takes a charge back (P20, P21), and nothing
                but its holder or recovery ends it.
    Requires    the caller commits the transaction before it acts on what is returned, and runs no
                stage that the charge does not name.
    Why         admission, stage reuse, postings and states are read and written under the lock of
                the ceiling's row; each change is conditional and its row count is checked.
    Tried by    tests/budgets/test_machine.py
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from budgets import drawn, earmarking, expiring, redeeming, sorting
from budgets.account import Account, Amounts, Kind
from budgets.admission import Policy, due, due_in_blocks, postings
from budgets.chain import Event
from budgets.charge import Charge, ChargeState, Claim, QueryState
from budgets.mechanisms import written
from budgets.opening import dataset_of
from budgets.refusals import (
    AlreadyAnswered,
    ChargeClosed,
    DatasetFrozen,
    InFlight,
    NothingAllocated,
    ProjectFrozen,
    UnknownBlock,
    UnknownProject,
    UnknownQuery,
)
from budgets.sorting import Sorted, sorted_by
from budgets.storage import accounts, charges, journal, paths, posting, queries
from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import project as projects

_FROZEN = Prepared(
    select(projects.c.frozen, projects.c.dataset, paths.STOPPED.label("stopped")).where(
        projects.c.name == bindparam("named")
    )
)


def path_of(tx: Connection, project: str, analyst: str | None = None) -> tuple[Account, ...]:
    """The accounts that a charge is posted to, root first, but for blocks and earmarks."""
    dataset = dataset_of(tx, project)
    last = accounts.find(tx, Kind.PROJECT, dataset, project)
    if last is None:
        raise NothingAllocated(project)
    if analyst is not None:
        last = accounts.find(tx, Kind.ANALYST, project, analyst) or last
    return accounts.path(tx, last)


def reserve(tx: Connection, claim: Claim, holder: str, policy: Policy, at: datetime) -> Charge:
    """Charge a claim to its whole path, or raise a refusal and change nothing."""
    asked = _Asked(tx, claim)
    path = _path(tx, asked.path, claim)
    number, redeems, charge = _taken(tx, asked.query, claim)
    if redeems is not None:
        return redeeming.resume(tx, path, claim, redeems, holder, policy, at)
    stages = sorted_by(asked.stages, claim.stages)
    if stages.in_flight:
        raise InFlight
    loss = due(stages.unserved, policy.floor)
    if stages.unserved:
        expiring.refuse_ended(path, at)
    in_blocks = due_in_blocks(stages.unserved, policy.floor)
    posted = postings(path, loss, in_blocks) if stages.unserved else ()
    charges.add(tx, charge, number, claim, loss, holder)
    root = _post(tx, path, posted, charge, claim, stages, at) if stages.unserved else None
    return Charge(
        id=charge,
        query=claim.query,
        project=claim.project,
        dataset=path[0].dataset,
        loss=loss,
        stages=tuple(stage.digest for stage in stages.unserved),
        served=charges.documents(tx, stages.served) if stages.served else {},
        by=claim.analyst,
        asked=claim.asked,
        origins=charges.origins(tx, stages.served) if stages.served else {},
        entry=None if root is None else root.length,
        head=None if root is None else root.head,
        holder=holder,
    )


class _Asked:
    """All that decides about a claim, asked for at once, the lock of its ceiling first."""

    def __init__(self, tx: Connection, claim: Claim) -> None:
        self.path = paths.Path(tx, claim.project, claim.analyst, claim.blocks)
        self.query = queries.take(tx, claim.project, claim.query, claim.due)
        self.stages = sorting.asked(tx, claim.project, claim.stages)


def _path(tx: Connection, asked: paths.Path, claim: Claim) -> tuple[Account, ...]:
    """The accounts that a charge is posted to, root first."""
    root = asked.root()
    if root is None:
        raise UnknownProject(claim.project)
    found = asked.below()
    if root.frozen:
        raise DatasetFrozen(root.dataset)
    if not found.path or found.path[0].parent != root.id:
        raise NothingAllocated(claim.project)
    if found.stopped:
        raise ProjectFrozen(claim.project)
    below = found.path if claim.earmark is None else _earmarked(tx, found.path, claim.earmark)
    return (root, *_blocks_of(found, claim), *below)


def _earmarked(tx: Connection, below: Sequence[Account], label: str) -> tuple[Account, ...]:
    """The accounts from the project down, with what it keeps for later and opens to this charge."""
    project, *analyst = below
    kept = earmarking.named(tx, project.name, label)
    return (earmarking.opened_to(project, kept), kept, *analyst)


def _blocks_of(found: paths.Below, claim: Claim) -> tuple[Account, ...]:
    """The blocks that a claim reads, by name; a dataset that has blocks is read in blocks alone."""
    missing = set(claim.blocks) - {block.name for block in found.blocks}
    if missing or (found.divided and claim.stages and not claim.blocks):
        raise UnknownBlock(min(missing, default=None))
    return found.blocks


def reserved_by(tx: Connection, charge: Charge, holder: str) -> bool:
    """Whether this call's own reservation of a charge was committed; asked under the lock."""
    accounts.root(tx, charge.dataset)
    return charges.stands(tx, charge.id, ChargeState.RESERVED, holder)


def ended(tx: Connection, charge: Charge | charges.OpenCharge, state: ChargeState) -> bool:
    """Whether the charge has ended in this state already; asked under the lock."""
    accounts.root(tx, charge.dataset)
    return charges.stands(tx, charge.id, state)


def settle(
    tx: Connection, charge: Charge, document: bytes, stages: Mapping[str, bytes], at: datetime
) -> None:
    """Store what was released and make its loss final."""
    root, charged = _closed(tx, charge, ChargeState.SETTLED)
    charges.store_stages(tx, charge.id, stages)
    queries.store(tx, charge.query, document)
    note: dict[str, object] = {
        "document": hashlib.sha256(document).hexdigest(),
        "query": charge.query,
        "stages": {name: hashlib.sha256(table).hexdigest() for name, table in stages.items()},
    }
    if not charge.stages:  # nothing was posted, so nothing yet tells who asked
        note |= {"by": charge.by, "asked": charge.asked}
    if not charged:
        _enter(tx, root, Event.SETTLE, charge.id, note, at)
        return
    item = journal.Item(Event.SETTLE, root, charge=charge.id, note=note)
    posting.spend(tx, charged, posting.Chain(root, journal.enter(tx, root, [item], at)))


def void(tx: Connection, charge: Charge, at: datetime) -> None:
    """Take a charge back whose plan has gone nowhere; the query waits again.

    One that was redeemed stays charged, and its query waits to be asked under it.
    """
    if charge.redeemed:
        redeeming.defer(tx, *_closed(tx, charge, ChargeState.FAULTED), charge, at)
        return
    root, charged = _closed(tx, charge, ChargeState.VOID)
    posting.give_back(tx, charged)
    charges.end_stages(tx, charge.id, ChargeState.VOID)
    queries.move(tx, charge.query, QueryState.RUNNING, QueryState.QUEUED)
    posted = [(accounts.by_id(tx, which), amounts) for which, amounts in charged.items()]
    items = [journal.Item(Event.VOID, one, -amounts, charge.id) for one, amounts in posted]
    for one, amounts in posted:
        if one.kind is Kind.EARMARK and one.parent is not None:
            accounts.keep(tx, one.parent, amounts)
    if items:
        journal.append(tx, root, items, at)


def fail(
    tx: Connection,
    charge: charges.OpenCharge,
    state: ChargeState,
    incident: str,
    policy: Policy,
    at: datetime,
) -> None:
    """End a charge without a release: it stays charged, and counts towards freezing its project.

    A charge that paid for nothing has read no private row, so it is no fault of the project's.
    """
    root, charged = _closed(tx, charge, state)
    posting.spend(tx, charged)
    charges.end_stages(tx, charge.id, state)
    queries.move(tx, charge.query, QueryState.RUNNING, QueryState.FAULTED, incident)
    event = Event.FAULT if state is ChargeState.FAULTED else Event.LOST
    note = {"incident": incident, "query": charge.query}
    root = _enter(tx, root, event, charge.id, note, at)
    if charged:
        _count_fault(tx, root, charge.project, policy, at)


def refuse_frozen(tx: Connection, project: str) -> None:
    """Raise a refusal if the project or its dataset is frozen."""
    row = _FROZEN.rows(tx, {"named": project})[0]
    if row.frozen:
        raise ProjectFrozen(project)
    if row.stopped:
        raise DatasetFrozen(row.dataset)


def _taken(tx: Connection, asked: Answer, claim: Claim) -> tuple[int, int | None, int]:
    """Of the query that was taken its number, the charge it redeems, and that of a new charge."""
    row = asked.first()
    if row is not None:
        return row.number, row.redeems, row.charge
    state = queries.state(tx, claim.project, claim.query)
    if state is None:
        raise UnknownQuery
    raise InFlight if state in (QueryState.RUNNING, QueryState.QUEUED) else AlreadyAnswered


def _post(
    tx: Connection,
    path: Sequence[Account],
    posted: Sequence[Amounts],
    charge: int,
    claim: Claim,
    stages: Sorted,
    at: datetime,
) -> Account:
    """Post to every account, root first, and enter each posting into the chain of the root."""
    asked = {one.id: amounts for one, amounts in zip(path, posted, strict=True)}
    for one in path:
        if one.kind is Kind.EARMARK and one.parent is not None:
            accounts.keep(tx, one.parent, -asked[one.id])
    charges.add_stages(tx, charge, claim.project, stages.unserved)
    note: dict[str, object] = {
        "query": claim.query,
        "by": claim.analyst,
        "asked": claim.asked,
        "stages": [stage.digest for stage in stages.unserved],
        drawn.NAME: drawn.digest((one.digest, written(one.drawn)) for one in stages.unserved),
    }
    items = [
        journal.Item(Event.RESERVE, account, amounts, charge, note if account is path[0] else {})
        for account, amounts in zip(path, posted, strict=True)
    ]
    after = journal.enter(tx, path[0], items, at)
    posting.reserve(tx, asked, posting.Chain(path[0], after))
    return after


def _closed(
    tx: Connection, charge: Charge | charges.OpenCharge, state: ChargeState
) -> tuple[Account, dict[int, Amounts]]:
    """Close a charge that its holder has reserved: its locked ceiling, and what it posted."""
    locked, charged = accounts.locked(tx, charge.dataset), journal.charged(tx, charge.id)
    root = locked()
    if root is None:
        raise ChargeClosed
    charges.close(tx, charge.id, charge.holder, state)
    return root, charged()


def _enter(
    tx: Connection,
    root: Account,
    event: Event,
    charge: int | None,
    note: Mapping[str, object],
    at: datetime,
) -> Account:
    return journal.append(tx, root, [journal.Item(event, root, charge=charge, note=note)], at)


def _count_fault(tx: Connection, root: Account, project: str, policy: Policy, at: datetime) -> None:
    """One more fault; as many as the policy allows freeze the project (P22)."""
    row = projects.c
    tx.execute(update(projects).where(row.name == project).values(faults=row.faults + 1))
    frozen = tx.execute(
        update(projects)
        .where(row.name == project, row.faults >= policy.faults, row.frozen.is_(False))
        .values(frozen=True)
    )
    if frozen.rowcount:
        note = {"by": "policy", "project": project, "reason": f"{policy.faults} faults"}
        _enter(tx, root, Event.FREEZE, None, note, at)

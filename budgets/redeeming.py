"""Redeeming: a charge whose run failed pays for one more run, when an operator releases it.

    faulted --redeem--> queued --resume--> running --settle--> released
                          ^                   |-----fault-----> faulted, for good
                          |------ defer ------|  before `started` alone
                        lapse --> faulted, for good: the question is planned otherwise now

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       of all runs under one charge at most one ever says more than that it failed, and it
                loses no more than was charged; nothing is given back (P20).
    Requires    the query is planned again as it was: on the delivery, at the price and for the
                moment of its charge; what is not settled is not sent; the failures of runs are
                P22's: each is one bit, counted, three of them freeze the project, and the run again
                counts as any other.
    Why         the run that failed left no output: its charge was not settled, and cannot be any
                more, since a charge is ended by its present holder alone. A query is redeemed once:
                the mark is set where it is not set, under the ceiling's lock, and stays. What is
                run has the same stages, by the same mechanisms, in no other block, at no more than
                the loss that stands charged, and posts nothing: spent becomes reserved, and spent
                again.
    Tried by    tests/budgets/test_redeeming.py, tests/budgets/test_machine.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from budgets import drawn
from budgets.account import Account, Amounts, Kind
from budgets.admission import Policy, due, due_in_blocks
from budgets.chain import Event
from budgets.charge import (
    Charge,
    ChargeState,
    Claim,
    Ground,
    QueryRecord,
    QueryState,
    StageClaim,
)
from budgets.loss import PrivacyLoss
from budgets.refusals import ChargeClosed, InFlight, NotRedeemable, UnknownProject
from budgets.sorting import sort
from budgets.storage import charges, journal, paths, posting, queries


def redeem(tx: Connection, project: str, query: str, by: str, reason: str, at: datetime) -> Ground:
    """Let the query of a charge whose run failed be asked once more, under that charge.

    What is told is on what it was planned, so that it can be planned so again.
    """
    root = paths.ceiling(tx, project)
    if root is None:
        raise UnknownProject(project)
    record = queries.get(tx, project, query)
    failed = charges.failed(tx, record.number)
    if failed is None or not queries.redeem(tx, query, failed):
        raise NotRedeemable
    note = {"by": by, "query": query, "reason": reason}
    journal.append(tx, root, [journal.Item(Event.REDEEM, root, charge=failed, note=note)], at)
    return charges.ground(tx, failed)


def resume(
    tx: Connection,
    path: Sequence[Account],
    claim: Claim,
    charge: int,
    holder: str,
    policy: Policy,
    at: datetime,
) -> Charge:
    """Take up a redeemed charge for one more run; nothing is posted, since all is spent already."""
    paid, charged = charges.paid(tx, charge), journal.charged_by(tx, charge)
    others = [stage for stage in claim.stages if stage.digest not in paid.families]
    rest = sort(tx, claim.project, others)
    posted = all(one.id in charged for one in path if one.kind is not Kind.ANALYST)
    posted = posted and _paid_in_blocks(path, charged, claim.stages, paid, policy)
    if not (posted and covered(paid, claim.stages, policy)) or rest.unserved:
        raise NotRedeemable
    again = [stage for stage in claim.stages if stage.digest in paid.families]
    found = sort(tx, claim.project, again)
    if not found.unserved:  # somebody else has paid for all of it meanwhile: asked anew, it is free
        raise NotRedeemable
    if found.in_flight:
        raise InFlight
    if not charges.resume(tx, charge, claim, holder):
        raise ChargeClosed
    charges.resume_stages(tx, charge, again)
    posting.resume(tx, charged)
    root = path[0]
    note = {"asked": claim.asked, "by": claim.analyst, "query": claim.query}
    note[drawn.NAME] = drawn.digest(charges.drew(tx, charge))
    item = journal.Item(Event.RESUME, root, charge=charge, note=note)
    root = journal.append(tx, root, [item], at)
    return Charge(
        id=charge,
        query=claim.query,
        project=claim.project,
        dataset=root.dataset,
        loss=paid.loss,
        stages=tuple(stage.digest for stage in again),
        served=charges.documents(tx, rest.served) if rest.served else {},
        by=claim.analyst,
        asked=claim.asked,
        origins=charges.origins(tx, rest.served) if rest.served else {},
        entry=root.length,
        head=root.head,
        holder=holder,
        redeemed=True,
    )


def defer(
    tx: Connection, root: Account, charged: Mapping[int, Amounts], charge: Charge, at: datetime
) -> None:
    """Let a redeemed query wait again whose plan has gone nowhere; its charge stays spent."""
    posting.spend(tx, charged)
    charges.end_stages(tx, charge.id, ChargeState.FAULTED)
    queries.move(tx, charge.query, QueryState.RUNNING, QueryState.QUEUED)
    item = journal.Item(Event.DEFER, root, charge=charge.id, note={"query": charge.query})
    journal.append(tx, root, [item], at)


def lapse(tx: Connection, project: str, query: str, at: datetime) -> None:
    """End a redeemed query that can be redeemed no more, unless it has been taken up meanwhile."""
    root = paths.ceiling(tx, project)
    record = queries.get(tx, project, query)
    if root is None or record.redeems is None:
        return
    if queries.lapse(tx, query):
        item = journal.Item(Event.LAPSE, root, charge=record.redeems, note={"query": query})
        journal.append(tx, root, [item], at)


def redeemed(tx: Connection, record: QueryRecord | None) -> Ground | None:
    """On what the charge was planned under which a query waits to be run; None: under none."""
    if record is None or record.redeems is None or record.state is not QueryState.QUEUED:
        return None
    return charges.ground(tx, record.redeems)


def waiting(
    tx: Connection, project: str, digest: str, stages: Sequence[StageClaim], policy: Policy
) -> bool:
    """Whether this question would be run under a charge that was redeemed for it."""
    record = queries.redeemed(tx, project, digest)
    if record is None or record.redeems is None:
        return False
    paid = charges.paid(tx, record.redeems)
    others = [stage for stage in stages if stage.digest not in paid.families]
    return covered(paid, stages, policy) and not sort(tx, project, others).unserved


def covered(paid: charges.Paid, stages: Sequence[StageClaim], policy: Policy) -> bool:
    """Whether a charge pays for its own stages as they are planned now, all of them."""
    again = [stage for stage in stages if stage.digest in paid.families]
    if {stage.digest: stage.family for stage in again} != dict(paid.families):
        return False
    return _within(due(again, policy.floor), paid.loss)


def _paid_in_blocks(
    path: Sequence[Account],
    charged: Mapping[int, Amounts],
    stages: Sequence[StageClaim],
    paid: charges.Paid,
    policy: Policy,
) -> bool:
    """Whether each block has paid for these stages as they are planned now."""
    loss = due_in_blocks([one for one in stages if one.digest in paid.families], policy.floor)
    blocks = [one for one in path if one.kind is Kind.BLOCK]
    return all(one.posting(loss).within(charged[one.id]) for one in blocks if one.id in charged)


def _within(asked: PrivacyLoss, paid: PrivacyLoss) -> bool:
    pure = paid.epsilon is None or (asked.epsilon is not None and asked.epsilon <= paid.epsilon)
    return asked.rho <= paid.rho and asked.delta <= paid.delta and pure

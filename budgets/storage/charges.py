"""Rows of charges and of the stages that they pay for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from budgets import mechanisms
from budgets.chain import canonical
from budgets.charge import ChargeState, Claim, Ground, QueryState, StageClaim, StoredStage
from budgets.loss import PrivacyLoss
from budgets.refusals import ChargeClosed
from budgets.storage.columns import afterwards, fixed
from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import charge, charge_reads, project, query, stage

_ADD = Prepared(
    insert(charge).inline(),
    *("id", "query", "delivery", "terms", "holder", "state", "deadline"),
    *("rho", "delta", "epsilon"),
)
_ADD_STAGE = Prepared(
    insert(stage).inline(),
    *("project", "digest", "charge", "scales", "family", "delta", "state", "document"),
    *("mechanisms", "partial"),
)
_READ = Prepared(insert(charge_reads).inline(), "charge", "delivery")
_CLOSE = Prepared(
    update(charge)
    .where(
        charge.c.id == bindparam("which"),
        afterwards(charge.c.state) == fixed(ChargeState.RESERVED),
        charge.c.holder.is_not_distinct_from(bindparam("held")),
    )
    .values(state=bindparam("after"))
)
_FAILED = (ChargeState.FAULTED.value, ChargeState.LOST.value)
_RESUME = (
    update(charge)
    .where(charge.c.id == bindparam("which"), charge.c.state.in_(_FAILED))
    .values(
        state=ChargeState.RESERVED.value,
        deadline=bindparam("until"),
        holder=bindparam("held"),
    )
)
_RESUME_STAGE = (
    update(stage)
    .where(stage.c.charge == bindparam("which"), stage.c.digest == bindparam("named"))
    .values(
        state=ChargeState.RESERVED.value,
        scales=bindparam("noise"),
        delta=bindparam("share"),
        mechanisms=bindparam("drawn"),
    )
)
_END_STAGES = Prepared(
    update(stage).where(stage.c.charge == bindparam("which")).values(state=bindparam("after"))
)
_STORE_STAGE = Prepared(
    update(stage)
    .where(stage.c.charge == bindparam("which"), stage.c.digest == bindparam("named"))
    .values(state=ChargeState.SETTLED.value, document=bindparam("table"))
)
_OF_PROJECT = Prepared(
    select(
        stage.c.id, stage.c.digest, stage.c.scales, stage.c.family, stage.c.delta, stage.c.state
    ).where(
        stage.c.project == bindparam("name"),
        stage.c.digest == bindparam("named"),
        or_(
            stage.c.state == fixed(ChargeState.SETTLED),
            stage.c.state == fixed(ChargeState.RESERVED),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """A charge that is reserved and not settled, as recovery finds it."""

    id: int
    query: str
    project: str
    dataset: str
    holder: str | None


@dataclass(frozen=True, slots=True)
class Paid:
    """What a charge paid for: its loss, and the mechanisms of each of its stages."""

    loss: PrivacyLoss
    families: Mapping[str, str]


def add(
    tx: Connection, which: int, number: int, claim: Claim, loss: PrivacyLoss, holder: str
) -> None:
    """A new charge under the number `which`, reserved, for the query of number `number`."""
    figures = {"rho": loss.rho, "delta": loss.delta, "epsilon": loss.epsilon}
    state = {"state": ChargeState.RESERVED.value, "deadline": claim.deadline}
    reads = {"query": number, "delivery": claim.delivery, "terms": claim.terms, "holder": holder}
    _ADD.run(tx, {"id": which} | reads | state | figures)
    for one in claim.others:
        _READ.run(tx, {"charge": which, "delivery": one})


def close(tx: Connection, which: int, holder: str | None, state: ChargeState) -> None:
    """End a charge; ChargeClosed, before the commit, if its holder has it no more."""
    values = {"which": which, "held": holder, "after": state.value}
    _CLOSE.write(tx, values, ChargeClosed())


def failed(tx: Connection, number: int) -> int | None:
    """The charge of a query whose run failed after it was paid for, or None."""
    found: int | None = tx.execute(
        select(charge.c.id)
        .join(stage, stage.c.charge == charge.c.id)
        .where(charge.c.query == number, charge.c.state.in_(_FAILED))
        .limit(1)
    ).scalar()
    return found


def paid(tx: Connection, which: int) -> Paid:
    """What a charge paid for."""
    figures = select(charge.c.rho, charge.c.delta, charge.c.epsilon).where(charge.c.id == which)
    run = select(stage.c.digest, stage.c.family).where(stage.c.charge == which)
    families = {row.digest: row.family for row in tx.execute(run)}
    return Paid(PrivacyLoss(*tx.execute(figures).one()), families)


def drew(tx: Connection, which: int) -> Sequence[tuple[str, str]]:
    """The stages of a charge, each with the text of what it drew."""
    found = select(stage.c.digest, stage.c.mechanisms).where(stage.c.charge == which)
    return [(row.digest, row.mechanisms) for row in tx.execute(found)]


def ground(tx: Connection, which: int) -> Ground:
    """On what the plan of a charge was made."""
    found = select(query.c.id, charge.c.delivery, charge.c.terms)
    asked = found.join(query, query.c.number == charge.c.query).where(charge.c.id == which)
    beside = select(charge_reads.c.delivery).where(charge_reads.c.charge == which)
    return Ground(*tx.execute(asked).one(), tuple(tx.execute(beside).scalars()))


def resume(tx: Connection, which: int, claim: Claim, holder: str) -> bool:
    """Reserve a charge again whose run failed; says whether nobody else did."""
    values = {"which": which, "until": claim.deadline, "held": holder}
    return tx.execute(_RESUME, values).rowcount == 1


def resume_stages(tx: Connection, which: int, stages: Sequence[StageClaim]) -> None:
    """The stages of a charge that is reserved again, as they are planned now."""
    planned = [
        {"which": which, "named": one.digest, "noise": canonical(list(one.scales)),
         "share": one.loss.delta, "drawn": mechanisms.written(one.drawn)}
        for one in stages
    ]  # fmt: skip
    tx.execute(_RESUME_STAGE, planned)


def stands(tx: Connection, which: int, state: ChargeState, holder: str | None = None) -> bool:
    """Whether a charge is in this state, reserved by that holder if one is named.

    The number of a charge says less than its holder: a server that breaks may give it again.
    """
    found = tx.execute(select(charge.c.state, charge.c.holder).where(charge.c.id == which)).first()
    return found is not None and found.state == state.value and holder in (None, found.holder)


def overdue(tx: Connection, now: datetime) -> Sequence[OpenCharge]:
    """The charges that are still reserved and whose deadline has passed."""
    rows = tx.execute(
        select(
            charge.c.id,
            query.c.id.label("name"),
            project.c.name.label("of"),
            project.c.dataset,
            charge.c.holder,
        )
        .join(query, query.c.number == charge.c.query)
        .join(project, project.c.name == query.c.project)
        .where(charge.c.state == ChargeState.RESERVED.value, charge.c.deadline < now)
        .order_by(charge.c.id)
    )
    return [OpenCharge(row.id, row.name, row.of, row.dataset, row.holder) for row in rows]


def reads(tx: Connection, delivery: str) -> bool:
    """Whether a charge reads this delivery that is reserved, or redeemed and not yet asked for."""
    beside = select(charge_reads.c.charge).where(charge_reads.c.delivery == delivery)
    read = or_(charge.c.delivery == delivery, charge.c.id.in_(beside))
    mine = select(charge.c.id).where(read).limit(1)
    reserved = mine.where(charge.c.state == ChargeState.RESERVED.value)
    waits = query.c.redeems.is_not(None) & (query.c.state == QueryState.QUEUED.value)
    redeemed = mine.join(query, query.c.redeems == charge.c.id).where(waits)
    return any(tx.execute(found).first() is not None for found in (reserved, redeemed))


def look(tx: Connection, name: str, digests: Iterable[str]) -> Sequence[Answer]:
    """Ask for the project's stages under these digests that are released or in flight."""
    return [_OF_PROJECT.send(tx, {"name": name, "named": digest}) for digest in digests]


def stored(sent: Iterable[Answer]) -> tuple[Sequence[StoredStage], frozenset[str]]:
    """The released stages among those asked for, and the digests of those that are in flight."""
    rows = [row for answer in sent for row in answer.rows()]
    released = [
        StoredStage(row.id, row.digest, tuple(json.loads(row.scales)), row.family, row.delta)
        for row in rows
        if row.state == ChargeState.SETTLED.value
    ]
    running = {row.digest for row in rows if row.state == ChargeState.RESERVED.value}
    return released, frozenset(running)


def first(tx: Connection, name: str, digest: str) -> bytes | None:
    """The noisy table that a project released first under a digest."""
    which = (stage.c.project == name) & (stage.c.digest == digest)
    settled = stage.c.state == ChargeState.SETTLED.value
    found: bytes | None = tx.execute(
        select(stage.c.document).where(which, settled).order_by(stage.c.id).limit(1)
    ).scalar()
    return found


def add_stages(tx: Connection, which: int, name: str, stages: Sequence[StageClaim]) -> None:
    """The stages that a charge pays for, in flight from now on."""
    for item in stages:
        values = {
            "project": name,
            "digest": item.digest,
            "charge": which,
            "scales": canonical(list(item.scales)),
            "family": item.family,
            "delta": item.loss.delta,
            "state": ChargeState.RESERVED.value,
            "document": None,
            "mechanisms": mechanisms.written(item.drawn),
            "partial": item.partial,
        }
        _ADD_STAGE.run(tx, values)


def store_stages(tx: Connection, which: int, documents: Mapping[str, bytes]) -> None:
    """Keep the noisy table of each stage of a charge."""
    for named, table in documents.items():
        _STORE_STAGE.write(tx, {"which": which, "named": named, "table": table}, ChargeClosed())


def end_stages(tx: Connection, which: int, state: ChargeState) -> None:
    """The stages of a charge that was not settled."""
    _END_STAGES.run(tx, {"which": which, "after": state.value})


def documents(tx: Connection, ids: Mapping[str, int]) -> dict[str, bytes]:
    """The noisy tables of these stages, by digest."""
    rows = tx.execute(select(stage.c.digest, stage.c.document).where(stage.c.id.in_(ids.values())))
    return {row.digest: row.document for row in rows}


def origins(tx: Connection, ids: Mapping[str, int]) -> dict[str, str]:
    """The queries that paid for these stages, by digest."""
    paid = select(stage.c.digest, query.c.id).join(charge, charge.c.id == stage.c.charge)
    rows = tx.execute(
        paid.join(query, query.c.number == charge.c.query).where(stage.c.id.in_(ids.values()))
    )
    return {row.digest: row.id for row in rows}

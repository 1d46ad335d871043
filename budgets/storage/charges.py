"""Rows of charges and of the stages that they pay for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from budgets.chain import canonical
from budgets.charge import ChargeState, Claim, StageClaim, StoredStage
from budgets.loss import PrivacyLoss
from budgets.storage.schema import charge, project, query, stage


@dataclass(frozen=True, slots=True)
class OpenCharge:
    """A charge that is reserved and not settled, as recovery finds it."""

    id: int
    query: str
    project: str
    dataset: str


def add(tx: Connection, number: int, claim: Claim, loss: PrivacyLoss) -> int:
    """A new charge, reserved, for the query of that number."""
    made: int = tx.execute(
        insert(charge)
        .values(
            query=number,
            state=ChargeState.RESERVED.value,
            deadline=claim.deadline,
            rho=loss.rho,
            delta=loss.delta,
            epsilon=loss.epsilon,
        )
        .returning(charge.c.id)
    ).scalar_one()
    return made


def close(tx: Connection, which: int, state: ChargeState) -> bool:
    """End a reserved charge; says whether it was still reserved."""
    changed = tx.execute(
        update(charge)
        .where(charge.c.id == which, charge.c.state == ChargeState.RESERVED.value)
        .values(state=state.value)
    )
    return changed.rowcount == 1


def overdue(tx: Connection, now: datetime) -> Sequence[OpenCharge]:
    """The charges that are still reserved and whose deadline has passed."""
    rows = tx.execute(
        select(charge.c.id, query.c.id.label("name"), project.c.name.label("of"), project.c.dataset)
        .join(query, query.c.number == charge.c.query)
        .join(project, project.c.name == query.c.project)
        .where(charge.c.state == ChargeState.RESERVED.value, charge.c.deadline < now)
        .order_by(charge.c.id)
    )
    return [OpenCharge(row.id, row.name, row.of, row.dataset) for row in rows]


def stored(tx: Connection, name: str, digests: Iterable[str]) -> Sequence[StoredStage]:
    """The project's released stages among these digests."""
    rows = tx.execute(
        select(stage.c.id, stage.c.digest, stage.c.scales, stage.c.family, stage.c.delta)
        .where(stage.c.project == name, stage.c.digest.in_(list(digests)))
        .where(stage.c.state == ChargeState.SETTLED.value)
        .order_by(stage.c.id)
    )
    return [
        StoredStage(row.id, row.digest, tuple(json.loads(row.scales)), row.family, row.delta)
        for row in rows
    ]


def any_in_flight(tx: Connection, name: str, digests: Iterable[str]) -> bool:
    """Whether one of these stages is reserved in the project and not settled."""
    row = tx.execute(
        select(stage.c.id)
        .where(stage.c.project == name, stage.c.digest.in_(list(digests)))
        .where(stage.c.state == ChargeState.RESERVED.value)
        .limit(1)
    ).first()
    return row is not None


def add_stages(tx: Connection, which: int, name: str, stages: Sequence[StageClaim]) -> None:
    """The stages that a charge pays for, in flight from now on."""
    tx.execute(
        insert(stage),
        [
            {
                "project": name,
                "digest": item.digest,
                "charge": which,
                "scales": canonical(list(item.scales)),
                "family": item.family,
                "delta": item.loss.delta,
                "state": ChargeState.RESERVED.value,
                "document": None,
            }
            for item in stages
        ],
    )


def store_stages(tx: Connection, which: int, documents: Mapping[str, bytes]) -> None:
    """Keep the noisy table of each stage of a charge."""
    for digest, document in documents.items():
        tx.execute(
            update(stage)
            .where(stage.c.charge == which, stage.c.digest == digest)
            .values(state=ChargeState.SETTLED.value, document=document)
        )


def end_stages(tx: Connection, which: int, state: ChargeState) -> None:
    """The stages of a charge that was not settled."""
    tx.execute(update(stage).where(stage.c.charge == which).values(state=state.value))


def documents(tx: Connection, ids: Mapping[str, int]) -> dict[str, bytes]:
    """The noisy tables of these stages, by digest."""
    rows = tx.execute(select(stage.c.digest, stage.c.document).where(stage.c.id.in_(ids.values())))
    return {row.digest: row.document for row in rows}

"""Receipts: what a release was, on what it rests and what it cost, signed before it leaves.

A receipt holds all from which its plan and its loss can be derived again: SQL, options, price, the
hash of the sealed manifest and the public facts; what follows from them: the plan's hash, each
mechanism with its sensitivity and scale, the loss; and where the charge stands: the number of the
entry in the dataset's chain and the head after it. A stage that was served from an earlier release
names the query that paid for it, and that query's own receipt comes along.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from typing import Any

from budgets.chain import canonical
from budgets.charge import Charge, QueryRecord
from budgets.loss import PrivacyLoss
from budgets.storage.columns import Moment
from gateway import document
from gateway.audit.signing import Signer
from gateway.claims import drawn
from gateway.planning import Planned
from queries import codec
from queries.catalog.view import View
from queries.plan.model import Plan, Stage

KIND = "receipt"
MADE_BY = ("sluis", "sqlglot", "duckdb", "opendp")


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """What planned and answered: the same plan can be expected of the same versions alone."""
    return {name: version(name) for name in MADE_BY}


def receipt(
    signer: Signer,
    query: QueryRecord,
    planned: Planned,
    charge: Charge,
    floor: int,
    released: Mapping[str, Any],
    originals: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The signed receipt of a release, with those of the releases that paid for its stages."""
    plan, question = planned.plan, planned.question
    fresh = query.key if question.fresh else None
    signed = signer.sign(
        KIND,
        at=Moment.written(datetime.now(UTC)),
        versions=versions(),
        query=query.id,
        asked=question.digest,
        project=question.project,
        dataset=plan.dataset,
        delivery=plan.delivery,
        manifest_hash=plan.manifest_hash,
        grant=seen(planned.view),
        blocks=list(planned.blocks),
        together=plan.together is not None,
        sql=question.sql,
        source=question.source,
        options=codec.plain(question.options),
        price=codec.plain(planned.price),
        moment=None if planned.basis.moment is None else planned.basis.moment.isoformat(),
        facts=dict(planned.basis.facts),
        plan=plan_hash(plan),
        stages=[_stage(stage, plan, drawn(stage.digest, fresh), charge) for stage in plan.stages],
        floor=floor,
        loss=loss_shown(charge.loss),
        position=position(charge),
        release=release_hash(released),
    )
    return signed.document() | {"originals": list(originals)}


def seen(view: View) -> dict[str, list[str]] | None:
    """The tables and columns that there were for the project; None: all of the manifest."""
    if view.scope is None:
        return None
    return {table.name: [c.name for c in table.columns] for table in view.manifest.tables}


def plan_hash(plan: Plan) -> str:
    """The hash of a plan's canonical text."""
    return hashlib.sha256(codec.dumps(plan)).hexdigest()


def release_hash(released: Mapping[str, Any]) -> str:
    """The hash of a release without its receipt, as canonical JSON."""
    rest = {name: value for name, value in released.items() if name != KIND}
    return hashlib.sha256(canonical(rest).encode("ascii")).hexdigest()


def loss_shown(loss: PrivacyLoss) -> dict[str, int | None]:
    """A loss to the last digit: rho and epsilon in 1e-12, delta in 1e-18."""
    return {"rho": loss.rho, "delta": loss.delta, "epsilon": loss.epsilon}


def stage_shown(stage: Stage, plan: Plan) -> dict[str, Any]:
    """What follows from the plan about one stage: mechanisms, sensitivities, scales, loss."""
    told = document.stage(stage, plan, stored=False)
    del told["stored"]
    loss = {"rho": stage.rho, "delta": stage.delta, "epsilon": stage.epsilon}
    return told | {"loss": loss}


def position(charge: Charge) -> dict[str, Any] | None:
    """Where a charge stands in its dataset's chain; None if nothing was charged."""
    if charge.entry is None:
        return None
    return {"chain": f"dataset:{charge.dataset}", "entry": charge.entry, "head": charge.head}


def _stage(stage: Stage, plan: Plan, claimed: str, charge: Charge) -> dict[str, Any]:
    return stage_shown(stage, plan) | {"claimed": claimed, "paid_by": charge.origins.get(claimed)}

"""What stages claim of the ledger: their digests, their loss, and what must serve them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from budgets.charge import StageClaim
from budgets.loss import PrivacyLoss
from budgets.mechanisms import Drawn
from queries.plan.model import Noise, Plan, Stage
from queries.plan.noisy import StoredStage


def drawn(digest: str, fresh: str | None) -> str:
    """The digest under which a stage is claimed: its own, or one of its own for a fresh draw."""
    if fresh is None:
        return digest
    return f"{digest}~{hashlib.sha256(fresh.encode()).hexdigest()[:24]}"


def only(plan: Plan, digests: Sequence[str], fresh: str | None) -> Plan:
    """The plan with those stages alone that are paid for and have to be run."""
    kept = tuple(stage for stage in plan.stages if drawn(stage.digest, fresh) in digests)
    return replace(plan, stages=kept)


def as_stored(plan: Plan, served: Mapping[str, StoredStage]) -> Plan:
    """The plan with the noise and threshold of the stored stages that serve it."""
    stages = tuple(
        _served(stage, served[stage.name]) if stage.name in served else stage
        for stage in plan.stages
    )
    return replace(plan, stages=stages)


def _served(stage: Stage, by: StoredStage) -> Stage:
    """The stage as it was drawn; of a stored tree, what is asked now is read."""
    pairs = zip(stage.distributions, by.distributions, strict=True)
    distributions = tuple(
        replace(asked, noise=stored.noise) if stored.read_off else stored for asked, stored in pairs
    )
    other = None if stage.other is None else by.other
    drawn = replace(stage, columns=by.columns, threshold=by.threshold, other=other)
    return replace(drawn, distributions=distributions, top=by.top)


def claimed(stage: Stage, fresh: str | None) -> StageClaim:
    """What a stage claims of the ledger."""
    return StageClaim(
        digest=drawn(stage.digest, fresh),
        loss=PrivacyLoss(stage.rho, stage.delta, None if stage.delta else stage.epsilon),
        scales=_precision(stage),
        family=",".join(noise.mechanism.value for noise in (part.noise for part in stage.parts)),
        drawn=tuple(_drawn(noise) for noise in stage.noises),
        partial=stage.partial,
    )


def _drawn(noise: Noise) -> Drawn:
    figures = (noise.l1, noise.l2_squared, noise.scale, noise.rho, noise.epsilon)
    return Drawn(noise.mechanism.value, *figures)


def _precision(stage: Stage) -> tuple[float, ...]:
    """What a stored stage must not exceed to serve: noise scales, and the threshold of its keys.

    Those of the row of what is held back come last: a stage that has it serves without it too.
    """
    held = () if stage.threshold is None else (float(stage.threshold.at_least),)
    other = () if stage.other is None else stage.other.columns
    scales = [part.noise.scale for part in (*stage.parts, *other)]
    return (*scales[: len(stage.parts)], *held, *scales[len(stage.parts) :])

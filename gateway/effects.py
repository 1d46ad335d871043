"""The effect of bounding, as documents tell it: in a release the shares, in a quote their price."""

from __future__ import annotations

import math
from typing import Any

from budgets.loss import PrivacyLoss
from gateway.budgeting import exact_loss
from queries.plan.model import NoisyColumn, Plan
from queries.release.answer import Answer
from queries.release.law import half_width


def released(plan: Plan, answer: Answer) -> dict[str, Any] | None:
    """The shares with their intervals; None where they were not asked for."""
    if plan.effects is None:
        return None
    shares = [
        {
            "of": one.of,
            "about": one.about,
            "columns": list(one.columns),
            "share": one.share,
            "lower": one.lower,
            "upper": one.upper,
        }
        for one in answer.effects
    ]
    return {"note": plan.effects.note, "shares": shares}


def quoted(plan: Plan, confidence: float) -> dict[str, Any] | None:
    """What the shares would cost, and how far off each would be, as a part of all there is."""
    if plan.effects is None:
        return None
    columns = {stage.name: {c.name: c for c in stage.columns} for stage in plan.stages}
    shares = []
    for one in plan.effects.shares:
        pair = [columns[one.stage][name] for name in one.noisy]
        margin = math.hypot(*(_margin(column, confidence) for column in pair))
        shares.append(
            {"of": one.of, "about": one.about, "columns": list(one.columns), "margin": margin}
        )
    measuring = {one.stage for one in plan.effects.shares}
    rho = sum(stage.rho for stage in plan.stages if stage.name in measuring)
    return {"note": plan.effects.note, "rho": exact_loss(PrivacyLoss(rho))["rho"], "shares": shares}


def _margin(column: NoisyColumn, confidence: float) -> float:
    step = (column.numerator << column.shift) / column.denominator
    return half_width(column.noise, confidence) * step

"""The release: the JSON document that is stored first, sent second, and never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from budgets.amounts import written
from budgets.refusals import BudgetRefused
from budgets.storage.faults import StorageBusy
from gateway import effects
from gateway.refusals import Refused
from gateway.submission import Question
from queries.language.refusals import QueryRefused
from queries.plan.model import Noise, Plan, Stage
from queries.release.answer import Answer, AnswerColumn

NOT_CHARGED = "The query could not be answered; nothing was charged."


def release(
    *,
    id: str,
    question: Question,
    blocks: Sequence[str],
    plan: Plan,
    answer: Answer,
    loss: Mapping[str, str],
    budget: Mapping[str, Any],
    stored: Sequence[str],
    created: datetime,
) -> dict[str, Any]:
    """A release; `stored` are the digests of stages that served again, free."""
    return {
        "id": id,
        "project": question.project,
        "dataset": plan.dataset,
        "delivery": plan.delivery,
        "block": blocks[0] if len(blocks) == 1 else None,
        "blocks": list(blocks),
        "sql": question.sql,
        "translation": plan.translation,
        "columns": [_column(column) for column in answer.columns],
        "rows": [list(row) for row in answer.rows],
        "intervals": {
            "confidence": answer.confidence,
            "lower": [list(row) for row in answer.lower],
            "upper": [list(row) for row in answer.upper],
        },
        "other": _other(answer),
        "effects": effects.released(plan, answer),
        "privacy_loss": dict(loss),
        "budget": dict(budget),
        "held_back": plan.held_back,
        "replayed": bool(plan.stages) and len(stored) == len(plan.stages),
        "plan": list(plan.notes),
        "warnings": list(plan.warnings),
        "stages": [stage(one, plan, stored=one.digest in stored) for one in plan.stages],
        "created_at": created.isoformat(timespec="seconds"),
    }


def not_composed(id: str, refusal: QueryRefused) -> dict[str, Any]:
    """What is stored where the noisy tables were released and nothing follows from them."""
    return {"id": id, "not_composed": refusal.code}


def signed(document: Mapping[str, Any], receipt: Mapping[str, Any]) -> bytes:
    """The bytes that are stored and sent: a release with its receipt."""
    whole = {**document, "receipt": dict(receipt)}
    return json.dumps(whole, ensure_ascii=False, allow_nan=False).encode()


def refused(error: Exception) -> str:
    """What is kept of why a query was not charged: a refusal in its own words, else no word."""
    message = getattr(error, "message", None) or str(error)
    if not isinstance(error, Refused | BudgetRefused | QueryRefused | StorageBusy):
        return json.dumps({"code": "internal-error", "detail": NOT_CHARGED, "hint": None})
    hint = getattr(error, "hint", None)
    return json.dumps({"code": error.code, "detail": message, "hint": hint}, ensure_ascii=False)


def read(document: bytes) -> dict[str, Any]:
    """A release as it was written."""
    found: dict[str, Any] = json.loads(document)
    return found


def receipt_in(document: bytes) -> dict[str, Any] | None:
    """The signed receipt of a release, without those of the releases before it; None without."""
    found: dict[str, Any] | None = json.loads(document).get("receipt")
    return None if found is None else {name: found[name] for name in ("statement", "signature")}


def refusal_in(document: bytes) -> str | None:
    """The code of the refusal that was stored in place of a release, if it was."""
    found: str | None = json.loads(document).get("not_composed")
    return found


def _other(answer: Answer) -> dict[str, Any] | None:
    if answer.other is None:
        return None
    row = answer.other
    return {"values": list(row.values), "lower": list(row.lower), "upper": list(row.upper)}


def _column(column: AnswerColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "role": column.role.value,
        "mechanism": column.mechanism.value if column.mechanism else None,
        "scale": column.scale,
        "reason": column.reason,
    }


def stage(stage: Stage, plan: Plan, *, stored: bool) -> dict[str, Any]:
    """What is told of one stage: its mechanisms, sensitivities and scales."""
    return {
        "digest": stage.digest,
        "about": stage.about,
        "reads": [other.digest for other in plan.stages if other.name in stage.needs],
        "stored": stored,
        "columns": [_noise(c.name, c.noise) for c in stage.columns]
        + [_noise(d.name, d.noise) for d in stage.distributions]
        + [_noise(f"{d.name} ends", d.around) for d in stage.distributions if d.around is not None]
        + ([] if stage.top is None else [_noise("top", stage.top.noise)]),
        "other": [_noise(c.name, c.noise) for c in stage.other.columns] if stage.other else [],
        "threshold": stage.threshold.at_least if stage.threshold else None,
    }


def _noise(name: str, noise: Noise) -> dict[str, Any]:
    return {
        "name": name,
        "mechanism": noise.mechanism.value,
        "l1": noise.l1,
        "l2_squared": noise.l2_squared,
        "scale": noise.scale,
        "rho": written(noise.rho),
        "epsilon": None if noise.epsilon is None else written(noise.epsilon),
    }

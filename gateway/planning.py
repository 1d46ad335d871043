"""Planning: from a question to a plan and a claim, from public facts alone.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a plan, its loss, its refusals and its quote are functions of the question, the
                sealed manifest, the public tables and the project's budget (P20, P23).
    Requires    the release engine, which has no path to private tables, reads the public ones.
    Why         nothing here is handed a connection to a delivery.
    Tried by    tests/gateway/test_quotes.py
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from budgets.charge import Claim, StageClaim
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.reporting import BudgetStatus
from gateway import budgeting, effects
from gateway.prices import PricePolicy, fits, resolved
from gateway.registry import Registry, now
from gateway.submission import Question
from gateway.turns import Turns
from queries.bind import clock
from queries.catalog.delivered import load_view
from queries.catalog.view import View
from queries.plan import ranks
from queries.plan.model import Plan, Stage
from queries.plan.noisy import StoredStage, beside
from queries.plan.planner import plan as planned
from queries.plan.post import Output, Role
from queries.plan.price import Options, Price
from queries.release.client import PublicReader, ReleaseEngine
from queries.release.law import half_width

FOLLOWS = "It follows from noisy columns; its interval comes with the answer."
VIEWS_KEPT = 32
PLANS_KEPT = 256
MARGIN_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """A question with its plan, what it claims of the ledger, and the budget it was planned for."""

    question: Question
    plan: Plan
    claims: tuple[StageClaim, ...]
    budget: BudgetStatus
    view: View
    price_delta: int

    def claim(self, query: str, member: str, patience: float) -> Claim:
        """The whole claim; its deadline leaves room for the queue and the slot."""
        seconds = patience + max(self.plan.slot, self.plan.deadline) / 1000 + MARGIN_SECONDS
        deadline = now() + timedelta(seconds=seconds)
        return Claim(
            query, self.question.project, self.claims, deadline, member, self.view.delivery
        )


class Planner:
    """Plans questions for their project's present delivery and budget."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        engine: ReleaseEngine,
        deliveries: Path,
        policy: PricePolicy,
        turns: Turns,
    ) -> None:
        self._registry, self._ledger, self._engine = registry, ledger, engine
        self._deliveries, self._policy, self._turns = deliveries, policy, turns
        self._views: dict[str, View] = {}
        self._plans: dict[tuple[str, str, Options, Price, str, datetime | None], Plan] = {}
        self._lock = threading.Lock()

    def view(self, dataset: str) -> View:
        """The present delivery of a dataset, as all its callers may see it; NotFound without."""
        delivery = self._registry.active(dataset)
        with self._lock:
            found = self._views.get(delivery.id)
        if found is None:
            found = load_view(self._deliveries / delivery.directory)
            with self._lock:
                if len(self._views) >= VIEWS_KEPT:
                    self._views.clear()
                self._views[delivery.id] = found
        return found

    def plan(self, question: Question, member: str, fresh: str | None = None) -> Planned:
        """The plan and the claim of a question; may refuse. `fresh` names a new draw."""
        view = self.view(self._registry.project(question.project).dataset)
        budget = self._ledger.budget(question.project, member)
        price = resolved(question.price, budget, self._policy)
        made = self._made(question, view, price)
        claims = tuple(_claim(stage, fresh) for stage in made.stages)
        return Planned(question, made, claims, budget, view, price.delta)

    def _made(self, question: Question, view: View, price: Price) -> Plan:
        """The plan, planned once: it is a function of text, options, price, the sealed view and,
        where the text asks for the time, this minute.

        Each project has its own, so that the time of a plan tells nothing of another's questions.
        """
        moment = clock.minute(now()) if clock.mentioned(question.sql) else None
        asked = (question.project, question.sql, question.options, price, view.delivery, moment)
        with self._lock:
            found = self._plans.get(asked)
        if found is None:
            public = PublicReader(self._engine, view.delivery)
            with self._turns.one(question.project):
                found = planned(question.sql, view, public, price, question.options, moment)
            with self._lock:
                if len(self._plans) >= PLANS_KEPT:
                    self._plans.clear()
                self._plans[asked] = found
        return found

    def quote(self, question: Question, member: str) -> dict[str, Any]:
        """What an answer would cost now and how exact it would be; free, reads no data."""
        made = self.plan(question, member)
        loss = self._ledger.quote(question.project, made.claims)
        confidence = float(question.confidence)
        return {
            "privacy_loss": budgeting.loss_shown(loss, made.budget),
            "affordable": fits(loss, made.budget),
            "expected_error": [
                _error(output, made.plan, confidence)
                for output in made.plan.post.outputs
                if output.role is not Role.KEY and made.plan.stages
            ],
            "other": _other(made.plan, confidence),
            "effects": effects.quoted(made.plan, confidence),
            "confidence": confidence,
            "thresholding_delta": budgeting.exact_loss(PrivacyLoss(0, made.price_delta))["delta"],
            "held_back": made.plan.held_back,
            "slot": made.plan.slot / 1000,
            "stages": [_priced(stage, made.plan) for stage in made.plan.stages],
            "plan": list(made.plan.notes),
            "warnings": list(made.plan.warnings),
        }


def _other(plan: Plan, confidence: float) -> list[dict[str, Any]] | None:
    """The expected error of the row of what is held back, column by column, where it is asked."""
    stage = next((stage for stage in plan.stages if stage.other is not None), None)
    row = None if stage is None else beside(stage)
    if row is None:
        return None
    shown = replace(plan, stages=(row,), hierarchies=())
    return [
        _error(output, shown, confidence)
        for output in plan.post.outputs
        if output.role is not Role.KEY
    ]


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


def _priced(stage: Stage, plan: Plan) -> dict[str, Any]:
    """What one stage measures and costs, and which ones it waits for, counted from 1."""
    numbers = [n for n, other in enumerate(plan.stages, 1) if other.name in stage.needs]
    loss = budgeting.exact_loss(PrivacyLoss(stage.rho, stage.delta))
    return {"about": stage.about, "reads": numbers, "rho": loss["rho"], "delta": loss["delta"]}


def _claim(stage: Stage, fresh: str | None) -> StageClaim:
    return StageClaim(
        digest=drawn(stage.digest, fresh),
        loss=PrivacyLoss(stage.rho, stage.delta, None if stage.delta else stage.epsilon),
        scales=_precision(stage),
        family=",".join(noise.mechanism.value for noise in (part.noise for part in stage.parts)),
    )


def _precision(stage: Stage) -> tuple[float, ...]:
    """What a stored stage must not exceed to serve: noise scales, and the threshold of its keys.

    Those of the row of what is held back come last: a stage that has it serves without it too.
    """
    held = () if stage.threshold is None else (float(stage.threshold.at_least),)
    other = () if stage.other is None else stage.other.columns
    scales = [part.noise.scale for part in (*stage.parts, *other)]
    return (*scales[: len(stage.parts)], *held, *scales[len(stage.parts) :])


def _error(output: Output, plan: Plan, confidence: float) -> dict[str, Any]:
    """The expected error of one column, or why it cannot be told beforehand."""
    table = plan.table(plan.post.rowwise) if plan.post.rowwise is not None else None
    named = output.column if output.role is Role.MEASURE else next(iter(output.columns), None)
    error: dict[str, Any] = {"name": output.name, "mechanism": None, "scale": None, "margin": None}
    for stage in () if table is None else (table,):
        located = stage.located(named)
        if located is not None:
            mechanism, scale = located[0].noise.mechanism.value, ranks.scale(*located)
            told = {"mechanism": mechanism, "scale": scale}
            told["reason"] = ranks.told(*located, several=stage.several)
            if located[1].labels:
                told["margin"] = half_width(located[0].noise, confidence)
            return error | told
        for column in (column for column in stage.columns if column.name == named):
            step = (column.numerator << column.shift) / column.denominator
            margin = half_width(column.noise, confidence) * step
            error |= {"scale": column.noise.scale * step, "margin": margin, "reason": None}
            return error | {"mechanism": column.noise.mechanism.value}
    return error | {"reason": output.reason or FOLLOWS}

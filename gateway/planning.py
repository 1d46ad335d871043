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

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from budgets.account import Accountant
from budgets.amounts import PICO
from budgets.charge import Claim, StageClaim
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss, total
from budgets.refusals import NothingAllocated
from budgets.standing import BudgetStatus
from gateway import accuracy, budgeting, effects, quoting
from gateway.accuracy import Aimed
from gateway.aims import Aim
from gateway.audit.facts import Basis, Gathering
from gateway.claims import claimed
from gateway.errors import Size, Wanted
from gateway.fairness import FairQueue, Span
from gateway.grants import Grants
from gateway.grouped import Released, rows_of
from gateway.presets import Preset
from gateway.prices import (
    Asked,
    PricePolicy,
    Unit,
    fits,
    least,
    limited,
    resolved,
    threshold_delta,
)
from gateway.redoing import Past, Redone, Terms
from gateway.refusals import NotReleased
from gateway.registry import Registry, now
from gateway.shelf import shelf
from gateway.submission import Question
from gateway.views import Views
from queries import codec
from queries.bind import clock
from queries.catalog.view import View, deliveries_of, newest
from queries.plan.model import Plan
from queries.plan.noisy import StoredStage
from queries.plan.planner import Outline, outline
from queries.plan.planner import plan as planned
from queries.plan.post import Role
from queries.plan.price import Price
from queries.release.client import PublicReader, ReleaseEngine

T = TypeVar("T")

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
    price: Price
    basis: Basis
    aims: tuple[Aim, ...] = ()
    redone: bool = False

    @property
    def loss(self) -> PrivacyLoss:
        """The loss of all stages, drawn anew."""
        return total(claim.loss for claim in self.claims)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks that are read, of a growing dataset, oldest first."""
        return tuple(block.name for block in self.view.manifest.read)

    @property
    def block(self) -> str | None:
        """The block that is read, where it is one."""
        return self.blocks[0] if len(self.blocks) == 1 else None

    def claim(self, query: str, member: str) -> Claim:
        """The whole claim, to be run at once; its deadline leaves room beyond the slot."""
        slot, began = timedelta(milliseconds=self.plan.slot), now()
        longest = max(slot, timedelta(milliseconds=self.plan.deadline))
        deadline = began + timedelta(seconds=MARGIN_SECONDS) + longest
        return Claim(
            query=query,
            project=self.question.project,
            stages=self.claims,
            deadline=deadline,
            analyst=member,
            delivery=newest(self.view.delivery),
            due=began + slot,
            asked=self.question.digest,
            earmark=self.question.earmark,
            blocks=self.blocks,
            others=deliveries_of(self.view.delivery)[:-1],
            terms=Terms(self.price, self.basis.moment).written() if self.claims else None,
        )


class Planner(Views):
    """Plans questions for their project's present delivery and budget."""

    def __init__(
        self,
        registry: Registry,
        grants: Grants,
        ledger: Ledger,
        engine: ReleaseEngine,
        deliveries: Path,
        policy: PricePolicy,
        turns: FairQueue,
    ) -> None:
        super().__init__(registry, grants, deliveries)
        self._redone = Redone(registry, ledger, deliveries)
        self._ledger, self._engine = ledger, engine
        self._policy, self._turns = policy, turns
        self._plans: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def plan(self, question: Question, member: str, key: str | None = None) -> Planned:
        """The plan and the claim of a question; may refuse. Its `key` names a fresh draw.

        What is run once more under a charge that stands is planned as it was charged.
        """
        fresh, past = key if question.fresh else None, self._redone.of(question, key)
        found = self._planned(question, member, fresh, past=past)
        if question.price is not None and past is None:
            limited(found.price, found.budget, self._policy)
        return found

    def rehearsed(self, question: Question, member: str) -> Planned:
        """The plan of a question as it would be paid for; without a budget, from the ceiling's."""
        dataset = self._registry.project(question.project).dataset
        try:
            return self._planned(question, member, None)
        except NothingAllocated:
            whole = self._ledger.ceiling(dataset)
            none = PrivacyLoss(0, 0, 0)
            unspent = replace(whole, remaining=whole.allocated, spent=none, reserved=none)
            return self._planned(question, member, None, unspent)

    def _planned(
        self,
        question: Question,
        member: str,
        fresh: str | None,
        budget: BudgetStatus | None = None,
        past: Past | None = None,
    ) -> Planned:
        view = self._seen(question, past)
        stored = shelf(self._ledger, question.project)
        view = replace(view, releases=stored, about=question.source)
        budget = budget or self._ledger.budget(question.project, member, question.earmark)
        found = self._bound(question, view, budget, fresh, past.terms if past else None)
        return replace(found, redone=past is not None)

    def _seen(self, question: Question, past: Past | None) -> View:
        """What a question may read: the present delivery, or the one that was charged for."""
        if past is None:
            return self.granted(question.project, question.block, question.blocks)
        whole = self.of(past.deliveries, together=question.blocks is not None)
        return self.narrowed(whole, [question.project])

    def supposed(self, question: Question, dataset: str, budget: BudgetStatus) -> Planned:
        """The plan of a question of no project, over a whole dataset, for a budget to be given."""
        return self._bound(
            question, self.view(dataset, question.block, question.blocks), budget, None
        )

    def _bound(
        self,
        question: Question,
        view: View,
        budget: BudgetStatus,
        fresh: str | None,
        terms: Terms | None = None,
    ) -> Planned:
        aimed = Aimed(terms.price, ()) if terms else self._priced(question, view, budget)
        made, basis = self._based(planned, question, view, aimed.price, terms)
        if question.price is None and made.stages:
            raise NotReleased()
        claims = tuple(claimed(stage, fresh) for stage in made.stages)
        return Planned(question, made, claims, budget, view, aimed.price, basis, aimed.aims)

    def _priced(self, question: Question, view: View, budget: BudgetStatus) -> Aimed:
        """The price that the question names, or one of no account where it names none."""
        match question.price:
            case None:
                return Aimed(self._nominal(budget), ())
            case Wanted() as wanted:
                return self._aimed(question, wanted, view, budget)
            case Preset() as preset:
                share = self._registry.project(question.project).presets.share(preset)
                return Aimed(resolved(Asked(Unit.SHARE, share), budget, self._policy), ())
            case asked:
                return Aimed(resolved(asked, budget, self._policy), ())

    def _nominal(self, budget: BudgetStatus) -> Price:
        pure = PICO if budget.accountant is Accountant.PURE else None
        return Price(PICO, threshold_delta(budget, self._policy), pure)

    def _aimed(self, question: Question, wanted: Wanted, view: View, budget: BudgetStatus) -> Aimed:
        """The least price that keeps the errors that the question names."""
        found = self._outlined(question, view, budget)
        return accuracy.aimed(
            found,
            wanted,
            float(question.confidence),
            threshold_delta(budget, self._policy),
            least(budget, self._policy),
            pure=budget.accountant is Accountant.PURE,
            released=self._before(question, found.plan),
            spread=question.spread,
        )

    def errors(self, made: Planned) -> list[dict[str, Any]]:
        """The expected error of each noisy column of a plan."""
        question, confidence = made.question, float(made.question.confidence)
        follows = any(one.role is Role.DERIVED for one in made.plan.post.outputs)
        likely = self._outlined(question, made.view, made.budget).likely if follows else ()
        outlined, before = Outline(made.plan, likely), self._before(question, made.plan)
        size = accuracy.size(question.price, made.aims)
        return quoting.errors(outlined, made.aims, size, confidence, before, question.spread)

    def _outlined(self, question: Question, view: View, budget: BudgetStatus) -> Outline:
        """The question planned at a price of no account."""
        return self._made(outline, question, view, self._nominal(budget))

    def _before(self, question: Question, plan: Plan) -> Released:
        """What was released of the groups, where an error is meant for groups as they were."""
        wanted = isinstance(question.price, Wanted) and question.price.size is Size.RELEASED
        return self._released(question, plan) if wanted else {}

    def _released(self, question: Question, plan: Plan) -> Released:
        """What the project's first release of each stage says of its columns."""
        found = {}
        for stage in plan.stages:
            stored = self._ledger.first_table(question.project, stage.digest)
            if stored is not None:
                found[stage.name] = rows_of(codec.loads(StoredStage, stored))
        return found

    def _made(self, make: Callable[..., T], question: Question, view: View, price: Price) -> T:
        """A plan or an outline, alone."""
        return self._based(make, question, view, price)[0]

    def _based(
        self,
        make: Callable[..., T],
        question: Question,
        view: View,
        price: Price,
        terms: Terms | None = None,
    ) -> tuple[T, Basis]:
        """A plan or an outline with what it rests on, planned once: it is a function of text,
        options, price, the sealed view and, where the text asks for the time, this minute.

        Each project has its own, so that the time of a plan tells nothing of another's questions.
        """
        present = clock.minute(now()) if clock.mentioned(question.sql) else None
        moment = terms.moment if terms else present
        options = question.options
        seen = view.delivery, bool(view.manifest.together), view.manifest_hash
        about = *seen, question.source, moment
        asked = (make, question.project, question.sql, options, price, *about)
        with self._lock:
            found: tuple[T, Basis] | None = self._plans.get(asked)
        if found is None:
            reader = PublicReader(self._engine, view.delivery, view.scope)
            public = Gathering(reader, view.releases)
            told = replace(view, releases=public.releases)
            with self._turns.turn(question.project, Span()):
                made = make(question.sql, told, public, price, options, moment)
            found = made, Basis(public.facts(view.public), moment)
            with self._lock:
                if len(self._plans) >= PLANS_KEPT:
                    self._plans.clear()
                self._plans[asked] = found
        return found

    def quote(self, question: Question, member: str) -> dict[str, Any]:
        """What an answer would cost now and how exact it would be; free, reads no data."""
        fresh = question.digest if question.fresh else None  # a name that no stored draw has
        made = self._planned(question, member, fresh, past=self._redone.of(question, None))
        same = None if question.fresh else question.digest
        loss = self._ledger.quote(question.project, made.claims, same)
        confidence = float(question.confidence)
        return {
            "block": made.block,
            "blocks": list(made.blocks),
            "privacy_loss": budgeting.loss_shown(loss, made.budget),
            "affordable": fits(loss, made.budget),
            "expected_error": self.errors(made),
            "other": quoting.other(made.plan, confidence),
            "effects": effects.quoted(made.plan, confidence),
            "confidence": confidence,
            "thresholding_delta": budgeting.exact_loss(PrivacyLoss(0, made.price.delta))["delta"],
            "held_back": made.plan.held_back,
            "slot": made.plan.slot / 1000,
            "stages": [quoting.priced(stage, made.plan) for stage in made.plan.stages],
            "plan": list(made.plan.notes),
            "warnings": list(made.plan.warnings),
        }

"""The service: where a query meets a budget. It knows no HTTP.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       nothing private is read before its loss is on disk, and nothing that was drawn is
                told before it is stored; a retried key never runs the engine twice (P20, P21).
    Requires    one order of work: authorise, plan, check the maps, wait for a worker, reserve, run,
                compose, settle; the ledger's transactions; slots (P22).
    Why         `reserve` returns once the charge is durable, and the enclave gets just the stages
                that the charge names. From `started` on every failure keeps the charge and becomes
                the same sentence, at the same moment as an answer would have left.
    Tried by    tests/gateway/test_order.py
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from budgets.charge import Charge, QueryRecord, QueryState
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.refusals import AlreadyAnswered, InFlight
from budgets.standing import BudgetStatus
from budgets.waiting import Waiting
from gateway import budgeting, document, metrics
from gateway.audit.receipts import receipt
from gateway.audit.signing import Signer
from gateway.claims import as_stored, drawn, only
from gateway.fairness import LONG, FairQueue, Span
from gateway.faults import AnswerLost, QueryFaulted
from gateway.patience import patiently
from gateway.planning import Planned, Planner
from gateway.prices import PricePolicy
from gateway.refusals import Busy, NotComposed, PlanUnsound
from gateway.registry import now
from gateway.slots import Slot
from gateway.submission import Progress, Submission
from gateway.waves import Waves
from queries import codec
from queries.enclave.client import Enclave
from queries.faults import ClaimMismatch, WorkersUnavailable
from queries.language.refusals import QueryRefused
from queries.plan.model import Stage
from queries.plan.noisy import NoisyStage, StoredStage
from queries.release.client import ReleaseEngine

log = structlog.get_logger()

SPARE_SECONDS = 5


class Service:
    """Answers accepted queries; the budget is charged before any private row is read."""

    def __init__(
        self,
        ledger: Ledger,
        waiting: Waiting,
        planner: Planner,
        enclave: Enclave,
        checker: Enclave,
        engine: ReleaseEngine,
        queue: FairQueue,
        turns: FairQueue,
        policy: PricePolicy,
        signer: Signer,
        patience: float,
        wait: float,
    ) -> None:
        self._ledger, self._planner, self._engine = ledger, planner, engine
        self._waiting, self._checker = waiting, checker
        self._waves = Waves(enclave, engine)
        self._queue, self._turns = queue, turns
        self._policy, self._patience, self._wait = policy, patience, wait
        self._signer = signer

    def accept(self, asked: Submission) -> tuple[QueryRecord, Planned | None]:
        """Store a submission, free; the plan comes along unless the query has run already."""
        question = asked.question
        known = self._ledger.find(question.project, asked.own_key, question.digest)
        if known is not None and known.state is not QueryState.QUEUED:
            return known, None
        planned = self._plan(asked, asked.own_key)
        who = (question.project, asked.member, asked.own_key)
        words = (*who, question.digest, question.stored())
        longest = timedelta(seconds=self._patience + self._wait + SPARE_SECONDS)
        query = self._ledger.accept(*words, until=now() + longest, fresh=question.fresh)
        if planned.redone != (query.redeems is not None):  # it was redeemed, or taken up, meanwhile
            planned = self._plan(asked, asked.own_key)
        return query, planned if query.state is QueryState.QUEUED else None

    def answer(self, query: QueryRecord, planned: Planned, progress: Progress) -> bytes:
        """Wait for a worker, charge, run, compose, store; the bytes of the release.

        Whatever ends it before the charge is kept with the query. Where `progress` says that its
        caller has left, a query that waits is not charged.
        """
        try:
            return patiently(lambda: self._turn(query, planned, progress), self._wait)
        except AlreadyAnswered:  # by a twin of this request, in the meantime
            return self.past(query, None)
        except QueryFaulted:
            raise
        except Exception as error:
            self._decline(query, error)
            raise

    def _turn(self, query: QueryRecord, planned: Planned, progress: Progress) -> bytes:
        """Answer from what is stored, or in a turn of the project's; InFlight while a twin runs."""
        if self._waiting.owing(query.project, planned.claims):
            slot = planned.plan.slot / 1000
            with self._queue.turn(
                query.project, Span(slot or None, fixed=slot > 0), progress.in_line
            ):
                progress.still()  # who lost its key while it waited spends nothing
                charge = self._ledger.reserve(planned.claim(query.id, query.member))
                progress.known.set()
                if charge.stages:
                    progress.charged()
                noisy = self._paid(query, planned, charge)
            if charge.stages:
                return self._release(query, planned, charge, noisy)
        return self._free(query, planned, progress)

    def _paid(
        self, query: QueryRecord, planned: Planned, charge: Charge
    ) -> Mapping[str, NoisyStage]:
        """The noisy stages that the charge paid for; taken back if no worker took the plan.

        It is taken back as well where a twin of the question was quicker, and nothing is to be run.
        """
        if not charge.stages:
            self._ledger.void(charge)
            return {}
        try:
            return self._run(query, planned, charge)
        except (Busy, QueryRefused):
            self._ledger.void(charge)
            raise

    def past(self, query: QueryRecord, patience: float | None) -> bytes:
        """What became of a query that ran before: its bytes, its fault, or InFlight after a while.

        `patience` is that while, in seconds; this server's own where it is None.
        """
        wait = self._wait if patience is None else patience
        query = patiently(lambda: self._ended(query), wait)
        released = self._ledger.document(query.project, query.id)
        if released is None:
            raise QueryFaulted(query.incident or "-")
        if (code := document.refusal_in(released)) is not None:
            raise NotComposed(code)
        return released

    def _plan(self, asked: Submission, key: str | None) -> Planned:
        """Plan, and have OpenDP's maps confirm the loss before anybody pays."""
        planned = self._planner.plan(asked.question, asked.member, key)
        try:
            self._checker.check(planned.plan)
        except ClaimMismatch:
            log.error("plan unsound", project=asked.question.project)
            raise PlanUnsound() from None
        except WorkersUnavailable:
            raise Busy() from None
        return planned

    def _run(
        self, query: QueryRecord, planned: Planned, charge: Charge
    ) -> Mapping[str, NoisyStage]:
        """The noisy stages by name, or a fault; either way not before the slot has ended.

        Busy, or a refusal over released values, if no worker took the plan: then nothing was read,
        and the charge can be taken back.
        """
        fresh = _fresh(query, planned)
        paid = only(planned.plan, charge.stages, fresh)
        stored = {name: one.table for name, one in _served(planned, charge, fresh).items()}
        slot = Slot(paid.slot)

        def taken() -> None:
            self._ledger.started(charge)
            slot.begin()

        try:
            noisy = self._waves.run(planned.plan, paid.stages, stored, taken)
        except Exception as error:  # noqa: BLE001 - once rows were read all failures are one fault
            if not slot.began:
                raise (error if isinstance(error, QueryRefused) else Busy()) from None
            slot.leave()
            metrics.left(paid.slot)
            raise self._fault(charge, QueryFaulted) from None
        slot.leave()
        metrics.left(paid.slot)
        return noisy

    def _release(
        self,
        query: QueryRecord,
        planned: Planned,
        charge: Charge,
        noisy: Mapping[str, NoisyStage],
    ) -> bytes:
        """Compose from released values and store; only what is stored may be sent."""
        tables = {
            drawn(stage.digest, _fresh(query, planned)): _kept(stage, noisy[stage.name])
            for stage in planned.plan.stages
            if stage.name in noisy
        }
        refusal: QueryRefused | None = None
        try:
            with self._turns.owed(query.project, Span()):
                composed = self._composed(query, planned, charge, noisy)
        except QueryRefused as error:  # decided from released values, so it may explain itself
            refusal, composed = error, document.not_composed(query.id, error)
        except Exception:  # noqa: BLE001 - charged: whatever happened is one fault
            raise self._fault(charge, QueryFaulted) from None
        try:
            released = self._signed(query, planned, charge, composed)
            self._ledger.settle(charge, released, tables)
        except Exception:  # noqa: BLE001 - what could not be stored is not sent
            raise self._fault(charge, AnswerLost) from None
        metrics.ended("released" if refusal is None else "not-composed")
        if refusal is not None:
            raise NotComposed(refusal.code)
        return released

    def _free(self, query: QueryRecord, planned: Planned, progress: Progress) -> bytes:
        """An answer from public and stored tables alone: a failure takes the empty charge back."""
        span = Span() if planned.plan.stages else Span(LONG)
        with self._turns.turn(query.project, span, progress.in_line):
            charge = self._ledger.reserve(planned.claim(query.id, query.member))
            try:
                composed = self._composed(query, planned, charge, {})
                released = self._signed(query, planned, charge, composed)
            except Exception:
                self._ledger.void(charge)
                raise
        self._ledger.settle(charge, released, {})
        metrics.ended("free")
        return released

    def _composed(
        self,
        query: QueryRecord,
        planned: Planned,
        charge: Charge,
        noisy: Mapping[str, NoisyStage],
    ) -> dict[str, Any]:
        fresh = _fresh(query, planned)
        served = _served(planned, charge, fresh)
        plan = as_stored(planned.plan, served)
        tables = {name: stored.table for name, stored in served.items()}
        confidence = float(planned.question.confidence)
        answer = self._engine.compose(plan, {**tables, **noisy}, confidence)
        budget = _after(self._ledger.budget(query.project), charge)
        names = {stage.name: stage.digest for stage in planned.plan.stages}
        return document.release(
            id=query.id,
            question=planned.question,
            blocks=planned.blocks,
            plan=plan,
            answer=answer,
            loss=budgeting.loss_shown(charge.loss, budget),
            budget=budgeting.shown(budget, planned.view, self._policy.floor),
            stored=[names[name] for name in served],
            created=now(),
        )

    def _signed(
        self, query: QueryRecord, planned: Planned, charge: Charge, composed: dict[str, Any]
    ) -> bytes:
        """The release with its receipt, and the receipts of those whose stages served again."""
        paid = sorted(set(charge.origins.values()))
        past = [self._ledger.document(query.project, one) for one in paid]
        originals = [found for one in past if one and (found := document.receipt_in(one))]
        signer, floor = self._signer, self._policy.floor
        given = receipt(signer, query, planned, charge, floor, composed, originals)
        return document.signed(composed, given)

    def _fault(self, charge: Charge, kind: type[QueryFaulted]) -> QueryFaulted:
        """Keep the charge and end the query; the log gets the id and nothing of the cause."""
        incident = secrets.token_hex(8)
        metrics.faulted(kind.code)
        log.error("fault", incident=incident, query=charge.query, kind=kind.code)
        try:
            self._ledger.fault(charge, incident)
        except Exception:  # noqa: BLE001 - whatever happened, the charge stays and this is said
            log.error("fault not recorded", incident=incident, query=charge.query)
        return kind(incident)

    def _decline(self, query: QueryRecord, error: Exception) -> None:
        """Keep with a query why it was not charged; one that was charged is left alone."""
        try:
            self._waiting.decline(query.project, query.id, document.refused(error))
        except Exception:  # noqa: BLE001 - it is forsaken when its time has passed
            log.error("refusal not recorded", query=query.id)

    def _ended(self, query: QueryRecord) -> QueryRecord:
        fresh = self._ledger.query(query.project, query.id)
        if fresh.state in (QueryState.RUNNING, QueryState.QUEUED):
            raise InFlight()
        return fresh


def _after(budget: BudgetStatus, charge: Charge) -> BudgetStatus:
    """The budget as it will stand when the charge is settled: reserved has become spent."""
    loss = charge.loss
    return replace(
        budget,
        reserved=_moved(budget.reserved, loss, -1),
        spent=_moved(budget.spent, loss, 1),
    )


def _moved(total: PrivacyLoss, loss: PrivacyLoss, sign: int) -> PrivacyLoss:
    """A total of what its account counts, with the same parts of a loss added or taken."""
    pure = total.epsilon is not None
    if pure:
        return replace(total, epsilon=(total.epsilon or 0) + sign * (loss.epsilon or 0))
    return replace(total, rho=total.rho + sign * loss.rho, delta=total.delta + sign * loss.delta)


def _served(planned: Planned, charge: Charge, fresh: str | None) -> dict[str, StoredStage]:
    """The stored stages that serve a charge again, by name."""
    return {
        stage.name: codec.loads(StoredStage, charge.served[drawn(stage.digest, fresh)])
        for stage in planned.plan.stages
        if drawn(stage.digest, fresh) in charge.served
    }


def _kept(stage: Stage, noisy: NoisyStage) -> bytes:
    """What is stored of a stage."""
    parts = (stage.columns, stage.threshold, stage.distributions, stage.other, stage.top)
    return codec.dumps(StoredStage(noisy, *parts))


def _fresh(query: QueryRecord, planned: Planned) -> str | None:
    """What names a fresh draw: its own query's key."""
    return query.key if planned.question.fresh else None

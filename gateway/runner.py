"""The runner: brings a submission to its answer, now or in the background.

Planning, checking and charging happen before anything is answered, so a caller that goes away
or asks for a 202 has been charged once and finds the answer under its address.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished
from dataclasses import dataclass

import structlog

from budgets.charge import Charge, QueryRecord
from budgets.refusals import AlreadyAnswered, InFlight
from gateway.faults import AnswerLost, QueryFaulted
from gateway.planning import Planned
from gateway.refusals import Stopping
from gateway.service import Service
from gateway.submission import Submission

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The query, and the bytes of its release unless it still runs."""

    id: str
    document: bytes | None


class Runner:
    """Runs queries for callers that wait and for callers that come back."""

    def __init__(self, service: Service, threads: int) -> None:
        self._service = service
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._stopping = threading.Event()

    def submit(self, asked: Submission, patience: float | None) -> Outcome:
        """The release, or after `patience` seconds the query as one that still runs."""
        if self._stopping.is_set():
            raise Stopping()
        query, planned = self._service.accept(asked)
        if query.member != asked.member:  # who may not poll what another one has asked
            patience = None
        if planned is None:
            return self._past(query, patience)
        try:
            charge = self._service.reserve(query, planned)
        except AlreadyAnswered:  # by a twin of this request, in the meantime
            return self._past(query, patience)
        if patience is None:
            return Outcome(query.id, self._answer(query, planned, charge))
        return Outcome(query.id, self._within(patience, query, planned, charge))

    def stop(self) -> None:
        """Take no new query, and return when those that were charged have ended."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    @property
    def stopping(self) -> bool:
        """Whether new queries are turned away."""
        return self._stopping.is_set()

    def _past(self, query: QueryRecord, patience: float | None) -> Outcome:
        """What became of a query that was asked before, or that it still runs."""
        try:
            return Outcome(query.id, self._service.past(query, patience))
        except InFlight:
            if patience is None:
                raise
            return Outcome(query.id, None)

    def _within(
        self, patience: float, query: QueryRecord, planned: Planned, charge: Charge
    ) -> bytes | None:
        future: Future[bytes] = self._pool.submit(self._answer, query, planned, charge)
        try:
            return future.result(timeout=patience)
        except Unfinished:
            future.add_done_callback(_told)
            return None

    def _answer(self, query: QueryRecord, planned: Planned, charge: Charge) -> bytes:
        return self._service.answer(query, planned, charge)


def _told(future: Future[bytes]) -> None:
    """Nobody waits for this answer any more: its failure goes to the log, by its class alone."""
    error = future.exception()
    if error is not None and not isinstance(error, QueryFaulted | AnswerLost):
        log.error("background query ended", kind=type(error).__name__)

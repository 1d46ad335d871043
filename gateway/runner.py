"""The runner: brings a submission to its answer, now or in the background.

Planning and checking happen before anything is answered, so a caller is told at once what cannot be
asked. Then the query waits for a worker, is charged and runs, in a thread of its own: a caller with
a 202 finds the answer under its address, and one that goes away before the charge pays nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Unfinished
from contextvars import copy_context
from dataclasses import dataclass

import structlog

from budgets.charge import QueryRecord
from budgets.refusals import BudgetRefused, InFlight
from gateway.fairness import LOOK, FairQueue, Room
from gateway.faults import AnswerLost, QueryFaulted
from gateway.planning import Planned
from gateway.refusals import Refused, Stopping
from gateway.service import Service
from gateway.submission import Progress, Submission

log = structlog.get_logger()

MOMENT, MOST = 0.02, 2.0
"""Seconds between looks whether a query is charged, and the most that a 202 waits for that."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The query, and the bytes of its release unless it still runs."""

    id: str
    document: bytes | None


@dataclass(slots=True)
class _Run:
    """One query on its way. It waits without its caller once another one has its address."""

    future: Future[bytes]
    progress: Progress
    alone: bool = True

    @property
    def settled(self) -> bool:
        """Whether it is known that it was charged or waits in line, or how it ended."""
        return self.future.done() or self.progress.known.is_set()


def never() -> bool:
    """Of a caller that cannot go away."""
    return False


class Runner:
    """Runs queries for callers that wait and for callers that come back."""

    def __init__(self, service: Service, queue: FairQueue, room: Room, threads: int) -> None:
        self._service, self._queue, self._room = service, queue, room
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def submit(
        self, asked: Submission, patience: float | None, gone: Callable[[], bool] = never
    ) -> Outcome:
        """The release, or after `patience` seconds the query as one that has not ended.

        `gone` says whether the caller has gone away.
        """
        if self._stopping.is_set():
            raise Stopping()
        with self._room.one(asked.question.project):
            query, planned = self._service.accept(asked)
            if query.member != asked.member:  # who may not poll what another one has asked
                patience = None
            if planned is None:
                return self._past(query, patience)
            run = self._started(query, planned, asked)
            return Outcome(query.id, _waited(run, patience, gone))

    def stop(self) -> None:
        """Take no new query, and return when those that were charged have ended."""
        self._stopping.set()
        self._queue.stop()
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

    def _started(self, query: QueryRecord, planned: Planned, asked: Submission) -> _Run:
        """The query on its way: the one that is, where the same request came before."""
        with self._lock:
            run = self._runs.get(query.id)
            if run is not None:
                run.alone = False
                return run
            progress, context = Progress(asked.charged, asked.still), copy_context()
            answer = self._service.answer
            future = self._pool.submit(context.run, answer, query, planned, progress)
            run = self._runs[query.id] = _Run(future, progress)
        future.add_done_callback(lambda _: self._ended(query.id))
        return run

    def _ended(self, query: str) -> None:
        with self._lock:
            self._runs.pop(query, None)


def _waited(run: _Run, patience: float | None, gone: Callable[[], bool]) -> bytes | None:
    """The release once it is there, or None when the caller's patience ends.

    A moment is waited in any case for whether it is charged: most refusals are told at once.
    """
    began = time.monotonic()
    end = None if patience is None else began + patience
    while True:
        rest = LOOK if end is None else max(0.0, min(LOOK, end - time.monotonic()))
        try:
            return run.future.result(timeout=rest)
        except Unfinished:
            if run.future.done():
                raise
        if end is not None and time.monotonic() >= end and not _doubtful(run, began):
            if run.future.done():
                return run.future.result()
            run.alone = False
            run.future.add_done_callback(_told)
            return None
        if run.alone and gone():
            run.progress.left.set()


def _doubtful(run: _Run, began: float) -> bool:
    """Whether it may turn out at any moment what becomes of the query; waits a little for that."""
    run.progress.known.wait(MOMENT)
    return not run.settled and time.monotonic() < began + MOST


def _told(future: Future[bytes]) -> None:
    """Nobody waits for this answer any more: what refused it is kept, the rest goes to the log."""
    error = future.exception()
    if not isinstance(error, QueryFaulted | AnswerLost | Refused | BudgetRefused | None):
        log.error("background query ended", kind=type(error).__name__)

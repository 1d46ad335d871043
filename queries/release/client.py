"""The release engine as the gateway sees it: released and public values in, an answer out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from queries import codec
from queries.algebra.inputs import Input
from queries.catalog.view import Scope, Tables, TooMany, Value, newest
from queries.faults import Fault, WorkersUnavailable
from queries.language.refusals import NotBound
from queries.plan.model import Plan, Stage
from queries.plan.noisy import InputRows, NoisyStage
from queries.release.answer import Answer
from queries.release.known import Known
from queries.release.refusals import NotComputable, QueryTooExpensive
from queries.release.words import (
    COMPOSE,
    DESCRIBE,
    EXPENSIVE,
    FAILED,
    GIVE,
    MANY,
    ROWS,
    Job,
    Reply,
)
from queries.workers.pool import Pool, PoolUnavailable, WorkerFault, WorkerLost
from queries.workers.settings import Settings

MODULE = "queries.release.worker"
SPILL_LIMIT = 4 << 30
PLANNING_SECONDS = 5.0
"""The most that one look at public tables may take while a query is planned."""
BYTES_A_COLUMN = 100


class ReleaseEngine:
    """Worker processes that compute over public tables and released values, and see no others.

    `memory` (bytes) and `threads` are for each worker; `seconds` is the most one job may take.
    """

    def __init__(
        self,
        deliveries: Path,
        *,
        workers: int = 1,
        memory: int = 1 << 30,
        threads: int = 1,
        seconds: float = 20.0,
        spill: Path | None = None,
    ) -> None:
        home = deliveries.resolve()
        settings = Settings(str(home), memory, threads, SPILL_LIMIT)
        self._pool = Pool(MODULE, workers, settings, spill or home.parent / "spill")
        self._seconds = seconds
        self._known = Known()

    def rows(
        self, delivery: str, sql: str, limit: int, scope: Scope | None = None
    ) -> list[tuple[Value, ...]]:
        """At most `limit` rows of a query over a delivery's public tables; else TooMany.

        Raises QueryTooExpensive, NotComputable, or WorkersUnavailable where nobody could be asked.
        """
        return self._known.get(
            (ROWS, delivery, sql, limit, scope),
            len(sql),
            lambda: self._rows(Job(ROWS, delivery, sql=sql, limit=limit, scope=scope)),
        )

    def describe(
        self, delivery: str, tables: Tables, sql: str, scope: Scope | None = None
    ) -> list[tuple[str, str]]:
        """Names and types of a query's columns, over public tables and the empty `tables`.

        Raises NotBound, or WorkersUnavailable where nobody could be asked.
        """
        return self._known.get(
            (DESCRIBE, delivery, tables, sql, scope),
            len(sql) + BYTES_A_COLUMN * sum(len(columns) for _, columns in tables),
            lambda: self._described(Job(DESCRIBE, delivery, sql=sql, tables=tables, scope=scope)),
        )

    def compose(self, plan: Plan, stages: Mapping[str, NoisyStage], confidence: float) -> Answer:
        """The plan's answer from the noisy tables of its stages, by the stages' names.

        A function of released and public values: it may be called again, and costs nothing.
        Raises QueryTooExpensive, NotComputable, or Fault.
        """
        slim, noisy = _slimmed(plan, stages)
        job = Job(
            COMPOSE,
            newest(plan.delivery),
            plan=slim,
            noisy=noisy,
            confidence=confidence,
            scope=plan.scope,
        )
        reply = self._ask(job)
        if reply.outcome == MANY:
            raise QueryTooExpensive
        if reply.answer is None:
            raise Fault
        return reply.answer

    def given(
        self, plan: Plan, inputs: Sequence[Input], stages: Mapping[str, NoisyStage]
    ) -> tuple[InputRows, ...]:
        """The rows of some inputs of a plan, from noisy tables of the stages that they read.

        Raises QueryTooExpensive, NotComputable, or Fault.
        """
        read = {name for one in inputs for name in one.reads}
        slim, noisy = _slimmed(plan.part(read), stages)
        job = Job(
            GIVE,
            newest(plan.delivery),
            plan=slim,
            noisy=noisy,
            inputs=tuple(inputs),
            scope=plan.scope,
        )
        reply = self._ask(job)
        if reply.outcome == MANY:
            raise QueryTooExpensive
        return reply.given

    def pids(self) -> tuple[int, ...]:
        """The worker processes, for operators."""
        return self._pool.pids()

    def close(self) -> None:
        """Ends all workers, also those at work."""
        self._pool.close()

    def _rows(self, job: Job) -> tuple[tuple[Value, ...], ...]:
        try:
            reply = self._ask(job)
        except Fault:
            raise WorkersUnavailable("no release worker could be asked") from None
        if reply.outcome == MANY:
            raise TooMany("the query has more rows than were asked for")
        return reply.rows

    def _described(self, job: Job) -> tuple[tuple[str, str], ...]:
        try:
            reply = self._ask(job)
        except NotComputable:
            raise NotBound from None
        except Fault:
            raise WorkersUnavailable("no release worker could be asked") from None
        return reply.columns

    def _ask(self, job: Job) -> Reply:
        planning = job.verb in (ROWS, DESCRIBE)
        seconds = min(self._seconds, PLANNING_SECONDS) if planning else self._seconds
        try:
            body = self._pool.run(codec.dumps(job), seconds, hint=job.delivery)
            reply = codec.loads(Reply, body)
        except (WorkerFault, PoolUnavailable, ValueError, TypeError, KeyError):
            raise Fault from None
        except WorkerLost:  # killed at its deadline, or by the limit on its memory
            raise QueryTooExpensive from None
        if reply.outcome == EXPENSIVE:
            raise QueryTooExpensive
        if reply.outcome == FAILED:
            raise NotComputable
        return reply


@dataclass(frozen=True, slots=True)
class PublicReader:
    """The public tables of one delivery, or a scope of them: what the binder may read."""

    engine: ReleaseEngine
    delivery: str
    scope: Scope | None = None

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        """At most `limit` rows; raises TooMany beyond that."""
        return self.engine.rows(newest(self.delivery), sql, limit, self.scope)

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        """Names and types of a query's columns; raises NotBound."""
        return self.engine.describe(newest(self.delivery), tables, sql, self.scope)


def _slimmed(plan: Plan, stages: Mapping[str, NoisyStage]) -> tuple[Plan, tuple[NoisyStage, ...]]:
    """A plan without what stays with the enclave, and the noisy tables of its stages."""
    noisy = tuple(dataclasses.replace(stages[stage.name], name=stage.name) for stage in plan.stages)
    return dataclasses.replace(plan, stages=tuple(map(_slim, plan.stages))), noisy


def _slim(stage: Stage) -> Stage:
    """Without the list of keys, which the noisy table holds already, and without private SQL."""
    other = None if stage.other is None else dataclasses.replace(stage.other, sql="")
    return dataclasses.replace(
        stage, sql="", listed=None, listing=None, inputs=(), about="", other=other
    )

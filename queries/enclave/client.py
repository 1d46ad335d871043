"""The enclave as the gateway sees it: plans go in, noisy integers or a fault come out.

This side imports neither the engine nor the noise; it starts processes that do (P20, P22).
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from queries import codec
from queries.enclave.words import CHECK, RUN, Job, Reply
from queries.faults import ClaimMismatch, Fault, WorkersUnavailable
from queries.plan.model import Distribution, Plan, Stage
from queries.plan.noisy import InputRows, NoisyStage
from queries.workers.pool import Pool, PoolUnavailable, WorkerLost
from queries.workers.settings import Settings

MODULE = "queries.enclave.worker"
CHECK_SECONDS = 30.0
REMEMBERED = 10_000
SPILL_LIMIT = 16 << 30


class Enclave:
    """Worker processes on the deliveries of one home, shared by all threads of the gateway.

    `memory` (bytes) and `threads` are for each worker. Spill goes beside the deliveries unless
    `spill` says otherwise.
    """

    def __init__(
        self,
        deliveries: Path,
        *,
        workers: int = 1,
        memory: int = 2 << 30,
        threads: int = 2,
        spill: Path | None = None,
        spill_limit: int = SPILL_LIMIT,
    ) -> None:
        home = deliveries.resolve()
        settings = Settings(str(home), memory, threads, spill_limit)
        self._pool = Pool(MODULE, workers, settings, spill or home.parent / "spill")
        self._verified: set[bytes] = set()
        self._lock = threading.Lock()

    def check(self, plan: Plan) -> None:
        """Raises ClaimMismatch unless OpenDP's own maps bear out every loss that the plan claims.

        Reads no data. What was verified once is remembered. Raises WorkersUnavailable where no
        worker can be asked.
        """
        for stage in plan.stages:
            claim = codec.dumps(_claim(stage))
            with self._lock:
                known = claim in self._verified
            if not known:
                self._verify(stage, claim)

    def run(
        self,
        plan: Plan,
        deadline_seconds: float,
        *,
        given: Sequence[InputRows] = (),
        taken: Callable[[], None] | None = None,
    ) -> tuple[NoisyStage, ...]:
        """The noisy tables of the plan's stages, in their order; raises Fault, whatever happens.

        `given` are the rows of the inputs that the stages read. The deadline counts from when a
        worker takes the job; `taken` is called at that moment.
        """
        if not plan.stages:
            return ()
        job = Job(RUN, plan.delivery, plan.stages, tuple(given), plan.together)
        stages = self._ask(job, deadline_seconds, taken).stages
        if tuple(stage.name for stage in stages) != tuple(stage.name for stage in plan.stages):
            raise Fault
        return stages

    def pids(self) -> tuple[int, ...]:
        """The worker processes, for operators."""
        return self._pool.pids()

    def close(self) -> None:
        """Ends all workers, also those at work."""
        self._pool.close()

    def _verify(self, stage: Stage, claim: bytes) -> None:
        try:
            reply = self._ask(Job(CHECK, "", (_claim(stage),)), CHECK_SECONDS, None)
        except Fault:
            raise WorkersUnavailable("no enclave worker could be asked") from None
        if not reply.holds:
            raise ClaimMismatch("OpenDP's map disagrees with the plan")
        with self._lock:
            if len(self._verified) >= REMEMBERED:
                self._verified.clear()
            self._verified.add(claim)

    def _ask(self, job: Job, seconds: float, taken: Callable[[], None] | None) -> Reply:
        """The reply. Every failure becomes the same fault, without a cause that could be shown."""
        try:
            reply = self._pool.run(codec.dumps(job), seconds, hint=job.delivery, taken=taken)
            return codec.loads(Reply, reply)
        except (WorkerLost, PoolUnavailable, ValueError, TypeError, KeyError):
            raise Fault from None


def _claim(stage: Stage) -> Stage:
    """What decides whether a stage's claims hold: not its SQL, nor the keys of its list."""
    width = None if stage.listed is None and stage.listing is None else ()
    bare = tuple(_bare(found) for found in stage.distributions)
    claimed = dataclasses.replace(stage, name="", digest="", sql="", listed=width, listing=None)
    other = None if stage.other is None else dataclasses.replace(stage.other, sql="")
    return dataclasses.replace(claimed, distributions=bare, inputs=(), about="", other=other)


def _bare(found: Distribution) -> Distribution:
    return dataclasses.replace(found, sql="", bins=dataclasses.replace(found.bins, listed=None))

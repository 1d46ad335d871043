"""The enclave's process: engine and noise together, so that exact values stay where they arise.

Run as `python -I -m queries.enclave.worker` by a pool, never by hand.
"""

from __future__ import annotations

import secrets

from queries import codec
from queries.enclave.claims import verify
from queries.enclave.engine import Deliveries, exact
from queries.enclave.given import given
from queries.enclave.noise import released
from queries.enclave.others import complete
from queries.enclave.words import CHECK, RUN, Job, Reply
from queries.faults import ClaimMismatch
from queries.plan.noisy import NoisyStage
from queries.workers.child import Handler, serve
from queries.workers.settings import Settings


def prepare(settings: Settings) -> Handler:
    """The handler of one worker: a job in, its reply out, nothing remembered but open files."""
    deliveries = Deliveries(settings)

    def reply(body: bytes) -> bytes:
        job = codec.loads(Job, body)
        if job.verb == CHECK:
            return codec.dumps(Reply(holds=_holds(job)))
        if job.verb == RUN:
            return codec.dumps(Reply(stages=_run(deliveries, job)))
        raise ValueError("no such verb")

    return reply


def _holds(job: Job) -> bool:
    try:
        verify(job.stages)
    except ClaimMismatch:
        return False
    return True


def _run(deliveries: Deliveries, job: Job) -> tuple[NoisyStage, ...]:
    """Noisy tables of all stages. Claims are verified once more, here where the noise is drawn.

    Stages share the secret that samples groups: grouping sets of one GROUP BY add up the same ones.
    """
    verify(job.stages)
    connection = deliveries.connection(job.delivery, job.together)
    seed = secrets.randbits(63)
    with given(connection, job.stages, job.given):
        tables = (released(stage, exact(connection, stage, seed)) for stage in job.stages)
        pairs = zip(job.stages, tables, strict=True)
        return tuple(complete(connection, stage, noisy, seed) for stage, noisy in pairs)


if __name__ == "__main__":
    serve(prepare)

"""The release engine's process. It has no path to a private file.

Run as `python -I -m queries.release.worker` by a pool, never by hand.
"""

from __future__ import annotations

import duckdb

from queries import codec
from queries.release.engine import Connections, TooManyRows, composed, given, rows_of
from queries.release.words import (
    COMPOSE,
    DESCRIBE,
    DONE,
    EXPENSIVE,
    FAILED,
    GIVE,
    MANY,
    ROWS,
    Job,
    Reply,
)
from queries.workers.child import Handler, serve
from queries.workers.settings import Settings


def prepare(settings: Settings) -> Handler:
    """The handler of one worker; what goes wrong is told in a word, never in the engine's."""
    connections = Connections(settings)

    def reply(body: bytes) -> bytes:
        return codec.dumps(_reply(connections, codec.loads(Job, body)))

    return reply


def _reply(connections: Connections, job: Job) -> Reply:
    try:
        return _done(connections, job)
    except TooManyRows:
        return Reply(MANY)
    except (duckdb.OutOfMemoryException, MemoryError):
        return Reply(EXPENSIVE)
    except duckdb.Error:
        return Reply(FAILED)


def _done(connections: Connections, job: Job) -> Reply:
    if job.verb == ROWS:
        return Reply(DONE, rows=rows_of(_public(connections, job), job.sql, job.limit))
    if job.verb == DESCRIBE:
        signatures = connections.signatures(job.delivery, job.scope)
        return Reply(DONE, columns=signatures.of(job.tables, job.sql))
    if job.verb not in (COMPOSE, GIVE) or job.plan is None:
        raise ValueError("no such verb")
    noisy = {stage.name: stage for stage in job.noisy}
    if job.verb == GIVE:
        connection = _engine(connections, job, any(one.public for one in job.inputs))
        return Reply(DONE, given=given(connection, job.plan, job.inputs, noisy))
    connection = _engine(connections, job, job.plan.post.public)
    return Reply(DONE, answer=composed(connection, job.plan, noisy, job.confidence))


def _engine(connections: Connections, job: Job, reads_public: bool) -> duckdb.DuckDBPyConnection:
    return _public(connections, job) if reads_public else connections.bare()


def _public(connections: Connections, job: Job) -> duckdb.DuckDBPyConnection:
    return connections.public(job.delivery, job.scope)


if __name__ == "__main__":
    serve(prepare)

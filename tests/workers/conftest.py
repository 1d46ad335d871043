"""Pools of real workers: those of the release engine, which take any SQL and hold no secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from queries import codec
from queries.release.words import ROWS, Job, Reply
from queries.workers.pool import Pool
from queries.workers.settings import Settings
from tests.enclave.stages import DELIVERY, MEMORY, deliver

MakePool = Callable[..., Pool]


@pytest.fixture
def make_pool(tmp_path: Path) -> Iterator[MakePool]:
    """Makes pools over one small public delivery, and closes them."""
    deliveries = deliver(tmp_path, public=["CREATE TABLE t AS SELECT 7 AS x"])
    made: list[Pool] = []

    def make(size: int = 1, module: str = "queries.release.worker") -> Pool:
        settings = Settings(str(deliveries), MEMORY, threads=1, spill_limit=1 << 30)
        made.append(Pool(module, size, settings, tmp_path / "spill"))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def job(sql: str) -> bytes:
    return codec.dumps(Job(ROWS, DELIVERY, sql=sql, limit=10))


def answered(pool: Pool, sql: str = "SELECT x FROM t", seconds: float = 30) -> object:
    return codec.loads(Reply, pool.run(job(sql), seconds)).rows


ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b"

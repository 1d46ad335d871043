"""A query that outgrows memory goes on from its own spill, which nobody can simply read."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from queries.enclave.client import Enclave
from queries.workers.sealed import sealed
from queries.workers.settings import LEAST_MEMORY, Settings
from tests.enclave.stages import column, deliver, gaussian, plan, stage

pytestmark = pytest.mark.slow

MARK = "VICTIM-MARK-"
ROWS = 2_000_000


def test_a_large_grouping_spills_and_is_answered(tmp_path: Path) -> None:
    table = "CREATE TABLE t AS SELECT hash(range) AS u, range % 100000 AS k FROM range(4000000)"
    deliveries = deliver(tmp_path, table)
    enclave = Enclave(deliveries, workers=1, memory=LEAST_MEMORY, threads=1)
    sql = "SELECT count(*) AS m0 FROM (SELECT u, k, count(*) AS c FROM t GROUP BY u, k) WHERE c > 0"
    try:
        (table_of_one,) = enclave.run(plan(stage(sql, [column("m0", gaussian(0.05))])), 120)
    finally:
        enclave.close()
    assert table_of_one.values == ((4_000_000,),)
    assert list((tmp_path / "spill").iterdir()) == []


def test_what_is_spilled_does_not_show_what_it_holds(tmp_path: Path) -> None:
    world = Settings(str(tmp_path), LEAST_MEMORY, 1, 4 << 30, spill=str(tmp_path))
    connection = sealed(":memory:", world, read_only=False)
    texts = f"'{MARK}' || range || md5(range::VARCHAR) || md5((range + 1)::VARCHAR)"

    def fill() -> None:
        connection.execute(f"CREATE TABLE x AS SELECT {texts} AS s FROM range({ROWS})")
        connection.execute("SELECT s FROM x ORDER BY s DESC").fetchmany(1)

    filling = threading.Thread(target=fill)
    filling.start()
    most = 0
    while filling.is_alive():
        filling.join(0.5)
        written = _written(tmp_path)
        most = max(most, len(written))
        assert MARK.encode() not in written
    connection.close()
    assert most > 1 << 20


def _written(place: Path) -> bytes:
    """What lies on disk by now; a file may vanish while it is looked at."""
    parts = []
    for path in place.rglob("*"):
        try:
            parts.append(path.read_bytes())
        except OSError:
            continue
    return b"".join(parts)

"""A worker inherits nothing, writes nowhere, and does not outlive those who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from queries import codec
from queries.release.words import EXPENSIVE, Reply
from queries.workers.pool import Pool
from tests.enclave.stages import MEMORY
from tests.workers.conftest import ENDLESS, MakePool, answered, job
from tests.workers.processes import eventually, is_gone

HOST = """
import signal, sys, threading
from pathlib import Path
from queries import codec
from queries.release.words import EXPENSIVE, Reply
from queries.workers.pool import Pool
from queries.workers.settings import Settings
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell would ignore it
settings = Settings(sys.argv[1], 1 << 30, 1, 1 << 30)
pool = Pool("queries.release.worker", 2, settings, Path(sys.argv[2]))
pool.run(bytes.fromhex(sys.argv[3]), 30)
threading.Thread(target=lambda: pool.run(bytes.fromhex(sys.argv[4]), 600), daemon=True).start()
while len(pool.pids()) < 2 or not pool._busy:
    pass
print(*pool.pids(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, how: int, make_pool: MakePool) -> None:
    """One of them idle, the other in the middle of a query."""
    make_pool()
    told = [tmp_path / "deliveries", tmp_path / "spill", job("SELECT 1").hex(), job(ENDLESS).hex()]
    with subprocess.Popen(
        [sys.executable, "-c", HOST, *map(str, told)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as host:
        assert host.stdout is not None
        pids = [int(pid) for pid in host.stdout.readline().split()]
        assert len(pids) == 2
        host.send_signal(how)
        assert all(eventually(lambda pid=pid: is_gone(pid)) for pid in pids)


def test_workers_outlive_the_thread_that_made_the_pool(make_pool: MakePool) -> None:
    """The kernel ties a worker to the thread that started it, so that one must be the pool's."""
    made: list[Pool] = []
    maker = threading.Thread(target=lambda: made.append(make_pool()))
    maker.start()
    maker.join()
    answered(made[0])
    before = made[0].pids()
    asker = threading.Thread(target=answered, args=(made[0],))
    asker.start()
    asker.join()
    assert answered(made[0]) == ((7,),)
    assert made[0].pids() == before


def test_limits_hold_in_the_worker(make_pool: MakePool) -> None:
    pool = make_pool()
    answered(pool)
    (pid,) = pool.pids()
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    hard = {line[:26].strip(): line[26:].split()[1] for line in limits}
    assert hard["Max data size"] == str(MEMORY)
    assert hard["Max core file size"] == "0"
    assert os.getsid(pid) == pid
    assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"


def test_a_worker_inherits_nothing_and_writes_nowhere(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the kernel lets us look at all: a worker is not dumpable, so its files are root's."""
    monkeypatch.setenv("SLUIS_TRIAL_SECRET", "do not inherit")
    pool = make_pool()
    answered(pool)
    place = Path("/proc") / str(pool.pids()[0])
    assert (place / "environ").stat().st_uid == 0
    if os.geteuid() == 0:
        assert b"do not inherit" not in (place / "environ").read_bytes()
        assert [os.readlink(place / "fd" / str(n)) for n in range(3)] == ["/dev/null"] * 3
        assert os.readlink(place / "cwd") == "/"
        sockets = [one for one in _links(place / "fd") if one.startswith("socket:")]
        assert len(sockets) == 1


def _links(place: Path) -> list[str]:
    return [os.readlink(one) for one in place.iterdir()]


def test_a_job_beyond_its_memory_ends_the_worker_and_not_the_machine(make_pool: MakePool) -> None:
    """Lists count neither for the engine's limit nor for its clock: the kernel's limit stops it."""
    pool = make_pool()
    answered(pool)
    grown = "SELECT len(list_concat(range(40000000), range(40000000), range(40000000)))"
    assert codec.loads(Reply, pool.run(job(grown), 30)).outcome == EXPENSIVE
    assert answered(pool) == ((7,),)

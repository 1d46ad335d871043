"""A pool survives whatever its workers do, and a caller always gets an end."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from queries.workers import pool as pools
from queries.workers.pool import Pool, PoolUnavailable, WorkerFault, WorkerLate, WorkerLost
from queries.workers.settings import Settings
from tests.workers.conftest import ENDLESS, MakePool, answered, job
from tests.workers.processes import eventually, is_gone


def test_a_job_is_answered_and_the_worker_stays(make_pool: MakePool) -> None:
    pool = make_pool()
    assert answered(pool) == ((7,),)
    before = pool.pids()
    assert answered(pool) == ((7,),)
    assert pool.pids() == before


def test_a_worker_killed_in_the_middle_is_replaced(make_pool: MakePool) -> None:
    pool = make_pool()
    answered(pool)
    (victim,) = pool.pids()
    threading.Timer(0.3, os.kill, (victim, signal.SIGKILL)).start()
    with pytest.raises(WorkerLost) as lost:
        pool.run(job(ENDLESS), 30)
    assert not isinstance(lost.value, WorkerLate)
    assert answered(pool) == ((7,),)
    assert victim not in pool.pids()


def test_a_worker_that_died_idle_costs_nobody_a_job(make_pool: MakePool) -> None:
    pool = make_pool()
    answered(pool)
    (victim,) = pool.pids()
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: is_gone(victim))
    assert answered(pool) == ((7,),)


def test_a_deadline_kills(make_pool: MakePool) -> None:
    pool = make_pool()
    answered(pool)
    (victim,) = pool.pids()
    start = time.monotonic()
    with pytest.raises(WorkerLate):
        pool.run(job(ENDLESS), 0.5)
    assert 0.5 <= time.monotonic() - start < 5
    assert eventually(lambda: is_gone(victim))
    assert answered(pool) == ((7,),)


def test_the_clock_starts_when_a_worker_takes_the_job(make_pool: MakePool) -> None:
    """The second job waits longer than its own deadline, and is answered all the same."""
    pool = make_pool()
    answered(pool)
    taken: list[float] = []
    first = threading.Thread(target=lambda: _lost(pool, job(ENDLESS), 1.5))
    start = time.monotonic()
    first.start()
    assert eventually(lambda: not pool._free)
    pool.run(job("SELECT 1"), 1.0, taken=lambda: taken.append(time.monotonic()))
    first.join()
    assert taken[0] - start >= 1.5


def _lost(pool: Pool, body: bytes, seconds: float) -> None:
    with pytest.raises(WorkerLost):
        pool.run(body, seconds)


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\x00", b"[1,2", b'{"verb":"rows"}'])
def test_a_job_that_is_none_is_a_fault_and_replaces_the_worker(
    make_pool: MakePool, body: bytes
) -> None:
    pool = make_pool()
    answered(pool)
    before = pool.pids()
    with pytest.raises(WorkerFault):
        pool.run(body, 30)
    assert answered(pool) == ((7,),)
    assert pool.pids() != before


def test_two_callers_are_served_at_once(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    answered(pool)
    assert eventually(lambda: len(pool.pids()) == 2)
    busy = threading.Thread(target=lambda: _lost(pool, job(ENDLESS), 4))
    busy.start()
    assert eventually(lambda: bool(pool._busy))
    assert answered(pool) == ((7,),)
    assert busy.is_alive()
    busy.join()


def test_many_threads_share_a_pool(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(answered(pool, f"SELECT {n}")))
        for n in range(64)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [((n,),) for n in range(64)]  # type: ignore[type-var]


def test_the_same_delivery_goes_to_the_worker_that_has_it_open(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    assert eventually(lambda: len(pool.pids()) == 2)
    for hint in ("a", "b"):
        pool.run(job("SELECT 1"), 30, hint=hint)
    used = {worker.hint: worker.jobs for worker in pool._free}
    assert used == {"a": 1, "b": 1}
    for _ in range(3):
        pool.run(job("SELECT 1"), 30, hint="a")
    assert {worker.hint: worker.jobs for worker in pool._free} == {"a": 4, "b": 1}


def test_a_worker_is_replaced_after_its_share_of_jobs(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "JOBS_EACH", 3)
    pool = make_pool()
    seen = []
    for _ in range(6):
        assert eventually(lambda: len(pool._free) == 1)
        seen.append(pool.pids()[0])
        answered(pool)
    assert seen == [seen[0]] * 3 + [seen[3]] * 3
    assert seen[0] != seen[3]


def test_a_module_that_does_not_start_is_said(make_pool: MakePool) -> None:
    pool = make_pool(module="queries.workers.no_such_module")
    with pytest.raises(PoolUnavailable):
        pool.run(job("SELECT 1"), 30)


def test_closing_ends_workers_callers_and_spill(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(size=2)
    answered(pool)
    assert eventually(lambda: len(pool.pids()) == 2)
    pids = pool.pids()
    caller = threading.Thread(target=lambda: _lost(pool, job(ENDLESS), 60))
    caller.start()
    assert eventually(lambda: bool(pool._busy))
    pool.close()
    caller.join(10)
    assert not caller.is_alive()
    assert all(is_gone(pid) for pid in pids)
    assert list((tmp_path / "spill").iterdir()) == []
    with pytest.raises(PoolUnavailable):
        pool.run(job("SELECT 1"), 30)


def test_closing_does_not_wait_for_a_worker_that_is_still_starting(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    start = time.monotonic()
    pool.close()
    assert time.monotonic() - start < 5


def test_a_pool_is_not_shared_across_a_fork(make_pool: MakePool) -> None:
    pool = make_pool()
    answered(pool)
    child = os.fork()
    if child == 0:
        try:
            pool.run(job("SELECT 1"), 30)
        except PoolUnavailable:
            os._exit(42)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert answered(pool) == ((7,),)


@pytest.mark.parametrize(("memory", "threads"), [(1 << 20, 1), (1 << 30, 0)])
def test_a_world_too_small_is_refused(memory: int, threads: int) -> None:
    with pytest.raises(ValueError):
        Settings("/nowhere", memory, threads, spill_limit=1)


@pytest.mark.slow
def test_fifty_replacements_leave_no_descriptor_behind(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool()
    answered(pool)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        with pytest.raises(WorkerFault):
            pool.run(b"{}", 30)
    answered(pool)
    assert eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)
    assert eventually(lambda: len(list((tmp_path / "spill").glob("pool-*/worker-*"))) == 1)

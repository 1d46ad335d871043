"""A pool of killable worker processes: warm, one job at a time, replaced when in doubt.

One thread of the pool starts and reaps all workers. It lives as long as the pool does, because the
kernel ties a worker's life to the *thread* that started it, and a request's thread may end.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path

from queries.workers.process import Worker, WorkerFault, WorkerLate, WorkerLost
from queries.workers.settings import Settings
from queries.workers.spill import SpillRoom

__all__ = ["Pool", "PoolUnavailable", "WorkerFault", "WorkerLate", "WorkerLost"]

JOBS_EACH = 500
START_SECONDS = 60.0
RETRY_SECONDS = 1.0
FAILED_STARTS = 3


class PoolUnavailable(Exception):
    """The pool is closed, or its workers do not start; the job was not begun."""


class Pool:
    """`size` workers that run `module`, shared by any number of threads of one process."""

    def __init__(self, module: str, size: int, settings: Settings, spill: Path) -> None:
        if size < 1:
            raise ValueError("a pool needs a worker")
        self._module, self._size, self._settings = module, size, settings
        self._room = SpillRoom(spill)
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._free: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting: list[Worker] = []
        self._gone: list[Worker] = []
        self._failed_starts = 0
        self._closed = False
        self._keeper = threading.Thread(target=self._keep, name=f"pool {module}", daemon=True)
        self._keeper.start()
        atexit.register(self.close)

    def run(
        self,
        job: bytes,
        seconds: float,
        *,
        hint: str = "",
        taken: Callable[[], None] | None = None,
    ) -> bytes:
        """The reply of the first worker that is free, within `seconds` of its taking the job.

        `hint` prefers the worker whose last job had the same one; `taken` is called when the clock
        starts. Raises PoolUnavailable before a worker took the job, WorkerLost or WorkerLate after.
        """
        worker = self._take(hint)
        sound = False
        try:
            if taken is not None:
                taken()
            reply = worker.ask(job, seconds)
            sound = True
            return reply
        finally:
            self._give_back(worker, sound)

    def pids(self) -> tuple[int, ...]:
        """The processes that are ready or at work."""
        with self._changed:
            return tuple(sorted(worker.pid for worker in (*self._free, *self._busy)))

    def close(self) -> None:
        """Kills all workers, also those at work, and removes their spill."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        with self._changed:
            self._closed = True
            for worker in (*self._free, *self._busy, *self._starting):
                worker.kill()
            self._gone += self._free
            self._free.clear()
            self._changed.notify_all()
        self._keeper.join()
        self._room.close()

    def _take(self, hint: str) -> Worker:
        if os.getpid() != self._owner:
            raise PoolUnavailable
        with self._changed:
            while True:
                if self._closed or self._is_broken():
                    raise PoolUnavailable
                self._dismiss_dead()
                if self._free:
                    break
                self._changed.wait()
            alike = [worker for worker in self._free if worker.hint == hint]
            worker = alike[-1] if alike else self._free[0]
            self._free.remove(worker)
            self._busy.add(worker)
            worker.hint = hint
            return worker

    def _is_broken(self) -> bool:
        return self._failed_starts >= FAILED_STARTS and not self._free and not self._busy

    def _dismiss_dead(self) -> None:
        """Lets go of workers that died while nobody asked them anything."""
        dead = [worker for worker in self._free if not worker.is_alive()]
        if dead:
            self._free = [worker for worker in self._free if worker not in dead]
            self._gone += dead
            self._changed.notify_all()

    def _give_back(self, worker: Worker, sound: bool) -> None:
        keep = sound and worker.jobs < JOBS_EACH
        if not keep:
            worker.kill()
        with self._changed:
            self._busy.discard(worker)
            keep = keep and not self._closed
            (self._free if keep else self._gone).append(worker)
            self._changed.notify_all()

    def _keep(self) -> None:
        """Reaps what is gone and starts what is missing, until the pool is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, RETRY_SECONDS)
                gone, self._gone = self._gone, []
            self._bury(gone)
            if not self._closed:
                self._start_missing()
            elif not self._busy and not self._gone:
                return

    def _has_work(self) -> bool:
        missing = self._size - len(self._free) - len(self._busy)
        return bool(self._gone) or (missing > 0 if not self._closed else not self._busy)

    def _bury(self, gone: list[Worker]) -> None:
        for worker in gone:
            worker.kill()
            if worker.is_reaped(RETRY_SECONDS):
                self._room.remove(worker.spill)
                continue
            with self._changed:
                self._gone.append(worker)

    def _start_missing(self) -> None:
        """Starts them together, since most of a start is imports, then waits for each."""
        with self._changed:
            missing = self._size - len(self._free) - len(self._busy)
        for _ in range(missing):
            self._start_one()
        while self._starting:
            worker = self._starting[0]
            ready = worker.is_ready(START_SECONDS)
            with self._changed:
                self._starting.remove(worker)
                self._failed_starts = 0 if ready else self._failed_starts + 1
                (self._free if ready and not self._closed else self._gone).append(worker)
                self._changed.notify_all()
        if self._failed_starts:
            self._pause()

    def _start_one(self) -> None:
        try:
            worker = Worker(self._module, self._settings, self._room.new())
        except OSError:  # no process, no descriptor or no disk left: try again later
            with self._changed:
                self._failed_starts += 1
                self._changed.notify_all()
            return
        with self._changed:
            self._starting.append(worker)
            if self._closed:
                worker.kill()

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, RETRY_SECONDS)

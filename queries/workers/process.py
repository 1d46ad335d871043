"""One worker process, seen from its parent: started, asked, killed and reaped."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from queries import codec
from queries.workers.child import READY
from queries.workers.frames import BrokenFrame, LateFrame, receive, send
from queries.workers.settings import Settings

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
}
"""All that a worker inherits: no credentials, no paths, nothing of the caller's."""


ENDING = frozenset({"Z", "X", ""})
"""States of a process that will not work again: zombie, dead, gone."""


class WorkerLost(Exception):
    """The worker failed, died or was killed; it will not be asked again."""


class WorkerFault(WorkerLost):
    """The worker answered that it failed, which is all that it ever says of a failure."""


class WorkerLate(WorkerLost):
    """The worker was still at work at its deadline."""


class Worker:
    """A process that runs `module` in isolation. It is started by a thread that outlives it."""

    def __init__(self, module: str, settings: Settings, spill: Path) -> None:
        self.spill = spill
        self.jobs = 0
        self.hint = ""
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-I", "-m", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
            )
        told = dataclasses.replace(settings, spill=str(spill), parent=os.getpid())
        with suppress(BrokenFrame):
            send(self._channel, codec.dumps(told), time.monotonic() + 5)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_ready(self, seconds: float) -> bool:
        """Waits until the worker says that it is ready; False when it never does."""
        try:
            return receive(self._channel, time.monotonic() + seconds) == READY
        except BrokenFrame:
            return False

    def is_alive(self) -> bool:
        """Whether it may be given a job: a killed process can wait for its threads before it ends.

        Until then `poll` takes it for running; a job handed to it would be lost, with its charge.
        """
        return self._process.poll() is None and _state(self._process.pid) not in ENDING

    def ask(self, job: bytes, seconds: float) -> bytes:
        """The worker's reply, within so many seconds from now; raises WorkerLost."""
        deadline = time.monotonic() + seconds
        self.jobs += 1
        try:
            send(self._channel, job, deadline)
            reply = receive(self._channel, deadline)
        except LateFrame:
            raise WorkerLate from None
        except BrokenFrame:
            raise WorkerLost from None
        if not reply:
            raise WorkerFault
        return reply

    def kill(self) -> None:
        """Ends the process and its session at once, whatever it is doing."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()

    def is_reaped(self, seconds: float) -> bool:
        """Waits for the killed process to be gone and lets go of its socket."""
        self._channel.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def _state(pid: int) -> str:
    """The kernel's letter for what a process is doing; empty where there is no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[0]

"""The worker's side: a hardened process that answers one job at a time until its parent goes.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       nothing leaves the process but the frames that its handler returns.
    Requires    the parent reads nothing but frames; the machine's operators are trusted.
    Why         the streams lead to /dev/null, no core is dumped, no debugger of the same user may
                attach, and any failure is answered by an empty frame and the end of the process.
    Tried by    tests/workers/test_child.py, tests/enclave/test_sealed.py
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from queries import codec
from queries.workers.frames import BrokenFrame, receive, send
from queries.workers.settings import Settings

READY = b"ready"
FAULT = b""

Handler = Callable[[bytes], bytes]

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38


def serve(prepare: Callable[[Settings], Handler]) -> NoReturn:
    """Answers the jobs that arrive on standard input's socket; never returns."""
    channel = socket.socket(fileno=os.dup(0))
    _close_streams()
    try:
        settings = codec.loads(Settings, receive(channel))
        _harden(settings)
        _die_with_parent(channel)
        handler = prepare(settings)
        _collect_seldom()
        send(channel, READY)
        while True:
            _answer(channel, handler, receive(channel))
    except BrokenFrame:
        os._exit(0)
    except BaseException:  # noqa: BLE001  whatever it was, it is not told
        os._exit(1)


def _answer(channel: socket.socket, handler: Handler, job: bytes) -> None:
    """One reply to one job. A failure says nothing and takes the process with it."""
    try:
        reply = handler(job)
    except BaseException:  # noqa: BLE001  whatever it was, it is not told
        with suppress(BaseException):
            send(channel, FAULT)
        os._exit(1)
    send(channel, reply)


def _close_streams() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _harden(settings: Settings) -> None:
    """Limits that hold whatever the engine does.

    RLIMIT_DATA and not RLIMIT_AS: the engine reserves address space freely, and crashes without it.
    Under memory pressure the kernel is asked to take a worker before anything else.
    """
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_DATA, (settings.memory, settings.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.umask(0o077)
    if os.getppid() != settings.parent:
        os._exit(1)


def _collect_seldom() -> None:
    """What is loaded by now stays; a large frame makes many objects and no cycle among them."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _prctl(option: int, value: int) -> None:
    """Raises OSError when the kernel refuses."""
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _die_with_parent(channel: socket.socket) -> None:
    """Ends the process when the other end of the socket closes, even in the middle of a query."""

    def watch() -> None:
        poll = select.poll()
        poll.register(channel.fileno(), select.POLLRDHUP)
        poll.poll()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()

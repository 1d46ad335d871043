"""Slots: when an answer may leave, and who may run meanwhile.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       when a query that ran tells the world that it ended, and when the next one may
                start, depends on public facts: its plan's slot and when a worker took it (P22).
    Requires    `plan.slot` computed from declared sizes; a permit for each worker, so that a worker
                is never waited for behind this module's back; nothing told before `leave`.
    Why         success and fault wait for the same moment, and the permit is given back at that
                moment, not when the worker became free. Composing an answer from released values
                and storing it come after it, so their time holds nothing of when the run ended.
    Tried by    tests/gateway/test_slots.py
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from gateway.refusals import Busy


class Slot:
    """The slot of one run: begins when a worker takes the query, lasts as long as the plan says."""

    def __init__(self, milliseconds: int) -> None:
        self._length = milliseconds / 1000
        self._began: float | None = None

    def begin(self) -> None:
        """A worker has taken the query."""
        self._began = time.monotonic()

    @property
    def began(self) -> bool:
        """Whether a worker has taken the query."""
        return self._began is not None

    def leave(self) -> None:
        """Return at the slot's end, never before it."""
        began = time.monotonic() if self._began is None else self._began
        while (left := began + self._length - time.monotonic()) > 0:
            time.sleep(left)


def seconds_until(due: datetime | None) -> int:
    """When to ask again, in whole seconds: once the slot has ended, a second at least."""
    left = 0.0 if due is None else (due - datetime.now(UTC)).total_seconds()
    return max(1, math.ceil(left))


class Permits:
    """As many permits as there are workers; a permit is held until its slot has ended."""

    def __init__(self, workers: int, patience: float) -> None:
        self._free = threading.BoundedSemaphore(workers)
        self._patience = patience

    @contextmanager
    def one(self) -> Iterator[None]:
        """A permit for the block; Busy where none comes free in time."""
        if not self._free.acquire(timeout=self._patience):
            raise Busy()
        try:
            yield
        finally:
            self._free.release()

"""Slots: when an answer may leave.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       when a query that ran tells the world that it ended, and when the next one may
                start, depends on public facts: its plan's slot and when a worker took it (P22).
    Requires    `plan.slot` computed from declared sizes; a turn for each worker, so that a worker
                is never waited for behind the fair queue's back; nothing told before `leave`.
    Why         success and fault wait for the same moment, and the turn is given back at that
                moment, not when the worker became free. Composing an answer from released values
                and storing it come after it, so their time holds nothing of when the run ended.
    Tried by    tests/gateway/test_slots.py
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime


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

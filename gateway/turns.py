"""Turns: no project may hold all of the workers that plan, or all of the threads that wait.

What is planned, and what is answered from public tables alone, costs nothing and may take seconds;
without turns one project could keep every other one from asking. Nothing here is waited for once a
query has been charged.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.refusals import Busy


class Turns:
    """For each project: how many may work at once, and how many more may wait for it."""

    def __init__(self, at_once: int, waiting: int, patience: float) -> None:
        self._at_once, self._most, self._patience = at_once, at_once + waiting, patience
        self._inside: dict[str, int] = {}
        self._turns: dict[str, threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()

    @contextmanager
    def one(self, project: str) -> Iterator[None]:
        """A turn for the block; Busy where too many of the project wait already, or too long."""
        turn = self._enter(project)
        try:
            if not turn.acquire(timeout=self._patience):
                raise Busy()
            try:
                yield
            finally:
                turn.release()
        finally:
            self._leave(project)

    def _enter(self, project: str) -> threading.BoundedSemaphore:
        with self._lock:
            inside = self._inside.get(project, 0)
            if inside >= self._most:
                raise Busy()
            self._inside[project] = inside + 1
            return self._turns.setdefault(project, threading.BoundedSemaphore(self._at_once))

    def _leave(self, project: str) -> None:
        with self._lock:
            self._inside[project] -= 1
            if not self._inside[project]:
                del self._inside[project], self._turns[project]

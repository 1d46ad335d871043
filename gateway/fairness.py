"""A fair queue: projects take turns at a few workers; one is kept for those that ask little.

Projects are served round robin, one place at a time, so a flood of one project delays another by
one of its turns and not by all of them. The last free worker goes to a project only while that
project's turns of the last minute add up to a few seconds, this one included: whoever asks for long
turns waits for the other workers, alone or together with others.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       how long a query waits here, and what is said of that meanwhile, depends on public
                facts: which projects ask how often, and how long their plans' slots are (P22).
    Requires    turns of enclave workers have a fixed length, their plan's slot, and end when the
                slot has ended (`gateway.slots`); a query is charged in its turn, never before.
    Why         the order follows from arrivals and lengths, and no length is ever measured on rows.
                Datasets without slots are the exception: their turns count as long as they took,
                and whoever waits behind them can see it, as their pages say.
    Tried by    tests/gateway/test_fairness.py
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway import metrics
from gateway.refusals import Busy, Stopping, Withdrawn

MINUTE = 60.0
LITTLE = 4.0
"""Seconds of turns within a minute up to which a project asks little."""
LONG = 20.0
"""Seconds that an answer from public tables alone may take: no little."""
LOOK = 0.25
"""Seconds between looks whether a caller went away, or a minute has passed."""


@dataclass(frozen=True, slots=True)
class Span:
    """How long a worker is wanted: `fixed` to the second, else at most so; None: nobody knows."""

    seconds: float | None = None
    fixed: bool = False


@dataclass(slots=True, eq=False)
class _Place:
    """One that waits, or works since `began`; `owed` where it was charged for already."""

    project: str
    span: Span
    owed: bool = False
    given: threading.Event = field(default_factory=threading.Event)
    began: float = 0.0
    ended: float | None = None

    def length(self, now: float) -> float:
        """The seconds of its turn: as fixed, as measured, or as far as known."""
        if self.span.fixed:
            return self.span.seconds or 0.0
        if self.ended is not None:
            return self.ended - self.began
        return max(self.span.seconds or 0.0, now - self.began)


def always() -> bool:
    """Of a turn that is wanted however long it takes."""
    return True


class FairQueue:
    """Turns at `workers` workers; `each` of a project and `most` in all may wait for one."""

    def __init__(
        self,
        workers: int,
        each: int,
        most: int,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._kept = workers, min(1, workers - 1)
        self._shared = workers - self._kept
        self._each, self._most, self._patience = each, most, patience
        self._clock = clock
        self._lines: dict[str, deque[_Place]] = {}
        self._turns: defaultdict[str, deque[_Place]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._stopped = False

    @contextmanager
    def turn(self, project: str, span: Span, wanted: Callable[[], bool] = always) -> Iterator[None]:
        """A turn for the block; Busy where too many wait or it takes too long.

        `wanted` is asked when it has to wait, at once and then again and again; Withdrawn where it
        says no. Stopping if the queue was stopped.
        """
        with self._at(self._enter(project, span), wanted):
            yield

    @contextmanager
    def owed(self, project: str, span: Span) -> Iterator[None]:
        """A turn that is charged for already: in line like the others, for as long as it takes."""
        with self._at(self._enter(project, span, owed=True), always):
            yield

    @contextmanager
    def _at(self, place: _Place, wanted: Callable[[], bool]) -> Iterator[None]:
        try:
            with metrics.WAITING.track_inprogress():
                self._wait(place, wanted)
            yield
        finally:
            self._leave(place)

    def stop(self) -> None:
        """Nobody gets a turn any more but what is owed; those who have one keep it."""
        with self._lock:
            self._stopped = True

    def soon(self) -> int:
        """In how many whole seconds all that waits now may have had its turn, by its slots."""
        with self._lock:
            return self._soon()

    def _soon(self) -> int:
        now = self._clock()
        waiting = sum(one.span.seconds or 1.0 for line in self._lines.values() for one in line)
        working = [turn for turns in self._turns.values() for turn in turns if turn.ended is None]
        left = sum(max(0.0, turn.began + turn.length(now) - now) for turn in working)
        return max(1, math.ceil((waiting + left) / self._shared))

    def _enter(self, project: str, span: Span, owed: bool = False) -> _Place:
        place = _Place(project, span, owed)
        with self._lock:
            if self._stopped and not owed:
                raise Stopping()
            self._lines.setdefault(project, deque()).append(place)
            self._give()
            if not place.given.is_set() and not owed and self._overfull(project):
                self._forget(place)
                raise Busy(self._soon())
        return place

    def _overfull(self, project: str) -> bool:
        waiting = sum(map(len, self._lines.values()))
        return len(self._lines[project]) > self._each or waiting > self._most

    def _wait(self, place: _Place, wanted: Callable[[], bool]) -> None:
        end = self._clock() + self._patience
        while not place.given.is_set():
            if not wanted():
                raise Withdrawn()
            if place.given.wait(LOOK if place.owed else max(0.0, min(LOOK, end - self._clock()))):
                return
            with self._lock:
                self._give()
                if place.owed or place.given.is_set():
                    continue
                if self._stopped:
                    raise Stopping()
                if self._clock() >= end:
                    raise Busy(self._soon())

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place.given.is_set():
                place.ended = self._clock()
                self._free += 1
                self._used(place.project)
                self._give()
            else:
                self._forget(place)

    def _forget(self, place: _Place) -> None:
        line = self._lines[place.project]
        line.remove(place)
        if not line:
            del self._lines[place.project]

    def _give(self) -> None:
        """Give every free worker to whoever is next and may have it."""
        while self._free and (place := self._next()) is not None:
            self._free -= 1
            line = self._lines.pop(place.project)
            line.remove(place)
            if line:
                self._lines[place.project] = line  # behind all others
            place.began = self._clock()
            self._turns[place.project].append(place)
            place.given.set()

    def _next(self) -> _Place | None:
        heads = [self._head(line) for line in self._lines.values()]
        return next((place for place in heads if place is not None and self._may(place)), None)

    def _head(self, line: deque[_Place]) -> _Place | None:
        """Who of a project is next: what it has paid for, then whoever came first."""
        first = None if self._stopped else line[0]
        return next((place for place in line if place.owed), first)

    def _may(self, place: _Place) -> bool:
        """Whether a worker that is free may be this one's: the last one only if it asks little."""
        if self._free > self._kept:
            return True
        used, working = self._used(place.project)
        if place.span.seconds is None:
            return used < LITTLE and not working
        return used + place.span.seconds <= LITTLE

    def _used(self, project: str) -> tuple[float, bool]:
        """The seconds of a project's turns within the last minute, and whether it has one now."""
        now, turns = self._clock(), self._turns[project]
        recent = [one for one in turns if one.ended is None or one.ended > now - MINUTE]
        turns.clear()
        turns.extend(recent)
        if not turns:
            del self._turns[project]
        return sum(one.length(now) for one in recent), any(one.ended is None for one in recent)


class Room:
    """How many requests may be waited for at once: `each` of a project and `most` in all.

    Each of them holds a thread of the server, and some threads are left for those that only read.
    """

    def __init__(self, each: int, most: int, soon: Callable[[], int]) -> None:
        self._each, self._most, self._soon = each, most, soon
        self._inside: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    @contextmanager
    def one(self, project: str) -> Iterator[None]:
        """Room for the block, or Busy."""
        with self._lock:
            full = self._inside[project] >= self._each or sum(self._inside.values()) >= self._most
            if not full:
                self._inside[project] += 1
        if full:
            raise Busy(self._soon())
        try:
            yield
        finally:
            with self._lock:
                self._inside[project] -= 1
                if not self._inside[project]:
                    del self._inside[project]

"""Leases: tokens that a gateway takes beforehand, so that most requests commit nothing.

What is leased is gone from the bucket in the database. It lapses three seconds after it was taken
and is given back to nobody, and for these three seconds' worth the bucket holds less; so what all
gateways let pass stays within a bucket, whenever each of them took its tokens: those still out at a
moment were taken within the three seconds before it, and raised the bucket's level by as much.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

MINUTE = 60_000_000
LASTS = 3_000_000
"""Microseconds until a lease lapses."""
SLOW = 300
"""Keys of fewer tokens a minute take each as it is asked for: too few would come back meanwhile."""
MOST = 20
"""The most tokens of one lease."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the tokens of a bucket come back: `limit` in a minute."""

    limit: int

    @property
    def each(self) -> int:
        """The microseconds in which one token comes back."""
        return math.ceil(MINUTE / self.limit)

    @property
    def leases(self) -> int:
        """The most tokens of one lease."""
        return 1 if self.limit < SLOW else min(MOST, LASTS // self.each)

    @property
    def holds(self) -> int:
        """The microseconds in which the bucket fills: a minute, less what leases hold back."""
        return self.limit * self.each - (0 if self.leases == 1 else LASTS)


@dataclass(slots=True)
class Lease:
    """The tokens of one key that this gateway has left, and when the bucket will be full again.

    `full` is as the database told it last; others may have moved it on since, never back.
    """

    size: int = 1
    left: int = 0
    taken: int = 0
    full: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def alive(self, now: int) -> bool:
        """Whether it has not lapsed; a clock that was set back ends it."""
        return self.taken <= now < self.taken + LASTS

    def spend(self, tokens: int, now: int) -> bool:
        """Take tokens of it, if there are as many."""
        if not self.alive(now):
            self.left = 0
        enough = self.left >= tokens
        self.left -= tokens if enough else 0
        return enough

    def next_size(self, pace: Pace, now: int) -> int:
        """How many to take now: twice as many where the last were used up, else as many as were."""
        wanted = 2 * self.size if self.alive(now) else self.size - self.left
        return max(1, min(pace.leases, wanted))

    def renewed(self, size: int, left: int, full: int, now: int) -> None:
        """It was taken anew, with `left` of its tokens still to be spent."""
        self.size, self.left, self.full, self.taken = size, left, full, now

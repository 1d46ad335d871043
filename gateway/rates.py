"""Rates: how often a key may ask, counted in the ledger's database, so that gateways share it.

A request takes one token of its key's bucket, and a query that is charged nine more: what is read,
quoted, replayed or answered for nothing is the cheaper class. A bucket holds a minute's worth.
Sign-ins that fail are counted by the address they come from, in the memory of this gateway.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is limited, and what headers tell of it, follows from requests alone.
    Requires    a query is counted when it is charged, and nothing is counted when it ends.
    Why         whether it is charged follows from what was released before and from the budget.
    Tried by    tests/gateway/test_rates.py
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from budgets.storage import Storage, rates
from budgets.storage.rates import Taken
from gateway.refusals import RateLimited

log = structlog.get_logger()

MINUTE = 60_000_000
CHEAP, DEAR = 1, 10
FAILURES = 60
"""Sign-ins of one address that may fail within a minute."""
ADDRESSES = 10_000
"""Addresses that are remembered; the one that was seen least lately is forgotten first."""


def microseconds() -> int:
    """This moment, since 1970."""
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a bucket after a request; `limit` tokens come back in a minute."""

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """What a caller is told of it (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w=60',
            "RateLimit": f'"key";r={self.remaining};t={self.reset}',
        }


class Rates:
    """The buckets of keys, each of `limit` tokens a minute; 0: nothing is limited."""

    def __init__(
        self, storage: Storage, limit: int, clock: Callable[[], int] = microseconds
    ) -> None:
        self._storage, self._limit, self._clock = storage, limit, clock

    def take(self, key: str, tokens: int = CHEAP) -> Standing | None:
        """Take tokens for a request of this key, or raise RateLimited; None where all is free."""
        if not self._limit:
            return None
        now, costs = self._clock(), tokens * self._each
        found = self._taken(key, now, costs, MINUTE)
        if not found.taken:
            again = _seconds(found.full + costs - MINUTE - now)
            raise RateLimited(again, self._standing(found, now))
        return self._standing(found, now)

    def charged(self, key: str) -> None:
        """A query of this key is charged: take the rest of its price, be it there or not."""
        if not self._limit:
            return
        costs = (DEAR - CHEAP) * self._each
        try:
            self._taken(key, self._clock(), costs, MINUTE + costs)
        except Exception as error:  # noqa: BLE001 - what is charged runs, counted or not
            log.error("rate not counted", kind=type(error).__name__)

    @property
    def _each(self) -> int:
        """The microseconds in which one token comes back."""
        return math.ceil(MINUTE / self._limit)

    def _taken(self, key: str, now: int, costs: int, holds: int) -> Taken:
        return self._storage.act(
            "rates", lambda tx: rates.take(tx, key, now, costs, holds), lambda tx: None
        )

    def _standing(self, found: Taken, now: int) -> Standing:
        left = max(0, now + MINUTE - found.full) // self._each
        return Standing(self._limit, min(self._limit, left), _seconds(found.full - now))


class Failures:
    """Sign-ins that failed, by the address they came from; its memory is bounded.

    A credential that is valid is never refused here: others may sign in from the same address.
    """

    def __init__(self, clock: Callable[[], int] = microseconds, most: int = ADDRESSES) -> None:
        self._clock, self._most = clock, most
        self._full: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, address: str) -> None:
        """One more sign-in failed; RateLimited where there were too many."""
        now, each = self._clock(), MINUTE // FAILURES
        with self._lock:
            full = max(now, self._full.pop(address, 0))
            allowed = full + each <= now + MINUTE
            self._full[address] = full + each if allowed else full
            while len(self._full) > self._most:
                self._full.popitem(last=False)
        if not allowed:
            raise RateLimited(_seconds(full + each - MINUTE - now))


def _seconds(microseconds: int) -> int:
    return max(1, math.ceil(microseconds / 1_000_000))

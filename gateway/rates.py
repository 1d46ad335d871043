"""Rates: how often a key may ask, counted in the ledger's database, so that gateways share it.

A request takes one token of its key's bucket, and a query that is charged nine more: what is read,
quoted, replayed or answered for nothing is the cheaper class. A bucket holds a minute's worth, of
which each gateway takes a few tokens ahead of the requests for them.
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
from gateway.leases import MINUTE, Lease, Pace
from gateway.refusals import RateLimited

log = structlog.get_logger()

CHEAP, DEAR = 1, 10
FAILURES = 60
"""Sign-ins of one address that may fail within a minute."""
KEYS = 10_000
"""Keys whose leases are remembered."""
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
    """The buckets of keys, each of `limit` tokens a minute unless it has a limit of its own.

    0: nothing is limited that has none.
    """

    def __init__(
        self, storage: Storage, limit: int, clock: Callable[[], int] = microseconds
    ) -> None:
        self._storage, self._limit, self._clock = storage, limit, clock
        self._leases: dict[str, Lease] = {}

    @property
    def house(self) -> float:
        """The limit of keys that have none of their own."""
        return self._limit or math.inf

    def take(self, bucket: str, tokens: int = CHEAP, own: int | None = None) -> Standing | None:
        """Take tokens for a request, or raise RateLimited; None where all is free.

        `own` is the limit that was given to this key alone.
        """
        if not (limit := self._limit if own is None else own):
            return None
        pace, now, lease = Pace(limit), self._clock(), self._lease(bucket)
        with lease.lock:
            if not lease.spend(tokens, now):
                self._renew(bucket, lease, pace, tokens, now)
            return _standing(pace, lease, now)

    def charged(self, bucket: str, own: int | None = None) -> None:
        """A query is charged: take the rest of its price, be it there or not."""
        if not (limit := self._limit if own is None else own):
            return
        pace, now, lease = Pace(limit), self._clock(), self._lease(bucket)
        costs = (DEAR - CHEAP) * pace.each
        try:
            with lease.lock:
                if not lease.spend(DEAR - CHEAP, now):
                    lease.full = self._taken(bucket, now, costs, pace.holds + costs).full
        except Exception as error:  # noqa: BLE001 - what is charged runs, counted or not
            log.error("rate not counted", kind=type(error).__name__)

    def _renew(self, bucket: str, lease: Lease, pace: Pace, tokens: int, now: int) -> None:
        """Take from the database what is asked for, and a few more for the next requests."""
        costs, size = tokens * pace.each, lease.next_size(pace, now)
        if lease.full + costs <= now + pace.holds:
            ahead = max(0, size - tokens) * pace.each
            found = self._taken(bucket, now, costs, pace.holds, ahead)
            lease.full = found.full
            if found.worth:
                lease.renewed(size, found.worth // pace.each - tokens, found.full, now)
                return
        again = _seconds(lease.full + costs - pace.holds - now)
        raise RateLimited(again, _standing(pace, lease, now))

    def _taken(self, bucket: str, now: int, costs: int, holds: int, ahead: int = 0) -> Taken:
        return self._storage.act(
            "rates", lambda tx: rates.take(tx, bucket, now, costs, holds, ahead), lambda tx: None
        )

    def _lease(self, bucket: str) -> Lease:
        if len(self._leases) > KEYS:  # what they hold is lost, not given twice
            self._leases = {}
        return self._leases.setdefault(bucket, Lease())


def _standing(pace: Pace, lease: Lease, now: int) -> Standing:
    left = max(0, now + pace.holds - lease.full) // pace.each + lease.left
    return Standing(pace.limit, min(pace.limit, left), _seconds(lease.full - now))


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

"""Metrics: counts of requests and states of the house, on the operators' own listener.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is told is public: requests by route and status, problems by code, charges by
                outcome, slots by their length, budgets as their owners see them (P24).
    Requires    a query's outcome is counted when its slot has ended, as everywhere else (P22); a
                slot's length follows from the plan alone, and a place in the queue from slots.
    Why         a histogram of durations would tell what slots exist to hide; the length of the slot
                in which an answer left tells what the quote told before.
    Tried by    tests/gateway/test_metrics.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "sluis_requests",
    "Requests by route, method and status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
REFUSALS = Counter(
    "sluis_refusals", "Problems that answered a request, by code.", ["code"], registry=REGISTRY
)
OUTCOMES = Counter(
    "sluis_queries",
    "Queries by outcome, counted when their slot has ended.",
    ["outcome"],
    registry=REGISTRY,
)
FAULTS = Counter(
    "sluis_faults", "Charged queries that ended without a release, by code.", ["code"],
    registry=REGISTRY,
)  # fmt: skip
SLOTS = Counter(
    "sluis_slots",
    "Runs by the length of their slot in seconds, which is how long an answer takes.",
    ["seconds"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "sluis_queue_waiting", "Queries that wait for a turn at a worker.", registry=REGISTRY
)
UP = Gauge("sluis_up", "1 while the server takes queries.", registry=REGISTRY)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FRESH_SECONDS = 5.0
"""How long figures of budgets are told again before the ledger is asked anew."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One account's figure: `amount` in units of rho, or of epsilon where the account is pure."""

    dataset: str
    project: str
    unit: str
    state: str
    amount: float


class Budgets(Collector):
    """Figures of all budgets, asked of the ledger when metrics are read, every few seconds."""

    def __init__(self, ask: Callable[[], Iterable[Spent]]) -> None:
        self._ask = ask
        self._known: tuple[Spent, ...] = ()
        self._asked = -FRESH_SECONDS

    def collect(self) -> Iterator[Metric]:
        """The gauge with every account; what could not be asked is as it was."""
        if time.monotonic() - self._asked >= FRESH_SECONDS:
            try:
                self._known = tuple(self._ask())
            except Exception:  # noqa: BLE001 - a ledger out of reach is told by /readyz
                return
            self._asked = time.monotonic()
        yield _told(self._known)

    def describe(self) -> Iterator[Metric]:
        """Its name, without asking the ledger."""
        yield _told(())


def _told(known: Iterable[Spent]) -> Metric:
    text = "Budgets of datasets (project: empty) and projects, in rho or epsilon."
    gauge = GaugeMetricFamily("sluis_budget", text, labels=["dataset", "project", "unit", "state"])
    for one in known:
        gauge.add_metric([one.dataset, one.project, one.unit, one.state], one.amount)
    return gauge


def requested(route: str | None, method: str, status: int) -> None:
    """Count a request, by the pattern that matched it and never by its path."""
    known = method if method in _METHODS else "other"
    REQUESTS.labels(route or "unknown", known, str(status)).inc()


def refused(code: str) -> None:
    """Count a problem, by its code."""
    REFUSALS.labels(code).inc()


def ended(outcome: str) -> None:
    """Count a query that has ended, and how."""
    OUTCOMES.labels(outcome).inc()


def faulted(code: str) -> None:
    """Count a query that was charged and ended without a release."""
    ended(code)
    FAULTS.labels(code).inc()


def left(milliseconds: int) -> None:
    """Count a run whose slot of that length has ended; 0: slots are off."""
    SLOTS.labels("off" if milliseconds == 0 else f"{milliseconds / 1000:g}").inc()


def serve(host: str, port: int, ask: Callable[[], Iterable[Spent]]) -> None:
    """Start the operators' listener; 0 as the port leaves it off."""
    UP.set(1)
    REGISTRY.register(Budgets(ask))
    if port:
        start_http_server(port, addr=host, registry=REGISTRY)

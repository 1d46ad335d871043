"""Metrics: counts of requests and states of the house, on the operators' own listener.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is counted is public: requests by route and status, problems by code, charges
                by outcome. No duration of a query, no size of an answer, no queue length (P24).
    Requires    a query's outcome is counted when its slot has ended, as everywhere else (P22).
    Why         a histogram of durations would tell what slots exist to hide.
    Tried by    tests/gateway/test_metrics.py
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    start_http_server,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "sluis_requests",
    "Requests by route, method and status.",
    ["route", "method", "status"],
    registry=REGISTRY,
)
OUTCOMES = Counter(
    "sluis_queries",
    "Queries by outcome, counted when their slot has ended.",
    ["outcome"],
    registry=REGISTRY,
)
UP = Gauge("sluis_up", "1 while the server takes queries.", registry=REGISTRY)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def requested(route: str | None, method: str, status: int) -> None:
    """Count a request, by the pattern that matched it and never by its path."""
    known = method if method in _METHODS else "other"
    REQUESTS.labels(route or "unknown", known, str(status)).inc()


def ended(outcome: str) -> None:
    """Count a query that has ended, and how."""
    OUTCOMES.labels(outcome).inc()


def serve(host: str, port: int) -> None:
    """Start the operators' listener; 0 as the port leaves it off."""
    UP.set(1)
    if port:
        start_http_server(port, addr=host, registry=REGISTRY)

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

from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "sluis_requests", "Requests by route, method and status.", ["route", "method", "status"],
    registry=REGISTRY,
)  # fmt: skip
OUTCOMES = Counter(
    "sluis_queries", "Queries by outcome, counted when their slot has ended.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
UP = Gauge("sluis_up", "1 while the server takes queries.", registry=REGISTRY)


def install(app: Flask) -> None:
    """Count every request of the app."""
    app.after_request(_count)


def serve(host: str, port: int) -> None:
    """Start the operators' listener; 0 as the port leaves it off."""
    UP.set(1)
    if port:
        start_http_server(port, addr=host, registry=REGISTRY)


def _count(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule is not None else "unknown"
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(route, method, str(response.status_code)).inc()
    return response


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

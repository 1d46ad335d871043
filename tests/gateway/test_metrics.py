"""Metrics: on a listener of their own, and nothing in them that depends on a row."""

from __future__ import annotations

from tests.gateway.running import Gateway


def test_metrics_are_the_operators_alone(gateway: Gateway) -> None:
    assert gateway.ask("GET", "/metrics", key=None).status == 404
    assert gateway.ask("GET", "/metrics", key=None, port=gateway.metrics).status == 200


def test_metrics_count_requests_and_time_nothing(gateway: Gateway) -> None:
    gateway.query()
    text = gateway.ask("GET", "/metrics", key=None, port=gateway.metrics).body.decode()
    assert 'sluis_queries_total{outcome="' in text
    assert 'route="/v1/projects/<project>/queries"' in text
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names == {"sluis_requests_total", "sluis_queries_total", "sluis_up"}
    for word in ("seconds", "bucket", "sum{", "duration", "latency"):
        assert word not in text

"""Metrics: on a listener of their own, and nothing in them that depends on a row."""

from __future__ import annotations

import re

from tests.gateway.running import Gateway
from tests.house.tree import ROOT


def told(gateway: Gateway) -> str:
    return gateway.ask("GET", "/metrics", key=None, port=gateway.metrics).body.decode()


def test_metrics_are_the_operators_alone(gateway: Gateway) -> None:
    assert gateway.ask("GET", "/metrics", key=None).status == 404
    assert gateway.ask("GET", "/metrics", key=None, port=gateway.metrics).status == 200


def test_metrics_are_those_of_the_docs_and_time_nothing(gateway: Gateway) -> None:
    gateway.query()
    text = told(gateway)
    assert 'sluis_queries_total{outcome="' in text
    assert 'route="/v1/projects/<project>/queries"' in text
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert names == set(re.findall(r"^\| `(sluis_[a-z_]+)` \|", page, re.M))
    for word in ("bucket", "sum{", "duration", "latency"):
        assert word not in text


def test_refusals_are_counted_by_code(gateway: Gateway) -> None:
    def count() -> float:
        found = re.search(r'sluis_refusals_total{code="unknown-column"} ([0-9.]+)', told(gateway))
        return float(found[1]) if found else 0.0

    before = count()
    gateway.query("SELECT nowhere FROM visits")
    assert count() == before + 1


def test_budgets_are_told_as_the_ledger_has_them(gateway: Gateway) -> None:
    text = told(gateway)
    spent = 'sluis_budget{dataset="visits",project="",state="spent",unit="rho"} '
    assert spent in text
    pure = r'sluis_budget{dataset="visits",project="pure",state="allocated",unit="epsilon"} 5.0'
    assert pure in text
    assert 'project="empty"' not in text


def test_slots_are_told_by_their_length_alone(gateway: Gateway) -> None:
    gateway.query()
    lengths = re.findall(r'sluis_slots_total{seconds="([^"]*)"}', told(gateway))
    assert set(lengths) <= {"off", *(f"{2**n}" for n in range(12))}
    assert lengths

"""What is told beside a refusal: a question that is answered, and a page about its code."""

from __future__ import annotations

import pytest

from tests.gateway.running import Gateway


def test_a_refusal_of_sql_offers_what_is_answered(gateway: Gateway) -> None:
    refused = gateway.query("SELECT COUNT(*) AS n FROM visit")
    assert refused.json["rewrite"] == "SELECT COUNT(*) AS n FROM visits"
    assert gateway.query(refused.json["rewrite"]).status == 201


@pytest.mark.parametrize("kind", ["text/html", "text/markdown", "text/plain"])
def test_the_type_of_a_problem_leads_to_its_page(gateway: Gateway, kind: str) -> None:
    where = gateway.query("SELECT COUNT(*) AS n FROM visit").json["type"]
    page = gateway.ask("GET", where, key=None, headers={"Accept": kind})
    assert page.status == 200
    assert page.headers["Content-Type"].startswith(("text/markdown", "text/plain"))
    assert page.body.startswith(b"# `unknown-table`")
    assert gateway.ask("GET", "/problems/..%2frefusals", key=None).status == 404

"""Quotes are free, exact to the last digit, and follow from public facts."""

from __future__ import annotations

import pytest

from tests.gateway.running import Gateway

SQL = "SELECT area, COUNT(*) AS visits, AVG(cost) AS mean FROM visits GROUP BY area"


def quote(gateway: Gateway, sql: str = SQL, **more: object) -> dict[str, object]:
    body = {"sql": sql, "budget_share": "0.5%", **more}
    answer = gateway.ask("POST", "/v1/projects/p/quotes", body)
    assert answer.status == 200, answer.body
    found: dict[str, object] = answer.json
    return found


def test_a_quote_and_its_debit_agree_to_the_last_digit(gateway: Gateway) -> None:
    before = gateway.budget()["spent"]
    quoted = quote(gateway)
    assert gateway.budget()["spent"] == before
    assert quoted["affordable"] is True
    release = gateway.query(SQL, budget_share="0.5%").json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert quote(gateway)["privacy_loss"]["rho"] == "0"  # type: ignore[index]


def test_the_margin_quoted_is_the_margin_answered(gateway: Gateway) -> None:
    sql = "SELECT COUNT(*) AS n FROM visits"
    margin = quote(gateway, sql)["expected_error"][0]["margin"]  # type: ignore[index]
    release = gateway.query(sql, budget_share="0.5%").json
    low, value, high = (
        release["intervals"]["lower"][0][0], release["rows"][0][0],
        release["intervals"]["upper"][0][0],
    )  # fmt: skip
    assert value - low == pytest.approx(margin)
    assert high - value == pytest.approx(margin)


def test_a_public_question_costs_nothing(gateway: Gateway) -> None:
    quoted = quote(gateway, "SELECT SUM(residents) AS all FROM areas".replace("all", "total"))
    assert quoted["privacy_loss"]["rho"] == "0"  # type: ignore[index]
    assert quoted["expected_error"] == []


def test_only_those_who_may_ask_may_quote(gateway: Gateway) -> None:
    body = {"sql": SQL, "epsilon": 1}
    for key in ("reviewer", "auditor"):
        assert gateway.ask("POST", "/v1/projects/p/quotes", body, key).code == "not-permitted"


def test_a_fresh_draw_is_quoted_at_its_price_whatever_is_stored(gateway: Gateway) -> None:
    sql = "SELECT COUNT(*) AS n FROM visits WHERE cost < 11"
    body = {"sql": sql, "rho": "0.0004"}
    assert gateway.query(sql, rho="0.0004").status == 201
    stored = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    assert stored["privacy_loss"]["rho"] == "0"
    fresh = body | {"options": {"replay": False}}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", fresh).json
    key = {"Idempotency-Key": "once-more"}
    answer = gateway.query(sql, rho="0.0004", options={"replay": False}, headers=key).json
    assert quoted["privacy_loss"] == answer["privacy_loss"]
    assert float(answer["privacy_loss"]["rho"]) > 0

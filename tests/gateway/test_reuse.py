"""A stored stage serves again: free, and with the noise it was drawn with."""

from __future__ import annotations

from typing import Any

from tests.gateway.running import Gateway

ONCE = "SELECT area, COUNT(*) AS served FROM visits WHERE cost < 7 GROUP BY area"
AGAIN = "SELECT * FROM (SELECT area, COUNT(*) AS n FROM visits WHERE 7 > cost GROUP BY 1) AS t"


def _count(answer: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answer["columns"][1]
    return found


def test_a_cheaper_question_is_served_with_the_margins_of_the_dearer_one(gateway: Gateway) -> None:
    first = gateway.query(ONCE, budget_share="2%").json
    spent = gateway.budget()["spent"]["rho"]
    second = gateway.query(AGAIN, budget_share="0.5%").json
    assert second["replayed"]
    assert gateway.budget()["spent"]["rho"] == spent
    assert second["rows"] == first["rows"]
    assert _count(second)["scale"] == _count(first)["scale"]
    assert second["intervals"] == first["intervals"]
    assert second["stages"][0]["columns"][0]["scale"] == first["stages"][0]["columns"][0]["scale"]


def test_a_dearer_question_is_drawn_anew_and_more_exact(gateway: Gateway) -> None:
    sql = "SELECT area, COUNT(*) AS dearer FROM visits WHERE cost < 8 GROUP BY area"
    first = gateway.query(sql, budget_share="0.5%").json
    second = gateway.query(sql, budget_share="2%").json
    assert not second["replayed"]
    assert _count(second)["scale"] < _count(first)["scale"]

"""Subtotals over HTTP: one price, whole numbers that add up, the same numbers when asked again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.running import Gateway

SQL = (
    "SELECT area, cost > 50 AS dear, GROUPING(area, cost > 50) AS level, COUNT(*) AS visits "
    "FROM visits GROUP BY CUBE (area, dear)"
)


def asked(gateway: Gateway, sql: str = SQL, **options: object) -> dict[str, Any]:
    answer = gateway.query(sql, budget_share="0.5%", options=options)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.json
    return found


def totals(release: dict[str, Any], level: int, place: int) -> dict[object, int]:
    """The counts of one level by one key."""
    return {row[place]: row[3] for row in release["rows"] if row[2] == level}


def test_subtotals_add_up_and_cost_what_was_quoted(gateway: Gateway) -> None:
    body = {"sql": SQL, "budget_share": "0.5%"}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    release = asked(gateway)
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert release["privacy_loss"]["rho"] != "0"
    cells = {(row[0], row[1]): row[3] for row in release["rows"] if row[2] == 0}
    (whole,) = (row[3] for row in release["rows"] if row[2] == 3)
    for place, level in ((0, 1), (1, 2)):
        parts = totals(release, level, place)
        for key, count in parts.items():
            assert count == sum(v for k, v in cells.items() if k[place] == key)
        assert whole == sum(parts.values())
    assert all(isinstance(row[3], int) for row in release["rows"])


def test_the_same_tables_serve_again_for_nothing(gateway: Gateway) -> None:
    first, again = asked(gateway), asked(gateway)
    assert again["rows"] == first["rows"]
    assert again["intervals"] == first["intervals"]
    held = asked(gateway, non_negative=True)
    assert held["privacy_loss"]["rho"] == "0"
    assert held["replayed"] is True
    ordered = asked(gateway, SQL + " ORDER BY visits DESC LIMIT 1")
    assert ordered["privacy_loss"]["rho"] == "0"
    (row,) = ordered["rows"]
    assert row[3] == max(row[3] for row in first["rows"])


@pytest.mark.parametrize("least", [1, 10**9])
def test_a_least_frequency_may_be_asked_for(gateway: Gateway, least: int) -> None:
    release = asked(gateway, "SELECT COUNT(*) AS n FROM visits", minimum_frequency=least)
    assert release["held_back"] == "possible"
    assert len(release["rows"]) == (1 if least == 1 else 0)

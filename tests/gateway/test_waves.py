"""Stages that read earlier ones, end to end: one charge, one draw, the same when replayed."""

from __future__ import annotations

import pytest

from tests.gateway.running import Gateway

DEAR = """SELECT COUNT(*) AS n, (SELECT AVG(cost) FROM visits) AS mean FROM visits
    WHERE cost > (SELECT AVG(cost) FROM visits)"""
BY_AREA = """SELECT v.area, COUNT(*) AS n FROM visits v JOIN areas a ON a.area = v.area
    WHERE a.residents > 0 AND v.cost > (SELECT AVG(w.cost) FROM visits w WHERE w.area = a.area)
    GROUP BY v.area"""


def test_a_later_stage_is_drawn_once_and_replayed_whole(gateway: Gateway) -> None:
    before = float(gateway.budget()["spent"]["rho"])
    first = gateway.query(DEAR, budget_share="2%")
    assert first.status == 201, first.body
    spent = gateway.budget()["spent"]["rho"]
    assert float(spent) - before == pytest.approx(float(first.json["privacy_loss"]["rho"]))
    again = gateway.query(DEAR, budget_share="2%").json
    assert again["replayed"]
    assert again["rows"] == first.json["rows"]
    assert gateway.budget()["spent"]["rho"] == spent


def test_the_release_says_which_stage_reads_which(gateway: Gateway) -> None:
    found = gateway.query(DEAR.replace("cost >", "cost + 1 >"), budget_share="2%").json
    first, second = found["stages"]
    assert second["reads"] == [first["digest"]]
    assert first["reads"] == []
    assert second["about"] == "1 noisy number in one group, from visits"


def test_a_finer_draw_of_the_first_stage_takes_no_part(gateway: Gateway) -> None:
    sql = DEAR.replace("cost >", "cost + 2 >")
    first = gateway.query(sql, budget_share="1%").json
    gateway.query("SELECT AVG(cost) FROM visits", budget_share="5%")
    again = gateway.query(sql, budget_share="1%").json
    assert again["rows"] == first["rows"]
    assert again["replayed"]


def test_a_stored_first_stage_is_handed_to_a_new_second_one(gateway: Gateway) -> None:
    """Two questions that pay the same for the same mean share its draw."""
    one, other = (DEAR.replace("COUNT(*)", f"COUNT(*) + {n}") for n in (3, 4))
    other = other.replace("WHERE cost >", "WHERE cost + 3 >")
    first = gateway.query(one, budget_share="3%").json
    second = gateway.query(other, budget_share="3%").json
    assert second["rows"][0][1] == first["rows"][0][1]
    assert [stage["stored"] for stage in second["stages"]] == [True, False]


def test_a_fresh_draw_is_fresh_from_its_first_stage_on(gateway: Gateway) -> None:
    first = gateway.query(DEAR, budget_share="2%").json
    fresh = gateway.query(
        DEAR, budget_share="2%", options={"replay": False}, headers={"Idempotency-Key": "anew"}
    ).json
    assert fresh["rows"][0][1] != first["rows"][0][1]
    assert not any(stage["stored"] for stage in fresh["stages"])


def test_the_quote_prices_each_stage(gateway: Gateway) -> None:
    body = {"sql": BY_AREA, "budget_share": "1%"}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    first, second = quoted["stages"]
    assert (first["reads"], second["reads"]) == ([], [1])
    assert first["about"] == "2 noisy numbers in each of 5 groups, from visits"
    total = float(first["rho"]) + float(second["rho"])
    assert total == pytest.approx(float(quoted["privacy_loss"]["rho"]))
    assert gateway.query(BY_AREA).json["privacy_loss"] == quoted["privacy_loss"]


def test_released_rows_are_kept_and_their_keys_cost_nothing(gateway: Gateway) -> None:
    """Both engines at work: the list is made of the very rows that the first stage released."""
    sql = """WITH t AS (SELECT area, COUNT(*) AS n FROM visits GROUP BY area)
        SELECT t.area, t.n, COUNT(*) AS c, COUNT(v.cost) AS k FROM t
        LEFT JOIN visits v ON v.area = t.area AND v.cost > 50 GROUP BY t.area, t.n"""
    alone = gateway.query("SELECT area, COUNT(*) AS n FROM visits GROUP BY area").json
    found = gateway.query(sql, budget_share="2%").json
    assert [row[0] for row in found["rows"]] == [row[0] for row in alone["rows"]]
    assert all(row[2] >= 1 for row in found["rows"])
    assert found["held_back"] == "none"
    assert [column["role"] for column in found["columns"]] == ["key", "key", "derived", "measure"]
    assert all(lower is not None for lower in (row[3] for row in found["intervals"]["lower"]))
    assert gateway.query(sql, budget_share="2%").json["rows"] == found["rows"]

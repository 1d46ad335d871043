"""Quantiles over HTTP: what a quote says of ranks, what comes back, and what is free then."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.gateway.running import Gateway

SHARES = ", ".join(f"{n / 20}" for n in range(1, 20))
TREE = f"SELECT area, QUANTILE_DISC(cost, [{SHARES}]) AS q FROM visits GROUP BY area"


def column(answer: dict[str, Any], place: int) -> dict[str, Any]:
    found: dict[str, Any] = answer["columns"][place]
    return found


def test_a_median_says_how_far_its_rank_may_be_off(gateway: Gateway) -> None:
    sql = "SELECT MEDIAN(cost) AS m, MAX(cost) AS top, COUNT(*) AS n FROM visits"
    body = {"sql": sql, "budget_share": "2%"}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    answer = gateway.query(sql, budget_share="2%").json
    assert column(answer, 0)["mechanism"] == "exponential"
    for place in (0, 1):
        told = column(answer, place)["reason"]
        assert "rows of what was asked, at 95 %" in told
        assert told == quoted["expected_error"][place]["reason"]
        shown = answer["rows"][0][place]
        ends = (answer["intervals"][name][0][place] for name in ("lower", "upper"))
        assert 0 <= next(ends) <= shown <= next(ends) <= 100
    assert column(answer, 1)["reason"].startswith("MAX is answered as the ")
    assert answer["intervals"]["lower"][0][2] is not None
    assert answer["privacy_loss"] == quoted["privacy_loss"]
    assert [noise["name"] for noise in answer["stages"][0]["columns"]] == [
        "m0",
        "d0",
        "d0 ends",
    ]


def test_a_pure_project_selects_by_permute_and_flip(gateway: Gateway) -> None:
    sql = "SELECT MEDIAN(cost) AS m FROM visits"
    answer = gateway.query(sql, project="pure", key="purist").json
    assert column(answer, 0)["mechanism"] == "permute-and-flip"


def test_a_list_is_an_array_and_one_cell_of_csv(gateway: Gateway) -> None:
    answer = gateway.query(TREE, budget_share="2%").json
    assert column(answer, 1)["type"] == "list"
    assert all(len(row[1]) == 19 for row in answer["rows"])
    ends = (answer["intervals"][name] for name in ("lower", "upper"))
    for (_, low), (_, shown), (_, high) in zip(next(ends), answer["rows"], next(ends), strict=True):
        assert all(a <= b <= c for a, b, c in zip(low, shown, high, strict=True))
    accept = {"Accept": "text/csv"}
    body = {"sql": TREE, "budget_share": "2%"}
    table = gateway.ask("POST", "/v1/projects/p/queries", body, headers=accept).body
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert rows[0]["q"].startswith("[")


def test_a_histogram_is_a_map_with_an_interval_for_each_count(gateway: Gateway) -> None:
    sql = "SELECT HISTOGRAM(cost, [10, 50]) AS h, COUNT(cost) AS n FROM visits"
    body = {"sql": sql, "budget_share": "2%"}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    answer = gateway.query(sql, budget_share="2%").json
    assert column(answer, 0)["type"] == "map"
    shown, lower, upper = (
        part[0][0] for part in (answer["rows"], *map(answer["intervals"].get, ("lower", "upper")))
    )
    assert [key for key, _ in shown] == [10.0, 50.0, None]
    width = quoted["expected_error"][0]["margin"]
    assert width == quoted["expected_error"][1]["margin"], "the noise is that of one count"
    for (key, count), low, high in zip(shown, lower, upper, strict=True):
        assert (low, high) == ([key, count - width], [key, count + width])
    floored = gateway.query(sql, budget_share="2%", options={"non_negative": True}).json
    assert all(count >= 0 for _, count in floored["rows"][0][0])
    table = gateway.ask("POST", "/v1/projects/p/queries", body, headers={"Accept": "text/csv"}).body
    row = next(csv.DictReader(io.StringIO(table.decode())))
    assert row["h"].startswith("[[10.0, ")
    assert row["h_lower"].startswith("[[10.0, ")


def test_names_alone_are_selected_and_replayed(gateway: Gateway) -> None:
    names = "SELECT area FROM visits GROUP BY area ORDER BY COUNT(DISTINCT person_id) DESC LIMIT 1"
    answer = gateway.query(names, budget_share="1%").json
    assert len(answer["rows"]) == 1
    (noise,) = answer["stages"][0]["columns"]
    assert (noise["name"], noise["mechanism"]) == ("top", "exponential")
    again = gateway.query(names, budget_share="1%").json
    assert again["rows"] == answer["rows"]
    assert again["replayed"]
    assert [n["name"] for n in again["stages"][0]["columns"]] == ["top"]


def test_further_quantiles_of_a_tree_are_free(gateway: Gateway) -> None:
    gateway.query(TREE, budget_share="2%")
    spent = gateway.budget()["spent"]["rho"]
    shown = ", ".join(f"QUANTILE_CONT(cost, {n / 50})" for n in range(1, 40))
    again = gateway.query(f"SELECT area, {shown} FROM visits GROUP BY area", budget_share="1%").json
    assert again["replayed"]
    assert gateway.budget()["spent"]["rho"] == spent
    for row, low, high in zip(
        again["rows"], again["intervals"]["lower"], again["intervals"]["upper"], strict=True
    ):
        triples = zip(low[1:], row[1:], high[1:], strict=True)
        assert all(below <= value <= above for below, value, above in triples)

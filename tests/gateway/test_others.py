"""The row of what is held back, over HTTP: quoted, charged, stored, served again, and shown."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.gateway.running import Gateway
from tests.gateway.test_cli import client, sluis

FOUND = "SELECT note, COUNT(*) AS n, SUM(cost) / COUNT(*) AS mean FROM visits GROUP BY note"
LONE = "SELECT note, area, COUNT(*) AS n FROM visits WHERE cost > 21 GROUP BY note, area"
"""Fifty rows of as many persons, so few to a group that hardly one leaves."""
OTHER = {"other": True}


def asked(gateway: Gateway, sql: str = FOUND, **more: Any) -> dict[str, Any]:
    answer = gateway.query(sql, **{"budget_share": "1%", "options": OTHER, **more})
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.json
    return found


def test_what_is_held_back_is_one_noisy_row(gateway: Gateway) -> None:
    quoted = gateway.ask(
        "POST", "/v1/projects/p/quotes", {"sql": LONE, "budget_share": "1%", "options": OTHER}
    ).json
    release = asked(gateway, LONE)
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert release["held_back"] == "possible"
    assert release["rows"] == []
    *keys, count = release["other"]["values"]
    assert keys == [None, None]
    assert abs(count - 50) < 10 * quoted["other"][0]["margin"]
    low, high = (release["other"][end][2] for end in ("lower", "upper"))
    assert high - count == count - low
    (error,) = quoted["other"]
    assert (error["name"], error["mechanism"]) == ("n", "discrete-gaussian")
    (row,) = release["stages"][0]["other"]
    assert row["l1"] ** 2 == row["l2_squared"]


def test_the_same_row_serves_again(gateway: Gateway) -> None:
    first = asked(gateway)
    spent = gateway.budget()["spent"]["rho"]
    again = asked(gateway, FOUND + " ORDER BY n DESC LIMIT 1")
    assert again["replayed"]
    assert again["other"] == first["other"]
    assert gateway.budget()["spent"]["rho"] == spent


def test_a_stage_with_the_row_serves_who_does_not_ask_for_it(gateway: Gateway) -> None:
    """At a price that buys no more precision; the other way round the row has to be drawn."""
    sql = FOUND.replace("SELECT note", "SELECT note || '?' AS note").replace("BY note", "BY 1")
    first = asked(gateway, sql, budget_share="2%")
    plain = asked(gateway, sql, budget_share="0.5%", options={})
    assert plain["replayed"]
    assert plain["rows"] == first["rows"]
    assert plain["other"] is None
    assert plain["stages"][0]["other"] == []
    finer = asked(gateway, sql, budget_share="2%", options={})
    assert not finer["replayed"]
    assert not asked(gateway, sql, budget_share="3%")["replayed"]


def test_it_is_the_last_line_of_a_table(gateway: Gateway) -> None:
    body = {"sql": FOUND, "budget_share": "1%", "options": OTHER}
    text = gateway.ask(
        "POST", "/v1/projects/p/queries", body, headers={"Accept": "text/csv"}
    ).body.decode()
    *_, last = csv.reader(io.StringIO(text))
    release = asked(gateway)
    assert last[0] == "(other)"
    assert int(last[1]) == release["other"]["values"][1]
    lower = release["other"]["lower"][2]
    assert last[5] == "" if lower is None else float(last[5]) == lower
    told = sluis("query", "--project", "p", "--share", "1%", "--other", FOUND, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "(other)" in told.stdout
    told = sluis("quote", "--project", "p", "--share", "1%", "--other", FOUND, **client(gateway))
    assert "n (other): +-" in told.stdout


def test_public_keys_have_no_such_row(gateway: Gateway) -> None:
    answer = gateway.query(options=OTHER)
    assert (answer.status, answer.code) == (422, "no-other-row")

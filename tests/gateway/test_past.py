"""What was released is read again by SQL, free, by those of the same project and by nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.running import Gateway
from tests.gateway.test_cli import client, sluis

COUNTS = "SELECT area, COUNT(*) AS n, AVG(cost) AS m FROM visits WHERE cost < 6 GROUP BY area"


@pytest.fixture(scope="module")
def release(gateway: Gateway) -> dict[str, Any]:
    found: dict[str, Any] = gateway.query(COUNTS, budget_share="2%").json
    return found


def test_a_sum_over_a_release_is_free(gateway: Gateway, release: dict[str, Any]) -> None:
    spent = gateway.budget()["spent"]
    found = gateway.query("SELECT SUM(n) AS n FROM release", from_release=release["id"])
    assert found.status == 201, found.body
    assert found.json["rows"] == [[sum(row[1] for row in release["rows"])]]
    assert found.json["columns"][0]["role"] == "derived"
    assert found.json["columns"][0]["reason"] == "computed from a past release"
    assert found.json["privacy_loss"]["rho"] == "0"
    assert gateway.budget()["spent"] == spent


def test_rows_come_back_as_they_were_released(gateway: Gateway, release: dict[str, Any]) -> None:
    sql = f'SELECT * FROM release."{release["id"]}" ORDER BY area DESC'
    found = gateway.query(sql, budget_share="1%").json
    assert found["rows"] == sorted(release["rows"], reverse=True)
    assert [c["name"] for c in found["columns"]] == ["area", "n", "m"]
    assert found["privacy_loss"]["rho"] == "0"
    again = gateway.query("SELECT COUNT(*) AS k FROM release", from_release=found["id"]).json
    assert again["rows"] == [[len(release["rows"])]]


def test_a_quote_says_that_it_is_free(gateway: Gateway, release: dict[str, Any]) -> None:
    body = {"sql": "SELECT MAX(n) AS n FROM release", "from_release": release["id"]}
    found = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    assert found["privacy_loss"]["rho"] == "0"
    assert (
        found["plan"][-1]
        == f"Reads the rows of release {release['id']}, which are paid for already."
    )


def test_private_tables_beside_it_need_a_price(gateway: Gateway, release: dict[str, Any]) -> None:
    sql = "SELECT COUNT(*) AS n FROM visits WHERE area IN (SELECT area FROM release WHERE n > 0)"
    assert gateway.query(sql, from_release=release["id"]).code == "not-released"
    named = sql.replace("release", f'release."{release["id"]}"')
    assert gateway.query(named, budget_share="1%").json["privacy_loss"]["rho"] != "0"


def test_it_takes_no_price(gateway: Gateway, release: dict[str, Any]) -> None:
    both = gateway.query("SELECT 1 AS x", from_release=release["id"], rho="0.1")
    assert both.code == "invalid-request"


def test_another_projects_release_is_none(gateway: Gateway, release: dict[str, Any]) -> None:
    asked = {"from_release": release["id"], "sql": "SELECT * FROM release"}
    other = gateway.query(project="pure", key="purist", **asked)
    none = gateway.query(project="pure", key="purist", **{**asked, "from_release": "q_none"})
    assert (other.status, other.code) == (422, "unknown-release")
    assert {**other.json, "instance": 0} == {**none.json, "instance": 0}


def test_the_command_line_asks_of_it_too(gateway: Gateway, release: dict[str, Any]) -> None:
    words = ("query", "--project", "p", "--from-release", release["id"], "--json")
    found = sluis(*words, "SELECT MIN(n) AS n FROM release", **client(gateway))
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["rows"] == [[min(row[1] for row in release["rows"])]]

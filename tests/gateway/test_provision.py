"""Budgets planned ahead: what typical questions take, and what other allocations would give."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import COUNT, Answer, Gateway
from tests.gateway.test_cli import client, sluis

PATH = "/v1/datasets/visits/budget-plans"
SUM = "SELECT SUM(cost) AS s FROM visits"


def planned(gateway: Gateway, *asks: dict[str, Any], key: str = "root", **more: object) -> Answer:
    return gateway.ask("POST", PATH, {"questions": list(asks), **more}, key)


def test_what_is_planned_is_what_a_project_pays(own: Gateway) -> None:
    """Allocated as told, the questions fit, and are as exact as was asked."""
    asks = [{"sql": COUNT, "max_error": 30}, {"sql": SUM, "max_error": 2000, "title": "costs"}]
    found = planned(own, *asks, delta="1e-7").json
    enough = next(one for one in found["allocations"] if one["errors"] == 1)
    own.ask("POST", "/v1/projects", {"name": "planned", "dataset": "visits"}, "root")
    given = {"epsilon": enough["epsilon"], "delta": "1e-7", "reason": "as planned"}
    assert own.ask("POST", "/v1/projects/planned/allocations", given, "root").status == 201
    person = {"member": "planner", "role": "analyst"}
    own.ask("POST", "/v1/projects/planned/members", person, "root")
    made = own.ask("POST", "/v1/keys", {**person, "project": "planned"}, "root").json["key"]
    for ask, told in zip(asks, found["questions"], strict=True):
        body = {name: ask[name] for name in ("sql", "max_error")}
        quoted = own.ask("POST", "/v1/projects/planned/quotes", body, made).json
        assert quoted["expected_error"] == told["expected_error"]
        assert own.query(project="planned", key=made, **body).status == 201
    left = own.budget("planned", made)["remaining"]
    assert Fraction(left["budget_share"][:-1]) < 1


def test_questions_that_are_asked_often_count_as_often(gateway: Gateway) -> None:
    once, often = (
        planned(gateway, {"sql": SUM, "max_error": 500, "times": n}).json for n in (1, 9)
    )
    assert once["questions"][0]["epsilon"] == often["questions"][0]["epsilon"]
    first, ninth = (float(one["allocations"][2]["ceiling_share"][:-1]) for one in (once, often))
    assert ninth == pytest.approx(9 * first, rel=0.05)


def test_more_budget_is_less_error(gateway: Gateway) -> None:
    for delta, errors in (("1e-7", [2, 2**0.5, 1, 0.5**0.5, 0.5]), ("0", [4, 2, 1, 0.5, 0.25])):
        found = planned(gateway, {"sql": SUM, "max_error": 500}, delta=delta).json
        told = [one["errors"] for one in found["allocations"]]
        assert told == pytest.approx(errors)
        epsilons = [float(one["epsilon"]) for one in found["allocations"]]
        assert epsilons == sorted(epsilons)


def test_it_is_for_administrators_and_says_what_it_cannot_plan(gateway: Gateway) -> None:
    ask = {"sql": SUM, "max_error": 500}
    for key in ("analyst", "lead", "auditor"):
        assert planned(gateway, ask, key=key).code == "not-permitted"
    assert planned(gateway, {**ask, "epsilon": "1"}).code == "invalid-request"
    assert planned(gateway, {"sql": "SELECT * FROM visits", "rho": "0.1"}).code == "names-persons"
    assert (
        gateway.ask("POST", PATH.replace("visits", "no"), {"questions": [ask]}, "root").status
        == 404
    )


def test_the_command_line_plans_a_file(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "asks.yaml"
    file.write_text(f"- title: costs\n  sql: {SUM}\n  max_error: 500\n  times: 3\n")
    words = ("budget", "plan", str(file), "--dataset", "visits", "--delta", "1e-7")
    shown = sluis(*words, **client(gateway, "root"))
    assert shown.returncode == 0, shown.stderr
    assert "costs" in shown.stdout
    told = json.loads(sluis(*words, "--json", **client(gateway, "root")).stdout)
    assert told["questions"][0]["times"] == 3
    file.write_text("costs: 3")
    assert sluis(*words, **client(gateway, "root")).returncode == 2

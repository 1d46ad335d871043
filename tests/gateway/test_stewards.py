"""Acts on budgets over HTTP and on the command line: who may, what is shown, what stands after."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateway.running import COUNT, Gateway, make_home, running
from tests.gateway.test_cli import sluis

REASON = {"reason": "agreed on Monday"}

ACTS = {
    "/v1/projects/p/transfers": {"to": "other", "epsilon": "1"},
    "/v1/projects/p/limits": {"member": "analyst", "epsilon": "1"},
    "/v1/projects/p/freeze": {},
    "/v1/datasets/visits/ceiling": {"epsilon": "901"},
    "/v1/datasets/visits/overcommitment": {"per_cent": 120},
    "/v1/datasets/visits/freeze": {},
    "/v1/datasets/visits/thaw": {},
}


@pytest.mark.parametrize("path", ACTS)
def test_acts_on_budgets_are_the_administrators_and_have_a_reason(
    gateway: Gateway, path: str
) -> None:
    for key in ("analyst", "lead", "reviewer", "auditor"):
        assert gateway.ask("POST", path, ACTS[path] | REASON, key).status == 403
    assert gateway.ask("POST", path, ACTS[path] | REASON, "outsider").status in (403, 404)
    assert gateway.ask("POST", path, ACTS[path], "root").code == "invalid-request"
    assert gateway.ask("POST", path, ACTS[path] | {"reason": ""}, "root").status == 422


@pytest.mark.parametrize("reason", [{}, {"reason": ""}, {"reason": " \n\t"}, {"reason": None}])
def test_no_act_on_a_budget_goes_without_a_reason(
    gateway: Gateway, reason: dict[str, str | None]
) -> None:
    before = gateway.budget()
    presets = {"rough": "1%", "normal": "2%", "precise": "3%"}
    for path, body in ACTS.items():
        assert gateway.ask("POST", path, body | reason, "root").code == "invalid-request", path
    given = {"epsilon": "1"} | reason
    path = "/v1/projects/p/allocations"
    assert gateway.ask("POST", path, given, "root").code == "invalid-request"
    path = "/v1/projects/p/presets"
    assert gateway.ask("PUT", path, presets | reason, "root").code == "invalid-request"
    assert gateway.budget() == before


def test_a_ceiling_is_shown_to_those_who_look_after_the_house(gateway: Gateway) -> None:
    path = "/v1/datasets/visits/ceiling"
    for key in ("analyst", "lead", "reviewer", "outsider"):
        assert gateway.ask("GET", path, key=key).code == "not-permitted"
    for key in ("root", "auditor"):
        found = gateway.ask("GET", path, key=key).json
        assert found["ceiling"] == {"epsilon": "900", "delta": "0.0001"}
        assert {one["project"]: one["epsilon"] for one in found["projects"]} == guaranteed(gateway)
    assert guaranteed(gateway).items() >= {"p": "40", "other": "1", "pure": "5"}.items()
    assert gateway.ask("GET", "/v1/datasets/nothing/ceiling", key="root").status == 404


def guaranteed(gateway: Gateway) -> dict[str, str]:
    """The epsilon of each project on the dataset that has a budget."""
    projects = gateway.ask("GET", "/v1/projects", key="root").json["projects"]
    on = [one["name"] for one in projects if one["dataset"] == "visits"]
    asked = {name: gateway.budget(name, "root") for name in on}
    return {
        name: budget["guarantee"]["epsilon"]
        for name, budget in asked.items()
        if budget.get("code") != "nothing-allocated"
    }


def test_a_transfer_moves_a_budget(own: Gateway) -> None:
    body = {"to": "other", "epsilon": "10"} | REASON
    found = own.ask("POST", "/v1/projects/p/transfers", body, "root")
    assert (found.status, found.json["guarantee"]["epsilon"]) == (201, "30")
    assert own.budget("other", "outsider")["guarantee"]["epsilon"] == "11"
    refused = own.ask("POST", "/v1/projects/p/transfers", body | {"epsilon": "30"}, "root")
    assert (refused.status, refused.code) == (409, "not-free")
    assert refused.json["remaining"]
    for name in ("analyst\n", "Analyst", "", "nobody", "outsider"):
        limit = {"member": name, "epsilon": "1"} | REASON
        refused = own.ask("POST", "/v1/projects/p/limits", limit, "root")
        assert refused.code == "invalid-request"
    unknown = own.ask("POST", "/v1/projects/p/transfers", body | {"to": "nowhere"}, "root")
    assert unknown.status == 404


def test_a_member_with_a_limit_stops_at_it(own: Gateway) -> None:
    assert own.query("SELECT SUM(cost) AS s FROM visits", epsilon="0.3").status == 201
    body = {"member": "analyst", "epsilon": "0.5"} | REASON
    found = own.ask("POST", "/v1/projects/p/limits", body, "root").json
    assert found == {"limits": [{"member": "analyst", "epsilon": "0.5", "left": "100%"}]}, (
        "from then on"
    )
    assert own.query(epsilon="0.5").status == 201
    refused = own.query("SELECT COUNT(*) FROM visits", epsilon="0.4")
    assert (refused.status, refused.code) == (403, "budget-exceeded")
    assert own.query("SELECT COUNT(*) FROM visits", epsilon="0.4", key="lead").status == 201
    assert own.ask("GET", "/v1/projects/p/limits", key="lead").json["limits"][0]["left"] == "0%"


def test_a_freeze_shuts_out_members_at_once(own: Gateway) -> None:
    """Keys of the project open nothing of it, whatever they ask; the house looks on."""
    assert own.query().status == 201
    assert own.ask("POST", "/v1/projects/p/freeze", REASON, "root").json["frozen"] is True
    for method, path in (
        ("GET", "budget"),
        ("GET", "queries"),
        ("GET", "allocations"),
        ("GET", ""),
        ("GET", "members"),
    ):
        address = f"/v1/projects/p/{path}".rstrip("/")
        for key in ("analyst", "lead", "reviewer"):
            found = own.ask(method, address, key=key)
            assert found.code in ("project-frozen", "not-permitted"), (path, key)
        assert own.ask(method, address, key="root").status == 200
        assert own.ask(method, address, key="outsider").code == "not-found"
    assert own.query().code == "project-frozen"
    assert own.ask("GET", "/v1/datasets", key="analyst").json["datasets"] == []
    own.ask("POST", "/v1/projects/p/thaw", REASON, "root")
    assert own.query().json["replayed"] is True


def test_a_frozen_dataset_stops_every_project_on_it(own: Gateway) -> None:
    assert own.ask("POST", "/v1/datasets/visits/freeze", REASON, "root").json["frozen"] is True
    for project, key in (("p", "analyst"), ("other", "outsider"), ("pure", "purist")):
        refused = own.query(project=project, key=key)
        assert (refused.status, refused.code) == (403, "dataset-frozen")
    assert own.ask("GET", "/v1/projects/p", key="root").json["frozen"] is True
    own.ask("POST", "/v1/datasets/visits/thaw", REASON, "root")
    assert own.query().status == 201


@pytest.mark.slow
def test_what_runs_when_a_freeze_comes_is_charged_stored_and_not_sent(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, "{slot: 2s, growth: 2}")) as gateway:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(gateway.query, COUNT)
            while float(gateway.budget()["reserved"]["rho"]) == 0:
                time.sleep(0.05)
            gateway.ask("POST", "/v1/projects/p/freeze", REASON, "root")
            answer = asked.result()
        assert (answer.status, answer.code) == (403, "project-frozen")
        assert b"rows" not in answer.body
        budget = gateway.budget(key="root")
        assert float(budget["spent"]["rho"]) > 0 == float(budget["reserved"]["rho"])
        gateway.ask("POST", "/v1/projects/p/thaw", REASON, "root")
        again = gateway.query(COUNT)
        assert (again.status, again.json["replayed"]) == (201, True)
        assert gateway.budget()["spent"]["rho"] == budget["spent"]["rho"]


@pytest.mark.slow
def test_who_lost_its_key_or_its_role_while_it_ran_is_sent_nothing(tmp_path: Path) -> None:
    """It is charged and stored, and free for whoever in the project may ask."""
    home = tmp_path / "home"
    with running(home, make_home(home, "{slot: 2s, growth: 2}")) as gateway:
        (mine,) = gateway.ask("GET", "/v1/keys").json["keys"]
        ends = {
            "analyst": f"/v1/keys/{mine['id']}",
            "lead": "/v1/projects/p/members/lead/lead",
            "reader": "/v1/members/reader",
        }
        person = {"member": "reader", "role": "analyst"}
        gateway.ask("POST", "/v1/projects/p/members", person, "root")
        made = gateway.ask("POST", "/v1/keys", {**person, "project": "p"}, "root")
        gateway.keys["reader"] = made.json["key"]
        gateway.ask("POST", "/v1/projects/p/members", {**person, "member": "heir"}, "root")
        made = gateway.ask("POST", "/v1/keys", {**person, "member": "heir", "project": "p"}, "root")
        gateway.keys["heir"] = made.json["key"]
        for number, (key, ending) in enumerate(ends.items()):
            sql = f"SELECT COUNT(*) AS n FROM visits WHERE cost > {number}"
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(gateway.query, sql, key=key)
                while float(gateway.budget(key="heir")["reserved"]["rho"]) == 0:
                    time.sleep(0.05)
                assert gateway.ask("DELETE", ending, key="root").status == 204
                answer = asked.result()
            assert (answer.status, answer.code) == (401, "not-authenticated"), key
            assert b"rows" not in answer.body
            kept = gateway.query(sql, key="heir").json
            assert kept["replayed"] is True
            assert kept["privacy_loss"]["rho"] == "0"


@pytest.mark.slow
def test_who_lost_its_key_while_it_waited_is_charged_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, "{slot: 4s, growth: 2}"), workers=1) as gateway:
        (mine,) = gateway.ask("GET", "/v1/keys").json["keys"]

        def states() -> set[tuple[str, str]]:
            found = gateway.ask("GET", "/v1/projects/p/queries", key="lead").json["queries"]
            return {(one["member"], one["state"]) for one in found}

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(gateway.query, COUNT, key="lead")
            while ("lead", "running") not in states():
                time.sleep(0.05)
            second = pool.submit(gateway.query, "SELECT COUNT(*) AS n FROM visits")
            while ("analyst", "queued") not in states():
                time.sleep(0.05)
            assert gateway.ask("DELETE", f"/v1/keys/{mine['id']}", key="root").status == 204
            assert first.result().status == 201
            assert (second.result().status, second.result().code) == (401, "not-authenticated")
        assert states() == {("lead", "released"), ("analyst", "refused")}
        paid = first.result().json["privacy_loss"]["rho"]
        assert gateway.budget(key="lead")["spent"]["rho"] == paid


@pytest.mark.slow
def test_a_ceiling_on_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    make_home(home)
    here = {"SLUIS_HOME": str(home)}
    raised = sluis("dataset", "raise", "visits", "--epsilon", "1000", "--reason", "why", **here)
    assert raised.returncode == 0, raised.stderr
    assert "epsilon 1000 at delta 0.0001" in raised.stdout
    found = json.loads(sluis("dataset", "show", "visits", "--json", **here).stdout)
    assert found["ceiling"]["epsilon"] == "1000"
    told = sluis("project", "transfer", "p", "other", "--epsilon", "5", "--reason", "w", **here)
    assert "Project p may spend epsilon 35" in told.stdout
    assert "Project other may spend epsilon 6" in told.stdout
    lower = sluis("dataset", "raise", "visits", "--epsilon", "9", "--reason", "why", **here)
    assert lower.returncode == 1
    sluis("project", "limit", "p", "lead", "--epsilon", "2", "--reason", "w", **here)
    assert "lead" in sluis("project", "limit", "p", **here).stdout
    assert sluis("ledger", "verify", **here).returncode == 0


@pytest.mark.slow
def test_a_failed_run_is_asked_again_under_its_charge(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home), workers=1) as gateway:
        (delivery,) = (home / "deliveries").glob("*/private.duckdb")
        delivery.rename(delivery.with_suffix(".away"))
        key = {"Idempotency-Key": "mine"}
        assert gateway.query(headers=key).code == "fault"
        delivery.with_suffix(".away").rename(delivery)
        assert gateway.query(headers=key).code == "fault"
        (failed,) = gateway.ask("GET", "/v1/projects/p/queries").json["queries"]
        seen = gateway.ask("GET", f"/v1/projects/p/queries/{failed['id']}")
        assert seen.headers["Cache-Control"] == "no-store", "it may still be released"
        path = f"/v1/projects/p/queries/{failed['id']}/redemption"
        assert gateway.ask("POST", path, REASON, "lead").status == 403
        assert gateway.ask("POST", path, REASON, "root").status == 201
        assert gateway.ask("POST", path, REASON, "root").code == "not-redeemable"
        quote = {"sql": COUNT, "budget_share": "1%"}
        told = gateway.ask("POST", "/v1/projects/p/quotes", quote).json
        assert told["privacy_loss"]["rho"] == "0"
        spent = gateway.budget()["spent"]["rho"]
        answer = gateway.query(headers=key)
        assert (answer.status, answer.json["id"]) == (201, failed["id"])
        assert answer.json["privacy_loss"] == failed["privacy_loss"]
        assert gateway.budget()["spent"]["rho"] == spent
        assert gateway.query().json["replayed"] is True
        export = gateway.ask("GET", "/v1/audit/export", key="auditor").body
    assert sluis("ledger", "verify", SLUIS_HOME=str(home)).returncode == 0
    (tmp_path / "release").write_bytes(answer.body)
    (tmp_path / "export").write_bytes(export)
    manifest = str(tmp_path / "home-sources-visits" / "visits.yaml")
    public = sluis("audit", "key", "--home", str(home)).stdout.strip()
    words = ("--manifest", manifest, "--public-key", public, "--audit", str(tmp_path / "export"))
    proved = sluis("receipt", "verify", str(tmp_path / "release"), *words)
    assert proved.stdout == "yes\n", proved.stdout + proved.stderr

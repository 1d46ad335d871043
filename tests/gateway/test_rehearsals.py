"""Rehearsals over HTTP: the shape of an answer over synthetic rows, for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.http.schemas import PRICES
from tests.gateway.running import AREAS, Answer, Gateway
from tests.gateway.test_cli import client, sluis

COUNT = "SELECT area, COUNT(*) AS n, AVG(cost) AS m FROM visits GROUP BY area ORDER BY area"


def rehearse(gateway: Gateway, sql: str, key: str = "analyst", **more: Any) -> Answer:
    project = {"analyst": "p", "newcomer": "empty", "purist": "pure"}.get(key, "p")
    price = {} if more.keys() & set(PRICES) else {"budget_share": "1%"}
    body = {"sql": sql, **price, **more}
    return gateway.ask("POST", f"/v1/projects/{project}/rehearsals", body, key)


@pytest.mark.parametrize(
    "sql",
    [COUNT, "SELECT note, COUNT(*) AS n FROM visits GROUP BY note",
     "SELECT MEDIAN(cost) AS m FROM visits",
     "SELECT area, COUNT(*) AS n FROM visits GROUP BY ROLLUP (area)",
     "SELECT COUNT(*) AS n FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)",
     "SELECT area, residents FROM areas ORDER BY area"],
)  # fmt: skip
def test_it_has_the_shape_of_the_answer_and_costs_nothing(gateway: Gateway, sql: str) -> None:
    before = gateway.budget()["spent"]
    asked = {"options": {"bounds": {"rows_per_group": 3}}} if "visits" in sql else {}
    found = rehearse(gateway, sql, **asked)
    assert found.status == 200, found.body
    assert gateway.budget()["spent"] == before
    listed = gateway.ask("GET", "/v1/projects/p/queries").json["queries"]
    assert all(one["id"] != found.json["id"] for one in listed)
    release = gateway.query(sql, budget_share="1%", **asked).json
    assert found.json["synthetic"] is True
    assert found.json.keys() - {"synthetic"} == release.keys() - {"budget", "receipt"}
    for name in ("columns", "plan", "held_back", "dataset", "delivery"):
        assert found.json[name] == release[name]
    assert found.json["intervals"]["confidence"] == release["intervals"]["confidence"]
    assert [s["digest"] for s in found.json["stages"]] == [s["digest"] for s in release["stages"]]


def test_its_rows_are_synthetic(gateway: Gateway) -> None:
    """Areas as the public table lists them; counts that follow from the manifest's sizes."""
    found = rehearse(gateway, COUNT, rho="0.5").json
    assert [row[0] for row in found["rows"]] == list(AREAS)
    assert 600 < sum(row[1] for row in found["rows"]) < 2000, "the real table has 500 rows"


def test_no_private_file_lies_where_its_worker_reads(gateway: Gateway) -> None:
    """Only what was copied: a manifest, public tables, and what was made of them."""
    assert rehearse(gateway, COUNT).status == 200
    (made,) = (gateway.home / "rehearsals").iterdir()
    real = gateway.home / "deliveries" / made.name
    assert {path.name for path in made.iterdir()} == {
        "manifest.yaml", "public.duckdb", "private.duckdb"
    }  # fmt: skip
    assert (made / "private.duckdb").read_bytes() != (real / "private.duckdb").read_bytes()
    there = list(Path(gateway.home / "rehearsals").rglob("*"))
    assert not any(path.is_symlink() for path in there)
    assert not any(path.stat().st_mode & 0o077 for path in there)


def test_a_project_without_a_budget_may_rehearse(gateway: Gateway) -> None:
    assert rehearse(gateway, COUNT, "newcomer", epsilon=1).status == 200
    assert gateway.query(COUNT, "empty", key="newcomer", epsilon=1).code == "nothing-allocated"


def test_a_pure_project_rehearses_with_its_own_noise(gateway: Gateway) -> None:
    found = rehearse(gateway, COUNT, "purist", epsilon="0.5").json
    assert {column["mechanism"] for column in found["columns"]} == {None, "discrete-laplace"}
    assert found["privacy_loss"]["epsilon"] == "0.5"


def test_the_same_is_refused_as_by_a_query(gateway: Gateway) -> None:
    for sql in ("SELECT person_id FROM visits", "SELECT COUNT(*) FROM nowhere", "SELECT"):
        assert rehearse(gateway, sql).code == gateway.query(sql).code
    assert rehearse(gateway, COUNT, "reviewer").code == "not-permitted"
    assert rehearse(gateway, COUNT, max_error={"n": 5}).code == "max-error-not-offered"
    assert rehearse(gateway, COUNT, "outsider").status == 404


def test_the_command_line_rehearses(gateway: Gateway) -> None:
    told = sluis("rehearse", "--project", "p", "--share", "1%", COUNT, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "synthetic" in told.stdout
    assert "north" in told.stdout

"""A day in the life of a gateway, over HTTP: everything that was charged adds up in the evening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import AREAS, Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis

pytestmark = pytest.mark.slow

PROJECT = "/v1/projects/tides"
COUNTS = "SELECT area, COUNT(*) AS n, AVG(cost) AS mean FROM visits GROUP BY area"
TOTAL = "SELECT SUM(n) AS n FROM release"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose administrator and auditor have keys, and whose dataset is registered."""
    home = tmp_path / "home"
    with running(home, make_home(home)) as gateway:
        yield gateway


def done(answer: Answer, status: int = 201) -> Any:
    assert answer.status == status, answer.body
    return answer.json


def morning(office: Gateway) -> None:
    """The administrator makes a project, gives it a budget, and lets two people in."""
    done(office.ask("POST", "/v1/projects", {"name": "tides", "dataset": "visits"}, "root"))
    given = {"epsilon": 3, "delta": "1e-7", "reason": "as the contract says"}
    done(office.ask("POST", f"{PROJECT}/allocations", given, "root"))
    for member, role in (("partner", "analyst"), ("principal", "lead")):
        person = {"member": member, "role": role}
        done(office.ask("POST", f"{PROJECT}/members", person, "root"))
        body = {**person, "project": "tides"}
        office.keys[member] = done(office.ask("POST", "/v1/keys", body, "root"))["key"]


def noon(office: Gateway) -> list[dict[str, Any]]:
    """The partner quotes, asks, asks again for nothing, adds up, and overspends in vain."""
    body = {"sql": COUNTS, "epsilon": "0.5"}
    quote = done(office.ask("POST", f"{PROJECT}/quotes", body, "partner"), 200)
    assert spent(office) == 0
    first = done(office.ask("POST", f"{PROJECT}/queries", body, "partner"))
    assert first["privacy_loss"] == quote["privacy_loss"]
    again = done(office.ask("POST", f"{PROJECT}/queries", body, "partner"))
    assert again["rows"] == first["rows"]
    assert again["privacy_loss"]["rho"] == "0"
    free = {"sql": TOTAL, "from_release": first["id"]}
    total = done(office.ask("POST", f"{PROJECT}/queries", free, "partner"))
    assert total["rows"] == [[sum(row[1] for row in first["rows"])]]
    much = {"sql": "SELECT SUM(cost) AS s FROM visits", "epsilon": 3}
    refused = office.ask("POST", f"{PROJECT}/queries", much, "partner")
    assert (refused.status, refused.code) == (403, "budget-exceeded")
    return [first, again, total]


def afternoon(office: Gateway) -> dict[str, Any]:
    """The lead buys accuracy: an error, at the least loss that reaches it."""
    body = {"sql": "SELECT COUNT(DISTINCT person_id) AS people FROM visits", "max_error": 20}
    found: dict[str, Any] = done(office.ask("POST", f"{PROJECT}/queries", body, "principal"))
    (low,), (high,) = found["intervals"]["lower"], found["intervals"]["upper"]
    assert high[0] - low[0] <= 40
    assert [row[0] for row in found["rows"]] == [pytest.approx(200, abs=80)]
    return found


def spent(office: Gateway) -> Fraction:
    return Fraction(office.budget("tides", "root")["spent"]["rho"])


def test_a_day(office: Gateway, tmp_path: Path) -> None:
    morning(office)
    releases = [*noon(office), afternoon(office)]
    assert [row[0] for row in releases[0]["rows"]] == list(AREAS)
    assert spent(office) == sum(Fraction(one["privacy_loss"]["rho"]) for one in releases)
    audited(office, tmp_path)


def audited(office: Gateway, folder: Path) -> None:
    """The auditor takes the record away, and verifies it with nothing but a public key."""
    export = office.ask("GET", "/v1/audit/export", key="auditor")
    (folder / "export.jsonl").write_bytes(export.body)
    public = sluis("audit", "key", "--home", str(office.home)).stdout.strip()
    words = ("audit", "verify", str(folder / "export.jsonl"), "--public-key", public, "--json")
    verified = sluis(*words)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)
    lines = export.body.splitlines()
    charged = [line for line in lines if b'"tides"' in line and b'"reserve"' in line]
    assert charged, "charges stand in the record"
    (folder / "export.jsonl").write_bytes(b"\n".join(x for x in lines if x != charged[0]))
    assert sluis(*words).returncode != 0

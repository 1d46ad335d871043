"""A day in the life of a gateway, over HTTP: everything that was charged adds up in the evening,
and does so still when the night took the machine, and the gateway was restored from its backup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.running import AREAS, Answer, Gateway, make_sources, running
from tests.gateway.test_cli import sluis
from tests.postgres import running_server

pytestmark = pytest.mark.slow

PROJECT = "/v1/projects/tides"
COUNTS = "SELECT area, COUNT(*) AS n, AVG(cost) AS mean FROM visits GROUP BY area"
ASKED = {"sql": COUNTS, "epsilon": "0.5"}
TOTAL = "SELECT SUM(n) AS n FROM release"
TOTALS = "SELECT SUM(cost) AS costs FROM visits"


@dataclass
class Office:
    """A gateway on an embedded ledger or a server's, and what its operators have at hand."""

    gateway: Gateway
    at: dict[str, str]
    folder: Path
    fresh: Callable[[], dict[str, str]]

    def home(self, name: str) -> dict[str, str]:
        """The variables of a new home, on a new database."""
        return {"SLUIS_HOME": str(self.folder / name)} | self.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """A gateway on a home that has nothing but a dataset, registered on the terminal."""
    with ExitStack() as stack:
        fresh: Callable[[], dict[str, str]] = dict
        if request.param == "postgresql":
            server = stack.enter_context(running_server())

            def fresh() -> dict[str, str]:
                return {"SLUIS_DATABASE": server.create()}

        manifest = make_sources(tmp_path / "sources")
        at = {"SLUIS_HOME": str(tmp_path / "home")} | fresh()
        told("ledger", "migrate", **at)
        told("dataset", "register", str(manifest), **at)
        gateway = stack.enter_context(running(Path(at["SLUIS_HOME"]), {}, **database(at)))
        yield Office(gateway, at, tmp_path, fresh)


def database(at: Mapping[str, str]) -> dict[str, str]:
    return {"database": at.get("SLUIS_DATABASE", "")}


def told(*words: str, **at: str) -> str:
    """What a command says that succeeds."""
    done = sluis(*words, **at)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def done(answer: Answer, status: int = 201) -> Any:
    assert answer.status == status, answer.body
    return answer.json


def morning(office: Office) -> None:
    """The first administrator enters, makes a project, gives it a budget, and lets people in."""
    gateway = office.gateway
    secret = told("bootstrap", **office.at).strip()
    first = gateway.ask("POST", "/v1/bootstrap", {"secret": secret, "member": "root"}, None)
    gateway.keys["root"] = done(first)["key"]
    done(gateway.ask("POST", "/v1/projects", {"name": "tides", "dataset": "visits"}, "root"))
    given = {"epsilon": 3, "delta": "1e-7", "reason": "as the contract says"}
    done(gateway.ask("POST", f"{PROJECT}/allocations", given, "root"))
    for member, role in (("partner", "analyst"), ("principal", "lead")):
        person = {"member": member, "role": role}
        done(gateway.ask("POST", f"{PROJECT}/members", person, "root"))
        body = {**person, "project": "tides"}
        gateway.keys[member] = done(gateway.ask("POST", "/v1/keys", body, "root"))["key"]
    person = {"member": "auditor", "role": "auditor"}
    done(gateway.ask("POST", "/v1/members", person, "root"))
    gateway.keys["auditor"] = done(gateway.ask("POST", "/v1/keys", person, "root"))["key"]


def noon(gateway: Gateway) -> list[dict[str, Any]]:
    """The partner quotes, asks, asks again for nothing, adds up, and overspends in vain."""
    quote = done(gateway.ask("POST", f"{PROJECT}/quotes", ASKED, "partner"), 200)
    assert spent(gateway) == 0
    first = done(gateway.ask("POST", f"{PROJECT}/queries", ASKED, "partner"))
    assert first["privacy_loss"] == quote["privacy_loss"]
    again = done(gateway.ask("POST", f"{PROJECT}/queries", ASKED, "partner"))
    assert again["rows"] == first["rows"]
    assert again["privacy_loss"]["rho"] == "0"
    free = {"sql": TOTAL, "from_release": first["id"]}
    total = done(gateway.ask("POST", f"{PROJECT}/queries", free, "partner"))
    assert total["rows"] == [[sum(row[1] for row in first["rows"])]]
    much = {"sql": "SELECT SUM(cost) AS s FROM visits", "epsilon": 3}
    refused = gateway.ask("POST", f"{PROJECT}/queries", much, "partner")
    assert (refused.status, refused.code) == (403, "budget-exceeded")
    return [first, again, total]


def afternoon(gateway: Gateway) -> dict[str, Any]:
    """The lead buys accuracy: an error, at the least loss that reaches it."""
    body = {"sql": "SELECT COUNT(DISTINCT person_id) AS people FROM visits", "max_error": 20}
    found: dict[str, Any] = done(gateway.ask("POST", f"{PROJECT}/queries", body, "principal"))
    (low,), (high,) = found["intervals"]["lower"], found["intervals"]["upper"]
    assert high[0] - low[0] <= 40
    assert [row[0] for row in found["rows"]] == [pytest.approx(200, abs=80)]
    return found


def spent(gateway: Gateway) -> Fraction:
    return Fraction(gateway.budget("tides", "root")["spent"]["rho"])


def night(office: Office, last: Path, noon: Path, kept: Path) -> dict[str, str]:
    """The machine is gone; of two backups on a new one the one that forgets charges is refused."""
    office.gateway.process.kill()
    office.gateway.process.wait(30)
    at = office.home("new")
    words = ("restore", "--checkpoint", str(kept), "--json")
    forgets = sluis(*words, str(noon), **at)
    assert json.loads(forgets.stdout)["code"] == "backup-forgets"
    told(*words, str(last), **at)
    return at


def test_a_day(office: Office, tmp_path: Path) -> None:
    gateway, at, kept = office.gateway, office.at, tmp_path / "checkpoint"
    morning(office)
    releases = noon(gateway)
    told("backup", str(tmp_path / "noon"), "--with-keys", **at)
    releases.append(afternoon(gateway))
    assert [row[0] for row in releases[0]["rows"]] == list(AREAS)
    charged = sum(Fraction(one["privacy_loss"]["rho"]) for one in releases)
    assert spent(gateway) == charged
    kept.write_bytes(gateway.ask("GET", "/v1/audit/checkpoint", key="auditor").body)
    public = told("audit", "key", **at).strip()
    audited(gateway, tmp_path, public, kept)
    told("backup", str(tmp_path / "evening"), "--with-keys", **at)
    new = night(office, tmp_path / "evening", tmp_path / "noon", kept)
    with running(Path(new["SLUIS_HOME"]), gateway.keys, **database(new)) as again:
        assert spent(again) == charged
        same = done(again.ask("POST", f"{PROJECT}/queries", ASKED, "partner"))
        assert (same["rows"], same["privacy_loss"]["rho"]) == (releases[0]["rows"], "0")
        more = done(again.ask("POST", f"{PROJECT}/queries", ASKED | {"sql": TOTALS}, "partner"))
        assert spent(again) == charged + Fraction(more["privacy_loss"]["rho"]) > charged
        audited(again, tmp_path, public, kept)
        told("ledger", "verify", **new)


def audited(gateway: Gateway, folder: Path, public: str, kept: Path) -> None:
    """The auditor takes the record away, and verifies it with nothing but a public key."""
    export = gateway.ask("GET", "/v1/audit/export", key="auditor")
    (folder / "export.jsonl").write_bytes(export.body)
    words = ("audit", "verify", str(folder / "export.jsonl"), "--public-key", public, "--json")
    verified = sluis(*words, "--checkpoint", str(kept))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    lines = export.body.splitlines()
    charged = [line for line in lines if b'"tides"' in line and b'"reserve"' in line]
    assert charged, "charges stand in the record"
    (folder / "export.jsonl").write_bytes(b"\n".join(x for x in lines if x != charged[0]))
    assert sluis(*words).returncode != 0

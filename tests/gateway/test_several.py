"""Two gateways on one PostgreSQL, from the move of a home's ledger to a server that stops."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.diagnosis import diagnose
from gateway.settings import load
from tests.budgets import invariants
from tests.gateway.running import Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis
from tests.postgres import Server, running_server

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Pair:
    """Two gateways with homes of their own, one database, and the same deliveries."""

    one: Gateway
    two: Gateway
    address: str
    server: Server


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A home whose ledger was moved to a server, and a second home that shares its deliveries."""
    first = tmp_path_factory.mktemp("several") / "one"
    second = first.with_name("two")
    keys = make_home(first)
    second.mkdir(mode=0o700)
    for shared in ("deliveries", "keys"):
        (second / shared).symlink_to(first / shared)
    with running_server() as server:
        address = server.create()
        told = sluis("ledger", "move", "--to", address, "--home", str(first), "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["tables"]["api_key"]["rows"] == len(keys)
        with (
            running(first, keys, database=address) as one,
            running(second, keys, database=address) as two,
        ):
            yield Pair(one, two, address, server)


def test_the_home_that_was_moved_serves_nothing_by_itself(pair: Pair, tmp_path: Path) -> None:
    again = sluis("ledger", "move", "--to", pair.address, "--home", str(pair.one.home))
    assert again.returncode == 1
    assert "already running" in again.stderr
    refused = sluis("project", "create", "x", "--dataset", "visits", "--home", str(pair.one.home))
    assert refused.returncode == 1
    assert "moved to postgresql://sluis" in refused.stderr
    assert "intact" in sluis("ledger", "verify", "--home", str(pair.one.home)).stdout
    copied = tmp_path / "copy"
    shutil.copytree(pair.one.home, copied, ignore=shutil.ignore_patterns("serve.log", "lock"))
    with pytest.raises(RuntimeError, match="Set SLUIS_DATABASE"), running(copied, {}):
        pass


def test_what_one_has_answered_the_other_answers_again_free(pair: Pair) -> None:
    first = pair.one.query()
    before = pair.two.budget()
    second = pair.two.query()
    assert (first.status, second.status) == (201, 201)
    assert second.json["rows"] == first.json["rows"]
    assert second.json["replayed"] is True
    assert pair.one.budget()["spent"] == before["spent"]


def test_one_key_at_two_gateways_is_one_query(pair: Pair) -> None:
    headers = {"Idempotency-Key": "the-same"}
    sql = "SELECT COUNT(*) AS n FROM visits WHERE cost > 3"
    with ThreadPoolExecutor(6) as pool:
        jobs = [
            pool.submit(gateway.query, sql, headers=headers) for gateway in (pair.one, pair.two) * 3
        ]
        answers: list[Answer] = [job.result() for job in jobs]
    assert {answer.status for answer in answers} <= {200, 201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len({json.dumps(answer.json["rows"]) for answer in answers}) == 1


def test_one_question_at_two_gateways_is_charged_once(pair: Pair) -> None:
    sql = "SELECT area, SUM(cost) AS total FROM visits GROUP BY area"
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(gateway.query, sql) for gateway in (pair.one, pair.two) * 4]
        answers = [job.result() for job in jobs]
    released = [answer for answer in answers if answer.status == 201]
    assert released
    assert {a.code for a in answers if a.status != 201} <= {"in-flight"}
    assert len({json.dumps(answer.json["rows"]) for answer in released}) == 1
    paid = [a for a in released if float(a.json["privacy_loss"]["rho"]) > 0]
    assert len(paid) == 1
    invariants.hold(pair.address)


def test_a_key_that_is_revoked_at_one_is_refused_at_the_other(pair: Pair) -> None:
    at = {"SLUIS_DATABASE": pair.address}
    home = ("--home", str(pair.one.home))
    made = sluis("key", "create", "bo", "--project", "p", "--json", *home, **at)
    key = json.loads(made.stdout)
    text, id = key["key"], key["id"]
    assert pair.two.ask("GET", "/v1/projects", key=text).status == 200
    assert sluis("key", "revoke", id, *home, **at).returncode == 0
    assert pair.two.ask("GET", "/v1/projects", key=text).status == 401


def test_the_doctor_looks_at_the_server(pair: Pair) -> None:
    found = diagnose(load(home=str(pair.two.home), database=pair.address))
    told = {one.check: one for one in found}
    assert told["database"].says.startswith("PostgreSQL")
    assert told["ledger"].ok
    assert told["delivery"].ok


def test_a_delivery_that_is_not_there_is_never_charged_for(pair: Pair, tmp_path: Path) -> None:
    home = tmp_path / "three"
    home.mkdir(mode=0o700)
    before = pair.one.budget()
    with running(home, pair.one.keys, database=pair.address) as three:
        assert three.query("SELECT COUNT(*) AS n FROM visits WHERE cost > 5").status >= 500
    assert pair.one.budget() == before
    found = diagnose(load(home=str(home), database=pair.address))
    assert "delivery" in {one.check for one in found if not one.ok}


def test_a_server_that_stops_and_starts_again(pair: Pair) -> None:
    """Not ready and 503 while it is gone, as if nothing had been when it is back."""
    before = pair.one.budget()
    pair.server.stop()
    time.sleep(1.1)
    gone = pair.one.query("SELECT COUNT(*) AS n FROM visits WHERE cost > 7")
    assert (gone.status, gone.code) == (503, "storage-busy")
    assert pair.two.ask("GET", "/readyz", key=None).status == 503
    pair.server.start()
    assert pair.two.ask("GET", "/readyz", key=None).status == 200
    assert pair.one.budget() == before
    assert pair.one.query("SELECT COUNT(*) AS n FROM visits WHERE cost > 7").status == 201
    storage = Storage.open(pair.address)
    assert Ledger(storage).verify("visits").intact
    storage.close()
    invariants.hold(pair.address)

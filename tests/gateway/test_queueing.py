"""Queueing on a running server: who waits for whom, and that whoever waits has paid nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Role
from gateway.deliveries import Deliveries
from gateway.home import Home
from gateway.registry import Registry
from tests.gateway.running import MANIFEST, Answer, Gateway, make_home, running
from tests.gateway.test_order import serving_process
from tests.gateway.test_polling import ended

pytestmark = pytest.mark.slow

LONG = 8
"""Seconds of a slot of the second dataset; those of the first have one."""


def second_dataset(home: Path) -> dict[str, str]:
    """A dataset with long slots, and a project that floods it; the key of its analyst."""
    sources = home.parent / "long"
    sources.mkdir()
    (sources / "areas.csv").write_text("area,residents\nnorth,7\nsouth,8\n")
    rows = "".join(f"{one},north,1.25,x\n" for one in range(40))
    (sources / "visits.csv").write_text("person_id,area,cost,note\n" + rows)
    manifest = sources / "visits.yaml"
    manifest.write_text(MANIFEST.format(name="long", timing=f"{{slot: {LONG}s, growth: 2}}"))
    storage = Storage.open(home / "sluis.db")
    try:
        Deliveries(Home(home), storage).register(manifest)
        ledger, registry = Ledger(storage), Registry(storage)
        ledger.open_project("flood", "long")
        ledger.allocate("flood", Fraction(40), Fraction("1e-6"), "test", "test")
        registry.give_role("flooder", Role.ANALYST, "flood")
        return {"flooder": registry.create_key("flooder", Role.ANALYST, "flood")[1]}
    finally:
        storage.close()


@pytest.fixture
def home(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    place = tmp_path / "home"
    keys = make_home(place, "{slot: 1s, growth: 2}")
    return place, keys | second_dataset(place)


@pytest.fixture
def server(home: tuple[Path, dict[str, str]]) -> Iterator[Gateway]:
    with running(*home, queued_project=2, graceful=30) as found:
        yield found


def flooded(gateway: Gateway, number: int, prefer: str = "respond-async") -> Answer:
    """A question of the project that floods, each another one."""
    sql = f"SELECT COUNT(*) AS n FROM visits WHERE cost < {number}"
    headers = {"Prefer": prefer} if prefer else {}
    return gateway.query(sql, "flood", key="flooder", headers=headers)


def spent(gateway: Gateway) -> tuple[str, str]:
    budget = gateway.budget("flood", "flooder")
    return budget["reserved"]["rho"], budget["spent"]["rho"]


def state(gateway: Gateway, place: str) -> str:
    return str(gateway.ask("GET", place, key="root").json["state"])


def test_a_flood_of_long_queries_delays_nobody_else(server: Gateway) -> None:
    """One long query runs and two wait; a short one of another project takes its slot, no more."""
    places = [flooded(server, number).headers["Location"] for number in range(3)]
    assert [state(server, place) for place in places] == ["running", "queued", "queued"]
    began = time.monotonic()
    assert server.query().status == 201
    assert time.monotonic() - began < 1 + 1.5
    assert server.query("SELECT residents FROM areas").status == 201
    refused = flooded(server, 9)
    assert (refused.status, refused.code) == (503, "busy")
    assert 2 * LONG < int(refused.headers["Retry-After"]) <= 3 * LONG
    listed = server.ask("GET", "/v1/projects/flood/queries", key="flooder").json["queries"]
    assert listed[0]["state"] == "refused"
    assert listed[0]["refusal"]["code"] == "busy"
    assert listed[0]["privacy_loss"] is None


def test_what_waits_is_charged_in_its_turn_and_not_before(server: Gateway) -> None:
    first, second = (flooded(server, number) for number in range(2))
    reserved = spent(server)[0]
    assert float(reserved) > 0
    assert second.json["state"] == "queued"
    assert int(second.headers["Retry-After"]) in range(LONG, 2 * LONG + 1)
    done = ended(server, first.headers["Location"], "flooder")
    assert done.json["state"] == "released"
    assert done.json["privacy_loss"]["rho"] == reserved
    time.sleep(0.5)
    assert state(server, second.headers["Location"]) == "running"
    assert ended(server, second.headers["Location"], "flooder").json["state"] == "released"


def test_a_caller_that_goes_away_while_it_waits_pays_nothing(server: Gateway) -> None:
    flooded(server, 1)
    before = spent(server)
    body = json.dumps({"sql": "SELECT COUNT(*) AS n FROM visits", "budget_share": "1%"}).encode()
    head = (
        f"POST /v1/projects/flood/queries HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {server.keys['flooder']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        time.sleep(1)
        assert newest(server)["state"] == "queued"
    time.sleep(1)
    assert newest(server)["refusal"]["code"] == "withdrawn"
    assert spent(server) == before


def newest(gateway: Gateway) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = gateway.ask(
        "GET", "/v1/projects/flood/queries", key="flooder"
    ).json["queries"][0]
    return found


def test_a_refusal_behind_a_202_is_found_where_it_is_polled(server: Gateway) -> None:
    flooded(server, 1)
    dear = {"sql": "SELECT COUNT(*) AS n FROM visits", "budget_share": "100%"}
    path = "/v1/projects/flood/queries"
    wait = {"Prefer": "respond-async", "Idempotency-Key": "dear"}
    answer = server.ask("POST", path, dear, "flooder", wait)
    assert (answer.status, answer.json["state"]) == (202, "queued")
    done = ended(server, answer.headers["Location"], "flooder")
    assert done.json["state"] == "refused"
    assert done.json["refusal"]["code"] == "budget-exceeded"
    again = server.ask("POST", path, dear, "flooder", wait)
    assert (again.status, again.code) == (403, "budget-exceeded")


def test_the_same_request_twice_waits_once(server: Gateway) -> None:
    flooded(server, 1)
    body = {"sql": "SELECT COUNT(*) AS n FROM visits", "budget_share": "1%"}
    path, key = "/v1/projects/flood/queries", {"Idempotency-Key": "same"}
    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(server.ask, "POST", path, body, "flooder", key) for _ in range(6)]
        answers = [job.result() for job in jobs]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1


def test_a_server_that_stops_declines_what_waits(home: tuple[Path, dict[str, str]]) -> None:
    with running(*home, graceful=30) as gateway:
        places = [flooded(gateway, number).headers["Location"] for number in range(2)]
        gateway.process.terminate()
        gateway.process.wait(30)
    with running(*home) as again:
        found = [again.ask("GET", place, key="flooder").json for place in places]
    assert [one["state"] for one in found] == ["released", "refused"]
    assert found[1]["refusal"]["code"] == "stopping"
    assert found[1]["privacy_loss"] is None


def test_a_killed_server_leaves_nothing_that_waits_for_ever(
    home: tuple[Path, dict[str, str]],
) -> None:
    with running(*home) as gateway:
        running_one, waiting = (flooded(gateway, number).headers["Location"] for number in range(2))
        for pid in (serving_process(gateway), gateway.process.pid):
            os.kill(pid, signal.SIGKILL)
    with running(*home) as again:
        found = again.ask("GET", waiting, key="flooder")
        assert found.json["state"] == "refused"
        assert "Retry-After" not in found.headers
        assert again.ask("GET", running_one, key="flooder").json["state"] == "running"
        assert ended(again, running_one, "flooder").json["state"] == "faulted"

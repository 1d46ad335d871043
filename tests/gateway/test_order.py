"""The order of work, on servers that are raced, killed and starved of disk."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.gateway.running import COUNT, Gateway, make_home, running, start

pytestmark = pytest.mark.slow

FAULT = {"type", "title", "status", "detail", "code", "incident"}
SLOT = "{slot: 2s, growth: 2}"


@pytest.fixture(scope="module")
def slotted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server whose answers leave after two seconds: time to interfere."""
    home = tmp_path_factory.mktemp("slotted") / "home"
    with running(home, make_home(home, SLOT), graceful=30) as found:
        yield found


def serving_process(gateway: Gateway) -> int:
    """The process that answers, below the one that was started."""
    pid = gateway.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])


def settled(gateway: Gateway, place: str, within: float = 30) -> str:
    end = time.monotonic() + within
    while time.monotonic() < end:
        state = str(gateway.ask("GET", place).json["state"])
        if state not in ("queued", "running"):
            return state
        time.sleep(0.1)
    return "running"


def sql(name: str) -> str:
    """A question of its own: another literal is another stage."""
    return f"SELECT area, COUNT(*) AS {name} FROM visits WHERE cost < {len(name)} GROUP BY area"


def test_two_callers_with_one_key_are_charged_once(slotted: Gateway) -> None:
    before = float(slotted.budget()["spent"]["rho"])
    headers = {"Idempotency-Key": "twins"}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(slotted.query, sql("a"), headers=headers) for _ in range(4)]
    answers = [one.result() for one in asked]
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    loss = next(a for a in answers if a.status == 201).json["privacy_loss"]["rho"]
    assert float(slotted.budget()["spent"]["rho"]) == pytest.approx(before + float(loss))


def test_two_callers_with_one_question_pay_for_one_draw(slotted: Gateway) -> None:
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(slotted.query, sql("bb")) for _ in range(2)]
    answers = [one.result() for one in asked]
    assert {answer.status for answer in answers} <= {201, 409}
    paid = [a.json for a in answers if a.status == 201]
    assert len({str(one["rows"]) for one in paid}) == 1
    assert sum(not one["replayed"] for one in paid) == 1


def test_until_the_slot_has_ended_a_query_is_running_everywhere(slotted: Gateway) -> None:
    began = time.monotonic()
    answer = slotted.query(sql("ccc"), headers={"Prefer": "respond-async"})
    place = answer.headers["Location"]
    assert answer.json["state"] == "running"
    while time.monotonic() < began + 1.5:
        found = slotted.ask("GET", place).json
        assert found["state"] == "running"
        assert found["release"] is None
        assert float(slotted.budget()["reserved"]["rho"]) > 0
    assert settled(slotted, place) == "released"
    assert time.monotonic() - began >= 2


def test_a_stopping_server_finishes_what_is_charged(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, SLOT), graceful=30) as gateway:
        place = gateway.query(headers={"Prefer": "respond-async"}).headers["Location"]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(gateway.query, sql("dddd"))
            time.sleep(0.7)
            gateway.process.terminate()
            assert waiting.result().status == 201
        assert gateway.process.wait(30) == 0
    with running(home, gateway.keys) as again:
        assert again.ask("GET", place).json["state"] == "released"


def test_two_servers_do_not_share_a_home(slotted: Gateway) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        start(slotted.home, slotted.keys)


@pytest.mark.slow
def test_a_killed_server_keeps_the_charge_and_says_that_the_answer_is_lost(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, SLOT), queue=1) as gateway:
        place = gateway.query(headers={"Prefer": "respond-async"}).headers["Location"]
        reserved = gateway.budget()["reserved"]["rho"]
        assert float(reserved) > 0
        for pid in (serving_process(gateway), gateway.process.pid):
            os.kill(pid, signal.SIGKILL)
    with running(home, gateway.keys, queue=1) as again:
        assert settled(again, place, 60) == "faulted"
        found = again.ask("GET", place).json
        assert found["incident"]
        assert found["privacy_loss"]["rho"] == reserved
        budget = again.budget()
        assert (budget["reserved"]["rho"], budget["spent"]["rho"]) == ("0", reserved)
        assert any(line["event"] == "answer lost" for line in again.log())
    storage = Storage.open(home / "sluis.db")
    assert Ledger(storage).verify("visits").intact
    storage.close()


def test_a_full_disk_at_settle_loses_the_answer_and_keeps_the_charge(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, SLOT), queue=1) as gateway:
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(gateway.query, COUNT)
            while float((budget := gateway.budget())["reserved"]["rho"]) == 0:
                time.sleep(0.05)
            pid = serving_process(gateway)
            most = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            full = (home / "sluis.db-wal").stat().st_size
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (full, most))
            answer = asked.result()
        assert (answer.status, answer.code) == (500, "answer-lost")
        assert "charge stays" in answer.json["detail"]
        assert answer.json["incident"]
        assert gateway.budget()["remaining"] == budget["remaining"]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        assert gateway.query(sql("eeeee")).status == 201


def test_three_faults_freeze_a_project_until_an_administrator_has_looked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, make_home(home, SLOT), workers=1) as gateway:
        (delivery,) = (home / "deliveries").glob("*/private.duckdb")
        delivery.rename(delivery.with_suffix(".away"))
        for number in range(3):
            began = time.monotonic()
            answer = gateway.query(sql("f" * (number + 6)))
            assert (answer.status, answer.code) == (500, "fault"), answer.body
            assert set(answer.json) == FAULT, "a fault says one sentence and an incident"
            assert time.monotonic() - began >= 2, "a fault leaves when an answer would have left"
        delivery.with_suffix(".away").rename(delivery)
        assert gateway.query(sql("g")).code == "project-frozen"
        assert gateway.budget()["frozen"]
        thaw = "/v1/projects/p/thaw"
        assert gateway.ask("POST", thaw, {"reason": "me"}, "analyst").status == 403
        assert gateway.ask("POST", thaw, {"reason": "looked"}, "root").json["frozen"] is False
        assert gateway.query(sql("hh")).status == 201

"""Polling: a 202 and its Location, for the member who asked, until there is an answer."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from budgets.storage import Storage
from gateway.access import Role
from gateway.http.preferences import Preferences, read
from gateway.registry import Registry
from tests.gateway.running import Answer, Gateway, make_home, running

SLOT = 2
WISHES = {
    "": Preferences(),
    "respond-async": Preferences(at_once=True),
    "RESPOND-ASYNC; foo=bar": Preferences(at_once=True),
    "wait=10": Preferences(wait=10),
    'wait = "10"': Preferences(wait=10),
    "return=minimal, Respond-Async,wait=5": Preferences(at_once=True, wait=5),
    "wait=3, wait=9": Preferences(wait=3),
    "wait=99999": Preferences(wait=3600),
    "wait=0": Preferences(wait=0),
    "wait": Preferences(),
    "wait=-1": Preferences(),
    "wait=1e3": Preferences(),
    "wait=٣": Preferences(),
    'note="respond-async, wait=4"': Preferences(),
    "not-respond-async": Preferences(),
}


@pytest.mark.parametrize("header", WISHES)
def test_preferences_are_read_as_the_standard_has_them(header: str) -> None:
    assert read(header, {}) == WISHES[header]


def test_the_body_may_say_how_long_and_the_header_goes_before_it() -> None:
    body = {"options": {"wait": 7}}
    assert read("", body) == Preferences(wait=7)
    assert read("wait=2", body) == Preferences(wait=2)


@pytest.fixture(scope="module")
def slotted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server whose answers leave after two seconds, and a second analyst in the project."""
    home = tmp_path_factory.mktemp("polled") / "home"
    keys = make_home(home, f"{{slot: {SLOT}s, growth: 2}}")
    keys["colleague"] = second_analyst(home)
    with running(home, keys, graceful=30, workers=4) as found:
        yield found


def second_analyst(home: Path) -> str:
    storage = Storage.open(home / "sluis.db")
    try:
        registry = Registry(storage)
        registry.give_role("colleague", Role.ANALYST, "p")
        return registry.create_key("colleague", Role.ANALYST, "p")[1]
    finally:
        storage.close()


def asked(gateway: Gateway, name: str, prefer: str, **more: object) -> Answer:
    """A question of its own under a name, with that preference."""
    bound = int.from_bytes(name.encode()[:4], "big") / 100
    sql = f"SELECT area, COUNT(*) AS {name} FROM visits WHERE cost < {bound} GROUP BY area"
    return gateway.query(sql, headers={"Prefer": prefer, **more})  # type: ignore[dict-item]


def ended(gateway: Gateway, place: str, key: str = "analyst") -> Answer:
    """The first poll that finds an end, each made when the one before said."""
    for _ in range(40):
        answer = gateway.ask("GET", place, key=key)
        if "Retry-After" not in answer.headers:
            return answer
        time.sleep(int(answer.headers["Retry-After"]))
    raise AssertionError("it never ended")


def same(one: Answer, other: Answer) -> bool:
    return (one.status, one.body) == (other.status, other.body)


@pytest.mark.slow
def test_until_it_has_ended_it_is_there_for_who_asked_and_for_who_oversees(
    slotted: Gateway,
) -> None:
    place = asked(slotted, "mine", "respond-async").headers["Location"]
    nothing = place.rsplit("/", 1)[0] + "/" + "0" * 32
    for key in ("analyst", "lead", "auditor", "root"):
        assert slotted.ask("GET", place, key=key).json["state"] == "running"
    for key in ("colleague", "reviewer", "outsider", "purist"):
        assert same(slotted.ask("GET", place, key=key), slotted.ask("GET", nothing, key=key))
    assert slotted.ask("GET", place, key="colleague").status == 404
    elsewhere = place.replace("/p/", "/other/")
    assert slotted.ask("GET", elsewhere, key="outsider").status == 404
    assert place not in str(listed(slotted, "colleague"))
    assert [one["id"] for one in listed(slotted, "lead")].count(place.rsplit("/", 1)[1]) == 1
    assert ended(slotted, place).json["state"] == "released"
    assert slotted.ask("GET", place, key="colleague").json["state"] == "released"


def listed(gateway: Gateway, key: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = gateway.ask("GET", "/v1/projects/p/queries", key=key).json[
        "queries"
    ]
    return found


@pytest.mark.slow
def test_when_to_ask_again_follows_from_the_slot(slotted: Gateway) -> None:
    began = time.monotonic()
    answer = asked(slotted, "again", "respond-async")
    assert answer.status == 202
    assert int(answer.headers["Retry-After"]) == SLOT
    assert answer.headers["Preference-Applied"] == "respond-async"
    time.sleep(1.1)
    later = slotted.ask("GET", answer.headers["Location"])
    left = SLOT - (time.monotonic() - began)
    assert int(later.headers["Retry-After"]) in (1, math.ceil(max(left, 0)) + 1)
    assert later.headers["Cache-Control"] == "no-store"
    done = ended(slotted, answer.headers["Location"])
    assert time.monotonic() - began >= SLOT
    assert "immutable" in done.headers["Cache-Control"]


@pytest.mark.slow
def test_who_waits_long_enough_gets_the_answer_and_else_a_place(slotted: Gateway) -> None:
    short = asked(slotted, "short", "wait=1")
    assert (short.status, short.headers["Preference-Applied"]) == (202, "wait=1")
    long = asked(slotted, "long", "respond-async, wait=20")
    assert (long.status, long.headers["Preference-Applied"]) == (201, "wait=20")
    assert asked(slotted, "long", "respond-async").status in (201, 202)


@pytest.mark.slow
def test_a_key_of_another_member_is_no_key(slotted: Gateway) -> None:
    """It neither replays nor conflicts, while that query runs and afterwards, drawn anew or not."""
    colleague, key = second_analyst(slotted.home), {"Idempotency-Key": "guessed"}
    mine = asked(slotted, "guess", "respond-async", **key)
    assert mine.status == 202
    for _ in range(2):
        theirs = slotted.query("SELECT COUNT(*) AS n FROM visits", key=colleague, headers=key)
        assert theirs.status == 201, theirs.body
        assert theirs.json["id"] not in mine.headers["Location"]
        ended(slotted, mine.headers["Location"])
    again = slotted.query("SELECT COUNT(*) AS m FROM visits", headers=key)
    assert (again.status, again.code) == (422, "key-reused")
    anew = {"options": {"replay": False}, "headers": {"Idempotency-Key": "anew"}}
    drawn = [slotted.query(key=one, **anew) for one in ("analyst", colleague, "analyst")]
    assert [one.status for one in drawn] == [201] * 3
    assert [float(one.json["privacy_loss"]["rho"]) > 0 for one in drawn[:2]] == [True, True]
    assert drawn[0].json["id"] != drawn[1].json["id"]
    assert drawn[0].json["id"] == drawn[2].json["id"]


@pytest.mark.slow
def test_a_retry_while_it_runs_gets_the_same_place(slotted: Gateway) -> None:
    key = {"Idempotency-Key": "polled-twice"}
    one = asked(slotted, "twice", "respond-async", **key)
    began = time.monotonic()
    two = asked(slotted, "twice", "respond-async", **key)
    assert (one.status, two.status) == (202, 202)
    assert time.monotonic() - began < 1
    assert one.headers["Location"] == two.headers["Location"]
    done = asked(slotted, "twice", "wait=20", **key)
    assert done.status == 201
    assert done.json == ended(slotted, one.headers["Location"]).json["release"]

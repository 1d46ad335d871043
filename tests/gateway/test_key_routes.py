"""Keys over HTTP: who may make, rotate and end them, and that none does more than its maker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from budgets.storage import Storage
from gateway.home import Home
from tests.gateway.running import Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis

ASKED = {"sql": "SELECT COUNT(*) FROM visits", "budget_share": "0.1%"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("keys") / "home"
    with running(home, make_home(home)) as found:
        yield found


def make(house: Gateway, by: str = "root", **asked: Any) -> Answer:
    body = {"member": "lead", "role": "lead", "project": "p"} | asked
    return house.ask("POST", "/v1/keys", body, by)


def fresh(house: Gateway, **asked: Any) -> tuple[str, str]:
    found = make(house, **asked)
    assert found.status == 201, found.body
    return found.json["id"], found.json["key"]


def rotate(house: Gateway, id: str, by: str, **asked: Any) -> Answer:
    return house.ask("POST", f"/v1/keys/{id}/rotation", asked, by)


@pytest.mark.parametrize(
    ("scope", "may"),
    [("query", {"queries", "quotes", "rehearsals"}), ("quote", {"quotes", "rehearsals"}),
     ("read", {"budget", "history", "datasets", "projects"}), ("administer", {"members"}),
     ("audit", set())],
)  # fmt: skip
def test_a_key_is_held_to_its_scope(house: Gateway, scope: str, may: set[str]) -> None:
    _, key = fresh(house, scopes=[scope])
    p = "/v1/projects/p"
    asked = {
        "queries": house.ask("POST", f"{p}/queries", ASKED, key),
        "quotes": house.ask("POST", f"{p}/quotes", ASKED, key),
        "rehearsals": house.ask("POST", f"{p}/rehearsals", ASKED, key),
        "budget": house.ask("GET", f"{p}/budget", key=key),
        "history": house.ask("GET", f"{p}/queries", key=key),
        "datasets": house.ask("GET", "/v1/datasets", key=key),
        "projects": house.ask("GET", "/v1/projects", key=key),
        "members": house.ask(
            "POST", f"{p}/members", {"member": "reviewer", "role": "reviewer"}, key
        ),
    }
    assert {name for name, answer in asked.items() if answer.status < 300} == may
    refused = {answer.code for answer in asked.values() if answer.status >= 300}
    assert refused == {"out-of-scope"}
    assert house.ask("GET", "/v1/projects/other", key=key).code == "not-found"


def test_a_lead_makes_keys_no_wider_than_its_own(house: Gateway) -> None:
    _, narrow = fresh(house, scopes=["administer", "quote"], days=3)
    analyst = {"member": "analyst", "role": "analyst", "project": "p"}
    assert make(house, narrow, **analyst).code == "key-too-wide"
    assert make(house, narrow, **analyst, scopes=["query"]).code == "key-too-wide"
    assert make(house, narrow, **analyst, scopes=["quote"], days=9).code == "key-too-wide"
    assert make(house, narrow, role="lead").code == "key-too-wide"
    made = make(house, narrow, **analyst, scopes=["quote"])
    assert made.status == 201
    assert made.json["expires_at"] is not None
    assert make(house, "lead", **analyst).status == 201
    assert make(house, "lead", **analyst | {"project": "other"}).code == "not-found"
    assert make(house, "lead", **analyst | {"project": None}).status == 422
    assert make(house, "analyst", **analyst).code == "not-permitted"
    wide = {"member": "root", "role": "administrator", "project": "p"}
    assert make(house, "lead", **wide).code == "not-permitted"


def test_a_holder_rotates_its_own_key_and_no_other_of_its_own(house: Gateway) -> None:
    id, key = fresh(house, scopes=["quote"], days=2)
    other, _ = fresh(house)
    assert rotate(house, other, key).code == "not-found"
    assert rotate(house, id, key, days=300).code == "out-of-scope"
    found = rotate(house, id, key, overlap_hours=1)
    assert found.status == 201
    assert found.json["follows"] == id
    assert found.json["scopes"] == ["quote"]
    for one in (key, found.json["key"]):
        assert house.ask("POST", "/v1/projects/p/quotes", ASKED, one).status == 200
    assert rotate(house, id, key).code == "conflict"
    at_once = rotate(house, found.json["id"], found.json["key"], overlap_hours=0)
    assert house.ask("GET", "/v1/keys", key=found.json["key"]).status == 401
    assert house.ask("GET", "/v1/keys", key=at_once.json["key"]).status == 200


def test_a_wider_key_is_not_taken_by_rotating_it(house: Gateway) -> None:
    """A reading key of an administrator sees its other keys, and gets none of their texts."""
    root = {"member": "root", "role": "administrator", "project": None}
    body = {name: value for name, value in root.items() if value is not None}
    reading = house.ask("POST", "/v1/keys", body | {"scopes": ["read"]}, "root").json
    whole = house.ask("POST", "/v1/keys", body, "root").json
    assert rotate(house, whole["id"], reading["key"]).status == 403
    path = f"/v1/keys/{whole['id']}"
    assert house.ask("DELETE", path, key=reading["key"]).status == 403
    assert house.ask("GET", path, key=whole["key"]).status == 200
    own = f"/v1/keys/{reading['id']}"
    assert house.ask("DELETE", own, key=reading["key"]).status == 204


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("paced") / "home"
    with running(home, make_home(home), rate=1000) as found:
        yield found


def limit(answer: Answer) -> str:
    return answer.headers["RateLimit-Policy"]


def pace(house: Gateway, id: str, by: str, rate: object) -> Answer:
    return house.ask("PUT", f"/v1/keys/{id}/rate", {"rate": rate}, by)


def test_a_key_has_a_rate_of_its_own_from_the_next_request_on(paced: Gateway) -> None:
    id, key = fresh(paced, rate=5000)
    assert paced.ask("GET", f"/v1/keys/{id}", key="root").json["rate"] == 5000
    assert limit(paced.ask("GET", "/v1/projects", key=key)) == '"key";q=5000;w=60'
    assert pace(paced, id, "lead", 5).json["rate"] == 5
    answers = [paced.ask("GET", "/v1/projects", key=key) for _ in range(7)]
    assert limit(answers[0]) == '"key";q=5;w=60'
    assert answers[-1].code == "rate-limited"
    assert pace(paced, id, "root", None).json["rate"] is None
    assert limit(paced.ask("GET", "/v1/projects", key=key)) == '"key";q=1000;w=60'
    assert paced.ask("DELETE", f"/v1/keys/{id}", key="root").status == 204
    assert pace(paced, id, "root", 5).code == "conflict"


def test_a_lead_gives_no_rate_above_the_houses_or_its_own(paced: Gateway) -> None:
    analyst = {"member": "analyst", "role": "analyst", "project": "p"}
    assert make(paced, "lead", **analyst, rate=1001).code == "key-too-wide"
    id = make(paced, "lead", **analyst, rate=1000).json["id"]
    assert pace(paced, id, "lead", 1001).code == "key-too-wide"
    assert pace(paced, id, "lead", None).status == 200
    mine, slow = fresh(paced, rate=50)
    assert make(paced, slow, **analyst).code == "key-too-wide"
    assert make(paced, slow, **analyst, rate=51).code == "key-too-wide"
    assert make(paced, slow, **analyst, rate=50).status == 201
    for rate in (None, 60):
        assert pace(paced, mine, slow, rate).code == "key-too-wide"
    fast, _ = fresh(paced, rate=2000)
    assert rotate(paced, fast, "lead").code == "key-too-wide"
    overall, _ = fresh(paced, member="root", role="administrator", project="p")
    assert pace(paced, overall, "lead", 1).code == "not-permitted"
    assert pace(paced, id, "analyst", 10).code == "not-found"
    assert pace(paced, "0" * 16, "lead", 10).code == "not-found"


def test_a_rotated_key_shares_the_bucket_of_the_one_before(paced: Gateway) -> None:
    """Else a holder would ask at any rate, by rotating again and again."""
    id, key = fresh(paced, rate=20)
    for _ in range(10):
        assert paced.ask("GET", "/v1/projects", key=key).status == 200
    found = rotate(paced, id, key).json
    assert found["rate"] == 20
    told = [paced.ask("GET", "/v1/projects", key=one) for one in (key, found["key"]) * 6]
    assert {one.code for one in told[-2:]} == {"rate-limited"}
    assert pace(paced, found["id"], "lead", 10).status == 200
    assert paced.ask("GET", f"/v1/keys/{id}", key="root").json["rate"] == 10


@pytest.mark.parametrize("rate", [0, -1, 1_000_001, "5", 1.5, True])
def test_a_rate_has_bounds(house: Gateway, rate: object) -> None:
    id, _ = fresh(house)
    assert make(house, rate=rate).status == 422
    assert pace(house, id, "root", rate).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_hours": -1},
        {"overlap_hours": 721},
        {"overlap_hours": "1"},
        {"days": 0},
        {"scopes": ["query"]},
    ],
    ids=str,
)
def test_a_rotation_has_bounds(house: Gateway, body: dict[str, Any]) -> None:
    id, key = fresh(house)
    assert rotate(house, id, key, **body).status == 422


def test_a_key_that_nobody_may_see_is_like_none(house: Gateway) -> None:
    id, _ = fresh(house)
    for method, path in (
        ("GET", "/v1/keys/{}"), ("DELETE", "/v1/keys/{}"), ("POST", "/v1/keys/{}/rotation"),
    ):  # fmt: skip
        body = {} if method == "POST" else None
        hidden = house.ask(method, path.format(id), body, "outsider")
        absent = house.ask(method, path.format("0" * 16), body, "outsider")
        assert hidden.status == absent.status == 404
        assert hidden.body == absent.body


def test_ending_a_member_ends_its_keys_at_once(house: Gateway) -> None:
    house.ask("POST", "/v1/projects/p/members", {"member": "guest", "role": "analyst"}, "lead")
    _, key = fresh(house, member="guest", role="analyst")
    assert house.ask("GET", "/v1/projects/p", key=key).status == 200
    assert house.ask("DELETE", "/v1/members/guest", key="lead").status == 403
    assert house.ask("DELETE", "/v1/members/guest", key="root").status == 204
    assert house.ask("GET", "/v1/projects/p", key=key).status == 401
    assert house.ask("DELETE", "/v1/members/guest", key="root").status == 404


@pytest.mark.slow
def test_the_first_administrator_enters_over_http(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Storage.open(Home(home).prepare().database).close()
    with running(home, {}) as found:
        warned = [line["event"] for line in found.log()]
        assert "nobody administers this house" in warned
        nothing = found.ask("GET", "/v1/projects", key=None)
        told = sluis("bootstrap", "--home", str(home))
        secret = told.stdout.strip()
        body = {"secret": secret, "member": "ada"}
        wrong = found.ask("POST", "/v1/bootstrap", body | {"secret": secret[:-1]}, None)
        assert (wrong.status, wrong.body) == (401, nothing.body)
        key = found.ask("POST", "/v1/bootstrap", body, None)
        assert key.status == 201
        assert found.ask("GET", "/v1/members", key=key.json["key"]).status == 200
        again = found.ask("POST", "/v1/bootstrap", body, None)
        assert (again.status, again.body) == (401, nothing.body)
        assert sluis("bootstrap", "--home", str(home)).returncode == 1
        kept = b"".join(path.read_bytes() for path in home.glob("sluis.db*"))
        assert secret.encode() not in kept + (home / "serve.log").read_bytes()


@pytest.mark.slow
def test_the_terminal_rotates_and_ends(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    make_home(tmp_path / "home")
    key = sluis("key", "create", "mia", "--project", "p", "--scope", "quote", *home)
    assert key.returncode == 0, key.stderr
    listed = sluis("key", "list", "--json", *home).stdout
    id = next(one["id"] for one in json.loads(listed) if one["member"] == "mia")
    rotated = json.loads(sluis("key", "rotate", id, "--overlap", "0", "--json", *home).stdout)
    assert rotated["follows"] == id
    assert sluis("key", "rotate", id, *home).returncode == 1
    assert sluis("key", "rotate", "nothing", *home).returncode == 1
    assert sluis("member", "end", "mia", *home).returncode == 0
    assert sluis("member", "end", "mia", *home).returncode == 1

"""Ends and earmarks over HTTP: what is kept is charged by name, and nothing after the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.gateway.running import COUNT, Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis

P = "/v1/projects/p"
OTHERS = "SELECT COUNT(*) AS n FROM visits WHERE cost > 10"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("terms") / "home"
    with running(home, make_home(home)) as found:
        yield found


def kept(gateway: Gateway, name: str, **part: str) -> Answer:
    return gateway.ask("POST", f"{P}/earmarks", {"name": name, "reason": "r", **part}, "lead")


def share(told: Any) -> float:
    return float(told["budget_share"].rstrip("%"))


def ending(gateway: Gateway, project: str, seconds: float) -> None:
    """Let a project end so soon, and wait until it has."""
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    body = {"until": end.isoformat(), "reason": "the agreement ends"}
    answer = gateway.ask("PUT", f"/v1/projects/{project}/term", body, "root")
    assert (answer.status, answer.json["expired"]) == (200, False), answer.body
    assert datetime.fromisoformat(answer.json["ends"]) == end
    time.sleep(seconds + 0.1)


def test_a_lead_keeps_a_part_and_asks_from_it(house: Gateway) -> None:
    before = house.budget()["remaining"]
    made = kept(house, "final-report", share="30%")
    assert (made.status, made.headers["Location"]) == (201, f"{P}/earmarks")
    found = made.json
    assert share(found["remaining"]) == pytest.approx(share(before) - 30, abs=0.02)
    assert share(found["kept"]) == 30
    (one,) = found["earmarks"]
    assert one["says"] == "30 % is kept for `final-report`."
    assert house.ask("GET", f"{P}/earmarks").json == {"earmarks": [one]}
    released = house.query(COUNT, key="lead", from_earmark="final-report", budget_share="2%")
    assert released.status == 201, released.body
    after = house.budget()
    assert share(after["kept"]) == pytest.approx(28, abs=0.02)
    assert after["remaining"] == found["remaining"]
    assert share(after["spent"]) == pytest.approx(share(found["spent"]) + 2, abs=0.02)


def test_a_member_sees_what_is_kept_and_is_not_charged_to_it(house: Gateway) -> None:
    kept(house, "annex", share="1%")
    refused = house.query(OTHERS, from_earmark="annex")
    assert (refused.status, refused.code) == (403, "not-permitted")
    assert "annex" in [one["name"] for one in house.budget(key="analyst")["earmarks"]]
    path = f"{P}/earmarks"
    for body in ({"name": "mine", "share": "1%", "reason": "r"},):
        assert house.ask("POST", path, body, "analyst").code == "not-permitted"
    assert house.ask("POST", f"{path}/annex/lift", {"reason": "r"}, "analyst").status == 403


def test_a_quote_says_whether_what_is_kept_suffices(house: Gateway) -> None:
    kept(house, "small", share="1%")
    for price, affordable in (("0.5%", True), ("2%", False)):
        body = {"sql": OTHERS, "budget_share": price, "from_earmark": "small"}
        quoted = house.ask("POST", f"{P}/quotes", body, "lead").json
        assert quoted["affordable"] is affordable
    refused = house.query(OTHERS, key="lead", from_earmark="small", budget_share="2%")
    assert (refused.status, refused.code) == (403, "budget-exceeded")
    assert share(refused.json["remaining"]) == 1
    whole = house.query(OTHERS, key="lead", from_earmark="small", remaining_share="100%")
    assert whole.status == 201, whole.body
    (left,) = [one for one in house.budget()["earmarks"] if one["name"] == "small"]
    assert (left["budget_share"], left["words"]) == ("0%", "nothing")


def test_a_name_that_keeps_nothing(house: Gateway) -> None:
    answers = [
        house.query(OTHERS, key="lead", from_earmark="none"),
        house.ask("POST", f"{P}/earmarks/none/lift", {"reason": "r"}, "lead"),
    ]
    assert [(one.status, one.code) for one in answers] == [(422, "unknown-earmark")] * 2


def test_it_is_lifted(house: Gateway) -> None:
    before = share(kept(house, "cancelled", share="3%").json["remaining"])
    lifted = house.ask("POST", f"{P}/earmarks/cancelled/lift", {"reason": "r"}, "lead")
    assert lifted.status == 200
    assert share(lifted.json["remaining"]) == pytest.approx(before + 3, abs=0.02)


@pytest.mark.parametrize(
    "body",
    [{"share": "1%", "epsilon": "1"}, {}, {"share": "101%"}, {"share": "0%"}, {"name": "a b"}],
)
def test_a_part_is_named_in_one_way(house: Gateway, body: dict[str, str]) -> None:
    given = {"name": "odd", "reason": "r"} | body
    answer = house.ask("POST", f"{P}/earmarks", given, "lead")
    assert (answer.status, answer.code) == (422, "invalid-request")


def test_more_than_is_free_is_not_kept(house: Gateway) -> None:
    kept(house, "some", share="1%")
    answer = kept(house, "all", share="100%")
    assert (answer.status, answer.code) == (409, "not-free")


@pytest.mark.parametrize(
    "until",
    [
        "2020-01-01T00:00:00Z",
        "2900-01-01T00:00:00",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "soon",
        5,
    ],
)
def test_an_end_is_later_than_now_and_has_a_zone(house: Gateway, until: object) -> None:
    body = {"until": until, "reason": "r"}
    answer = house.ask("PUT", f"{P}/term", body, "root")
    assert (answer.status, answer.code) == (422, "invalid-request")


def test_after_its_end_a_project_is_answered_from_what_was_released(house: Gateway) -> None:
    first = house.query(project="other", key="outsider")
    assert first.status == 201, first.body
    ending(house, "other", 1.0)
    found = house.budget("other", "outsider")
    assert (found["expired"], found["remaining"]["words"]) == (True, "nothing")
    assert share(found["returned"]) + share(found["spent"]) == pytest.approx(100, abs=0.02)
    late = house.query(OTHERS, project="other", key="outsider")
    assert (late.status, late.code) == (403, "allocation-expired")
    assert "ended at" in late.json["detail"]
    again = house.query(project="other", key="outsider")
    assert (again.status, again.json["replayed"]) == (201, True)
    quoted = {"sql": OTHERS, "budget_share": "1%"}
    quote = house.ask("POST", "/v1/projects/other/quotes", quoted, "outsider").json
    assert quote["affordable"] is False
    body = {"epsilon": "1", "reason": "a second year"}
    path = "/v1/projects/other/allocations"
    assert house.ask("POST", path, body, "root").code == "allocation-expired"
    more = house.ask("POST", path, body | {"until": "2900-01-01T00:00:00Z"}, "root")
    assert (more.status, more.json["ends"]) == (201, "2900-01-01T00:00:00+00:00")
    assert house.query(OTHERS, project="other", key="outsider").status == 201
    told = house.ask("GET", path, None, "root").json["allocations"]
    assert told[-1]["until"] == "2900-01-01T00:00:00+00:00"
    ceiling = house.ask("GET", "/v1/datasets/visits/ceiling", None, "root")
    assert ceiling.status == 200


@pytest.mark.slow
def test_on_a_terminal(tmp_path: Any) -> None:
    home = tmp_path / "home"
    make_home(home)

    def done(*words: str) -> Any:
        answer = sluis(*words, SLUIS_HOME=str(home))
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    done("project", "earmark", "p", "report", "--share", "30%", "--reason", "June")
    assert "30%" in done("project", "earmark", "p")
    assert "Nothing is kept" in done("project", "lift", "p", "report", "--reason", "no")
    assert "ends at 2900-01-01T00:00:00+00:00" in done(
        "project", "term", "p", "--until", "2900-01-01", "--reason", "agreed"
    )
    assert "has no end" in done("project", "term", "p", "--never", "--reason", "agreed")
    assert "intact" in done("ledger", "verify")
    for wrong in (
        ("term", "p", "--reason", "r"),
        ("term", "p", "--until", "2900-01-01T10:00", "--reason", "r"),
        ("earmark", "p", "report", "--reason", "r"),
        ("earmark", "p", "--share", "1%"),
    ):
        assert sluis("project", *wrong, SLUIS_HOME=str(home)).returncode == 2

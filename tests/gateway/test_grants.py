"""Access by table and column, over HTTP: what is not granted is not there, and nobody can tell.

The same questions go to two projects. One may name a part of a dataset; the other's dataset has
that part and nothing else. Whatever differs in the answers would tell that there is more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.granting import HIDDEN, OPTIONS, QUESTIONS, SEEN, made
from tests.gateway.running import Answer, Gateway, running
from tests.gateway.test_cli import sluis

OWN = re.compile(
    r'"(delivery|manifest_hash|digest|reads|id|created_at|project|dataset)": ?'
    r'("[^"]*"|\[[^\]]*\])'
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Project `part` may name a part of dataset full; dataset bare of project `plain` is that."""
    home = tmp_path_factory.mktemp("grants") / "home"
    keys = made(home)
    with running(home, keys) as found:
        answer = found.ask(
            "POST", "/v1/projects/part/grants", {"tables": SEEN, "reason": "contract"}, key="root"
        )
        assert (answer.status, answer.json) == (201, {"tables": SEEN})
        yield found


def ask(gateway: Gateway, project: str, what: str, body: dict[str, Any]) -> Answer:
    return gateway.ask("POST", f"/v1/projects/{project}/{what}", body, key=project)


def told(answer: Answer) -> tuple[int, str]:
    """An answer without what is a project's, a delivery's or a moment's own."""
    text = OWN.sub(r'"\1": "-"', answer.body.decode())
    return answer.status, text.replace("full", "-").replace("bare", "-")


def without_names(answer: Answer, sql: str) -> list[str]:
    """The hidden names in an answer beyond those which the question itself brings."""
    text = answer.body.decode()
    told = json.loads(text)
    parts = [str(value) for name, value in told.items() if name not in ("sql", "excerpt")]
    said = " ".join(parts).lower()
    return [name for name in HIDDEN if re.search(rf"\b{name}\b", said) and name not in sql.lower()]


@pytest.mark.parametrize("sql", QUESTIONS)
def test_a_question_is_answered_as_if_there_were_no_more(gateway: Gateway, sql: str) -> None:
    for options in OPTIONS:
        body = {"sql": sql, "rho": "0.001", "options": options}
        part, plain = (ask(gateway, name, "quotes", body) for name in ("part", "plain"))
        assert told(part) == told(plain)
        assert not without_names(part, json.dumps(body))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["queries", "rehearsals"])
def test_answers_and_rehearsals_have_the_same_shape(gateway: Gateway, what: str) -> None:
    for sql in QUESTIONS:
        body = {"sql": sql, "rho": "0.00001"}
        part, plain = (ask(gateway, name, what, body) for name in ("part", "plain"))
        assert part.status == plain.status, sql
        if part.status >= 400:
            assert told(part) == told(plain)
        else:
            assert [c["name"] for c in part.json["columns"]] == [
                c["name"] for c in plain.json["columns"]
            ]
            assert not without_names(part, sql)


def test_the_price_for_an_error_names_no_hidden_column(gateway: Gateway) -> None:
    for error in ({"income": 5}, {"hiv": 5}, 25, {"n": "5%"}):
        body = {"sql": "SELECT area, COUNT(*) AS n FROM visits GROUP BY area", "max_error": error}
        part, plain = (ask(gateway, name, "quotes", body) for name in ("part", "plain"))
        assert told(part) == told(plain)


@pytest.mark.parametrize("path", ["/budget", "", "/grant", "/queries", "/allocations", "/members"])
def test_what_is_read_of_a_project_is_the_same(gateway: Gateway, path: str) -> None:
    def read(project: str) -> str:
        answer = gateway.ask("GET", f"/v1/projects/{project}{path}", key=project)
        return re.sub(r'"(at|spent|remaining|reserved)":.*', "", told(answer)[1]).replace(
            project, "-"
        )

    if path != "/queries":
        assert read("part") == read("plain")
    assert gateway.ask("GET", f"/v1/projects/part{path}", key="part").status == 200


def test_the_catalog_shows_what_is_granted_and_a_hash_of_that(gateway: Gateway) -> None:
    part = gateway.ask("GET", "/v1/datasets/full", key="part").json
    plain = gateway.ask("GET", "/v1/datasets/bare", key="plain").json
    assert part["manifest"] == plain["manifest"]
    assert part["notes"] == plain["notes"]
    whole = gateway.ask("GET", "/v1/datasets/full", key="whole").json
    assert {"diagnoses", "wards"} <= set(whole["manifest"]["tables"])
    listed = gateway.ask("GET", "/v1/datasets", key="part").json["datasets"]
    hashes = {listed[0]["manifest_hash"], part["manifest_hash"]}
    assert hashes != {whole["manifest_hash"]}
    assert len(hashes) == 1


def test_auditors_and_administrators_see_the_whole_dataset(gateway: Gateway) -> None:
    for key in ("root", "auditor"):
        found = gateway.ask("GET", "/v1/datasets/full", key=key).json
        assert "hiv" in found["manifest"]["tables"]["visits"]["columns"]


def test_a_hidden_unit_and_a_hidden_path_still_protect(gateway: Gateway) -> None:
    """Sums within a unit that cannot be named cost and err as before."""
    sql = "SELECT area, SUM(cost) AS c FROM visits GROUP BY area"
    before = ask(gateway, "part", "quotes", {"sql": sql, "rho": "0.001"}).json
    grant = {"tables": {"visits": ["area", "cost"], "areas": ["area"]}, "reason": "no ids"}
    with granted(gateway, grant):
        after = ask(gateway, "part", "quotes", {"sql": sql, "rho": "0.001"}).json
        assert after["expected_error"] == before["expected_error"]
        assert after["stages"] == before["stages"]
        for named in ("COUNT(DISTINCT person_id)", "COUNT(person_id)", "MAX(person_id)"):
            asked = {"sql": f"SELECT {named} FROM visits", "rho": "0.001"}
            refused = ask(gateway, "part", "quotes", asked)
            assert (refused.status, refused.code) == (422, "unknown-column")
            told = [refused.json.get("hint"), refused.json.get("rewrite")]
            assert "person_id" not in str(told)
        both = {"sql": "SELECT COUNT(*) FROM visits a JOIN visits b USING (area)", "rho": "0.001"}
        refused = ask(gateway, "part", "quotes", both)
        assert refused.code == "join-not-on-unit"
        assert "person_id" not in refused.body.decode()


def test_a_reference_to_what_is_hidden_is_a_text_like_others(gateway: Gateway) -> None:
    """Without the areas, the key's values are not public: they leave by a threshold."""
    grant = {"tables": {"visits": ["area"]}, "reason": "no areas"}
    with granted(gateway, grant):
        asked = {"sql": "SELECT area, COUNT(*) FROM visits GROUP BY area", "rho": "0.01"}
        found = ask(gateway, "part", "queries", asked)
        assert found.status == 201
        assert found.json["held_back"] == "possible"


def test_a_grant_counts_from_the_next_question_on(gateway: Gateway) -> None:
    """What was stored under a wider grant is not given out again; a grant given back finds it."""
    sql = "SELECT hiv, COUNT(*) FROM visits GROUP BY hiv"
    everything = {"tables": None, "reason": "all"}
    with granted(gateway, everything):
        first = ask(gateway, "part", "queries", {"sql": sql, "rho": "0.001"})
        assert first.status == 201
    refused = ask(gateway, "part", "queries", {"sql": sql, "rho": "0.001"})
    assert (refused.status, refused.code) == (422, "unknown-column")
    with granted(gateway, everything):
        again = ask(gateway, "part", "queries", {"sql": sql, "rho": "0.001"})
        assert again.json["replayed"] is True
        assert again.json["rows"] == first.json["rows"]


def test_what_a_narrower_grant_still_names_is_replayed_free(gateway: Gateway) -> None:
    sql = "SELECT area, SUM(cost) AS paid FROM visits GROUP BY area"
    first = ask(gateway, "part", "queries", {"sql": sql, "rho": "0.002"})
    with granted(gateway, {"tables": {"visits": ["area", "cost"], "areas": None}, "reason": "r"}):
        again = ask(gateway, "part", "queries", {"sql": sql, "rho": "0.002"})
    assert (again.status, again.json["replayed"]) == (201, True)
    assert again.json["rows"] == first.json["rows"]


def test_every_grant_stays_with_who_gave_it_and_why(gateway: Gateway) -> None:
    found = gateway.ask("GET", "/v1/projects/part/grants", key="root").json["grants"]
    first = {name: [c.lower() for c in sorted(columns)] for name, columns in SEEN.items()}
    assert (found[0]["by"], found[0]["reason"]) == ("root", "contract")
    assert found[0]["tables"] == first
    for key, status in (("part", 403), ("auditor", 200), ("plain", 403)):
        assert gateway.ask("GET", "/v1/projects/part/grants", key=key).status == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"tables": {"visits": ["nothing"]}, "reason": "r"}, 422),
        ({"tables": {"nowhere": None}, "reason": "r"}, 422),
        ({"tables": {}, "reason": "r"}, 422),
        ({"tables": {"visits": []}, "reason": "r"}, 422),
        ({"tables": {"visits": [1]}, "reason": "r"}, 422),
        ({"tables": SEEN}, 422),
        ({"tables": SEEN, "reason": ""}, 422),
    ],
    ids=str,
)
def test_a_grant_names_what_there_is_and_has_a_reason(
    gateway: Gateway, body: dict[str, Any], status: int
) -> None:
    before = gateway.ask("GET", "/v1/projects/part/grant", key="part").json
    assert gateway.ask("POST", "/v1/projects/part/grants", body, key="root").status == status
    assert gateway.ask("POST", "/v1/projects/part/grants", body, key="part").status != 201
    assert gateway.ask("GET", "/v1/projects/part/grant", key="part").json == before


@pytest.mark.slow
def test_a_project_can_be_narrow_from_its_first_moment(gateway: Gateway) -> None:
    body = {"name": "narrow", "dataset": "full", "tables": {"areas": ["area"]}}
    assert gateway.ask("POST", "/v1/projects", body, key="root").status == 201
    found = gateway.ask("GET", "/v1/projects/narrow/grant", key="root").json
    assert found == {"tables": {"areas": ["area"]}}
    wrong = {"name": "never", "dataset": "full", "tables": {"areas": ["nothing"]}}
    assert gateway.ask("POST", "/v1/projects", wrong, key="root").status == 422
    assert gateway.ask("GET", "/v1/projects/never", key="root").status == 404


@pytest.mark.slow
def test_the_terminal_grants_as_well(gateway: Gateway) -> None:
    home = ("--home", str(gateway.home))
    created = sluis("project", "create", "dark", "--dataset", "full", "--epsilon", "1", "--delta",
                    "1e-9", "--may-name", "visits.area", "--may-name", "areas", *home)  # fmt: skip
    assert created.returncode == 0, created.stderr
    shown = gateway.ask("GET", "/v1/projects/dark/grant", key="root").json["tables"]
    assert shown == {"visits": ["area"], "areas": ["area", "residents", "income"]}
    wider = sluis("grant", "give", "dark", "--all", "--reason", "asked", "--json", *home)
    assert json.loads(wider.stdout) == {"project": "dark", "tables": None}
    listed = json.loads(sluis("grant", "list", "dark", "--json", *home).stdout)
    assert [one["reason"] for one in listed] == ["on creation", "asked"]
    for wrong in (["visits.nothing"], ["--all", "visits"], []):
        assert sluis("grant", "give", "dark", *wrong, "--reason", "r", *home).returncode != 0


class granted:  # noqa: N801 - reads as a word of its own
    """The project `part` under another grant for a while."""

    def __init__(self, gateway: Gateway, grant: dict[str, Any]) -> None:
        self._gateway, self._grant = gateway, grant

    def __enter__(self) -> None:
        self._give(self._grant)

    def __exit__(self, *_: object) -> None:
        self._give({"tables": SEEN, "reason": "back"})

    def _give(self, grant: dict[str, Any]) -> None:
        answer = self._gateway.ask("POST", "/v1/projects/part/grants", grant, key="root")
        assert answer.status == 201, answer.body

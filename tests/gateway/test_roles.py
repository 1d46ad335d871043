"""One matrix of roles and acts: the code's, the page's, and what a server does are the same."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.access import ACTS, NEEDED, SCOPES, Act, Role, Scope
from gateway.http.app import create
from gateway.settings import Settings
from tests.gateway.running import Answer, Gateway, make_home, running
from tests.gateway.test_record import DONE
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "administrator.md"
P = "/v1/projects/<project>"
HOUSE = {
    ("GET", "/v1/audit"): Act.AUDIT,
    ("GET", "/v1/audit/checkpoint"): Act.AUDIT,
    ("GET", "/v1/audit/export"): Act.AUDIT,
    ("GET", "/v1/datasets/<dataset>/ceiling"): Act.SURVEY,
    ("POST", "/v1/datasets/<dataset>/ceiling"): Act.ADMINISTER,
    ("POST", "/v1/datasets/<dataset>/overcommitment"): Act.ADMINISTER,
    ("POST", "/v1/datasets/<dataset>/freeze"): Act.ADMINISTER,
    ("POST", "/v1/datasets/<dataset>/thaw"): Act.ADMINISTER,
    ("POST", "/v1/datasets/<dataset>/budget-plans"): Act.ADMINISTER,
    ("GET", "/v1/members"): Act.ADMINISTER,
    ("POST", "/v1/members"): Act.ADMINISTER,
    ("DELETE", "/v1/members/<member>"): Act.ADMINISTER,
    ("POST", "/v1/projects"): Act.ADMINISTER,
    ("POST", f"{P}/allocations"): Act.ADMINISTER,
    ("POST", f"{P}/transfers"): Act.ADMINISTER,
    ("POST", f"{P}/freeze"): Act.ADMINISTER,
    ("POST", f"{P}/queries/<id>/redemption"): Act.ADMINISTER,
    ("POST", f"{P}/thaw"): Act.ADMINISTER,
    ("PUT", f"{P}/term"): Act.ADMINISTER,
    ("POST", f"{P}/grants"): Act.ADMINISTER,
    ("GET", f"{P}/grants"): Act.SURVEY,
}
"""Routes that need a role overall: to all others they are refused, whatever they name."""

WITHIN = {
    ("GET", P): Act.READ,
    ("GET", f"{P}/allocations"): Act.READ,
    ("GET", f"{P}/budget"): Act.READ,
    ("GET", f"{P}/grant"): Act.READ,
    ("GET", f"{P}/limits"): Act.OVERSEE,
    ("POST", f"{P}/limits"): Act.ADMINISTER,
    ("GET", f"{P}/members"): Act.READ,
    ("POST", f"{P}/members"): Act.MANAGE,
    ("DELETE", f"{P}/members/<member>/<role>"): Act.MANAGE,
    ("GET", f"{P}/earmarks"): Act.READ,
    ("POST", f"{P}/earmarks"): Act.MANAGE,
    ("POST", f"{P}/earmarks/<earmark>/lift"): Act.MANAGE,
    ("GET", f"{P}/queries"): Act.READ,
    ("GET", f"{P}/presets"): Act.READ,
    ("PUT", f"{P}/presets"): Act.MANAGE,
    ("POST", f"{P}/queries"): Act.ASK,
    ("GET", f"{P}/queries/<id>"): Act.READ,
    ("GET", f"{P}/queries/<id>/receipt"): Act.READ,
    ("POST", f"{P}/quotes"): Act.QUOTE,
    ("POST", f"{P}/rehearsals"): Act.QUOTE,
    ("POST", "/v1/keys"): Act.MANAGE,
}
"""Routes that need a role in the project that they name: to others it does not exist."""

OWN = {
    ("GET", "/v1/datasets"), ("GET", "/v1/datasets/<dataset>"), ("GET", "/v1/projects"),
    ("GET", "/v1/keys"), ("GET", "/v1/keys/<id>"), ("DELETE", "/v1/keys/<id>"),
    ("POST", "/v1/keys/<id>/rotation"), ("PUT", "/v1/keys/<id>/rate"),
}  # fmt: skip
"""Routes that show or change what is the caller's own (see test_key_routes, test_grants)."""

OPEN = {("POST", "/v1/bootstrap")}
"""Routes that need no key."""

MATRIX = HOUSE | WITHIN
NAMING = {route for route in MATRIX if "<project>" in route[1]} | {("POST", "/v1/keys")}
HOLDERS = {
    "analyst": Role.ANALYST, "lead": Role.LEAD, "reviewer": Role.REVIEWER,
    "root": Role.ADMINISTRATOR, "auditor": Role.AUDITOR,
}  # fmt: skip
DENIED = {"not-permitted", "out-of-scope", "not-authenticated"}
ASKED = {"sql": "SELECT COUNT(*) FROM visits", "budget_share": "0.1%"}


@dataclass
class Noted:
    """Stands where a gateway does, and notes what would be sent."""

    body: Any = None
    json: dict[str, str] = field(default_factory=lambda: {"id": "0" * 16})

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> Noted:
        self.body = body if self.body is None else self.body
        return self


def _body(route: tuple[str, str]) -> Any:
    if route[1].endswith("/budget-plans"):
        return {"questions": [{"sql": ASKED["sql"], "rho": "0.1"}]}
    if route not in DONE:
        return ASKED if route[0] == "POST" else None
    if route[1].endswith("/redemption"):  # the query that it is about would have to have failed
        return {"reason": "a disk was full"}
    noted = Noted()
    DONE[route](noted)  # type: ignore[arg-type]
    return noted.body


def _path(rule: str, query: str, project: str = "p") -> str:
    named = {"project": project, "dataset": "visits", "member": "reviewer", "role": "reviewer"}
    named["earmark"] = "audit"
    return re.sub(r"<(\w+)>", lambda part: named.get(part[1], query), rule)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("roles") / "home"
    with running(home, make_home(home)) as found:
        yield found


@pytest.fixture(scope="module")
def query(house: Gateway) -> str:
    """The id of a query that was answered in project p."""
    return str(house.query().json["id"])


def test_every_route_is_in_one_of_the_tables() -> None:
    """A route that nobody listed fails here."""
    rules = create(Settings(), None).url_map.iter_rules()
    found = {
        (method, rule.rule)
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/")
    }
    assert found == MATRIX.keys() | OWN | OPEN
    assert not HOUSE.keys() & WITHIN.keys()


def test_the_page_shows_the_matrix_of_the_code() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head = next(line for line in lines if line.startswith("| act |"))
    roles = [Role(cell) for cell in _cells(head)[1:]]
    assert set(roles) == set(Role)
    rows = [_cells(line) for line in lines[lines.index(head) + 2 :][: len(Act)]]
    shown = {Act(row[0].partition(":")[0]): row[1:] for row in rows}
    assert shown.keys() == set(Act) == NEEDED.keys()
    for act, cells in shown.items():
        assert set(cells) <= {"yes", ""}
        assert {role for role, cell in zip(roles, cells, strict=True) if cell} == {
            role for role in Role if act in ACTS[role]
        }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


HELD = {
    Act.ASK: {Scope.QUERY},
    Act.DRAW: {Scope.QUERY},
    Act.QUOTE: {Scope.QUERY, Scope.QUOTE},
    Act.READ: {Scope.READ},
    Act.OVERSEE: {Scope.READ},
    Act.SURVEY: {Scope.READ},
    Act.MANAGE: {Scope.ADMINISTER},
    Act.ADMINISTER: {Scope.ADMINISTER},
    Act.AUDIT: {Scope.AUDIT},
}
"""Which scopes let a key do what: what is charged, and what changes anything, one of them alone."""


def test_every_act_is_in_the_scopes_that_the_page_names() -> None:
    assert {act: {scope for scope in Scope if act in SCOPES[scope]} for act in Act} == HELD
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    head = lines.index("| scope | holds |")
    rows = [_cells(line)[0] for line in lines[head + 2 :][: len(Scope)]]
    assert rows == list(Scope)


@pytest.mark.parametrize("route", sorted(MATRIX), ids=" ".join)
def test_a_role_may_do_what_the_matrix_says(
    house: Gateway, query: str, route: tuple[str, str]
) -> None:
    """What is permitted is tried here as far as it changes nothing, the rest in `DONE`."""
    method, rule = route
    for holder, role in HOLDERS.items():
        may = MATRIX[route] in ACTS[role]
        if may and route in DONE:
            continue
        answer = house.ask(method, _path(rule, query), _body(route), holder)
        if may:
            assert answer.status < 300, (holder, answer.body)
        else:
            assert (answer.status, answer.code) == (403, "not-permitted"), (holder, answer.body)


@pytest.mark.slow
def test_whatever_changes_something_is_done_by_whom_it_may(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("acting") / "home"
    with running(home, make_home(home)) as found:
        for route in sorted(MATRIX.keys() & DONE.keys(), reverse=True):  # what deletes comes last
            for holder, role in HOLDERS.items():
                if MATRIX[route] in ACTS[role]:
                    method, rule = route
                    answer = found.ask(method, _path(rule, ""), _body(route), holder)
                    code = answer.json.get("code") if answer.body else None
                    assert code not in DENIED, (route, holder)


@pytest.mark.parametrize("route", sorted(NAMING), ids=" ".join)
def test_a_project_of_others_answers_as_one_that_is_not_there(
    house: Gateway, query: str, route: tuple[str, str]
) -> None:
    """Status, body and headers are the same, byte for byte."""
    method, rule = route
    answers = []
    for project in ("p", "q"):
        body = _body(route)
        if rule == "/v1/keys":
            body |= {"project": project}
        answers.append(house.ask(method, _path(rule, query, project), body, "outsider"))
    hidden, absent = answers
    assert hidden.status == (403 if route in HOUSE else 404)
    assert _told(hidden) == _told(absent)


@pytest.mark.parametrize("path", ["/v1/datasets/{}", "/v1/datasets/{}/ceiling"])
def test_a_dataset_of_others_answers_as_one_that_is_not_there(house: Gateway, path: str) -> None:
    nobody = _nobody(house)
    hidden, absent = (house.ask("GET", path.format(n), key=nobody) for n in ("visits", "nothing"))
    assert hidden.status in (403, 404)
    assert _told(hidden) == _told(absent)


def test_a_query_of_others_answers_as_one_that_is_not_there(house: Gateway, query: str) -> None:
    for tail in ("", "/receipt"):
        paths = [f"/v1/projects/other/queries/{id}{tail}" for id in (query, "0" * len(query))]
        hidden, absent = (house.ask("GET", path, key="outsider") for path in paths)
        assert hidden.status == 404
        assert _told(hidden) == _told(absent)


@pytest.mark.slow
def test_what_is_hidden_takes_as_long_as_what_is_not_there(house: Gateway) -> None:
    """Asked in turns, so that load meets both alike."""
    times: dict[str, list[float]] = {"p": [], "q": []}
    for _ in range(40):
        for name, taken in times.items():
            began = time.perf_counter()
            house.ask("GET", f"/v1/projects/{name}/budget", key="outsider")
            taken.append(time.perf_counter() - began)
    quickest = [statistics.quantiles(taken, n=10)[0] for taken in times.values()]
    assert max(quickest) < 2 * min(quickest) + 0.01


def _nobody(house: Gateway) -> str:
    """A key that carries nothing: its member has a lesser role by now."""
    for role in ("lead", "analyst"):
        body = {"member": "nobody", "role": role}
        assert house.ask("POST", "/v1/projects/empty/members", body, "root").status == 201
    asked = {"member": "nobody", "role": "lead", "project": "empty"}
    key = house.ask("POST", "/v1/keys", asked, "root").json["key"]
    taken = house.ask("DELETE", "/v1/projects/empty/members/nobody/lead", None, "root")
    assert taken.status == 204
    return str(key)


def _told(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """An answer without what differs between any two of them."""
    own = {"Date", "X-Request-Id"}
    return answer.status, answer.body, {k: v for k, v in answer.headers.items() if k not in own}

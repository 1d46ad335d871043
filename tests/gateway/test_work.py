"""What a caller may not see is answered by the same work as what does not exist, step by step.

That status and body are the same is tested beside every route (test_roles, test_grants).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from budgets.charge import Claim, StageClaim
from budgets.earmarking import Part
from budgets.loss import PrivacyLoss
from gateway.access import Role
from gateway.prices import Asked, Unit
from gateway.submission import Question
from tests.gateway.granting import SEEN
from tests.gateway.granting import made as granted
from tests.gateway.running import make_home
from tests.gateway.working import Seen, Work, seen

SQL = "SELECT COUNT(*) AS n FROM visits"
P = "/v1/projects/p"
ABSENT = "0" * 32
TRIES = 5
Request = tuple[str, str, Any]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("work") / "home"
    with seen(home, make_home(home)) as found:
        found.joins("colleague", "p")
        found.house.ledger.earmark("other", "kept", Part(Fraction(1, 10)), "test", "test")
        yield found


def pending(house: Seen, project: str, member: str, *, running: bool = False) -> str:
    """The id of a query of somebody that waits in line, or runs."""
    ledger = house.house.ledger
    question = Question(project, SQL, Asked(Unit.RHO, Fraction(1, 100)))
    query = ledger.accept(project, member, None, question.digest, question.stored())
    if running:
        stage = StageClaim(query.id, PrivacyLoss(10**9), (1.0,), "discrete-gaussian")
        later = datetime.now(UTC) + timedelta(hours=1)
        ledger.reserve(Claim(query.id, project, (stage,), later, member, due=later))
    return query.id


def same(house: Seen, key: str, hidden: Request, absent: Request) -> None:
    """Both are answered alike, but for the name that was asked for, by the same work.

    Who waits for a thread looks more often where the machine is busy: a difference that is there
    only at times is none of what was asked.
    """
    for _ in range(TRIES):
        works = [house.work(method, path, key, body) for method, path, body in (hidden, absent)]
        (work, answer), (other, told) = works
        assert answer[0] in (403, 404, 422)
        assert answer[0] == told[0]
        if not (found := difference(work, other)):
            return
    assert found == {}, hidden


def difference(one: Work, other: Work) -> dict[str, tuple[int, int]]:
    return {n: (one[n], other[n]) for n in one.keys() | other.keys() if one[n] != other[n]}


def test_what_is_there_takes_more_work(house: Seen) -> None:
    """So that sameness is no accident of counting nothing."""
    mine = pending(house, "p", "analyst")
    there, answer = house.work("GET", f"{P}/queries/{mine}", "analyst")
    absent, _ = house.work("GET", f"{P}/queries/{ABSENT}", "analyst")
    assert answer[0] == 200
    assert absent["sent to the ledger"] >= 3
    assert len(difference(there, absent)) > 5


@pytest.mark.parametrize("tail", ["", "/receipt"])
@pytest.mark.parametrize("running", [False, True], ids=["queued", "running"])
def test_a_pending_query_of_another_member(house: Seen, tail: str, running: bool) -> None:
    """Its lead sees it, its colleagues do not."""
    theirs = pending(house, "p", "colleague", running=running)
    assert house.ask("GET", f"{P}/queries/{theirs}", "lead")[0] == 200
    paths = [f"{P}/queries/{id}{tail}" for id in (theirs, ABSENT)]
    same(house, "analyst", ("GET", paths[0], None), ("GET", paths[1], None))
    house.house.ledger.freeze("other", "test", "test")  # an act between, which changes nothing here
    house.house.ledger.thaw("other", "test", "test")
    same(house, "reviewer", ("GET", paths[0], None), ("GET", paths[1], None))


@pytest.mark.parametrize("tail", ["", "/receipt"])
def test_a_query_of_another_project(house: Seen, tail: str) -> None:
    theirs = pending(house, "other", "outsider")
    paths = [f"{P}/queries/{id}{tail}" for id in (theirs, ABSENT)]
    same(house, "analyst", ("GET", paths[0], None), ("GET", paths[1], None))


@pytest.mark.parametrize(
    ("method", "rule", "body"),
    [("GET", "", None), ("GET", "/budget", None), ("GET", "/queries", None),
     ("GET", f"/queries/{ABSENT}", None), ("GET", f"/queries/{ABSENT}/receipt", None),
     ("GET", "/earmarks", None), ("POST", "/earmarks/kept/lift", {"reason": "test"}),
     ("POST", "/queries", {"sql": SQL, "rho": "0.1"}),
     ("POST", "/quotes", {"sql": SQL, "rho": "0.1"}), ("GET", "/grant", None),
     ("GET", "/members", None), ("GET", "/presets", None)],
)  # fmt: skip
def test_a_project_of_others(house: Seen, method: str, rule: str, body: Any) -> None:
    hidden, absent = ((method, f"/v1/projects/{name}{rule}", body) for name in ("other", "othex"))
    same(house, "analyst", hidden, absent)


def test_a_dataset_of_others(house: Seen) -> None:
    """For who has a role in no project any more."""
    key = house.joins("stranger", "empty")
    house.house.registry.give_role("stranger", Role.REVIEWER, "empty")
    house.house.registry.take_role("stranger", Role.ANALYST, "empty")
    hidden, absent = (("GET", f"/v1/datasets/{name}", None) for name in ("visits", "visitz"))
    same(house, key, hidden, absent)


def test_an_earmark_of_another_project(house: Seen) -> None:
    lifts = [("POST", f"{P}/earmarks/{name}/lift", {"reason": "test"}) for name in ("kept", "kepz")]
    same(house, "lead", *lifts)
    for what in ("quotes", "queries"):
        bodies = [{"sql": SQL, "rho": "0.1", "from_earmark": name} for name in ("kept", "kepz")]
        hidden, absent = (("POST", f"{P}/{what}", body) for body in bodies)
        same(house, "lead", hidden, absent)


@pytest.mark.parametrize("what", ["quotes", "queries"])
@pytest.mark.parametrize("named", [False, True], ids=["from_release", "in the text"])
def test_a_release_of_another_project(house: Seen, what: str, named: bool) -> None:
    asked = {"sql": SQL, "rho": "0.001"}
    status, answer = house.ask("POST", "/v1/projects/other/queries", "outsider", asked)
    assert status == 201
    requests = []
    for id in (json.loads(answer)["id"], ABSENT):
        body = {"sql": f'SELECT n FROM release."{id}"', "rho": "0.001"}
        body = body if named else {"sql": "SELECT n FROM release", "from_release": id}
        requests.append(("POST", f"{P}/{what}", body))
    same(house, "analyst", *requests)


@pytest.mark.parametrize(
    ("method", "tail", "body"),
    [("GET", "", None), ("DELETE", "", None), ("POST", "/rotation", {}),
     ("PUT", "/rate", {"rate": 5})],
)  # fmt: skip
@pytest.mark.parametrize("holder", ["outsider", "lead"])
def test_a_key_of_others(house: Seen, holder: str, method: str, tail: str, body: Any) -> None:
    theirs = house.id_of("newcomer")
    hidden, absent = ((method, f"/v1/keys/{id}{tail}", body) for id in (theirs, "0" * len(theirs)))
    same(house, holder, hidden, absent)


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/projects", "/v1/datasets", f"{P}/queries"])
def test_a_list_takes_no_more_where_there_is_more_that_it_leaves_out(
    house: Seen, path: str
) -> None:
    before, first = house.work("GET", path, "analyst")
    house.joins("another", "pure")
    house.house.ledger.open_project(f"of-others-{path[-3:]}", "visits")
    pending(house, "p", "colleague")
    after, second = house.work("GET", path, "analyst")
    assert first[0] == second[0] == 200
    assert difference(before, after) == {}


PRIVATE = (
    ("SELECT COUNT(hiv) FROM visits", "hiv", "hxw"),
    ("SELECT hiv, COUNT(*) FROM visits GROUP BY hiv", "hiv", "hxw"),
    ("SELECT COUNT(*) FROM diagnoses", "diagnoses", "dxagnosez"),
)
PUBLIC = (
    ("SELECT income FROM areas", "income", "ixcomz"),
    ("SELECT * FROM wards", "wards", "wxrdz"),
)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Two projects that may name the same: a part of dataset full, and all of dataset bare."""
    home = tmp_path_factory.mktemp("narrow") / "home"
    with seen(home, granted(home)) as found:
        body = {"tables": SEEN, "reason": "contract"}
        for project in ("part", "plain"):
            status, _ = found.ask("POST", f"/v1/projects/{project}/grants", "root", body)
            assert status == 201
        yield found


@pytest.mark.parametrize("what", ["quotes", "queries", "rehearsals"])
@pytest.mark.parametrize(("sql", "hidden", "absent"), [*PRIVATE, *PUBLIC])
def test_what_is_not_granted(narrow: Seen, what: str, sql: str, hidden: str, absent: str) -> None:
    """It takes the work of a name that there never was."""
    path = f"/v1/projects/part/{what}"
    bodies = [{"sql": text, "rho": "0.001"} for text in (sql, sql.replace(hidden, absent))]
    same(narrow, "part", *(("POST", path, body) for body in bodies))


@pytest.mark.parametrize("what", ["quotes", "queries", "rehearsals"])
@pytest.mark.parametrize("sql", [sql for sql, _, _ in PRIVATE])
def test_a_dataset_without_what_is_not_granted(narrow: Seen, what: str, sql: str) -> None:
    """The same question takes as much where the dataset has nothing else."""
    body = {"sql": sql, "rho": "0.001"}
    works = [narrow.work("POST", f"/v1/projects/{name}/{what}", name, body)
             for name in ("part", "plain")]  # fmt: skip
    assert [answer[0] for _, answer in works] == [422, 422]
    assert difference(works[0][0], works[1][0]) == {}

"""The contract over HTTP, on a really started server: answers, refusals, isolation, bad input."""

from __future__ import annotations

import csv
import io
import time
from fractions import Fraction

import pytest

from tests.gateway.running import AREAS, COUNT, Gateway, quickest

P = "/v1/projects/p"
REASONED = {"epsilon": 1, "reason": "a test"}


def test_an_answer_carries_its_margins_loss_and_budget(gateway: Gateway) -> None:
    answer = gateway.query(budget_share="2%")
    assert answer.status == 201, answer.body
    release = answer.json
    assert [column["role"] for column in release["columns"]] == ["key", "measure"]
    assert [row[0] for row in release["rows"]] == sorted(AREAS)
    for row, low, high in zip(
        release["rows"], release["intervals"]["lower"], release["intervals"]["upper"], strict=True
    ):
        assert low[1] < row[1] < high[1]
        assert low[0] is None
    assert release["privacy_loss"]["budget_share"] == "2%" or release["replayed"]
    assert release["columns"][1]["mechanism"] == "discrete-gaussian"
    assert release["budget"]["remaining"]["words"].startswith("about ")
    again = gateway.ask("GET", answer.headers["Location"])
    assert again.json["release"] == release
    assert "immutable" in again.headers["Cache-Control"]
    assert again.headers["Vary"] == "Accept, Authorization"


def test_the_same_question_again_is_free_and_the_same(gateway: Gateway) -> None:
    sql = "SELECT COUNT(DISTINCT person_id) AS n FROM visits"
    first = gateway.query(sql).json
    before = gateway.budget()["remaining"]
    second = gateway.query(sql).json
    assert second["rows"] == first["rows"]
    assert second["replayed"]
    assert second["privacy_loss"]["rho"] == "0"
    assert gateway.budget()["remaining"] == before


def test_a_retried_key_returns_the_same_bytes(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "retry-1"}
    fresh = {"replay": False}
    first = gateway.query(headers=headers, options=fresh)
    spent = gateway.budget()["spent"]
    second = gateway.query(headers=headers, options=fresh)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert gateway.budget()["spent"] == spent
    other = gateway.query(headers=headers, options=fresh, confidence=0.9)
    assert (other.status, other.code) == (422, "key-reused")


def test_a_fresh_draw_is_charged_and_differs(gateway: Gateway) -> None:
    gateway.query(COUNT)
    before = gateway.budget()["spent"]["rho"]
    draw = gateway.query(headers={"Idempotency-Key": "fresh-1"}, options={"replay": False})
    assert draw.status == 201
    assert not draw.json["replayed"]
    assert float(gateway.budget()["spent"]["rho"]) > float(before)
    missing = gateway.query(options={"replay": False})
    assert (missing.status, missing.code) == (400, "idempotency-key-needed")


def test_csv_has_the_bounds_and_is_safe_in_a_spreadsheet(gateway: Gateway) -> None:
    answer = gateway.query(headers={"Accept": "text/csv"})
    assert answer.status == 201
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    assert rows[0] == ["area", "people", "people_lower", "people_upper"]
    assert len(rows) == 1 + len(AREAS)
    assert rows[1][0] == "'=cmd"
    assert all(float(low) < float(value) < float(high) for _, value, low, high in rows[1:])


def test_a_format_that_is_not_offered_is_refused_before_it_costs(gateway: Gateway) -> None:
    before = gateway.budget()["spent"]
    answer = gateway.query(
        "SELECT COUNT(*) AS n FROM visits", headers={"Accept": "application/xml"}
    )
    assert (answer.status, answer.code) == (406, "not-acceptable")
    assert gateway.budget()["spent"] == before


def test_respond_async_is_accepted_and_found_at_its_location(gateway: Gateway) -> None:
    sql = "SELECT area, SUM(cost) AS paid FROM visits GROUP BY area"
    answer = gateway.query(sql, headers={"Prefer": "respond-async"})
    assert answer.status == 202, answer.body
    assert answer.json["state"] in ("queued", "running", "released")
    place = answer.headers["Location"]
    end = time.monotonic() + 30
    while (found := gateway.ask("GET", place).json)["state"] != "released":
        assert time.monotonic() < end, found
        time.sleep(0.05)
    assert len(found["release"]["rows"]) == len(AREAS)


def test_public_tables_are_exact_and_free(gateway: Gateway) -> None:
    before = gateway.budget()["spent"]
    release = gateway.query("SELECT area, residents FROM areas ORDER BY residents").json
    assert release["rows"][0] == [AREAS[0], 100]
    assert release["privacy_loss"]["rho"] == "0"
    assert gateway.budget()["spent"] == before


def test_a_refusal_of_sql_has_a_place_and_a_way_out(gateway: Gateway) -> None:
    answer = gateway.query("SELECT area, COUNT(nothing) AS n FROM visits GROUP BY area")
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["code"] == "unknown-column"
    assert answer.json["type"] == "/problems/unknown-column"
    assert answer.json["position"] == {"line": 1, "column": 20}
    line, caret = answer.json["excerpt"].split("\n")
    assert line[caret.index("^") :].startswith("nothing")
    assert answer.json["hint"]


BAD_SQL = {
    "empty": "   ",
    "not a select": "DROP TABLE visits",
    "several": "SELECT 1; SELECT 2",
    "not sql": "SELEC area FRM",
    "nested": "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "sum of a": "SELECT " + "+".join(["a"] * 7500),
    "long": "SELECT '" + "x" * 20_000 + "'",
    "rows": "SELECT * FROM visits",
    "settings": "SET memory_limit = '1GB'",
    "files": "SELECT * FROM read_csv('/etc/passwd')",
}


@pytest.mark.parametrize("name", BAD_SQL)
def test_bad_sql_is_refused_within_a_second_and_costs_nothing(gateway: Gateway, name: str) -> None:
    before = gateway.budget()["spent"]
    answer, took = quickest(lambda: gateway.query(BAD_SQL[name]))
    assert 400 <= answer.status < 500, answer.body
    assert answer.code
    assert took < 1
    assert gateway.budget()["spent"] == before


Q = f"{P}/queries"
BAD_BODIES: dict[str, tuple[object, int, str]] = {
    "malformed": (b"{", 400, "malformed-body"),
    "not utf-8": (b'{"sql": "\xff"}', 400, "malformed-body"),
    "nan": (b'{"sql": "SELECT 1", "epsilon": NaN}', 400, "malformed-body"),
    "a list": ([], 400, "malformed-body"),
    "twice": (b'{"sql": "SELECT 1", "epsilon": 0.1, "epsilon": 9}', 400, "malformed-body"),
    "huge": (b'{"sql": "' + b"x" * 70_000 + b'"}', 413, "body-too-large"),
    "unknown": ({"sql": COUNT, "epsilon": 1, "extra": 1}, 422, "invalid-request"),
    "deep unknown": ({"sql": COUNT, "epsilon": 1, "options": {"x": 1}}, 422, "invalid-request"),
    "no sql": ({"epsilon": 1}, 422, "invalid-request"),
    "sql a number": ({"sql": 5, "epsilon": 1}, 422, "invalid-request"),
    "no price": ({"sql": COUNT}, 422, "invalid-request"),
    "two prices": ({"sql": COUNT, "epsilon": 1, "rho": 1}, 422, "invalid-request"),
    "negative": ({"sql": COUNT, "epsilon": -1}, 422, "invalid-request"),
    "zero": ({"sql": COUNT, "epsilon": 0}, 422, "invalid-request"),
    "zero share": ({"sql": COUNT, "budget_share": "0%"}, 422, "invalid-request"),
    "absurd": ({"sql": COUNT, "epsilon": 1e20}, 422, "invalid-request"),
    "absurd text": ({"sql": COUNT, "epsilon": "1e99"}, 422, "invalid-request"),
    "true": ({"sql": COUNT, "epsilon": True}, 422, "invalid-request"),
    "text nan": ({"sql": COUNT, "epsilon": "nan"}, 422, "invalid-request"),
    "tiny": ({"sql": COUNT, "epsilon": "1e-30"}, 422, "price-under-floor"),
    "more than all": ({"sql": COUNT, "epsilon": 900}, 403, "budget-exceeded"),
    "confidence": ({"sql": COUNT, "epsilon": 1, "confidence": 1}, 422, "invalid-request"),
    "max_error": ({"sql": COUNT, "max_error": -5}, 422, "invalid-request"),
    "replay text": (
        {"sql": COUNT, "epsilon": 1, "options": {"replay": "no"}}, 422, "invalid-request",
    ),
    "bounds crossed": (
        {"sql": COUNT, "epsilon": 1,
         "options": {"bounds": {"columns": {"cost": {"lower": 5, "upper": 1}}}}},
        422, "invalid-request",
    ),
}  # fmt: skip


@pytest.mark.parametrize("resource", ["queries", "quotes"])
@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_bodies_are_refused_and_cost_nothing(
    gateway: Gateway, name: str, resource: str
) -> None:
    body, status, code = BAD_BODIES[name]
    before = gateway.budget()["spent"]
    answer, took = quickest(lambda: gateway.ask("POST", f"{P}/{resource}", body))
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["status"] == status
    assert took < 1
    assert gateway.budget()["spent"] == before


def test_a_budget_that_does_not_suffice_says_what_was_asked_and_what_remains(
    gateway: Gateway,
) -> None:
    answer = gateway.query(epsilon=900)
    assert answer.status == 403
    assert float(answer.json["requested"]["rho"]) > float(answer.json["remaining"]["rho"]) > 0
    requested, remaining = answer.json["requested"], answer.json["remaining"]
    assert float(requested["epsilon"]) > float(remaining["epsilon"]) > 0
    assert float(requested["budget_share"][:-1]) > float(remaining["budget_share"][:-1]) > 0


def test_the_size_is_looked_at_before_the_key(gateway: Gateway) -> None:
    assert gateway.ask("POST", Q, b"x" * 70_000, key=None).status == 413
    assert gateway.ask("POST", Q, b"x" * 60_000, key=None).status == 401


@pytest.mark.parametrize("key", [None, "", "sluis_" + "A" * 43, "nonsense"])
def test_without_a_valid_key_nothing_is_told(gateway: Gateway, key: str | None) -> None:
    for path in (Q, "/v1/projects/none/queries", "/v1/nowhere", "/v1/datasets"):
        answer = gateway.ask("GET", path, key=key)
        assert (answer.status, answer.code) == (401, "not-authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/v1/nowhere", 404, "not-found"),
        ("PUT", Q, 405, "method-not-allowed"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
        ("GET", f"{Q}/unknown", 404, "not-found"),
        ("GET", f"{Q}?limit=0", 422, "invalid-request"),
        ("GET", f"{Q}?limit=x", 422, "invalid-request"),
        ("GET", f"{Q}?cursor=x", 422, "invalid-request"),
        ("GET", f"{Q}?page=2", 422, "invalid-request"),
    ],
)
def test_every_error_is_a_problem(
    gateway: Gateway, method: str, path: str, status: int, code: str
) -> None:
    answer = gateway.ask(method, path)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == f"/problems/{code}"


def test_a_body_of_another_type_is_refused(gateway: Gateway) -> None:
    answer = gateway.ask("POST", Q, b"sql=SELECT", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (415, "unsupported-media-type")


@pytest.mark.parametrize("key", ["outsider", "newcomer", "purist"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("GET", "/budget"), ("GET", "/queries"), ("POST", "/queries"),
     ("POST", "/quotes"), ("GET", "/members"), ("GET", "/allocations"), ("GET", "/queries/x")],
)  # fmt: skip
def test_somebody_elses_project_looks_like_one_that_does_not_exist(
    gateway: Gateway, key: str, method: str, rest: str
) -> None:
    body = {"sql": COUNT, "epsilon": 1} if method == "POST" else None
    theirs = gateway.ask(method, f"/v1/projects/p{rest}", body, key)
    none = gateway.ask(method, f"/v1/projects/no-such-project{rest}", body, key)
    assert theirs.status == none.status == 404
    assert theirs.body == none.body


def test_roles_carry_what_they_should(gateway: Gateway) -> None:
    assert gateway.query(key="reviewer").code == "not-permitted"
    assert gateway.query(key="auditor").code == "not-permitted"
    assert gateway.query(key="root").code == "not-permitted"
    assert gateway.ask("GET", Q, key="auditor").status == 200
    assert gateway.ask("GET", f"{P}/budget", key="reviewer").status == 200
    new = {"name": "mine", "dataset": "visits"}
    assert gateway.ask("POST", "/v1/projects", new, key="lead").status == 403
    assert gateway.ask("POST", f"{P}/allocations", REASONED, key="lead").status == 403
    assert gateway.ask("GET", "/v1/members", key="lead").status == 403
    theirs = {"member": "root", "role": "administrator", "project": "p"}
    assert gateway.ask("POST", "/v1/keys", theirs, key="lead").code == "not-permitted"
    mine = {"member": "analyst", "role": "analyst", "project": "p"}
    assert gateway.ask("POST", "/v1/keys", mine, key="lead").status == 201


def test_a_project_is_made_funded_staffed_and_asked_over_http(gateway: Gateway) -> None:
    new = {"name": "fresh", "dataset": "visits", "title": "Fresh"}
    assert gateway.ask("POST", "/v1/projects", new, "root").status == 201
    assert gateway.ask("POST", "/v1/projects", new, "root").code == "name-taken"
    assert gateway.ask("GET", "/v1/projects/fresh/budget", key="root").code == "nothing-allocated"
    grant = {"epsilon": "1.5", "delta": "1e-8", "reason": "a test"}
    given = gateway.ask("POST", "/v1/projects/fresh/allocations", grant, "root")
    assert given.json["guarantee"]["epsilon"] == "1.5"
    listed = gateway.ask("GET", "/v1/projects/fresh/allocations", key="root").json
    assert [one["reason"] for one in listed["allocations"]] == ["a test"]
    much = REASONED | {"epsilon": 999}
    too_much = gateway.ask("POST", "/v1/projects/fresh/allocations", much, "root")
    assert (too_much.status, too_much.code) == (403, "allocation-exceeded")
    role = {"member": "zoe", "role": "analyst"}
    assert gateway.ask("POST", "/v1/projects/fresh/members", role, "root").status == 201
    made = gateway.ask("POST", "/v1/keys", {**role, "project": "fresh", "days": 1}, "root")
    assert made.status == 201
    key = made.json["key"]
    assert gateway.query(project="fresh", key=key, budget_share="10%").status == 201
    assert gateway.ask("DELETE", f"/v1/keys/{made.json['id']}", key="root").status == 204
    assert gateway.query(project="fresh", key=key).status == 401


def test_a_pure_project_adds_epsilons_and_refuses_rho(gateway: Gateway) -> None:
    before = gateway.budget("pure", "purist")["remaining"]["epsilon"]
    draw = {"options": {"replay": False}, "headers": {"Idempotency-Key": "a-pure-one"}}
    answer = gateway.query(project="pure", key="purist", epsilon="0.5", **draw)
    assert answer.status == 201, answer.body
    assert answer.json["columns"][1]["mechanism"] == "discrete-laplace"
    left = gateway.budget("pure", "purist")["remaining"]["epsilon"]
    assert Fraction(before) - Fraction(left) == Fraction("0.5")
    assert gateway.query(project="pure", key="purist", rho="0.1").code == "price-not-offered"
    noted = "SELECT note, COUNT(DISTINCT person_id) AS n FROM visits GROUP BY note"
    assert gateway.query(noted, "pure", key="purist", epsilon="0.5").code == "keys-need-delta"


def test_datasets_are_those_of_the_callers_projects(gateway: Gateway) -> None:
    found = gateway.ask("GET", "/v1/datasets").json["datasets"]
    assert [one["dataset"] for one in found] == ["visits"]
    whole = gateway.ask("GET", "/v1/datasets/visits").json
    assert whole["manifest"]["tables"]["visits"]["rows_per_unit"] == 4
    assert "slots are off" in " ".join(whole["notes"])
    assert "visits.csv" not in str(whole)
    assert gateway.ask("GET", "/v1/datasets/none").code == "not-found"


def test_history_is_paged_newest_first(gateway: Gateway) -> None:
    for number in range(3):
        gateway.query(f"SELECT area, residents + {number} AS n FROM areas")
    first = gateway.ask("GET", f"{Q}?limit=2").json
    assert len(first["queries"]) == 2
    second = gateway.ask("GET", f"{Q}?limit=2&cursor={first['next']}").json
    ids = [one["id"] for one in first["queries"] + second["queries"]]
    assert len(set(ids)) == len(ids)
    assert first["queries"][0]["created_at"] >= second["queries"][-1]["created_at"]


def test_responses_say_nothing_about_the_software_and_are_not_kept(gateway: Gateway) -> None:
    answer = gateway.ask("GET", "/healthz", key=None)
    assert answer.json == {"status": "ok"}
    assert "Server" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    ids = {gateway.ask("GET", "/healthz", key=None).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
    assert gateway.ask("GET", "/openapi.yaml", key=None).body.startswith(b"openapi: 3.1")
    assert "remains" in gateway.ask("GET", "/problems/budget-exceeded", key=None).json["meaning"]

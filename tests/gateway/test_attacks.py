"""What an untrusted caller may try over HTTP: each attempt must say nothing and change nothing."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.running import Gateway

ASKED = {"sql": "SELECT COUNT(*) FROM visits", "budget_share": "1%"}


@pytest.mark.parametrize(
    "path", ["//v1//projects/p/budget", "/v1/projects/p//queries", "//evil.test"]
)
def test_no_address_is_mended_by_a_redirect(gateway: Gateway, path: str) -> None:
    """A redirect would repeat the Host that the caller sent, before any key is looked at."""
    found = gateway.ask("GET", path, headers={"Host": "evil.test"})
    assert found.status == 404
    assert found.code == "not-found"
    assert b"evil" not in found.body
    assert "Location" not in found.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("what", ["queries", "budget", "quotes", "members"])
def test_a_project_of_others_is_like_none(gateway: Gateway, method: str, what: str) -> None:
    """Status and body are the same, byte for byte."""
    body = ASKED if method == "POST" else None
    found = [
        gateway.ask(method, f"/v1/projects/{name}/{what}", body) for name in ("other", "nobody")
    ]
    assert found[0].status in (404, 405, 422)
    assert (found[0].status, found[0].body) == (found[1].status, found[1].body)


def test_a_compressed_body_is_not_unpacked(gateway: Gateway) -> None:
    bomb = gzip.compress(json.dumps(ASKED | {"sql": " " * 10_000_000}).encode())
    headers = {"Content-Encoding": "gzip"}
    found = gateway.ask("POST", "/v1/projects/p/queries", bomb, headers=headers)
    assert (found.status, found.code) == (400, "malformed-body")


@pytest.mark.parametrize(
    "header",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/v1/projects/other/budget"},
        {"X-Forwarded-User": "root"},
        {"X-Forwarded-Prefix": "/v1/projects/other"},
    ],
    ids=str,
)
def test_no_header_changes_who_asks_or_what(gateway: Gateway, header: dict[str, str]) -> None:
    found = gateway.ask("GET", "/v1/projects/p/budget", headers=header)
    assert (found.status, found.json["project"]) == (200, "p")


def test_the_same_question_eight_times_at_once_is_charged_once(gateway: Gateway) -> None:
    """By eight threads without a key: one draw, one charge, the same number for all."""
    sql = "SELECT SUM(cost) AS total FROM visits WHERE cost > 20"
    before = float(gateway.budget()["spent"]["rho"])
    price = gateway.ask("POST", "/v1/projects/p/quotes", ASKED | {"sql": sql}).json
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: gateway.query(sql), range(8)))
    assert {answer.status for answer in found} == {201}
    assert len({answer.json["rows"][0][0] for answer in found}) == 1
    spent = float(gateway.budget()["spent"]["rho"]) - before
    assert spent == pytest.approx(float(price["privacy_loss"]["rho"]), abs=1e-11)

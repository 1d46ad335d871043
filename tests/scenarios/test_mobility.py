"""Mobility counts from an operator: never rows, and one record of every access."""

from __future__ import annotations

import csv
import io

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.demo import sources
from tests.gateway.running import Answer, Gateway

pytestmark = pytest.mark.slow

PRESENCE = "SELECT area, COUNT(DISTINCT device_id) AS devices FROM pings GROUP BY area"


def ask(gateway: Gateway, sql: str, share: str = "2%", **more: object) -> Answer:
    return gateway.query(sql, "presence", budget_share=share, **more)


def test_presence_by_area_comes_with_margins_that_are_worth_having(demonstration: Gateway) -> None:
    answer = ask(demonstration, PRESENCE)
    assert answer.status == 201, answer.body
    rows = answer.json["rows"]
    assert len(rows) == len(sources.STEMS) * len(sources.ENDINGS)
    lower = answer.json["intervals"]["lower"]
    widths = [row[1] - low[1] for row, low in zip(rows, lower, strict=True)]
    assert max(widths) < 0.2 * sum(row[1] for row in rows) / len(rows)


def test_day_and_night_presence_joins_public_tables(demonstration: Gateway) -> None:
    sql = (
        "SELECT a.province, EXTRACT(hour FROM p.seen_at) < 7 AS night,"
        " COUNT(DISTINCT p.device_id) AS devices"
        " FROM pings p JOIN areas a ON a.area = p.area"
        " GROUP BY a.province, EXTRACT(hour FROM p.seen_at) < 7 ORDER BY 1, 2"
    )
    answer = ask(demonstration, sql)
    assert answer.status == 201, answer.body
    assert len({row[0] for row in answer.json["rows"]}) == len(sources.PROVINCES)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM pings", "not-an-aggregate"),
        ("SELECT device_id, COUNT(*) AS n FROM pings GROUP BY device_id", "names-persons"),
        ("SELECT COUNT(*) AS n FROM pings WHERE device_id = 100001", "unit-id-used"),
    ],
)
def test_nobody_gets_rows_or_devices(demonstration: Gateway, sql: str, code: str) -> None:
    before = demonstration.budget("presence")["spent"]
    answer = ask(demonstration, sql)
    assert (answer.status, answer.json["code"]) in {(422, code), (422, "names-persons")}
    assert answer.json["hint"]
    assert demonstration.budget("presence")["spent"] == before
    for key in ("root", "auditor"):
        assert ask(demonstration, sql, key=key).code == "not-permitted"


def test_a_supervisor_sees_every_access_and_verifies_the_record(demonstration: Gateway) -> None:
    asked = ask(demonstration, PRESENCE).json["id"]
    path = "/v1/projects/presence/queries?limit=200"
    listed = demonstration.ask("GET", path, key="auditor").json["queries"]
    assert asked in {one["id"] for one in listed}
    assert all(one["member"] == "demo" and one["sql"] for one in listed)
    whole = demonstration.ask("GET", f"/v1/projects/presence/queries/{asked}", key="auditor").json
    assert whole["release"]["stages"][0]["columns"][0]["mechanism"] == "discrete-gaussian"
    storage = Storage.open(demonstration.home / "sluis.db")
    assert Ledger(storage).verify("mobility").intact
    storage.close()


def test_another_project_sees_nothing_of_this_one(demonstration: Gateway) -> None:
    asked = ask(demonstration, PRESENCE).json["id"]
    paths = ("", "/budget", "/queries", f"/queries/{asked}")
    for path in paths:
        found = demonstration.ask("GET", f"/v1/projects/presence{path}", key="stranger")
        assert found.status == 404
    datasets = demonstration.ask("GET", "/v1/datasets", key="stranger").json["datasets"]
    assert [one["dataset"] for one in datasets] == ["mobility"]


def test_a_table_for_a_note_is_one_request(demonstration: Gateway) -> None:
    answer = ask(demonstration, PRESENCE, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert {"area", "devices", "devices_lower", "devices_upper"} == set(rows[0])

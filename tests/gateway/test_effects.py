"""The effect of bounding, over HTTP: quoted free, charged with the answer, stored, served again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from queries.plan.left_out import MEASURED, NOTHING
from tests.gateway.running import Gateway
from tests.gateway.test_cli import client, sluis

SQL = "SELECT COUNT(*) AS n, SUM(cost) AS d, AVG(cost) AS mean FROM visits"
"""Of 200 persons, 50 each have 1, 2, 3 and 4 rows."""
TWO = {"bounds": {"rows_per_group": 2}, "effects": True}


def quoted(gateway: Gateway, **body: Any) -> dict[str, Any]:
    answer = gateway.ask("POST", "/v1/projects/p/quotes", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def asked(gateway: Gateway, sql: str = SQL, **more: Any) -> dict[str, Any]:
    answer = gateway.query(sql, **{"budget_share": "2%", "options": TWO, **more})
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.json
    return found


def test_the_shares_come_beside_the_numbers(gateway: Gateway) -> None:
    before = gateway.budget()["spent"]
    quote = quoted(gateway, sql=SQL, budget_share="5%", options=TWO)
    assert gateway.budget()["spent"] == before
    release = asked(gateway, budget_share="5%")
    assert release["privacy_loss"] == quote["privacy_loss"]
    assert release["effects"]["note"] == quote["effects"]["note"] == MEASURED
    units, *rest = release["effects"]["shares"]
    assert [one["of"] for one in rest].count("rows") == 1
    rows = next(one for one in rest if one["of"] == "rows")
    assert rows["columns"] == ["n", "mean"]
    for one, exact in ((units, 0.5), (rows, 0.3)):
        assert abs(one["share"] - exact) < 0.1
        assert one["lower"] <= one["share"] <= one["upper"]
    assert (units["of"], units["columns"]) == ("units", [])


def test_the_quote_shows_its_price(gateway: Gateway) -> None:
    quote = quoted(gateway, sql=f"{SQL} WHERE cost < 99", budget_share="2%", options=TWO)
    first, effect = quote["stages"]
    assert quote["effects"]["rho"] == effect["rho"]
    assert effect["about"].startswith("what bounds leave out")
    total = Decimal(first["rho"]) + Decimal(effect["rho"])
    assert total == Decimal(quote["privacy_loss"]["rho"])
    shares = {one["of"]: one["margin"] for one in quote["effects"]["shares"]}
    assert shares.keys() == {"units", "rows", "total"}
    assert 0 < shares["units"] < shares["rows"] < shares["total"]
    assert quoted(gateway, sql=SQL, budget_share="2%")["effects"] is None


def test_the_same_shares_serve_again(gateway: Gateway) -> None:
    first = asked(gateway)
    spent = gateway.budget()["spent"]
    again = asked(gateway, f"SELECT mean, n FROM ({SQL}) t")
    assert again["replayed"]
    shares = {one["about"]: one["share"] for one in again["effects"]["shares"]}
    assert shares == {one["about"]: one["share"] for one in first["effects"]["shares"]}
    cheaper = asked(gateway, budget_share="0.5%", options={"bounds": TWO["bounds"]})
    assert cheaper["replayed"]
    assert cheaper["effects"] is None
    assert gateway.budget()["spent"] == spent


def test_bounds_that_leave_out_nothing_cost_nothing(gateway: Gateway) -> None:
    body = {"sql": SQL, "budget_share": "2%"}
    plain, more = quoted(gateway, **body), quoted(gateway, **body, options={"effects": True})
    assert more["effects"] == {"note": NOTHING, "rho": "0", "shares": []}
    assert more["stages"] == plain["stages"]
    release = asked(gateway, options={"effects": True})
    assert release["effects"] == {"note": NOTHING, "shares": []}


def test_the_command_line_tells_them(gateway: Gateway) -> None:
    asking = ["--project", "p", "--share", "2%", "--rows-per-group", "2", "--effects"]
    told = sluis("quote", *asking, SQL, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "  rows (n, mean): +-" in told.stdout
    told = sluis("query", *asking, SQL, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert MEASURED in told.stdout
    assert "  person units that have more than was kept: " in told.stdout
    narrow = ["--range", "cost", "0", "10", "--groups-per-unit", "1", "--effects"]
    by_area = "SELECT area, SUM(cost) AS d FROM visits GROUP BY area"
    told = sluis("query", "--project", "p", "--share", "2%", *narrow, by_area, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "  the total of cost (d): " in told.stdout

"""Breach notifications opened to research: a power law, so the cap per unit decides."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from gateway.demo import sources
from tests.gateway.running import Answer, Gateway

pytestmark = pytest.mark.slow

ORGANISATIONS = (
    "SELECT o.sector, COUNT(DISTINCT o.organisation_id) AS organisations"
    " FROM organisations o JOIN notifications n ON n.organisation_id = o.organisation_id"
    " GROUP BY o.sector ORDER BY o.sector"
)
NOTIFICATIONS = (
    "SELECT o.sector, COUNT(*) AS notifications"
    " FROM organisations o JOIN notifications n ON n.organisation_id = o.organisation_id"
    " GROUP BY o.sector ORDER BY o.sector"
)


def ask(gateway: Gateway, sql: str, share: str = "5%", **more: object) -> Answer:
    return gateway.query(sql, "breach-study", budget_share=share, **more)


def widest(release: dict[str, list[list[float]]], lower: list[list[float]]) -> float:
    """The widest margin as a share of the mean answer."""
    rows = release["rows"]
    widths = [row[1] - low[1] for row, low in zip(rows, lower, strict=True)]
    return max(widths) / (sum(row[1] for row in rows) / len(rows))


def test_organisations_are_counted_better_than_notifications(demonstration: Gateway) -> None:
    answers = [ask(demonstration, sql) for sql in (ORGANISATIONS, NOTIFICATIONS)]
    assert [answer.status for answer in answers] == [201, 201], answers[0].body
    errors = [widest(a.json, a.json["intervals"]["lower"]) for a in answers]
    assert errors[0] < 0.5
    assert errors[0] < errors[1], "the cap of 100 reports a unit is paid for in noise"


def test_the_answer_is_close_to_the_truth_of_the_sources(demonstration: Gateway) -> None:
    release = ask(demonstration, ORGANISATIONS).json
    folder = demonstration.home / "sources" / "breaches"
    truth = _truth(folder)
    assert set(truth) == set(sources.SECTORS)
    for (sector, noisy), (_, low), (_, high) in zip(
        release["rows"],
        release["intervals"]["lower"],
        release["intervals"]["upper"],
        strict=True,
    ):
        assert abs(noisy - truth[sector]) < 3 * (high - low), sector


def test_the_same_figure_is_given_to_whoever_asks_again(demonstration: Gateway) -> None:
    first, second = ask(demonstration, ORGANISATIONS).json, ask(demonstration, ORGANISATIONS).json
    assert first["rows"] == second["rows"]
    assert second["replayed"]


def test_a_mean_and_a_share_carry_intervals_too(demonstration: Gateway) -> None:
    sql = (
        "SELECT nature, AVG(people_affected) AS mean, COUNT(*) AS reports FROM notifications"
        " GROUP BY nature ORDER BY nature"
    )
    bounds = {"rows_per_group": 2, "columns": {"people_affected": {"lower": 0, "upper": 200}}}
    release = ask(demonstration, sql, "15%", options={"bounds": bounds}).json
    assert len(release["rows"]) >= 6
    assert [column["role"] for column in release["columns"]] == ["key", "derived", "measure"]
    place = [row[0] for row in release["rows"]].index("wrong recipient")
    low, high = (release["intervals"][end][place][1] for end in ("lower", "upper"))
    assert low <= release["rows"][place][1] <= high
    assert low < high


def test_the_quote_of_planned_tables_names_margin_and_price(demonstration: Gateway) -> None:
    body = {"sql": NOTIFICATIONS, "budget_share": "1%"}
    quote = demonstration.ask("POST", "/v1/projects/breach-study/quotes", body)
    assert quote.status == 200, quote.body
    assert quote.json["privacy_loss"]["budget_share"]
    assert quote.json["expected_error"][0]["margin"] > 0
    assert quote.json["plan"]


def test_an_organisation_is_never_named(demonstration: Gateway) -> None:
    sql = "SELECT organisation_id, COUNT(*) AS n FROM notifications GROUP BY organisation_id"
    assert ask(demonstration, sql).code == "names-persons"


def _truth(folder: Path) -> dict[str, int]:
    rows = duckdb.sql(
        "SELECT sector, COUNT(DISTINCT organisation_id)"
        f" FROM '{folder}/organisations.parquet' JOIN '{folder}/notifications.parquet'"
        " USING (organisation_id) GROUP BY sector"
    ).fetchall()
    return dict(rows)

"""Breach notifications that come each half-year: each is asked about, and pays, by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb
import pytest

from budgets import statements
from budgets.mechanisms import GAUSSIAN, bounded_rho
from budgets.storage import Storage
from tests.gateway.growing import BLOCKS, Growing, data
from tests.gateway.running import Answer, Gateway, running
from tests.gateway.test_cli import sluis

pytestmark = pytest.mark.slow

REPORTS = "SELECT nature, COUNT(DISTINCT organisation_id) AS n FROM notifications GROUP BY nature"
MONTHS = "SELECT month(received_on) AS m, COUNT(*) AS n FROM notifications GROUP BY 1 ORDER BY 1"


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Growing, Gateway]]:
    made = Growing(tmp_path_factory.mktemp("growing"))
    for block in BLOCKS:
        made.deliver(block)
    keys = made.populate()
    with running(made.home.root, keys) as gateway:
        yield made, gateway
    made.storage.close()


def ask(gateway: Gateway, sql: str = REPORTS, **more: object) -> Answer:
    answer = gateway.query(sql, budget_share="4%", **more)
    assert answer.status == 201, answer.body
    return answer


def test_each_half_year_answers_and_pays_for_itself(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    before = made.spent()
    answers = [ask(gateway, block=block).json for block in BLOCKS]
    assert [one["block"] for one in answers] == list(BLOCKS)
    assert not any(one["replayed"] for one in answers), "no stage serves another block's question"
    paid = {block: rho - before[block] for block, rho in made.spent().items()}
    each = round(float(answers[0]["privacy_loss"]["rho"]) * 10**12)
    assert set(paid.values()) == {each}
    assert each > 0
    again = ask(gateway).json
    assert again["block"] == BLOCKS[-1]
    assert again["replayed"]
    assert again["rows"] == answers[-1]["rows"]
    for block, answer in zip(BLOCKS, answers, strict=True):
        _close_to_the_truth(block, answer)


def _close_to_the_truth(block: str, answer: dict[str, list[list[float]]]) -> None:
    year, half = block.split("-H")
    file = data() / "notifications.parquet"
    truth = dict(
        duckdb.sql(
            f"SELECT nature, COUNT(DISTINCT organisation_id) FROM '{file}'"
            f" WHERE year(received_on) = {year} AND (month(received_on) > 6) = ({half} = 2)"
            " GROUP BY 1"
        ).fetchall()
    )
    lower, upper = answer["intervals"]["lower"], answer["intervals"]["upper"]  # type: ignore[call-overload]
    for row, low, high in zip(answer["rows"], lower, upper, strict=True):
        if row[0] is not None:
            assert abs(row[1] - truth[row[0]]) <= 3 * (high[1] - low[1])


def test_only_the_months_of_the_block_are_keys(growing: tuple[Growing, Gateway]) -> None:
    answer = ask(growing[1], MONTHS, block="2025-H2").json
    assert [row[0] for row in answer["rows"]] == [7, 8, 9, 10, 11, 12]
    assert answer["held_back"] == "none"


def test_a_quote_and_a_rehearsal_name_the_block(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    before = made.spent()
    body = {"sql": MONTHS, "budget_share": "1%", "block": "2024-H1"}
    assert gateway.ask("POST", "/v1/projects/p/quotes", body).json["block"] == "2024-H1"
    found = gateway.ask("POST", "/v1/projects/p/rehearsals", body).json
    assert found["block"] == "2024-H1"
    assert found["synthetic"]
    assert [row[0] for row in found["rows"]] == [1, 2, 3, 4, 5, 6]
    assert made.spent() == before


@pytest.mark.parametrize("block", ["2026-H1", "2024", "x"])
def test_a_block_that_was_not_delivered_does_not_exist(
    growing: tuple[Growing, Gateway], block: str
) -> None:
    answer = growing[1].query(REPORTS, block=block)
    assert (answer.status, answer.code) == (422, "unknown-block")


def test_the_page_says_what_somebody_in_many_is_promised(
    growing: tuple[Growing, Gateway],
) -> None:
    _, gateway = growing
    told = gateway.budget()["growing"]
    assert told["blocks"] == list(BLOCKS)
    one, four, ever = told["promises"]
    assert one["cases"] < four["cases"] <= ever["cases"] == 50
    assert "a person's rows of one half-year are there" in one["says"]
    assert f"in at most {four['cases']} of 100 cases" in four["says"]
    assert gateway.ask("GET", "/v1/datasets/breaches").json["growing"] == told


def test_every_draw_is_kept_and_counted_anew(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    ask(gateway, "SELECT MEDIAN(people_affected) AS m, COUNT(*) AS n FROM notifications")
    with made.storage.read() as tx:
        found = statements.statements(statements.from_ledger(tx), "breaches")
    assert [one.kind for one in found].count("block") == len(BLOCKS)
    for one in found:
        assert not one.charged.unknown
        assert sum(drawn.rho for drawn in one.charged.draws) <= one.charged.loss.rho
        normal = [drawn for drawn in one.charged.draws if drawn.mechanism == GAUSSIAN]
        assert all(bounded_rho(drawn) * 10**12 <= drawn.rho for drawn in normal)
    told = sluis("ledger", "report", "--tight", "--json", "--home", str(made.home.root))
    assert told.returncode == 0, told.stderr
    whole = next(one for one in json.loads(told.stdout)["breaches"] if one["kind"] == "dataset")
    assert whole["least"] == whole["converted"]
    assert whole["tight"] > 0
    shown = sluis("ledger", "report", "breaches", "--home", str(made.home.root)).stdout
    assert all(block in shown for block in BLOCKS)
    spent = sluis("dataset", "blocks", "breaches", "--json", "--home", str(made.home.root))
    assert [one["block"] for one in json.loads(spent.stdout)] == list(BLOCKS)


def test_a_full_block_closes_and_the_others_stay_open(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    sql = "SELECT reported_late, COUNT(*) AS n FROM notifications WHERE {} GROUP BY 1"
    answers = [
        gateway.query(
            sql.format(f"people_affected < {number}"), budget_share="10%", block="2024-H1"
        )
        for number in range(10, 30)
    ]
    closed = next(one for one in answers if one.status != 201)
    assert closed.code == "ceiling-reached", closed.body
    assert b"2024-H1" not in closed.body, "whose ceiling it is, is not the caller's to see"
    assert gateway.query(sql.format("true"), budget_share="1%", block="2024-H2").status == 201
    with Storage.open(made.home.database).read():
        assert made.ledger.verify("breaches").intact

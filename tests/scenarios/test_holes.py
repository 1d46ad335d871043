"""Holes that are known of systems in use, each tried on ours over HTTP or on its ledger.

One test for each hole, which its docstring tells. Those that other suites try at length stand in
ELSEWHERE, with the names of their tests.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from budgets.loss import PrivacyLoss
from budgets.refusals import BudgetExceeded, CeilingDiffers
from tests.budgets.books import (
    DATASET,
    LATE,
    PROJECT,
    answered,
    asked,
    claim,
    ready,
    reserved,
    stage,
)
from tests.gateway.running import COUNT, Gateway, make_home, running

ROOT = Path(__file__).parents[2]

ELSEWHERE = {
    "An exception of the run is free, or says more than that it failed": (
        "tests/enclave/test_client.py::test_every_failure_is_the_same_fault",
        "tests/gateway/test_order.py::test_three_faults_freeze_a_project_until_an_administrator_has_looked",
    ),
    "A cast or an overflow fails on one person's row": (
        "tests/properties/test_totality.py::test_no_expression_fails_on_any_row",
        "tests/properties/test_totality.py::test_sharp_expressions_fail_on_no_row",
    ),
    "Time is not guarded where an exception ends a query early": (
        "tests/gateway/test_slots.py::test_whoever_ends_early_leaves_at_the_end",
    ),
    "The budget is looked at first and debited later": (
        "tests/gateway/test_hammer.py::test_a_ceiling_is_spent_exactly",
        "tests/budgets/test_races.py::test_eight_processes_with_sixty_four_clients_spend_a_ceiling_exactly",
    ),
    "A crash between debit and answer gives the debit back": (
        "tests/budgets/test_points.py::test_each_point_of_a_step",
        "tests/gateway/test_order.py::test_a_killed_server_keeps_the_charge_and_says_that_the_answer_is_lost",
    ),
    "The accounting of a mechanism slips": (
        "tests/statistics/test_noise.py::test_neighbours_stay_within_the_loss",
        "tests/properties/test_sensitivity.py::test_claims_hold_and_are_attained",
    ),
    "NaN, infinity or NULL survives a clamp": (
        "tests/properties/test_sensitivity.py::test_claims_hold_for_whatever_a_unit_does",
        "tests/properties/test_totality.py::test_the_rows_are_hostile",
    ),
    "The order of rows decides": (
        "tests/deliver/test_neighbours.py::test_the_order_of_source_rows_does_not_matter",
    ),
    "A log holds values": (
        "tests/gateway/test_logs.py::test_lines_are_json_and_hold_nothing_of_a_question",
    ),
}


@pytest.mark.parametrize("name", sorted({name for names in ELSEWHERE.values() for name in names}))
def test_what_is_tried_elsewhere_is_there(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("holes") / "home"
    with running(home, make_home(home)) as found:
        yield found


def spent(gateway: Gateway) -> Fraction:
    return Fraction(str(gateway.budget()["spent"]["rho"]))


@pytest.mark.parametrize(
    "value",
    [
        "1 / (cost - 5)",
        "CAST(note AS INTEGER)",
        "CAST(note AS DATE)",
        "error(note)",
        "SQRT(cost - 50)",
        "LN(cost - 50)",
        "regexp_matches(note, '(a+)+$')",
        "list_extract([1, 2], CAST(cost AS INTEGER))",
        "strptime(note, '%Y')",
        "repeat(note, 100000000)",
    ],
)
def test_an_error_on_one_row_is_no_oracle(gateway: Gateway, value: str) -> None:
    """AWS and GoogleSQL disclaim it: a division, cast or function fails exactly if a person is
    there, and the failure is free. Here it is refused unread, or total and answered."""
    before = spent(gateway)
    sql = f"SELECT COUNT(*) AS n FROM visits WHERE ({value}) IS NOT NULL"
    answer = gateway.query(sql)
    assert answer.status in (201, 400, 422), answer.body
    assert (spent(gateway) > before) is (answer.status == 201)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM visits WHERE nothing > 1",
        "SELECT SUM(cost",
        "SELECT json('{') FROM visits",
        "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
        "SELECT strptime('x', '%Q')",
        "SELECT CAST('x' AS INTEGER)",
        "SELECT SUM(cost) FROM visits WHERE note = 'n' || CHR(0)",
    ],
)
def test_no_text_of_a_library_is_returned(gateway: Gateway, sql: str) -> None:
    """Lomas returns `str(e)`: what the engine or the noise library says names values and files."""
    answer = gateway.query(sql)
    assert answer.status < 500
    if answer.status == 201:
        assert answer.json["rows"] == [[None]]
        return
    said = answer.body.decode().lower()
    for word in ("traceback", "binder error", "duckdb.", "opendp", "conversion error", "sqlglot"):
        assert word not in said
    assert re.fullmatch(r"[a-z-]+", answer.code)


def test_a_retry_is_one_debit_and_one_draw(gateway: Gateway) -> None:
    """Lomas runs a query up to five times for one charge: each is another look at the data."""
    sql = "SELECT SUM(cost) AS total FROM visits WHERE cost < 42"
    headers = {"Idempotency-Key": "once"}
    first = gateway.query(sql, headers=headers, options={"replay": False})
    paid = spent(gateway)
    again = [gateway.query(sql, headers=headers, options={"replay": False}) for _ in range(4)]
    assert {one.body for one in again} == {again[0].body}
    assert again[0].json["rows"] == first.json["rows"]
    assert spent(gateway) == paid


def test_no_act_gives_a_budget_back(tmp_path: Path) -> None:
    """BigQuery resets a budget when its rule is edited, or its view made anew: here no act over
    accounts lowers what is spent, and a dataset of that name is the one that was spent."""
    ledger = ready(tmp_path / "a.db", delta="2e-8")
    answered(ledger)
    ledger.open_project("other", DATASET)
    ledger.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "first")
    before = ledger.ceiling(DATASET).spent
    ledger.allocate(PROJECT, Fraction(1, 10), None, "ada", "more")
    ledger.transfer(PROJECT, "other", Fraction(1, 10), "ada", "they need it")
    ledger.raise_ceiling(DATASET, Fraction(9), Fraction(1, 10**7), "ada", "decided")
    ledger.freeze(PROJECT, "ada", "a look")
    ledger.thaw(PROJECT, "ada", "looked")
    ledger.open_dataset(DATASET, Fraction(9), Fraction(1, 10**7))
    with pytest.raises(CeilingDiffers):
        ledger.open_dataset(DATASET, Fraction(10), Fraction(1, 10**7))
    ledger.recover(LATE)
    assert ledger.ceiling(DATASET).spent == before == ledger.budget(PROJECT).spent


def test_colluding_accounts_share_a_ceiling(tmp_path: Path) -> None:
    """Snowflake counts for each account by itself, so two who collude have twice the budget. Here
    two projects that were promised more than the ceiling holds find it spent together."""
    ledger = ready(tmp_path / "a.db", "2", "1e-8", ceiling=("2", "2e-8"))
    ledger.overcommit(DATASET, 200, "ada", "policy")
    ledger.open_project("other", DATASET)
    ledger.allocate("other", Fraction(19, 10), Fraction(1, 10**8), "ada", "first")
    most = ledger.ceiling(DATASET).allocated.rho
    ledger.reserve(claim(asked(ledger), stage("a", ledger.budget(PROJECT).remaining.rho)))
    left = ledger.ceiling(DATASET).remaining.rho
    wanted = ledger.budget("other").remaining.rho
    assert left < wanted
    query = asked(ledger, project="other")
    with pytest.raises(BudgetExceeded):
        ledger.reserve(claim(query, stage("b", wanted)))
    assert ledger.ceiling(DATASET).reserved.rho <= most


def test_time_refills_nothing(tmp_path: Path) -> None:
    """Snowflake and AWS refill budgets by the month, on the data that was already asked about."""
    ledger = ready(tmp_path / "a.db")
    answered(ledger)
    charge = reserved(ledger)
    remaining = ledger.budget(PROJECT).remaining
    ledger._clock = lambda: LATE.replace(year=LATE.year + 50)
    ledger.recover(ledger._clock())
    assert ledger.budget(PROJECT).remaining == remaining
    assert ledger.document(PROJECT, charge.query) is None


@pytest.mark.parametrize("price", ["epsilon", "rho"])
@pytest.mark.parametrize("amount", ["1e20", "0", "-1", "NaN", "Infinity", "-0", "1e400", "", "٣"])
def test_an_absurd_price_is_refused(gateway: Gateway, price: str, amount: str) -> None:
    """GoogleSQL's examples ask for epsilon 1e20 to be rid of noise, and get it."""
    before = spent(gateway)
    answer = gateway.query(COUNT, **{price: amount})
    assert 400 <= answer.status < 500
    assert spent(gateway) == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(LENGTH(note) * 10 ** cost) AS n FROM visits",
        "SELECT note, COUNT(*) AS n FROM visits GROUP BY person_id, note",
        "SELECT MAX(note) AS n FROM visits",
    ],
)
def test_a_missing_bound_is_a_refusal(gateway: Gateway, sql: str) -> None:
    """SmartNoise drops its noise, and GoogleSQL its guarantee, where a bound is not given."""
    before = spent(gateway)
    answer = gateway.query(sql)
    assert answer.status in (400, 403, 422), answer.body
    assert spent(gateway) == before


@pytest.mark.parametrize("rho", ["0.00001", "0.0000100000001", "0.000333333333333"])
def test_every_answer_has_a_positive_debit(gateway: Gateway, rho: str) -> None:
    """In a cross-media ledger an offset rounds past the bucket that would be charged, so queries
    are free without end. Here amounts are rounded up, and none falls below the policy's floor."""
    before = spent(gateway)
    sql = f"SELECT COUNT(*) AS n FROM visits WHERE cost > {len(rho)}"
    answer = gateway.query(sql, rho=rho)
    assert answer.status == 201
    paid = spent(gateway) - before
    assert Fraction(rho) - paid < Fraction(1, 10**12)
    assert paid == Fraction(str(answer.json["privacy_loss"]["rho"]))
    assert paid >= PrivacyLoss(10**7).rho / Fraction(10**12)


def test_keys_are_not_learned_for_free(gateway: Gateway) -> None:
    """A domain that is read off the data shows which values occur: here such keys are thresholded
    at a delta that is charged, and a public list is answered in full, empty cells included."""
    hidden = gateway.query("SELECT note, COUNT(*) AS n FROM visits GROUP BY note").json
    assert float(hidden["privacy_loss"]["delta"]) > 0
    assert hidden["held_back"] == "possible"
    listed = gateway.query("SELECT area, COUNT(*) AS n FROM visits WHERE cost > 99 GROUP BY area")
    assert len(listed.json["rows"]) >= 5
    assert listed.json["held_back"] == "none"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(cost) AS total FROM (SELECT cost FROM visits LIMIT 5)",
        "SELECT COUNT(*) AS n FROM (SELECT * FROM visits ORDER BY cost LIMIT 10 OFFSET 3)",
        "SELECT COUNT(*) AS n FROM visits USING SAMPLE 10",
        "SELECT FIRST(cost) AS one FROM visits",
        "SELECT ANY_VALUE(note) AS one FROM visits",
    ],
)
def test_no_row_decides_which_others_are_read(gateway: Gateway, sql: str) -> None:
    """A LIMIT, a sample or a first value below an aggregate depends on everybody's order."""
    before = spent(gateway)
    answer = gateway.query(sql)
    assert answer.status in (400, 422), answer.body
    assert spent(gateway) == before


def test_a_debit_follows_from_the_text_alone(gateway: Gateway) -> None:
    """Budgets for each person, or prices that follow the data, tell of it by what is left."""
    quotes: list[Any] = [
        gateway.ask(
            "POST",
            "/v1/projects/p/quotes",
            {"sql": f"SELECT COUNT(*) AS n FROM visits WHERE cost {rule}", "budget_share": "1%"},
        ).json
        for rule in ("< 0.5", "< 99.5")
    ]
    assert quotes[0]["privacy_loss"] == quotes[1]["privacy_loss"]


def test_no_count_is_exact_or_free(gateway: Gateway) -> None:
    """Snowflake gives the number of rows exactly and for nothing: one person's rows show."""
    answer = gateway.query("SELECT COUNT(*) AS n FROM visits").json
    assert float(answer["privacy_loss"]["rho"]) > 0
    assert answer["columns"][0]["scale"] > 0
    catalog = gateway.ask("GET", "/v1/datasets/visits").body.decode()
    assert not re.search(r'"(rows|count|row_count)"\s*:\s*\d', catalog)

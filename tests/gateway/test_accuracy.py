"""Asking by error: the least loss that reaches it, quoted and charged to the last digit."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.running import Gateway
from tests.gateway.test_cli import client, sluis

FROM = " FROM visits GROUP BY area"
MEASURES = {
    "n": "COUNT(*)", "u": "COUNT(DISTINCT person_id)", "s": "SUM(cost)", "m": "AVG(cost)",
    "d": "COUNT(*) FILTER (WHERE cost > 20)", "t": "2 * SUM(cost) + COUNT(*)",
}  # fmt: skip
numbers = itertools.count()


def quote(gateway: Gateway, sql: str, project: str = "p", **body: Any) -> Any:
    key = "purist" if project == "pure" else "analyst"
    answer = gateway.ask("POST", f"/v1/projects/{project}/quotes", {"sql": sql, **body}, key)
    assert answer.status == 200, answer.body
    return answer.json


def refused(gateway: Gateway, sql: str, **body: Any) -> Any:
    answer = gateway.ask("POST", "/v1/projects/p/quotes", {"sql": sql, **body})
    assert answer.status == 422, answer.body
    return answer.json


prices = st.one_of(
    st.fixed_dictionaries({"rho": st.floats(2e-5, 2e-3).map(lambda rho: f"{rho:.9f}")}),
    st.fixed_dictionaries({"epsilon": st.floats(0.05, 0.3).map(lambda one: f"{one:.6f}")}),
    st.fixed_dictionaries({"budget_share": st.sampled_from(["0.001%", "0.01%", "0.03%"])}),
    st.fixed_dictionaries({"remaining_share": st.sampled_from(["0.001%", "0.02%"])}),
    st.fixed_dictionaries(
        {
            "max_error": st.sampled_from(["90%", "99.5%", "100%", 9000, "12500.5"]),
            "group_size": st.sampled_from(["declared", 300, "80.5"]),
            "confidence": st.sampled_from([0.5, 0.8, 0.95]),
        }
    ),
)


@pytest.mark.slow
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.sampled_from(sorted(MEASURES)), min_size=1, max_size=4, unique=True),
    st.sampled_from(["", " GROUP BY area", " GROUP BY ROLLUP (area)", " GROUP BY note"]),
    prices,
)
def test_a_quote_is_the_debit_to_the_last_digit(
    gateway: Gateway, measures: list[str], grouped: str, price: dict[str, Any]
) -> None:
    """Whatever is asked, in whatever way it is paid for."""
    shown = ", ".join(f"{MEASURES[name]} AS {name}" for name in measures)
    body = {"sql": f"SELECT {shown} FROM visits{grouped}", "options": {"replay": False}, **price}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body)
    before = gateway.budget()["spent"]
    key = {"Idempotency-Key": f"property-{next(numbers)}"}
    asked = gateway.ask("POST", "/v1/projects/p/queries", body, headers=key)
    after = gateway.budget()["spent"]
    if quoted.status != 200:
        assert (asked.status, asked.code) == (quoted.status, quoted.code)
        assert after == before
        return
    assert asked.status == 201, asked.body
    loss = quoted.json["privacy_loss"]
    assert asked.json["privacy_loss"] == loss
    assert Fraction(after["rho"]) - Fraction(before["rho"]) == Fraction(loss["rho"])
    assert Fraction(after["delta"]) - Fraction(before["delta"]) == Fraction(loss["delta"])
    split = [column for stage in quoted.json["stages"] for column in stage["columns"]]
    assert sum(Fraction(column["rho"]) for column in split) <= Fraction(loss["rho"])


def test_the_margin_of_the_answer_is_what_was_asked(gateway: Gateway) -> None:
    """And the next whole step is not had for the same: the loss is the least."""
    sql = f"SELECT area, COUNT(*) AS n, SUM(cost) AS s{FROM}"
    body = {"max_error": {"n": 12, "s": "1500.5"}, "confidence": 0.9}
    quoted = quote(gateway, sql, **body)
    assert [one["margin"] for one in quoted["expected_error"]] == [12, 1500.5]
    release = gateway.ask("POST", "/v1/projects/p/queries", {"sql": sql, **body}).json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    low, high = release["intervals"]["lower"][0], release["intervals"]["upper"][0]
    assert high[1] - low[1] == 24
    assert high[2] - low[2] == pytest.approx(3001)
    less = quote(gateway, sql, max_error={"n": 13, "s": 1600}, confidence=0.9)
    assert less["privacy_loss"]["rho"] == "0", "what is stored is precise enough"


@pytest.mark.parametrize("project", ["p", "pure"])
def test_columns_get_what_they_need_and_no_more(gateway: Gateway, project: str) -> None:
    """Beside an equal split at the price that reaches the same."""
    sql = f"SELECT area, COUNT(*) AS n, SUM(cost) AS s, SUM(cost * cost) AS q{FROM}"
    asked = {"max_error": {"n": 40, "s": 40_000, "q": 4_000_000}}
    found = quote(gateway, sql, project, **asked)
    name = "epsilon" if project == "pure" else "rho"
    paid = found["privacy_loss"][name]
    parts = [Fraction(one[name]) for one in found["stages"][0]["columns"]]
    assert sum(parts) == Fraction(paid)
    assert parts[1] > 30 * parts[0] or parts[0] > 5 * min(parts)
    equal = quote(gateway, sql, project, **{name: paid})
    assert equal["expected_error"][0]["margin"] > 1.2 * 40


def test_a_mean_is_told_as_a_function_of_its_group(gateway: Gateway) -> None:
    """The sum's and the count's shares are those of Lagrange: equal for equal slopes."""
    sql = "SELECT area, AVG(cost) AS m FROM visits WHERE cost < 96 GROUP BY area"
    quoted = quote(gateway, sql, max_error=4, group_size=400)
    (error,) = quoted["expected_error"]
    assert error["asked"] | {"margin": 4, "group_size": 400, "source": "given"} == error["asked"]
    assert error["reason"].startswith("About +-4 where a group has 400 rows")
    one, two = (Fraction(column["rho"]) for column in quoted["stages"][0]["columns"])
    assert float(one / two) == pytest.approx(1, rel=1e-4)
    half = quote(gateway, sql, max_error=4, group_size=800)["privacy_loss"]["rho"]
    assert float(half) * 4 == pytest.approx(float(quoted["privacy_loss"]["rho"]), rel=1e-6)


def test_a_share_is_of_what_is_declared_given_or_released(gateway: Gateway) -> None:
    sql = (
        "SELECT area, COUNT(DISTINCT person_id) AS people FROM visits WHERE cost > 3 GROUP BY area"
    )
    (error,) = quote(gateway, sql, max_error="10%")["expected_error"]
    assert (error["asked"]["magnitude"], error["asked"]["source"]) == (100, "declared")
    (error,) = quote(gateway, sql, max_error="10%", group_size=250)["expected_error"]
    assert (error["asked"]["margin"], error["asked"]["source"]) == (25, "given")
    told = refused(gateway, sql, max_error="10%", group_size="released")
    assert told["code"] == "max-error-not-offered"
    first = gateway.query(sql, rho="0.02").json
    middle = sorted(abs(row[1]) for row in first["rows"])[2]
    asked = {"max_error": "50%", "group_size": "released"}
    (error,) = quote(gateway, sql, **asked)["expected_error"]
    assert (error["asked"]["magnitude"], error["asked"]["source"]) == (middle, "released")
    assert gateway.query(sql, **asked).status == 201
    again = quote(gateway, sql, **asked)
    assert again["privacy_loss"]["rho"] == "0", "the same question is free ever after"


def test_the_row_of_what_is_held_back_keeps_the_same_error(gateway: Gateway) -> None:
    sql = "SELECT note, COUNT(*) AS n FROM visits GROUP BY note"
    quoted = quote(gateway, sql, max_error=30, options={"other": True})
    assert quoted["expected_error"][0]["margin"] == 30
    assert quoted["other"][0]["margin"] == 30
    columns = quoted["stages"][0]["columns"]
    assert [column["read_by"] for column in columns] == [["n"], [], ["n"]]
    parts = [Fraction(column["rho"]) for column in columns]
    assert parts[1] == parts[0], "what decides about keys gets the mean of what was asked about"


def test_what_bounds_leave_out_gets_the_mean_of_what_was_asked_about(gateway: Gateway) -> None:
    sql = "SELECT area, COUNT(*) AS n FROM visits GROUP BY area"
    options = {"effects": True, "bounds": {"rows_per_group": 1}}
    body = {"max_error": 6, "options": options}
    quoted = quote(gateway, sql, **body)
    assert quoted["expected_error"][0]["margin"] == 6
    first, second = (Fraction(stage["rho"]) for stage in quoted["stages"])
    assert 0 < first - second < first / 10**6 or first == second
    release = gateway.ask("POST", "/v1/projects/p/queries", {"sql": sql, **body}).json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert release["effects"]["shares"]


def test_subtotals_keep_the_error_in_every_set(gateway: Gateway) -> None:
    sql = "SELECT area, COUNT(*) AS n FROM visits GROUP BY ROLLUP (area)"
    quoted = quote(gateway, sql, max_error=25)
    assert quoted["expected_error"][0]["margin"] == 25
    release = gateway.ask("POST", "/v1/projects/p/queries", {"sql": sql, "max_error": 25}).json
    for low, high in zip(*(release["intervals"][end] for end in ("lower", "upper")), strict=True):
        assert high[1] - low[1] <= 50 + 2


def test_the_floor_is_paid_in_accuracy(gateway: Gateway) -> None:
    """An answer that could be had for less than the least price is as exact as that buys."""
    quoted = quote(gateway, "SELECT COUNT(*) AS n FROM visits WHERE cost < 97", max_error=10**6)
    assert quoted["privacy_loss"]["rho"] == "0.00001"
    assert quoted["stages"][0]["rho"] == "0.00001"
    assert quoted["expected_error"][0]["margin"] < 2000


def test_what_nobody_can_pay_is_quoted_and_not_answered(gateway: Gateway) -> None:
    sql = "SELECT area, COUNT(*) AS n FROM visits WHERE cost < 90 GROUP BY area"
    quoted = quote(gateway, sql, max_error="0.5")
    assert quoted["affordable"] is False
    assert float(quoted["privacy_loss"]["rho"]) > float(gateway.budget()["allocated"]["rho"])
    answer = gateway.ask("POST", "/v1/projects/p/queries", {"sql": sql, "max_error": "0.5"})
    assert (answer.status, answer.code) == (403, "budget-exceeded")


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT MEDIAN(cost) AS m FROM visits", "no loss promises it"),
        (f"SELECT MAX(n) FROM (SELECT area, COUNT(*) AS n{FROM}) WHERE n > 5", "not told before"),
        ("SELECT CORR(cost, cost * cost) AS r FROM visits", "means nothing"),
        ("SELECT KURTOSIS(cost) AS k FROM visits", "cannot be told"),
        ("SELECT DISTINCT area FROM visits", "noisy by itself"),
        ("SELECT note, AVG(cost) FROM visits GROUP BY note", "how large a group"),
        ("SELECT SUM(cost - 50) AS s FROM visits", "means nothing"),
    ],
)
def test_an_error_that_cannot_be_told_is_refused_with_a_way_out(
    gateway: Gateway, sql: str, says: str
) -> None:
    told = refused(gateway, sql, max_error="5%")
    assert told["code"] == "max-error-not-offered"
    assert says in told["detail"]
    assert told["hint"]


@pytest.mark.parametrize(
    "errors", [{"n": 5}, {"n": 5, "s": 3, "x": 1}, {"area": 1, "n": 1, "s": 1}]
)
def test_errors_name_each_noisy_column_once(gateway: Gateway, errors: dict[str, int]) -> None:
    told = refused(gateway, f"SELECT area, COUNT(*) AS n, SUM(cost) AS s{FROM}", max_error=errors)
    assert told["hint"] == "The noisy columns are: n, s."


@pytest.mark.parametrize(
    "body",
    [
        {"max_error": 0}, {"max_error": "-5"}, {"max_error": "5 per cent"}, {"max_error": "101%"},
        {"max_error": {}}, {"max_error": {"n": None}}, {"max_error": True}, {"max_error": [5]},
        {"max_error": 5, "epsilon": 1}, {"epsilon": 1, "group_size": 5},
        {"max_error": 5, "group_size": "private"}, {"max_error": 5, "group_size": 0},
        {"max_error": "1e-30"}, {"max_error": 1e30}, {"remaining_share": "1"},
        {"max_error": "of rows"}, {"max_error": "101% of rows"}, {"max_error": "0 rows"},
        {"max_error": "5 % rows"}, {"max_error": "5rows"},
    ],
)  # fmt: skip
def test_what_is_no_error_is_told_where(gateway: Gateway, body: dict[str, Any]) -> None:
    told = refused(gateway, "SELECT COUNT(*) AS n FROM visits", **body)
    assert told["code"] == "invalid-request"


def test_a_share_of_what_is_left_shrinks_with_it(gateway: Gateway) -> None:
    sql = "SELECT COUNT(*) AS n FROM visits WHERE cost < 7"
    left = Fraction(gateway.budget()["remaining"]["rho"])
    paid = gateway.query(sql, remaining_share="0.1%").json["privacy_loss"]["rho"]
    assert Fraction(paid) == Fraction(math.floor(left * 10**9), 10**12)
    assert quote(gateway, sql, remaining_share="0.1%")["privacy_loss"]["rho"] == "0"


def test_the_words_of_a_budget_are_what_counts_would_cost(gateway: Gateway) -> None:
    """As many of them as the words say could be paid, and no more."""
    sql = "SELECT area, COUNT(DISTINCT person_id) AS u FROM visits WHERE cost < 50 GROUP BY area"
    for project, name in (("p", "rho"), ("pure", "epsilon")):
        found = gateway.budget(project, "purist" if project == "pure" else "analyst")["allocated"]
        told = re.fullmatch(r"about ([0-9,]+) counts by area at \+-([0-9,]+)", found["words"])
        assert told is not None, found["words"]
        count, margin = (int(part.replace(",", "")) for part in told.groups())
        paid = Fraction(quote(gateway, sql, project, max_error=margin)["privacy_loss"][name])
        assert count * paid <= Fraction(found[name]) < (count + 1) * paid


def test_the_command_line_asks_by_error(gateway: Gateway) -> None:
    sql = f"SELECT area, COUNT(*) AS n, AVG(cost) AS m{FROM}"
    told = sluis("quote", "--project", "p", "--max-error", "8%", sql, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "n: +-" in told.stdout
    assert "(asked: 8% of 200, declared, or +-16)" in told.stdout
    assert "% of it is for n, m." in told.stdout
    named = ("--max-error", "n=20", "--max-error", "m=9", "--group-size", "100")
    told = sluis("query", "--project", "p", *named, sql, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert sluis("quote", "--project", "p", "--share-left", "1%", sql, **client(gateway)).stdout
    for wrong in (("--max-error", "5", "--max-error", "n=5"), ("--max-error", "5", "--rho", "1")):
        assert sluis("quote", "--project", "p", *wrong, sql, **client(gateway)).returncode == 2

"""Errors of ranks, of spreads and of what earlier stages are read for: quoted, charged, reached."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from tests.gateway.running import Gateway
from tests.gateway.test_accuracy import quote, refused
from tests.gateway.test_cli import client, sluis

ABOVE = (
    "SELECT area, COUNT(*) AS n FROM visits "
    "WHERE cost > (SELECT AVG(cost) FROM visits) GROUP BY area"
)


def paid(quoted: dict[str, Any], name: str = "rho") -> Fraction:
    return Fraction(quoted["privacy_loss"][name])


@pytest.mark.parametrize("project", ["p", "pure"])
def test_a_rank_is_asked_in_rows_at_the_least_loss(gateway: Gateway, project: str) -> None:
    """A part in a thousand less of it would be further off, by the same words of the quote."""
    name = "epsilon" if project == "pure" else "rho"
    for measure in ("MEDIAN(cost)", "MIN(cost)", "QUANTILE_DISC(cost, [0.1, 0.5, 0.9])"):
        sql = f"SELECT {measure} AS m, COUNT(*) AS n FROM visits WHERE cost < 60"
        body = {"max_error": {"m": "80 rows", "n": 900}}
        quoted = quote(gateway, sql, project, **body)
        error, count = quoted["expected_error"]
        assert error["asked"]["margin"] == 80
        assert error["rank_margin"] == (79 if "MIN" in measure else 80), "extremes go by two"
        assert (error["margin"], count["rank_margin"]) == (None, None)
        part = Fraction(quoted["stages"][0]["columns"][1][name])
        assert part < paid(quoted, name)
        alone = f"SELECT {measure} AS m FROM visits WHERE cost < 60"
        whole = paid(quote(gateway, alone, project, max_error="80 rows"), name)
        less = quote(gateway, alone, project, **{name: str(float(whole * 999 / 1000))})
        assert less["expected_error"][0]["rank_margin"] > 80


def test_a_share_of_rows_is_of_what_is_declared_given_or_released(gateway: Gateway) -> None:
    sql = "SELECT MEDIAN(cost) AS m, COUNT(*) AS n FROM visits WHERE cost < 61"
    asked = {"m": "4% of rows", "n": 50}
    (error, _) = quote(gateway, sql, max_error=asked)["expected_error"]
    assert error["asked"] == {
        "max_error": "4% of rows", "margin": 40, "magnitude": 1000, "group_size": 1000,
        "source": "declared",
    }  # fmt: skip
    (error, _) = quote(gateway, sql, max_error=asked, group_size=500)["expected_error"]
    assert (error["asked"]["margin"], error["asked"]["source"]) == (20, "given")
    assert error["rank_margin"] <= 20
    only = "SELECT MEDIAN(cost) AS m FROM visits WHERE cost < 61"
    gateway.query(only, rho="0.01")
    told = refused(gateway, only, max_error="4% of rows", group_size="released")
    assert "COUNT(*) beside it" in told["hint"]
    first = gateway.query(sql, rho="0.5").json
    asked = {"m": "8% of rows", "n": "90%"}
    quoted = quote(gateway, sql, max_error=asked, group_size="released")
    aim = quoted["expected_error"][0]["asked"]
    assert (aim["magnitude"], aim["source"]) == (first["rows"][0][1], "released")
    assert aim["margin"] == pytest.approx(0.08 * aim["magnitude"])


def test_a_refusal_of_values_is_rewritten_in_rows(gateway: Gateway) -> None:
    """And the rewritten errors are taken."""
    sql = "SELECT MAX(cost) AS top, COUNT(*) AS n, MODE(area) AS often FROM visits"
    told = refused(gateway, sql, max_error=9)
    assert told["hint"].startswith(
        'Give "max_error": {"top": "2% of rows", "n": "9", "often": "2% of rows"}'
    )
    body = {"top": "20% of rows", "n": "90", "often": "20% of rows"}
    assert quote(gateway, sql, max_error=body)["expected_error"][2]["rank_margin"] <= 200
    told = refused(gateway, sql, max_error="5% of rows")
    assert "n has none" in told["detail"]
    assert '"n": "5%"' in told["hint"]


def test_a_histogram_keeps_each_count_within_the_rows(gateway: Gateway) -> None:
    sql = "SELECT HISTOGRAM(area) AS h FROM visits WHERE cost < 62"
    for asked in (30, "30 rows", "3% of rows"):
        (error,) = quote(gateway, sql, max_error=asked)["expected_error"]
        assert (error["margin"], error["rank_margin"]) == (30, None)


def test_the_answer_costs_what_was_quoted_and_says_its_rank(gateway: Gateway) -> None:
    sql = "SELECT area, MEDIAN(cost) AS m FROM visits WHERE cost < 63 GROUP BY area"
    quoted = quote(gateway, sql, max_error="15 rows", confidence=0.95)
    release = gateway.query(sql, max_error="15 rows").json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert "within 15 rows" in release["columns"][1]["reason"]
    again = quote(gateway, sql, max_error="16 rows")
    assert paid(again) == 0, "what is stored is exact enough"


@pytest.mark.parametrize("project", ["p", "pure"])
def test_an_error_is_that_of_the_last_stage(gateway: Gateway, project: str) -> None:
    """What it reads gets, number by number, the mean of what is asked about, and scales with it."""
    name = "epsilon" if project == "pure" else "rho"
    quoted = quote(gateway, ABOVE, project, max_error=20)
    (error,) = quoted["expected_error"]
    assert error["margin"] == 20
    mean, count = quoted["stages"]
    assert (mean["reads"], count["reads"]) == ([], [1])
    (asked,) = (Fraction(one[name]) for one in count["columns"])
    assert [Fraction(one[name]) for one in mean["columns"]] == [asked, asked]
    assert paid(quoted, name) == 3 * asked
    half = quote(gateway, ABOVE, project, max_error=10)
    assert paid(half, name) == 3 * Fraction(half["stages"][1]["columns"][0][name])
    assert paid(half, name) > 1.8 * paid(quoted, name)


def test_stages_asked_by_error_are_charged_as_quoted_and_free_again(gateway: Gateway) -> None:
    quoted = quote(gateway, ABOVE, max_error=25, confidence=0.9)
    release = gateway.query(ABOVE, max_error=25, confidence=0.9).json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert release["intervals"]["upper"][0][1] - release["intervals"]["lower"][0][1] == 50
    again = quote(gateway, ABOVE, max_error=25, confidence=0.9)
    assert again["privacy_loss"]["rho"] == "0"


def test_a_share_of_two_tables_is_charged_as_quoted(gateway: Gateway) -> None:
    """Both get what they need; the quote says for how large a group it holds."""
    whole = "(SELECT COUNT(*) FROM visits WHERE cost < 65)"
    sql = f"SELECT area, COUNT(*) / {whole} AS s FROM visits WHERE cost < 65 GROUP BY area"
    quoted = quote(gateway, sql, max_error="0.03", group_size=160)
    (error,) = quoted["expected_error"]
    assert error["reason"] == "About +-0.03 where a group has 160 rows."
    part, total = quoted["stages"]
    assert [one["columns"][0]["read_by"] for one in (part, total)] == [["s"], ["s"]]
    assert Fraction(part["rho"]) > Fraction(total["rho"]) > 0
    release = gateway.query(sql, max_error="0.03", group_size=160).json
    assert release["privacy_loss"] == quoted["privacy_loss"]
    assert paid(quote(gateway, sql, max_error="0.03", group_size=160)) == 0


def test_a_spread_is_asked_by_its_error(gateway: Gateway) -> None:
    """A root moves by at most the root of what is under it: an error of 6 is a variance's 36."""
    sql = "SELECT {}(cost) AS v FROM visits WHERE cost < 64"
    variance = quote(gateway, sql.format("VAR_POP"), max_error=36, group_size=1000)
    spread = quote(gateway, sql.format("STDDEV_POP"), max_error=6, group_size=1000)
    assert paid(spread) == paid(variance)
    assert "About +-36 where a group has 1,000" in variance["expected_error"][0]["reason"]
    assert "About +-6 where a group has 1,000" in spread["expected_error"][0]["reason"]
    assert gateway.query(
        sql.format("STDDEV_POP"), max_error=6, group_size=1000
    ).json["privacy_loss"] == spread["privacy_loss"]  # fmt: skip
    root = quote(gateway, "SELECT SQRT(COUNT(*)) AS v FROM visits", max_error=1, group_size=400)
    plain = quote(gateway, "SELECT COUNT(*) AS v FROM visits", max_error=40)
    assert float(paid(root)) == pytest.approx(float(paid(plain)), rel=0.05)


def test_the_command_line_asks_of_ranks(gateway: Gateway) -> None:
    sql = "SELECT MEDIAN(cost) AS m, COUNT(*) AS n FROM visits"
    words = ("--max-error", "m=3% of rows", "--max-error", "n=30")
    told = sluis("quote", "--project", "p", *words, sql, **client(gateway))
    assert told.returncode == 0, told.stderr
    assert "(asked: 3% of rows of 1,000, declared, or +-30 rows)" in told.stdout


@pytest.mark.parametrize(
    "item", ["MEDIAN(cost) - MIN(cost)", "HISTOGRAM(area)['north'] / COUNT(*)",
             "cardinality(HISTOGRAM(area))"],
)  # fmt: skip
def test_a_share_of_what_follows_from_ranks_is_not_told(gateway: Gateway, item: str) -> None:
    told = refused(gateway, f"SELECT {item} AS d FROM visits", max_error="10%")
    assert "The error of d cannot be told" in told["detail"]


RATIOS = {"CORR": "0.2", "REGR_SLOPE": "3", "REGR_INTERCEPT": "30", "REGR_R2": "0.3"}
PAIR = "SELECT {}(cost, CASE WHEN area = 'north' THEN 10 ELSE 0 END) AS r FROM visits"


@pytest.mark.parametrize("project", ["p", "pure"])
@pytest.mark.parametrize("call", RATIOS)
def test_a_correlation_is_asked_by_its_error(gateway: Gateway, call: str, project: str) -> None:
    """Where values are spread so far: where they are spread half as far it costs more."""
    sql, asked = PAIR.format(call), {"max_error": RATIOS[call], "group_size": 900}
    quoted = quote(gateway, sql, project, **asked)
    (error,) = quoted["expected_error"]
    where = "where a group has 900 rows and its values are spread as if they lay evenly"
    assert error["reason"].startswith("About +-")
    assert where in error["reason"]
    assert float(error["reason"].split()[1][2:]) <= float(RATIOS[call])
    name = "epsilon" if project == "pure" else "rho"
    spread = quote(gateway, sql, project, **asked, group_spread="14.4%")
    assert "spread by 0.144 of their ranges" in spread["expected_error"][0]["reason"]
    assert paid(spread, name) > 1.9 * paid(quoted, name)
    more = quote(gateway, sql, project, **asked | {"group_size": 1800})
    assert paid(more, name) < paid(quoted, name)


def test_a_correlation_costs_what_was_quoted(own: Gateway) -> None:
    """And a share of it is one of what was released, as is how far values are spread."""
    sql = PAIR.format("CORR").replace("visits", "visits WHERE cost < 66")
    asked = {"max_error": "0.25", "group_size": 900}
    quoted = quote(own, sql, **asked)
    assert own.query(sql, **asked).json["privacy_loss"] == quoted["privacy_loss"]
    told = refused(own, sql, max_error="5%")
    assert "means nothing" in told["detail"]
    assert "ask it roughly first" in told["hint"]
    own.query(sql.replace("66", "68"), rho="5")
    sql = sql.replace("66", "68")
    quoted = quote(own, sql, max_error="0.3", group_size="released")
    assert "spread as they were released" in quoted["expected_error"][0]["reason"]
    aim = quoted["expected_error"][0]["asked"]
    assert aim["source"] == "released"
    told = refused(own, sql.replace("68", "69"), max_error="0.3", group_size="released")
    assert "released" in told["detail"]


def test_what_is_spread_too_little_says_no_error(gateway: Gateway) -> None:
    """Where the variance itself may be off by as much as it is, nothing is told beforehand."""
    (error,) = quote(gateway, PAIR.format("REGR_SLOPE"), rho="0.0001")["expected_error"]
    assert "About" not in error["reason"]
    body = {"sql": PAIR.format("CORR"), "max_error": "0.2", "group_spread": "51%"}
    assert gateway.ask("POST", "/v1/projects/p/quotes", body).status == 422
    body = {"sql": PAIR.format("CORR"), "rho": "0.2", "group_spread": "10%"}
    assert gateway.ask("POST", "/v1/projects/p/quotes", body).status == 422

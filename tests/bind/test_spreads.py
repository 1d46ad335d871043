"""Variances, correlations and regressions: the engine's own values, from few noisy columns."""

from __future__ import annotations

from functools import cache

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.price import Options
from tests.parity import Bench, missing
from tests.plan.benches import bench
from tests.properties.clinic import clinic

EXACT = (
    """SELECT kind, VARIANCE(score), VAR_POP(cost), STDDEV(score), STDDEV_POP(cost), SEM(score)
       FROM visits GROUP BY kind""",
    """SELECT kind, COVAR_POP(score, cost), COVAR_SAMP(cost, score), CORR(cost, score),
       REGR_SLOPE(cost, score), REGR_INTERCEPT(cost, score), REGR_R2(cost, score)
       FROM visits GROUP BY kind""",
    """SELECT kind, REGR_COUNT(cost, score), REGR_AVGX(cost, score), REGR_AVGY(cost, score),
       REGR_SXX(cost, score), REGR_SYY(cost, score), REGR_SXY(cost, score)
       FROM visits GROUP BY kind""",
    "SELECT SKEWNESS(cost), KURTOSIS(cost), KURTOSIS_POP(cost) FROM visits",
    "SELECT kind, SKEWNESS(score), KURTOSIS(score) FROM visits GROUP BY kind",
    """SELECT score, VARIANCE(score), SKEWNESS(score), KURTOSIS_POP(score), CORR(score, cost),
       REGR_SLOPE(cost, score), REGR_R2(cost, score), REGR_R2(score, cost)
       FROM visits WHERE score IS NOT NULL GROUP BY score""",
    """SELECT STDDEV(cost) FILTER (WHERE score > 2), CORR(cost, score / 3) FILTER (WHERE urgent),
       FSUM(cost), KAHAN_SUM(score), SUMKAHAN(cost), MEAN(cost), FAVG(score) FROM visits""",
    "SELECT VARIANCE(score * cost / 7), STDDEV(cost / (abs(score) + 1)) FROM visits",
    "SELECT VARIANCE(7), CORR(7, cost), REGR_SLOPE(cost, 7), COVAR_POP(1.5, cost) FROM visits",
    "SELECT area, CORR(wage, height), VARIANCE(wage) FROM people GROUP BY area",
    """SELECT kind, STDDEV(cost) / AVG(cost) AS spread FROM visits GROUP BY kind
       HAVING VARIANCE(cost) > 0 ORDER BY STDDEV(cost) DESC LIMIT 2""",
    "SELECT VAR_POP(x) FROM (SELECT person, SUM(cost) AS x FROM visits GROUP BY person) t",
)


@cache
def visits() -> Bench:
    return Bench(clinic())


@pytest.mark.parametrize("sql", EXACT)
def test_a_moment_is_the_engines_own(sql: str) -> None:
    names, rows = visits().answer(sql)
    expected_names, expected = visits().expected(sql)
    assert names == expected_names
    assert missing(expected, rows) == []


SHARED = (
    ("COUNT(*), AVG(distance), VARIANCE(distance), STDDEV(distance), SEM(distance)", 3),
    ("SUM(distance), AVG(distance), VAR_POP(distance), COUNT(distance)", 3),
    ("SUM(distance), AVG(flight), CORR(distance, flight), COUNT(*), STDDEV(flight)", 6),
    ("REGR_SLOPE(distance, flight), REGR_INTERCEPT(distance, flight)", 5),
    ("REGR_R2(distance, flight), CORR(flight, distance), COVAR_POP(distance, flight)", 6),
    ("COUNT(dep_delay), AVG(dep_delay), STDDEV(dep_delay)", 3),
    ("SKEWNESS(month), VARIANCE(month), KURTOSIS(month)", 5),
)


@pytest.mark.parametrize(("items", "columns"), SHARED)
def test_moments_share_what_the_query_pays_for(items: str, columns: int) -> None:
    (stage,) = bench("nycflights13").plan(f"SELECT {items} FROM flights").stages
    assert len(stage.columns) == columns


def test_centring_twice_halves_what_a_square_adds() -> None:
    """dep_delay lies in -100 to 1500: 800 from the middle, squares at most 640,000, 320,000 off."""
    (stage,) = bench("nycflights13").plan("SELECT VAR_POP(dep_delay) FROM flights").stages
    assert sorted(column.noise.l1 // 600 for column in stage.columns) == [1, 800, 320_000]


REFUSED = (
    "SELECT VARIANCE(DISTINCT dep_delay) FROM flights",
    "SELECT CORR(dep_delay, arr_delay ORDER BY month) FROM flights",
    "SELECT REGR_SLOPE(dep_delay) FROM flights",
    "SELECT STDDEV(tailnum) FROM flights",
    "SELECT SEM(dep_delay, arr_delay) FROM flights",
    "SELECT PRODUCT(dep_delay) FROM flights",
    "SELECT BOOL_AND(dep_delay > 0) FROM flights",
    "SELECT MAD(dep_delay) FROM flights",
)


@pytest.mark.parametrize("sql", REFUSED)
def test_a_moment_that_has_no_case_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("nycflights13").plan(sql)
    assert refused.value.hint


@pytest.mark.parametrize("factor", ["1e200", "1e-200"])
def test_values_whose_squares_no_double_holds_are_refused(factor: str) -> None:
    with pytest.raises(QueryRefused, match="double"):
        bench("nycflights13").plan(f"SELECT STDDEV(distance * {factor}) FROM flights")


def test_bounds_asked_for_narrow_the_squares_too() -> None:
    tight = Options(rows_per_group=1)
    (stage,) = bench("nycflights13").plan("SELECT VAR_POP(dep_delay) FROM flights", tight).stages
    assert max(column.noise.l1 for column in stage.columns) == 320_000


def test_values_that_are_all_the_same_do_not_vary() -> None:
    """Nor by what doubles leave over: a root of it would show in the sixth place."""
    place = Bench(clinic())
    found = place.plain.execute(
        "SELECT DISTINCT cost FROM visits WHERE cost > 0 ORDER BY 1 LIMIT 40"
    )
    for (cost,) in found.fetchall():
        sql = (
            f"SELECT STDDEV_POP(cost * 1.01), VAR_POP(cost * 1.01) FROM visits WHERE cost = {cost}"
        )
        assert place.answer(sql)[1] == [(0.0, 0.0)], cost

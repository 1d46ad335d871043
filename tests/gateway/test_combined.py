"""Errors of what is computed from several released tables, and whether they are reached."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from gateway import accuracy, combined, quoting
from gateway.errors import Margin, Size, Wanted
from gateway.grouped import tables
from gateway.refusals import ErrorNotOffered
from queries.plan.planner import Outline, outline, plan
from queries.plan.price import Options, Price
from queries.release.law import draws
from tests.parity import PRICE
from tests.plan.benches import bench
from tests.statistics.draws import ALPHA

COUNT = 20_000
ROWS = 5000 * 600**0.5
PURE = Price(10**12, 0, 10**12)
COUNTS = "SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin"
SHARE = "SELECT origin, COUNT(*) / (SELECT COUNT(*) FROM flights) AS s FROM flights GROUP BY origin"
WINDOW = "SELECT origin, COUNT(*) / SUM(COUNT(*)) OVER () AS s FROM flights GROUP BY origin"
PAIR = (
    "SELECT (SELECT COUNT(*) FROM flights WHERE distance > 9) / (SELECT COUNT(*) FROM flights) AS s"
)
REVENUE = (
    "SELECT origin, SUM(distance) / (SELECT SUM(distance) FROM flights) AS s FROM flights "
    "GROUP BY origin"
)
JOINED = (
    f"WITH a AS ({COUNTS}), b AS (SELECT origin, AVG(distance) AS d FROM flights GROUP BY origin) "
    "SELECT a.origin, n, d, n * 2 + d AS both FROM a JOIN b USING (origin)"
)

Floats = NDArray[np.float64]


def planned(sql: str, amount: Fraction, *, pure: bool, relative: bool = False) -> Any:
    """The plan at the least price that keeps one error for all columns, and the outline."""
    asked = bench()
    found = outline(sql, asked.view, asked, PURE if pure else PRICE, Options())
    wanted = Wanted(((None, Margin(amount, relative)),))
    aimed = accuracy.aimed(found, wanted, 0.95, 0 if pure else 10**12, 1, pure=pure, released={})
    return plan(sql, asked.view, asked, aimed.price, Options()), found, aimed


def drawn(made: Any, shape: tuple[int, ...], stage: int, column: int = 0) -> Floats:
    noise = made.stages[stage].columns[column].noise
    size = (1, int(np.prod(shape)))
    return draws(noise, np.random.default_rng(7 + stage), size).reshape(shape).astype(float)


def of_share(made: Any) -> Floats:
    part, whole = ROWS / 3 + drawn(made, (COUNT,), 0), ROWS + drawn(made, (COUNT,), 1)
    return np.asarray(part / whole - 1 / 3)


def of_window(made: Any) -> Floats:
    cells = ROWS / 3 + drawn(made, (COUNT, 3), 0)
    return np.asarray(cells[:, 0] / cells.sum(axis=1) - 1 / 3)


def of_pair(made: Any) -> Floats:
    cells = ROWS + np.stack([drawn(made, (COUNT,), stage) for stage in (0, 1)])
    return np.asarray(cells[0] / cells[1] - 1)


def of_ratio(made: Any) -> Floats:
    """Distances from 0 to 5,000 miles over times in the air from 0 to 1,000: each in the middle."""
    names = [column.name for column in made.stages[0].columns]
    shown = made.post.outputs[0].expression
    above, below = (names.index(name) for name in sorted(names, key=shown.index))
    over = ROWS * 2500 + drawn(made, (COUNT,), 0, above)
    under = ROWS * 500 + drawn(made, (COUNT,), 0, below)[::-1]
    return np.asarray(over / under - 5)


def of_sums(made: Any) -> Floats:
    part = ROWS / 3 * 2500 + drawn(made, (COUNT,), 0)
    return np.asarray(part / (ROWS * 2500 + drawn(made, (COUNT,), 1)) - 1 / 3)


def of_greatest(made: Any) -> Floats:
    return np.asarray((ROWS + drawn(made, (COUNT, 3), 0)).max(axis=1) - ROWS)


def of_sum(made: Any) -> Floats:
    return np.asarray(drawn(made, (COUNT, 3), 0).sum(axis=1))


CASES: dict[str, tuple[str, Fraction, Callable[[Any], Floats]]] = {
    "share of a total": (SHARE, Fraction(1, 50), of_share),
    "share of a sum": (REVENUE, Fraction(1, 50), of_sums),
    "share of all cells": (WINDOW, Fraction(1, 200), of_window),
    "ratio": ("SELECT SUM(distance) / SUM(air_time) AS s FROM flights", Fraction(1), of_ratio),
    "two scalars": (PAIR, Fraction(1, 100), of_pair),
    "greatest": (f"SELECT MAX(n) AS s FROM ({COUNTS})", Fraction(300), of_greatest),
    "sum": (f"SELECT SUM(n) AS s FROM ({COUNTS})", Fraction(700), of_sum),
}


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_error_of_several_tables_is_reached(name: str, pure: bool) -> None:
    """At the sizes for which it is asked, and seldom by far more than is asked."""
    sql, margin, off = CASES[name]
    made, _, _ = planned(sql, margin, pure=pure)
    missed = int((np.abs(off(made)) > float(margin)).sum())
    test = stats.binomtest(missed, COUNT, 0.05, alternative="greater")
    assert test.pvalue > ALPHA, missed / COUNT
    assert (np.abs(off(made)) > 0.4 * float(margin)).mean() > 0.01


@pytest.mark.parametrize("name", CASES)
def test_half_the_error_is_dearer_and_a_share_is_of_what_is_plausible(name: str) -> None:
    sql, margin, _ = CASES[name]
    _, _, aimed = planned(sql, margin, pure=False)
    _, _, half = planned(sql, margin / 2, pure=False)
    assert half.price.rho == pytest.approx(4 * aimed.price.rho, rel=0.02)
    _, _, share = planned(sql, Fraction(1, 10), pure=False, relative=True)
    (aim,) = share.aims
    plausible = {"greatest": ROWS / 3, "sum": ROWS, "two scalars": 1, "ratio": 5}.get(name, 1 / 3)
    assert aim.magnitude == pytest.approx(plausible)
    assert float(aim.margin) == pytest.approx(plausible / 10)


def test_columns_of_joined_tables_are_told_as_in_their_own() -> None:
    """And what is computed of both, of both; a key is no column of which an error is asked."""
    made, found, aimed = planned(JOINED, Fraction(60), pure=False)
    assert [aim.name for aim in aimed.aims] == ["n", "d", "both"]
    told = quoting.errors(Outline(made, found.likely), aimed.aims, Size.DECLARED, 0.95)
    assert [one["name"] for one in told] == ["n", "d", "both"]
    assert told[0]["margin"] <= 30, "twice of it is a part of another column"
    assert told[2]["reason"].startswith("About +-60 where a group has ")
    assert "interval" not in told[2]["reason"]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT MAX(n) AS s FROM ({COUNTS} HAVING COUNT(*) > 5)",
        f"SELECT SUM(n) AS s FROM ({COUNTS}) WHERE n > 5",
        f"SELECT COUNT(*) AS s FROM ({COUNTS})",
        f"SELECT SUM(n) FILTER (WHERE n > 5) AS s FROM ({COUNTS})",
        f"SELECT SUM(DISTINCT n) AS s FROM ({COUNTS})",
        f"SELECT MAX(n) AS s FROM ({COUNTS} ORDER BY n LIMIT 2)",
        f"SELECT MAX(n, 2) AS s FROM ({COUNTS})",
        f"SELECT SUM(n * n) AS s FROM ({COUNTS})",
        "SELECT origin, RANK() OVER (ORDER BY COUNT(*)) AS s FROM flights GROUP BY origin",
        "SELECT origin, SUM(COUNT(*)) OVER (ORDER BY origin) AS s FROM flights GROUP BY origin",
        "SELECT SUM(n) AS s FROM (SELECT flight, COUNT(*) AS n FROM flights GROUP BY flight)",
        f"SELECT n AS s FROM ({COUNTS}) UNION ALL SELECT n FROM ({COUNTS})",
        f"SELECT DISTINCT n AS s FROM ({COUNTS})",
    ],
)
def test_rows_that_noise_has_chosen_have_no_error_beforehand(sql: str) -> None:
    asked = bench()
    found = outline(sql, asked.view, asked, PRICE, Options())
    every = tables(found, {})
    with pytest.raises(ErrorNotOffered, match="not told beforehand"):
        combined.asked(found.plan, every)

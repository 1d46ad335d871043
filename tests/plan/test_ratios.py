"""Correlations and regressions: their slopes are the steepest that values spread so far allow."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from queries.plan.planner import outline
from queries.plan.price import Options
from queries.plan.ratios import Group, Held, divides, ratio, typical
from queries.plan.slopes import NoSlopes, slopes
from tests.parity import PRICE
from tests.plan.benches import bench

N, X, Y = '"n"', '("x" / "n")', '("y" / "n")'
XX = f'((5e-1 + "xx" / {N}) - ({X} * {X}))'
YY = f'((5e-1 + "yy" / {N}) - ({Y} * {Y}))'
XY = f'(("xy" / {N}) - ({Y} * {X}))'
SLOPE = f"(LEAST(GREATEST({XY}, -1), 1) / LEAST(GREATEST({XX}, 0e0), 1))"
RATIOS = {
    "CORR": f"LEAST(GREATEST({XY} / SQRT({YY} * {XX}), -1), 1)",
    "REGR_R2": f"CASE WHEN {YY} > 1e-14 THEN LEAST(({XY} * {XY}) / ({YY} * {XX}), 1) ELSE 1 END",
    "REGR_SLOPE": SLOPE,
    "REGR_INTERCEPT": f"(3e0 + {Y}) - ({SLOPE} * (2e0 + {X}))",
    "negative": f"(-3e0 + {Y}) - ({SLOPE} * (-2e0 + {X}))",
}
COLUMNS = {
    "xx": Held(0, 0.5, 0, (3, 3)), "yy": Held(0, 0.5, 1, (4, 4)), "xy": Held(0, 1, 2, (3, 4)),
    "x": Held(0, 1, 3), "y": Held(0, 1, 4), "n": Held(0, 0),
}  # fmt: skip
"""Of values from -1 to 1."""

ends = st.floats(-1, 1) | st.sampled_from([-1.0, 0.0, 1.0])
groups = st.lists(st.tuples(ends, ends), min_size=2, max_size=20)


def held(rows: list[tuple[float, float]]) -> dict[str, float]:
    return {
        "xx": sum(x * x - 0.5 for x, _ in rows), "yy": sum(y * y - 0.5 for _, y in rows),
        "xy": sum(x * y for x, y in rows), "x": sum(x for x, _ in rows),
        "y": sum(y for _, y in rows), "n": float(len(rows)),
    }  # fmt: skip


def deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


@given(st.sampled_from(sorted(RATIOS)), groups, st.floats(0.01, 0.5))
def test_no_rows_that_are_spread_so_far_have_steeper_slopes(
    name: str, rows: list[tuple[float, float]], spread: float
) -> None:
    """What an error of a correlation rests on, wherever values lie and however they are related."""
    assume(deviation([x for x, _ in rows]) >= 2 * spread)
    assume(name not in ("CORR", "REGR_R2") or deviation([y for _, y in rows]) >= 2 * spread)
    found = slopes(RATIOS[name], held(rows))
    most = ratio(RATIOS[name], Group(float(len(rows)), COLUMNS, spread))
    for column, slope in found.by.items():
        assert abs(slope) <= most.by[column] * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("name", sorted(RATIOS))
def test_some_rows_have_nearly_such_slopes(name: str) -> None:
    """Half of the rows at each end are spread as far as can be: that of products is attained."""
    rows = [(1.0, 1.0)] * 5 + [(-1.0, -1.0)] * 5
    most = ratio(RATIOS[name], Group(10.0, COLUMNS, 0.5))
    found = slopes(RATIOS[name], held(rows))
    part = 2 / 3 if name == "REGR_INTERCEPT" or name == "negative" else 1
    assert abs(found.by["xy"]) == pytest.approx(part * most.by["xy"])
    for one in most.apart:
        assert (one["n"], max(one.values())) == (pytest.approx(0.15), pytest.approx(0.2))


def test_what_was_released_says_how_far_values_are_spread() -> None:
    """The median of the groups that have a spread at all."""
    before = [held([(a, 0.5 * a), (-a, -0.5 * a)] * 3) for a in (0.1, 0.2, 0.4)]
    flat = held([(0.5, 0.5)] * 4)
    told = ratio(RATIOS["CORR"], Group(50.0, COLUMNS, None, [flat, *before]))
    assert told.by["xy"] == pytest.approx(1 / (50 * 0.2 * 0.1))
    assert typical(RATIOS["REGR_SLOPE"], before) == pytest.approx(0.5)
    assert typical(RATIOS["REGR_SLOPE"], []) is None
    with pytest.raises(NoSlopes):
        ratio(RATIOS["CORR"], Group(50.0, COLUMNS, None, [flat]))


def test_a_slope_takes_the_covariance_that_was_released() -> None:
    """The variance of y is in no divisor: unless something tells, it may be as large as can be."""
    before = [held([(0.2, 0.1), (-0.2, -0.1)] * 3)]
    told = ratio(RATIOS["REGR_SLOPE"], Group(50.0, COLUMNS, None, before))
    most = ratio(RATIOS["REGR_SLOPE"], Group(50.0, COLUMNS, 0.1))
    assert told.by["xx"] == pytest.approx(0.02 / (50 * 0.04**2))
    assert most.by["xx"] == pytest.approx(0.2 * 1 / (50 * 0.04**2))


@pytest.mark.parametrize(
    "sql",
    [f'{RATIOS["CORR"]} + "other"', '"x" / (("xx" / "n") - (("x" / "n") * ("y" / "n")))',
     f"{XY} * 2", '"x" / "n"'],
)  # fmt: skip
def test_nothing_else_is_taken_for_a_ratio(sql: str) -> None:
    assert divides(RATIOS["CORR"], COLUMNS)
    assert not divides(sql, COLUMNS | {"other": Held(0, 1, 9)})


@pytest.mark.parametrize("beside", ["", ", SUM(experience) AS s, AVG(whrswk) AS m"])
@pytest.mark.parametrize("call", ["CORR", "REGR_SLOPE", "REGR_INTERCEPT", "REGR_R2"])
def test_what_the_planner_writes_is_read(call: str, beside: str) -> None:
    """Sums that others pay for, and what rows with NULLs leave out, included."""
    asked = bench("hi")
    sql = f"SELECT {call}(experience, whrswk) AS r{beside} FROM hi"
    found = outline(sql, asked.view, asked, PRICE, Options())
    columns = {
        column.name: Held(one.middle, one.half, one.value, one.factors)
        for column, one in zip(found.plan.stages[0].columns, found.likely[0], strict=True)
    }
    text = found.plan.post.outputs[0].expression or ""
    assert divides(text, columns)
    assert ratio(text, Group(1000.0, columns, 0.2)).apart
    spread = outline(f"SELECT VAR_POP(experience) AS v{beside} FROM hi", asked.view, asked, PRICE,
                     Options())  # fmt: skip
    assert not divides(spread.plan.post.outputs[0].expression or "", columns)

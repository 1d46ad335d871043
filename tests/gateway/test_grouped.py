"""Slopes of what the planner writes are the steepest that values in their ranges allow."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.grouped import Table, tables
from queries.plan.planner import outline
from queries.plan.post import Output
from queries.plan.price import Options
from queries.plan.slopes import rooted, slopes
from tests.parity import PRICE
from tests.plan.benches import bench

CALLS = [
    *(f"{name}(whrswk)" for name in ("VAR_POP", "VAR_SAMP", "STDDEV_POP", "STDDEV_SAMP", "AVG")),
    *(
        f"{name}(whrswk, experience)"
        for name in ("COVAR_POP", "COVAR_SAMP", "REGR_SXX", "REGR_SXY")
    ),
]
BESIDE = ["", ", SUM(whrswk) AS s", ", SUM(whrswk) AS s, AVG(experience) AS m"]
ends = st.floats(-1, 1) | st.sampled_from([-1.0, 0.0, 1.0])
Rows = list[tuple[float, float]]
"""Where two values of each row lie, from one end of their ranges to the other."""


@cache
def asked(call: str, beside: str) -> tuple[Table, Output]:
    place = bench("hi")
    sql = f"SELECT {call} AS v{beside} FROM hi"
    found = outline(sql, place.view, place, PRICE, Options())
    (table,) = tables(found, {})
    return table, found.plan.post.outputs[0]


def held(table: Table, rows: Rows) -> dict[str, float]:
    """What the columns of a group hold of such rows; a square's range starts at 0."""
    plain = [one.value for one in table.likely if one.value is not None and one.factors is None]
    found = {}
    for column, one in zip(table.columns, table.likely, strict=True):
        factors = [plain.index(f) for f in one.factors or (one.value,) if f in plain]
        lie = [prod(row[factor] for factor in factors) for row in rows]
        if len(factors) == 2 and len(set(factors)) == 1:
            lie = [2 * each - 1 for each in lie]
        found[column.name] = sum(one.most - one.half * (1 - each) for each in lie)
    return found


@given(st.sampled_from(CALLS), st.sampled_from(BESIDE), st.lists(st.tuples(ends, ends), min_size=3))
def test_no_rows_have_steeper_slopes(call: str, beside: str, rows: Rows) -> None:
    """So that an error which holds there holds wherever in their ranges the values lie."""
    table, output = asked(call, beside)
    text, told = output.expression or "", table.slopes(output, Fraction(len(rows)))
    at = held(table, rows)
    found = rooted(text, at) if told.root else slopes(text, at)
    assert found is not None
    for name, slope in found.by.items():
        assert abs(slope) <= told.by[name] * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("count", [2, 3, 50])
def test_a_covariance_over_one_less_is_steepest_about_the_middle(count: int) -> None:
    """By its count: n / (n - 1)^2 of what a product can be, and 1 / (n - 1) at the ends."""
    table, output = asked("COVAR_SAMP(whrswk, experience)", "")
    counts = zip(table.columns, table.likely, strict=True)
    name = next(column.name for column, one in counts if one.value is None)
    (product,) = (one.most for one in table.likely if one.factors)
    told = table.slopes(output, Fraction(count)).by[name]
    assert told == pytest.approx(product * count / (count - 1) ** 2)

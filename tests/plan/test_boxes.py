"""Which expressions over quantiles and counts have intervals, and what these are made of."""

from __future__ import annotations

import pytest

from queries.plan.boxes import MADE
from queries.plan.post import Box, Output
from tests.plan.benches import bench

CLINIC = bench("clinic")


def output(item: str, tail: str = "") -> Output:
    """The last column of a question about visits."""
    return CLINIC.plan(f"SELECT {item} FROM visits{tail}").post.outputs[-1]


def box(item: str, tail: str = "") -> Box:
    found = output(item, tail)
    assert found.box is not None
    assert found.reason == MADE
    return found.box


BOXED = {
    "MEDIAN(cost) - MEDIAN(score)": 2,
    "QUANTILE_CONT(cost, 0.9) / MEDIAN(cost)": 2,
    "QUANTILE_CONT(cost, 0.9) / NULLIF(MEDIAN(cost), 0)": 2,
    "(QUANTILE_CONT(cost, 0.75) - QUANTILE_CONT(cost, 0.25)) / MEDIAN(cost)": 3,
    "MEDIAN(cost) * 2 + 1": 1,
    "-MEDIAN(cost)": 1,
    "ROUND(MEDIAN(cost), 1)": 1,
    "CAST(MEDIAN(cost) AS INTEGER)": 1,
    "COALESCE(MEDIAN(cost), 0)": 1,
    "GREATEST(MEDIAN(cost), MEDIAN(score), 0)": 2,
    "sqrt(MEDIAN(cost) + 100)": 1,
    "MAX(cost) - MIN(cost)": 2,
    "MAX(day) - MIN(day)": 2,
    "MODE(score) - MEDIAN(score)": 2,
    "AVG(cost) / MEDIAN(cost)": 2,
    "SUM(cost) / COUNT(*) - MEDIAN(cost)": 2,
    "HISTOGRAM(kind)['a']": 1,
    "HISTOGRAM(kind)['a'] / HISTOGRAM(kind)['b']": 2,
    "HISTOGRAM(kind)['a'] / COUNT(*)": 2,
    "HISTOGRAM(score, [0, 2, 4])[2] * 2": 1,
    "QUANTILE_CONT(cost, [0.1, 0.9])[2]": 1,
    "QUANTILE_CONT(cost, [0.1, 0.9])[-1] - QUANTILE_CONT(cost, [0.1, 0.9])[1]": 2,
}


@pytest.mark.parametrize("item", BOXED)
def test_what_rises_or_falls_in_each_part_has_an_interval(item: str) -> None:
    assert len(box(item).atoms) == BOXED[item]


@pytest.mark.parametrize(
    "item",
    [
        "ABS(MEDIAN(cost))",
        "CASE WHEN MEDIAN(cost) > 0 THEN 1 ELSE 2 END",
        "MEDIAN(cost) > 3",
        "MEDIAN(cost) % 7",
        "sin(MEDIAN(cost))",
        "MEDIAN(day) - MIN(day)",
        "QUANTILE_CONT(cost, [0.1, 0.9])[3]",
        "CAST(MEDIAN(cost) AS VARCHAR)",
        "cardinality(HISTOGRAM(kind))",
        " * ".join(["MEDIAN(cost)"] * 7),
    ],
)
def test_what_may_turn_round_between_its_ends_has_none(item: str) -> None:
    found = output(item)
    assert found.box is None
    assert "computed from" in str(found.reason)


def test_a_quantile_by_itself_keeps_its_own_interval() -> None:
    assert output("(MEDIAN(cost))").column is not None
    assert output("QUANTILE_CONT(cost, [0.1, 0.9])").columns
    assert output("AVG(cost) - 1").expression is not None


def test_a_divisor_must_not_be_zero() -> None:
    assert len(box("MEDIAN(cost) / MEDIAN(score) / 3").apart) == 1
    assert len(box("1 / (MEDIAN(cost) / MEDIAN(score))").apart) == 2
    assert box("MEDIAN(cost) / 4").apart == ()


def test_parts_through_a_subquery_are_those_of_what_it_names() -> None:
    tail = " (SELECT MEDIAN(cost) AS a, AVG(cost) AS b, HISTOGRAM(kind) AS h FROM visits)"
    for item, count in (("a - b", 2), ("h['a'] / h['b']", 2), ("(a + 1) / b", 2)):
        found = CLINIC.plan(f"SELECT {item} AS x FROM{tail}").post.outputs[0].box
        assert found is not None
        assert len(found.atoms) == count


def test_a_name_that_looks_like_one_of_ours_means_what_it_says() -> None:
    sql = "SELECT q0_mode - 1 AS x FROM (SELECT AVG(cost) AS q0_mode FROM visits)"
    (found,) = CLINIC.plan(sql).post.outputs
    assert found.box is None
    assert found.expression is not None


def test_what_is_simulated_keeps_its_text() -> None:
    first = box("AVG(cost) / MEDIAN(cost)").atoms[0]
    assert first.column is None
    assert '"m0"' in first.text
    assert box("AVG(cost) / MEDIAN(cost)").reads("m0")
    assert not box("AVG(cost) / MEDIAN(cost)").reads("m7")

"""Fitted subtotals are more exact than what was measured, level by level, and than one level alone.

The exact integers of real stages, noised by the law in this process: that the workers' noise has
this law is tested beside this file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.random import default_rng
from numpy.typing import NDArray

from queries.plan.noisy import NoisyStage
from queries.plan.price import Price
from queries.release.law import variance
from queries.release.levels import together
from tests.benchmarks.subtotals import noised
from tests.plan.benches import bench

pytestmark = pytest.mark.slow

ROUNDS = 300
Real = NDArray[np.float64]
PRICE = Price(rho=10**10, delta=0)
PURE = Price(rho=10**10, epsilon=10**11)
ROLLUP = "ROLLUP (education, region)"
CUBE = "CUBE (education, region)"
ASKED = (
    "SELECT education, region, COUNT(*), SUM(experience), COUNT(DISTINCT whrswk) "
    "FROM hi GROUP BY {}"
)
COUNTS, SUMS, VALUES = range(3)


@dataclass(frozen=True, slots=True)
class Errors:
    """Squared errors of one set's column in steps, a line for each draw: as measured, as shown."""

    measured: Real
    shown: Real


def errors(dataset: str, sql: str, price: Price) -> dict[tuple[str, int], Errors]:
    """The errors of each set by its stage's name and column, in many draws of one plan."""
    people = bench(dataset)
    plan = people.plan(sql, price=price)
    exact = people.exact(plan)
    (hierarchy,) = plan.hierarchies
    before: dict[tuple[str, int], list[Real]] = defaultdict(list)
    after: dict[tuple[str, int], list[Real]] = defaultdict(list)
    generator = default_rng(3)
    for _ in range(ROUNDS):
        noisy = {s.name: noised(s, exact[s.name], generator) for s in plan.stages}
        shown = array(together(hierarchy, plan.stages, noisy, ()).noisy)
        for member in hierarchy.members:
            truth = array(exact[member])
            own, shown = shown[: len(truth)], shown[len(truth) :]
            for place in range(truth.shape[1]):
                key = member, place
                before[key].append((array(noisy[member])[:, place] - truth[:, place]) ** 2)
                after[key].append((own[:, place] - truth[:, place]) ** 2)
    return {key: Errors(np.array(before[key]), np.array(after[key])) for key in before}


def array(table: NoisyStage) -> Real:
    return np.array(table.values, dtype=float)


@pytest.mark.parametrize("price", [PRICE, PURE], ids=["rho", "pure"])
@pytest.mark.parametrize("by", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_each_level_is_more_exact_than_it_was_measured(by: str, price: Price) -> None:
    for (_, column), own in errors("hi", ASKED.format(by), price).items():
        if column in (COUNTS, SUMS):
            assert own.shown.mean() < own.measured.mean()


@pytest.mark.parametrize("by", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_all_levels_together_are_more_exact_than_the_finest_alone(by: str) -> None:
    """At the same price: totals that are added up gather the noise of all their parts."""
    fitted = errors("hi", ASKED.format(by), PRICE)
    (alone,) = bench("hi").plan(ASKED.format("education, region"), price=PRICE).stages
    for place in (COUNTS, SUMS):
        sets = [own.shown for (_, column), own in fitted.items() if column == place]
        gathered = len(sets) * len(alone.listed or ()) * variance(alone.columns[place].noise)
        assert sum(own.mean(axis=0).sum() for own in sets) < 0.9 * gathered


@pytest.mark.parametrize("by", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_no_draw_of_distinct_counts_is_farther_from_the_truth_in_all(by: str) -> None:
    """In the weights of the sets, but for the rounding; and on average it is nearer."""
    sql = ASKED.format(by)
    found = errors("hi", sql, PRICE)
    before, after, rounding = np.zeros(ROUNDS), np.zeros(ROUNDS), 0.0
    for stage in bench("hi").plan(sql, price=PRICE).stages:
        own, weight = found[stage.name, VALUES], 1 / variance(stage.columns[VALUES].noise)
        before += weight * own.measured.sum(axis=1)
        after += weight * own.shown.sum(axis=1)
        rounding += weight * own.shown.shape[1]
    assert (np.sqrt(after) <= np.sqrt(before) + rounding**0.5).all()
    assert after.mean() < before.mean()

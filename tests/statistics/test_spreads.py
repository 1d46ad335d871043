"""Intervals of what is computed from moments hold the exact value at 95 %, by the law of the noise.

The exact integers of a real stage, noised by the law in this process: that the workers' noise has
this law is tested beside this file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import Generator, default_rng

from queries.plan.model import Plan
from queries.plan.noisy import NoisyStage
from queries.plan.price import Price
from queries.release import engine as release
from queries.release.answer import Answer
from queries.release.law import draws
from tests.parity import Bench
from tests.plan.benches import bench

pytestmark = pytest.mark.slow

ROUNDS = 250
ASKED = (
    "VARIANCE(experience)", "STDDEV(experience)", "CORR(experience, whrswk)",
    "COVAR_POP(experience, whrswk)", "REGR_SLOPE(experience, whrswk)",
    "REGR_INTERCEPT(experience, whrswk)", "REGR_R2(experience, whrswk)", "SKEWNESS(experience)",
    "KURTOSIS(experience)", "SEM(whrswk)", "SUM(wght * whrswk) / SUM(wght)",
    "SUM(experience * whrswk) / NULLIF(SUM(experience), 0)",
)  # fmt: skip


def noised(found: Plan, exact: NoisyStage, generator: Generator) -> NoisyStage:
    columns: Sequence[list[int]] = [
        [row[place] + int(step) for row, step in zip(exact.values, steps[:, 0], strict=True)]
        for place, column in enumerate(found.stages[0].columns)
        for steps in [draws(column.noise, generator, (len(exact.values), 1))]
    ]
    return replace(exact, values=tuple(zip(*columns, strict=True)))


def answers(people: Bench, found: Plan, exact: NoisyStage) -> Iterator[Answer]:
    """Many releases, each with a digest, and so with samples, of its own."""
    generator = default_rng(11)
    for number in range(ROUNDS):
        drawn = replace(found, stages=(replace(found.stages[0], digest=str(number)),))
        noisy = {exact.name: noised(found, exact, generator)}
        yield release.composed(people.open, drawn, noisy, 0.95)


@pytest.mark.parametrize("rho", [10**9, 10**11])
@pytest.mark.parametrize("item", ASKED)
def test_intervals_of_moments_cover(item: str, rho: int) -> None:
    people = bench("hi")
    found = people.plan(f"SELECT {item} FROM hi", price=Price(rho, 0))
    exact = people.exact(found)
    truth = release.composed(people.open, found, exact, 0.95).rows[0][0]
    held = []
    for answer in answers(people, found, exact[found.stages[0].name]):
        low, high = answer.lower[0][0], answer.upper[0][0]
        assert low is not None, "so many rows and so little noise always leave a value"
        held.append(low <= truth <= high)  # type: ignore[operator]
    assert 0.91 <= np.mean(held) <= 0.985

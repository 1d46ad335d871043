"""Intervals of expressions over quantiles and counts hold the exact value at 95 % at least.

The enclave's own noise and selections, drawn in this process from a real stage's exact integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from queries.enclave.exact import ExactAnswer
from queries.enclave.noise import released
from queries.plan.model import Plan
from queries.plan.price import Price
from queries.release import engine as release
from queries.release.answer import Answer
from tests.parity import Bench
from tests.plan.benches import bench

pytestmark = pytest.mark.slow

ROUNDS = 60
ASKED = (
    "MEDIAN(whrswk) - MEDIAN(experience)",
    "QUANTILE_DISC(experience, 0.9) / MEDIAN(experience)",
    "(QUANTILE_DISC(experience, 0.75) - QUANTILE_DISC(experience, 0.25)) / MEDIAN(whrswk)",
    "AVG(whrswk) / MEDIAN(whrswk)",
    "HISTOGRAM(region)['south'] / COUNT(*)",
    "HISTOGRAM(region)['south'] / HISTOGRAM(region)['west']",
)


def answers(people: Bench, found: Plan, exact: ExactAnswer) -> Iterator[Answer]:
    for number in range(ROUNDS):
        drawn = replace(found, stages=(replace(found.stages[0], digest=str(number)),))
        noisy = {found.stages[0].name: released(found.stages[0], exact)}
        yield release.composed(people.open, drawn, noisy, 0.95)


@pytest.mark.parametrize("rho", [10**9, 10**11])
@pytest.mark.parametrize("item", ASKED)
def test_intervals_of_what_is_computed_from_quantiles_cover(item: str, rho: int) -> None:
    people = bench("hi")
    found = people.plan(f"SELECT {item} FROM hi", price=Price(rho, 0))
    exact = people.answers(found)[found.stages[0].name]
    truth = people.expected(f"SELECT {item} FROM hi")[1][0][0]
    held = []
    for answer in answers(people, found, exact):
        low, high = answer.lower[0][0], answer.upper[0][0]
        assert low is not None, "so many rows and so little noise always leave a value"
        held.append(low <= truth <= high)  # type: ignore[operator]
    assert np.mean(held) >= 0.92

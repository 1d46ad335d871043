"""A key that only one unit has leaves no more often than delta says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from queries.enclave.claims import least_threshold
from queries.enclave.client import Enclave
from queries.plan.model import Key, Mechanism, Threshold
from tests.enclave.stages import NOISES, column, gaussian, laplace, plan, stage
from tests.statistics.draws import ALPHA

pytestmark = pytest.mark.slow

COUNT = 20_000
DELTA = 0.02
MAKE = {Mechanism.GAUSSIAN: gaussian, Mechanism.LAPLACE: laplace}


def kept(enclave: Enclave, mechanism: Mechanism, scale: float, at_least: int) -> list[int]:
    """The keys that left, of many keys with one unit each."""
    sql = f"SELECT range AS k0, 1 AS m0 FROM range({COUNT})"
    seen = stage(
        sql,
        [column("m0", MAKE[mechanism](scale))],
        [Key("k0", "BIGINT")],
        threshold=Threshold("m0", at_least, math.ceil(DELTA * 10**18)),
        most_rows=COUNT,
    )
    (table,) = enclave.run(plan(seen), 120)
    assert all(count >= at_least for (count,) in table.values)
    return [int(key) for (key,) in table.keys if isinstance(key, int)]


@pytest.mark.parametrize("scale", [0.9, 1.5, 6.0])
@pytest.mark.parametrize("mechanism", NOISES)
def test_a_lone_unit_is_shown_at_most_delta_of_the_time(
    enclave: Enclave, mechanism: Mechanism, scale: float
) -> None:
    at_least = least_threshold(mechanism, scale, 1, DELTA)
    shown = kept(enclave, mechanism, scale, at_least)
    assert stats.binomtest(len(shown), COUNT, DELTA, "greater").pvalue > ALPHA
    assert shown == sorted(shown)


def test_the_test_would_see_a_threshold_one_too_low(enclave: Enclave) -> None:
    """The law's own rate at the threshold, and that of one less, can be told apart by COUNT."""
    scale = 0.9
    at_least = least_threshold(Mechanism.LAPLACE, scale, 1, DELTA)
    low = float(stats.dlaplace(1 / scale).sf(at_least - 3))
    assert low > DELTA
    drawn = np.random.default_rng(5).binomial(COUNT, low)
    assert stats.binomtest(int(drawn), COUNT, DELTA, "greater").pvalue < ALPHA

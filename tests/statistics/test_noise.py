"""The noise that leaves a worker has the scale that was charged: neither less nor more."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from queries.enclave.client import Enclave
from queries.plan.model import Key, Mechanism, Other, Threshold
from tests.enclave.stages import NOISES, column, gaussian, laplace, plan, stage
from tests.statistics.draws import ALPHA, TRUTH, fits, noise_of

pytestmark = pytest.mark.slow

COUNT = 20_000
MAKE = {Mechanism.GAUSSIAN: gaussian, Mechanism.LAPLACE: laplace}


@pytest.mark.parametrize("scale", [0.8, 3.0, 25.0])
@pytest.mark.parametrize("mechanism", NOISES)
def test_noise_fits_its_scale_and_no_other(
    enclave: Enclave, mechanism: Mechanism, scale: float
) -> None:
    drawn = noise_of(enclave, MAKE[mechanism](scale), COUNT)
    assert fits(drawn, mechanism, scale) > ALPHA
    assert fits(drawn, mechanism, 0.7 * scale) < ALPHA
    assert fits(drawn, mechanism, 1.3 * scale) < ALPHA
    other = {Mechanism.GAUSSIAN: Mechanism.LAPLACE, Mechanism.LAPLACE: Mechanism.GAUSSIAN}
    assert fits(drawn, other[mechanism], scale) < ALPHA


@pytest.mark.parametrize("mechanism", NOISES)
def test_the_sign_is_fair_and_cells_are_independent(enclave: Enclave, mechanism: Mechanism) -> None:
    drawn = noise_of(enclave, MAKE[mechanism](30.0), COUNT)
    signs = int((drawn > 0).sum()), int((drawn < 0).sum())
    assert stats.binomtest(signs[0], sum(signs)).pvalue > ALPHA
    for lag in (1, 2, 7):
        together = float(stats.spearmanr(drawn[:-lag], drawn[lag:]).pvalue)
        assert together > ALPHA


def test_columns_and_stages_are_drawn_apart(enclave: Enclave) -> None:
    keys = [(key,) for key in range(4000)]
    sql = "SELECT range AS k0, 0 AS m0, 0 AS m1 FROM range(4000)"
    columns = [column("m0", gaussian(9.0)), column("m1", gaussian(9.0))]
    pair = [stage(sql, columns, [Key("k0", "BIGINT")], keys, None, 4000, n) for n in ("s0", "s1")]
    first, second = enclave.run(plan(*pair), 60)
    drawn = np.array([(*a, *b) for a, b in zip(first.values, second.values, strict=True)])
    for one in range(4):
        for two in range(one):
            assert float(stats.spearmanr(drawn[:, one], drawn[:, two]).pvalue) > ALPHA


@pytest.mark.parametrize("mechanism", NOISES)
def test_the_row_of_what_is_held_back_has_its_own_noise(
    enclave: Enclave, mechanism: Mechanism
) -> None:
    """Each of many stages draws it once, at its own scale and apart from that of the groups."""
    scale = 9.0
    seen = stage(
        "SELECT 1 AS k0, 100 AS m0",
        [column("m0", MAKE[mechanism](0.9 * scale))],
        [Key("k0", "BIGINT")],
        threshold=Threshold("m0", 1 << 20, 10**17),
    )
    row = Other(f"SELECT {TRUTH} AS m0", (column("m0", MAKE[mechanism](scale)),))
    stages = [replace(seen, name=f"s{n}", other=row) for n in range(5000)]
    drawn = np.array([table.other[0] - TRUTH for table in enclave.run(plan(*stages), 120)])
    assert fits(drawn, mechanism, scale) > ALPHA
    assert fits(drawn, mechanism, 0.7 * scale) < ALPHA
    assert fits(drawn, mechanism, 1.3 * scale) < ALPHA


@pytest.mark.parametrize("mechanism", NOISES)
def test_neighbours_stay_within_the_loss(enclave: Enclave, mechanism: Mechanism) -> None:
    """A lower bound on epsilon, from the draws alone, stays under the claim.

    The exact value moves by one; the event is the best one for this mechanism at this scale.
    """
    scale, edge = 2.0, 3
    noise = MAKE[mechanism](scale)
    here = int((noise_of(enclave, noise, COUNT) >= edge).sum())
    there = int((noise_of(enclave, noise, COUNT) + 1 >= edge).sum())
    least = math.log(_low(there) / _high(here))
    assert least < math.log(_claimed(mechanism, scale, edge)) + 1e-9
    assert math.log(there / here) > 0.2


def _claimed(mechanism: Mechanism, scale: float, edge: int) -> float:
    """The largest ratio of the two probabilities that the mechanism's law allows."""
    if mechanism is Mechanism.LAPLACE:
        return math.exp(1 / scale)
    tail = [math.exp(-(k**2) / (2 * scale**2)) for k in range(edge - 1, 60)]
    return sum(tail) / sum(tail[1:])


def _low(hits: int) -> float:
    return float(stats.binomtest(hits, COUNT).proportion_ci(1 - ALPHA).low)


def _high(hits: int) -> float:
    return float(stats.binomtest(hits, COUNT).proportion_ci(1 - ALPHA).high)

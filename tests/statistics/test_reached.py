"""An error that was asked for is reached: by the noise that its loss buys, and by no wider one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scipy import stats

from queries.enclave.client import Enclave
from queries.plan.bounding import Sensitivity
from queries.plan.model import Mechanism, Noise
from queries.release.law import half_width
from queries.release.least import alone, drawn
from tests.enclave.stages import NOISES
from tests.statistics.draws import ALPHA, noise_of

pytestmark = pytest.mark.slow

COUNT = 40_000
ONE = Sensitivity(6, 12)


def missed(enclave: Enclave, noise: Noise, steps: int) -> int:
    found = noise_of(enclave, noise, COUNT)
    return int((abs(found) > steps).sum())


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("steps", [2, 17, 150])
@pytest.mark.parametrize("mechanism", NOISES)
def test_the_loss_that_is_charged_reaches_the_error_and_a_wider_scale_does_not(
    enclave: Enclave, mechanism: Mechanism, steps: int, confidence: float
) -> None:
    pure = mechanism is Mechanism.LAPLACE
    noise = drawn(ONE, alone(ONE, steps, confidence, pure=pure), pure=pure)
    assert half_width(noise, confidence) == steps
    allowed = 1 - confidence
    within = missed(enclave, noise, steps)
    assert stats.binomtest(within, COUNT, allowed, alternative="greater").pvalue > ALPHA
    wider = missed(enclave, replace(noise, scale=1.3 * noise.scale), steps)
    assert stats.binomtest(wider, COUNT, allowed, alternative="greater").pvalue < ALPHA

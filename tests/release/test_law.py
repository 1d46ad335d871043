"""The law of the noise, against sums of our own and against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from queries.plan.model import Mechanism, Noise
from queries.release.law import draws, half_width
from tests.enclave.stages import NOISES


def noise(mechanism: Mechanism, scale: float) -> Noise:
    return Noise(mechanism, 1, 1, scale, 10**12)


def inside(mechanism: Mechanism, scale: float, width: int) -> float:
    """P(|noise| <= width), term by term."""
    if width < 0:
        return 0.0
    if mechanism is Mechanism.LAPLACE:
        law = stats.dlaplace(1 / scale)
        return float(law.cdf(width) - law.cdf(-width - 1))
    reach = math.ceil(14 * scale) + 14
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * scale**2))
    return float(weights[reach - width : reach + width + 1].sum() / weights.sum())


@given(
    st.sampled_from(NOISES),
    st.floats(0.05, 2000),
    st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.9999]),
)
def test_the_half_width_is_the_least_that_covers(
    mechanism: Mechanism, scale: float, confidence: float
) -> None:
    width = half_width(noise(mechanism, scale), confidence)
    assert inside(mechanism, scale, width) >= confidence - 1e-12
    spare = 2 if mechanism is Mechanism.GAUSSIAN and scale > 256 else 1
    assert inside(mechanism, scale, width - spare) < confidence


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, math.nan])
def test_a_confidence_lies_between_none_and_all(confidence: float) -> None:
    with pytest.raises(ValueError):
        half_width(noise(Mechanism.GAUSSIAN, 3.0), confidence)


@pytest.mark.parametrize("scale", [0.2, 1.0, 3.0, 7.9, 8.1, 50.0, 1e4])
@pytest.mark.parametrize("mechanism", NOISES)
def test_samples_follow_the_law(mechanism: Mechanism, scale: float) -> None:
    """A fixed generator: the shares inside three widths, to five standard errors."""
    count = 200_000
    drawn = np.abs(draws(noise(mechanism, scale), np.random.default_rng(7), (1, count)))
    for confidence in (0.5, 0.8, 0.95):
        width = half_width(noise(mechanism, scale), confidence)
        share = inside(mechanism, scale, width)
        error = math.sqrt(share * (1 - share) / count)
        assert abs((drawn <= width).mean() - share) <= 5 * error + 2e-4

"""The width within which a noisy count may be the greatest: what it grows and shrinks with."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from queries.plan.subsets import width
from tests.enclave.stages import gaussian, laplace


def test_of_two_values_it_is_the_law_of_a_difference() -> None:
    """One other value: the difference of two noises, one way."""
    expected = math.sqrt(2) * NormalDist().inv_cdf(0.95) * 40
    assert width(gaussian(40.0), 2, 0.95) == math.ceil(expected)


def test_it_is_wider_for_more_values_and_for_more_confidence() -> None:
    for noise in (gaussian(10.0), laplace(10.0)):
        widths = [width(noise, count, 0.95) for count in (1, 2, 10, 100, 8_192)]
        assert widths == sorted(set(widths))
        assert widths[0] == 0
        assert width(noise, 10, 0.9) < width(noise, 10, 0.99) < width(noise, 10, 0.999999)


def test_a_laplace_difference_passes_its_width_as_seldom_as_said() -> None:
    far = width(laplace(1000.0), 2, 0.95) / 1000.0
    assert (2 + far) / 4 * math.exp(-far) == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0])
def test_a_confidence_lies_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        width(gaussian(1.0), 3, confidence)

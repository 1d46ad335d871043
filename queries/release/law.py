"""The law of the noise: how far a noisy integer may be from the exact one, and how it scatters.

This is arithmetic about noise that has been drawn elsewhere. What is sampled here is not privacy
noise: it only shows how an expression over released values would scatter.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from queries.plan.model import Mechanism, Noise

SUMMED = 256.0
"""Up to this scale a discrete Gaussian is summed term by term; beyond it the normal law serves."""

DRAWN = 8.0
"""Up to this scale samples come from the summed law; a rounded normal has 1/12 more variance."""

Steps = NDArray[np.int64]


def half_width(noise: Noise, confidence: float) -> int:
    """The least w, up to rounding outward, with P(|noise| <= w) >= confidence."""
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    if noise.mechanism is Mechanism.LAPLACE:
        return _laplace_width(noise.scale, 1 - confidence)
    if noise.scale > SUMMED:  # whole steps: no less than the normal law up to half a step beyond
        return math.ceil(NormalDist().inv_cdf((1 + confidence) / 2) * noise.scale - 0.5)
    reached = np.searchsorted(_two_sided(noise.scale), confidence)
    return int(reached)


def standard_width(mechanism: Mechanism, confidence: float) -> float:
    """How many standard deviations a sum of such noises keeps within.

    A sum of Laplace noises lies between one of them and the normal law, so the wider one is taken.
    """
    normal = NormalDist().inv_cdf((1 + confidence) / 2)
    if mechanism is Mechanism.GAUSSIAN:
        return normal
    return max(normal, math.log(1 / (1 - confidence)) / math.sqrt(2))


def variance(noise: Noise) -> float:
    """The variance of the noise, at most: that of the continuous law of its scale."""
    return noise.scale**2 * (2 if noise.mechanism is Mechanism.LAPLACE else 1)


def draws(noise: Noise, generator: Generator, shape: tuple[int, int]) -> Steps:
    """Values distributed as the noise is."""
    if noise.mechanism is Mechanism.LAPLACE:
        success = -math.expm1(-1 / noise.scale)
        return generator.geometric(success, shape) - generator.geometric(success, shape)
    if noise.scale > DRAWN:
        return np.rint(generator.normal(0.0, noise.scale, shape)).astype(np.int64)
    cumulative = _cumulative(noise.scale)
    drawn = np.searchsorted(cumulative, generator.random(shape), side="right")
    return (np.minimum(drawn, len(cumulative) - 1) - len(cumulative) // 2).astype(np.int64)


def _laplace_width(scale: float, alpha: float) -> int:
    """P(|noise| > w) is 2 exp(-(w + 1) / scale) / (1 + exp(-1 / scale))."""
    tail = 2 / (alpha * (1 + math.exp(-1 / scale)))
    return max(0, math.ceil(scale * math.log(tail) - 1))


@lru_cache(maxsize=64)
def _weights(scale: float) -> NDArray[np.float64]:
    """Probabilities of 0, 1, 2, ... steps, far beyond any confidence that a float can hold."""
    steps = np.arange(math.ceil(12 * scale) + 12)
    weights = np.exp(-(steps**2) / (2 * scale**2))
    return np.asarray(weights / (2 * weights.sum() - weights[0]), dtype=np.float64)


@lru_cache(maxsize=64)
def _two_sided(scale: float) -> NDArray[np.float64]:
    """P(|noise| <= w) for w = 0, 1, 2, ..."""
    weights = _weights(scale)
    return np.asarray(2 * np.cumsum(weights) - weights[0], dtype=np.float64)


@lru_cache(maxsize=64)
def _cumulative(scale: float) -> NDArray[np.float64]:
    weights = _weights(scale)
    return np.cumsum(np.concatenate([weights[:0:-1], weights]))

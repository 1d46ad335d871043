"""Many draws of one number, through a real worker, and how well they fit a law.

Every test here rejects at ALPHA: with all suites together a sound mechanism fails about once in
ten thousand runs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from queries.enclave.client import Enclave
from queries.plan.model import Key, Mechanism, Noise
from tests.enclave.stages import column, plan, stage

ALPHA = 1e-6
TRUTH = 1234

Draws = NDArray[np.int64]


def noise_of(enclave: Enclave, noise: Noise, count: int) -> Draws:
    """That many noises: one cell for each key of a long list."""
    sql = f"SELECT range AS k0, {TRUTH} AS m0 FROM range({count})"
    listed = [(key,) for key in range(count)]
    drawn = stage(sql, [column("m0", noise)], [Key("k0", "BIGINT")], listed, most_rows=count)
    (table,) = enclave.run(plan(drawn), 120)
    return np.array([row[0] for row in table.values]) - TRUTH


def probabilities(mechanism: Mechanism, scale: float) -> tuple[Draws, NDArray[np.float64]]:
    """The law on all steps that matter."""
    reach = math.ceil((40 if mechanism is Mechanism.LAPLACE else 12) * scale) + 5
    steps = np.arange(-reach, reach + 1)
    if mechanism is Mechanism.LAPLACE:
        weights = np.exp(-np.abs(steps) / scale)
    else:
        weights = np.exp(-(steps**2) / (2 * scale**2))
    return steps, weights / weights.sum()


def fits(drawn: Draws, mechanism: Mechanism, scale: float) -> float:
    """The p-value of Pearson's test, over cells that each expect at least ten draws."""
    steps, law = probabilities(mechanism, scale)
    expected = law * len(drawn)
    cells = np.floor(np.cumsum(expected) / 10).astype(int)
    cells = np.minimum(cells, cells[-1] - 1)
    places = np.clip(drawn - steps[0], 0, len(steps) - 1)
    seen = np.bincount(cells[places], minlength=cells[-1] + 1)
    hoped = np.bincount(cells, weights=expected, minlength=cells[-1] + 1)
    some = hoped > 0
    return float(stats.chisquare(seen[some], hoped[some] * (seen.sum() / hoped.sum())).pvalue)

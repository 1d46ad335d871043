"""Names that are selected follow the law of peeling: one selection after the other."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from queries.enclave.client import Enclave
from queries.plan.model import Key, Noise, Top
from tests.enclave.stages import plan, selecting, stage
from tests.statistics.draws import ALPHA

pytestmark = pytest.mark.slow

TOTALS = (9, 4, 7, 0)
DRAWS = 3_000
AT_ONCE = 100


def drawn(enclave: Enclave, noise: Noise, totals: tuple[int, ...] = TOTALS) -> Counter[object]:
    """How often each pair of keys left, through a real worker."""
    rows = " UNION ALL ".join(f"SELECT {k} AS k0, {n} AS m0" for k, n in enumerate(totals))
    listed = [(key,) for key in range(len(totals))]
    one = dataclasses.replace(
        stage(rows, [], [Key("k0", "BIGINT")], listed, most_rows=len(totals)),
        top=Top("m0", 2, noise),
    )
    found: Counter[object] = Counter()
    for _ in range(DRAWS // AT_ONCE):
        many = [dataclasses.replace(one, name=f"s{n}") for n in range(AT_ONCE)]
        for table in enclave.run(plan(*many), 120):
            assert table.values == ((), ())
            found[tuple(key for (key,) in table.keys)] += 1
    return found


def law(scale: float) -> dict[tuple[int, ...], float]:
    """First a key by its doubled total, then another among those that are left."""
    weights = [math.exp(2 * total / scale) for total in TOTALS]
    return {
        (a, b): weights[a] / sum(weights) * weights[b] / (sum(weights) - weights[a])
        for a, b in itertools.permutations(range(len(TOTALS)), 2)
    }


def test_names_are_peeled_off_by_the_exponential_mechanism(enclave: Enclave) -> None:
    seen = drawn(enclave, selecting(10.0, 2, 2))
    for factor, fits in ((1.0, True), (0.5, False), (2.0, False)):
        expected = law(10.0 * factor)
        counts = np.array([seen[pair] for pair in expected])
        chances = np.array(list(expected.values())) * counts.sum()
        assert bool(stats.chisquare(counts, chances).pvalue > ALPHA) == fits


def test_a_neighbour_is_told_apart_no_better_than_claimed(enclave: Enclave) -> None:
    """A unit in every group but one: no order of names grows likelier than by e to the loss."""
    noise = selecting(10.0, 2, 2)
    one = drawn(enclave, noise)
    other = drawn(enclave, noise, tuple(n + (k > 0) for k, n in enumerate(TOTALS)))
    most = 2 * 2 / 10.0
    for pair, count in one.items():
        if min(count, other[pair]) > 100:
            spread = 5 * math.sqrt(1 / count + 1 / other[pair])
            assert abs(math.log(count / other[pair])) <= most + spread

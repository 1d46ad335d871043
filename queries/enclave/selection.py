"""Distributions in the enclave: scores and nodes from exact histograms, and what is drawn of them.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       selections and trees lose what `queries.enclave.claims` verified for them.
    Requires    exact histograms whose rows are bounded as the plan says; its scores
                (`queries.plan.quantiles`).
    Why         scores and nodes are whole numbers, linear in the histogram but for the distance to
                the target, which is 1-Lipschitz; OpenDP selects and adds noise, at the plan's own
                scale; nothing else of a histogram leaves. Ranks are counted to the last row, so no
                float is compared.
    Tried by    tests/statistics/test_selections.py, tests/enclave/test_selection.py
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from queries.enclave.exact import ExactAnswer
from queries.enclave.mechanisms import measurement, ranker, selector
from queries.plan.model import Distribution, Noise, Target, Top

Counts = NDArray[np.int64]
LARGEST_SCORE = 2**61
"""Values beyond it count as this much: twice as much still fits 64 bits."""


def scores(target: Target, histogram: Counts) -> Counts:
    """The score of each bin: minus how far it is from the target rank."""
    counts = histogram[::-1] if target.descending else histogram
    above = target.denominator * np.cumsum(counts)
    below = above - target.denominator * counts
    total = int(counts.sum())
    rows = target.rows if target.numerator else min(target.rows, max(1, (total + 1) // 2))
    rank = target.numerator * total + target.denominator * rows
    distance = np.maximum(np.maximum(below + 1 - rank, rank - above), 0)
    return cast(Counts, -(distance[::-1] if target.descending else distance))


def nodes(found: Distribution, histogram: Counts) -> Counts:
    """The counts of all nodes of the tree but its root, leaves first."""
    level = np.zeros(found.branching**found.levels, dtype=np.int64)
    level[: len(histogram)] = histogram
    kept = [level]
    for _ in range(found.levels - 1):
        level = level.reshape(-1, found.branching).sum(axis=1)
        kept.append(level)
    return np.concatenate(kept)


def ranked(exact: ExactAnswer) -> Counts:
    """The score of each key: twice its exact value."""
    scores = np.array([value for (value,) in exact.values], dtype=np.int64)
    return 2 * np.clip(scores, -LARGEST_SCORE, LARGEST_SCORE)


def leading(top: Top, exact: ExactAnswer) -> list[int]:
    """The places of the selected keys, in the order of their selection."""
    noise = top.noise
    choose = ranker(noise.mechanism, noise.scale, top.most)
    return cast(list[int], choose(ranked(exact).tolist()))


def drawn(found: Distribution, histograms: Sequence[Counts]) -> list[tuple[int, ...]]:
    """What is released of a distribution, group by group."""
    if not histograms:
        return []
    if found.read_off:
        return _noised(found.noise, [nodes(found, histogram) for histogram in histograms])
    chosen = [
        tuple(_selected(found, target, histogram) for target in found.targets)
        for histogram in histograms
    ]
    if found.around is None:
        return chosen
    trees = _noised(found.around, [nodes(found, histogram) for histogram in histograms])
    return [(*places, *tree) for places, tree in zip(chosen, trees, strict=True)]


def _noised(noise: Noise, trees: list[Counts]) -> list[tuple[int, ...]]:
    """All nodes of all groups in one call."""
    draw = measurement(noise.mechanism, noise.scale)
    noisy = cast(list[int], draw(np.concatenate(trees).tolist()))
    width = len(trees[0])
    return [tuple(noisy[start : start + width]) for start in range(0, len(noisy), width)]


def _selected(found: Distribution, target: Target, histogram: Counts) -> int:
    choose = selector(found.noise.mechanism, found.noise.scale, one_way=False)
    return cast(int, choose(scores(target, histogram).tolist()))

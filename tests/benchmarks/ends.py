"""Intervals of quantiles, three ways at one loss: `python -m tests.benchmarks.ends`.

Beside the value itself its ends may be selected, as far away in ranks as keeps them honest whatever
the data are; or a part of the loss goes to a tree of noisy counts, off which ends are read; or the
tree has all of it, and values are read off it too. Printed are the mean distance of a value's rank
from its target and half the ranks between its ends, in standard deviations of a single count at
that loss, and the share of ends that hold the true bin. What is drawn here is no privacy noise.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from queries.plan.bins import Bins
from queries.plan.model import Distribution, Mechanism, Noise, Target
from queries.plan.trees import shape
from queries.release.trees import leaves, read
from tests.benchmarks.ranks import COUNT, Counts, Shares, distance, rows

MISSED = 0.05
ASKED = (1, 3, 9, 19)
TREES = (0.25, 0.5, 0.75)
Found = tuple[int, int, int]
"""The bin of a quantile, and the first and last that it may be."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a loss is spent: with `tree` None on three selections, else that part of it on a tree."""

    name: str
    tree: float | None

    def answer(self, counts: Counts, shares: Shares, generator: Generator) -> list[Found]:
        if self.tree is None:
            return [self._three(counts, share, _apart(shares), generator) for share in shares]
        read_off = _treed(counts, shares, COUNT / math.sqrt(self.tree), generator)
        if self.tree == 1:
            return read_off
        scale = COUNT / math.sqrt(1 - self.tree) * _apart(shares)
        ranked = (
            (share * float(counts.sum()), found)
            for share, found in zip(shares, read_off, strict=True)
        )
        return [_around(_best(counts, rank, scale, generator), ends) for rank, ends in ranked]

    def _three(self, counts: Counts, share: float, apart: float, generator: Generator) -> Found:
        scale = COUNT * math.sqrt(3) * apart
        margin = scale * math.log(len(counts) / (MISSED / 2))
        rank = share * float(counts.sum())
        low, place, high = (
            _best(counts, rank + by, scale, generator) for by in (-margin, 0.0, margin)
        )
        return place, min(low, place), max(high, place)


def _apart(shares: Shares) -> float:
    return math.sqrt(sum(max(share, 1 - share) ** 2 for share in shares))


def _around(place: int, found: Found) -> Found:
    return place, min(place, found[1]), max(place, found[2])


def _best(counts: Counts, rank: float, scale: float, generator: Generator) -> int:
    above = np.cumsum(counts)
    apart = np.maximum(0, np.maximum(above - counts - rank, rank - above))
    return int(np.argmax(generator.gumbel(size=len(counts)) - apart / scale))


def _treed(counts: Counts, shares: Shares, one: float, generator: Generator) -> list[Found]:
    branching, levels = shape(len(counts))
    scale = one * math.sqrt(levels)
    noise = Noise(Mechanism.GAUSSIAN, levels, levels, scale, 0)
    made = Distribution("", "", Bins(len(counts)), (), noise, branching, levels)
    level: NDArray[np.float64] = np.zeros(branching**levels)
    level[: len(counts)] = counts
    nodes: list[int] = []
    for _ in range(levels):
        nodes.extend(np.rint(level + generator.normal(0, scale, len(level))).astype(int).tolist())
        level = level.reshape(-1, branching).sum(axis=1)
    fitted = leaves(made, tuple(nodes))
    asked = [Target("", round(share * 1000), 1000, 0, False, "BIGINT") for share in shares]
    return [read(made, target, fitted, 1 - MISSED, scale) for target in asked]


WAYS = (
    Way("three selections", None),
    *(Way(f"{part:.0%} tree", part) for part in TREES),
    Way("tree alone", 1),
)


def measured(name: str, count: int, asked: int, draws: int) -> dict[str, tuple[float, ...]]:
    """Of each way: how far ranks are off, half the ranks between ends, and how often they hold."""
    generator = np.random.default_rng(1)
    counts = rows(name, count, generator)
    above = np.cumsum(counts)
    shares = [(n + 1) / (asked + 1) for n in range(asked)]
    result = {}
    for way in WAYS:
        off, wide, held = [], [], []
        for _ in range(draws):
            answers = way.answer(counts, shares, generator)
            for (place, low, high), share in zip(answers, shares, strict=True):
                off.append(distance(counts, place, share))
                wide.append(float(above[high] - above[low] + counts[low]) / 2)
                truth = int(np.searchsorted(above, share * above[-1]))
                held.append(low <= truth <= high)
        result[way.name] = np.mean(off) / COUNT, np.mean(wide) / COUNT, np.mean(held)
    return result


def main(given: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.ends", description=__doc__)
    parser.add_argument("--draws", type=int, default=40, help="draws of each cell")
    draws = parser.parse_args(given).draws
    print(f"| rows | quantiles | {' | '.join(way.name for way in WAYS)} |")
    print("|---|---|" + "---|" * len(WAYS))
    for name in ("even", "skewed", "spiky"):
        for count in (2_000, 50_000):
            for asked in ASKED:
                found = measured(name, count, asked, max(4, draws // asked))
                shown = " | ".join(
                    f"{off:.2f} +-{wide:.1f}, {held:.0%}" for off, wide, held in found.values()
                )
                print(f"| {name}, {count:,} | {asked} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

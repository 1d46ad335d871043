"""How far ranks are off: `python -m tests.benchmarks.ranks`.

Selections, a tree of noisy counts and the recursive scheme of Kaplan et al. (2022, Algorithm 1) at
one loss on made-up rows, in the standard deviation of a single count at that loss. The recursive
scheme is given what it cannot have, ties split exactly where the target lies in them, so that its
column is a bound on what it could gain. What is drawn here is no privacy noise.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from queries.plan.bins import Bins
from queries.plan.model import Distribution, Mechanism, Noise, Target
from queries.plan.trees import shape
from queries.release.trees import leaves, read

Counts = NDArray[np.float64]
Shares = Sequence[float]
COUNT = 10.0
"""The deviation of one count that has the whole loss to itself."""
BINS = 4_096
ASKED = (1, 3, 9, 19, 39, 99)


def distance(counts: Counts, place: int, share: float) -> float:
    above = np.cumsum(counts)
    rank = share * above[-1]
    return float(max(0.0, above[place] - counts[place] - rank, rank - above[place]))


def selected(counts: Counts, shares: Shares, generator: Generator) -> list[int]:
    scale = COUNT * math.sqrt(sum(max(share, 1 - share) ** 2 for share in shares))
    return [_best(counts, share, scale, generator) for share in shares]


def _best(counts: Counts, share: float, scale: float, generator: Generator) -> int:
    above = np.cumsum(counts)
    rank = share * above[-1]
    apart = np.maximum(0, np.maximum(above - counts - rank, rank - above))
    return int(np.argmax(generator.gumbel(size=len(counts)) - apart / scale))


def recursive(counts: Counts, shares: Shares, generator: Generator) -> list[int]:
    scale = COUNT * math.sqrt(math.ceil(math.log2(len(shares) + 1)))
    found: dict[float, int] = {}
    parts = [(0, counts, 0.0, 1.0, list(shares))]
    while parts:
        start, held, low, high, asked = parts.pop()
        if not asked:
            continue
        share = asked[len(asked) // 2]
        own = (share - low) / (high - low)
        place = _best(held, own, scale * max(own, 1 - own), generator)
        found[share] = start + place
        below, above = held[: place + 1].copy(), held[place:].copy()
        below[-1] = min(max(own * held.sum() - held[:place].sum(), 0), held[place])
        above[0] -= below[-1]
        parts.append((start, below, low, share, asked[: len(asked) // 2]))
        parts.append((start + place, above, share, high, asked[len(asked) // 2 + 1 :]))
    return [found[share] for share in shares]


def treed(counts: Counts, shares: Shares, generator: Generator) -> list[int]:
    branching, levels = shape(len(counts))
    scale = COUNT * math.sqrt(levels)
    noise = Noise(Mechanism.GAUSSIAN, levels, levels, scale, 0)
    made = Distribution("", "", Bins(len(counts)), (), noise, branching, levels)
    level = np.zeros(branching**levels)
    level[: len(counts)] = counts
    nodes: list[int] = []
    for _ in range(levels):
        nodes.extend(np.rint(level + generator.normal(0, scale, len(level))).astype(int).tolist())
        level = level.reshape(-1, branching).sum(axis=1)
    fitted = leaves(made, tuple(nodes))
    asked = [Target("", round(share * 1000), 1000, 0, False, "BIGINT") for share in shares]
    return [read(made, target, fitted, 0.95, scale)[0] for target in asked]


def rows(name: str, count: int, generator: Generator) -> Counts:
    """Values between 0 and 1 in equal bins: even, skewed, or half of them on twenty values."""
    skewed = np.minimum(generator.lognormal(0, 0.8, count) / 20, 0.9999)
    spikes = np.floor(generator.random(count) * 20) / 20
    values = {
        "even": generator.random(count),
        "skewed": skewed,
        "spiky": np.where(generator.random(count) < 0.5, spikes, skewed),
    }[name]
    return np.bincount((values * BINS).astype(int), minlength=BINS).astype(float)


Ways = dict[str, Callable[[Counts, Shares, Generator], list[int]]]
WAYS: Ways = {"selected": selected, "tree": treed, "recursive": recursive}


def error(name: str, count: int, asked: int, draws: int, seed: int = 1) -> dict[str, float]:
    """The mean distance of ranks from their targets, way by way."""
    generator = np.random.default_rng(seed)
    counts = rows(name, count, generator)
    shares = [(n + 1) / (asked + 1) for n in range(asked)]
    found = {}
    for way, answer in WAYS.items():
        apart = [
            distance(counts, place, share)
            for _ in range(draws)
            for place, share in zip(answer(counts, shares, generator), shares, strict=True)
        ]
        found[way] = sum(apart) / len(apart) / COUNT
    return found


def main(given: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.ranks", description=__doc__)
    parser.add_argument("--draws", type=int, default=40, help="draws of each cell")
    draws = parser.parse_args(given).draws
    print("| rows | quantiles | selected | tree | recursive |\n|---|---|---|---|---|")
    for name in ("even", "skewed", "spiky"):
        for count in (2_000, 50_000):
            for asked in ASKED:
                found = error(name, count, asked, max(2, draws // asked))
                shown = " | ".join(f"{found[way]:.2f}" for way in WAYS)
                print(f"| {name}, {count:,} | {asked} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

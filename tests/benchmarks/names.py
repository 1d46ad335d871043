"""How the most frequent names are best found: `python -m tests.benchmarks.names`.

The k names with the largest noisy counts, beside k selections one after the other (Durfee and
Rogers 2019, peeling), at one zero-concentrated loss on made-up counts. A unit moves so many groups
by one each. Printed is by how many rows a name that was found falls short of the one that should
stand in its place, on average, in the standard deviation of a single count at that loss. What is
drawn here is no privacy noise.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Counts = NDArray[np.float64]
COUNT = 10.0
"""The deviation of one count that a unit moves by one, with the whole loss to itself."""
NAMES, ROWS = 200, 20_000


def counts(name: str) -> Counts:
    """Frequencies of names, the most frequent first: as in language, or all much alike."""
    ranks = np.arange(1, NAMES + 1)
    weights = {"zipf": 1 / ranks, "alike": 1.5 - ranks / NAMES}[name]
    found: Counts = np.rint(ROWS * weights / weights.sum())
    return found


def counted(exact: Counts, k: int, groups: int, generator: Generator) -> Counts:
    """Noise of a vector of which `groups` entries move by one."""
    noisy = exact + generator.normal(0, COUNT * math.sqrt(groups), len(exact))
    return exact[np.argsort(-noisy)[:k]]


def selected(exact: Counts, k: int, groups: int, generator: Generator) -> Counts:
    """Gumbel noise, drawn once, chooses as k selections in turn do.

    Counts only gain by a unit's rows, so a selection of scale s loses 1 / (8 s**2), whatever number
    of groups the unit moves; a count of deviation d loses 1 / (2 d**2).
    """
    scale = COUNT * math.sqrt(k) / 2
    return exact[np.argsort(-(exact + generator.gumbel(scale=scale, size=len(exact))))[:k]]


def short(found: Counts, exact: Counts) -> float:
    """By how much the names found are less frequent than the most frequent ones, on average."""
    return float((exact[: len(found)].sum() - found.sum()) / len(found)) / COUNT


def main(given: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.names", description=__doc__)
    parser.add_argument("--draws", type=int, default=2_000, help="draws of each cell")
    draws = parser.parse_args(given).draws
    generator = np.random.default_rng(1)
    print("| names | groups of a unit | k | counted | selected |\n|---|---|---|---|---|")
    for name in ("zipf", "alike"):
        exact = counts(name)
        for groups in (1, 4, 20):
            for k in (1, 2, 3, 5, 10, 20, 50):
                cells = [
                    np.mean([short(way(exact, k, groups, generator), exact) for _ in range(draws)])
                    for way in (counted, selected)
                ]
                shown = " | ".join(f"{cell:.3f}" for cell in cells)
                print(f"| {name} | {groups} | {k} | {shown} |", flush=True)


if __name__ == "__main__":
    main()

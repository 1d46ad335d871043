"""What fitting gives each level of a table: `python -m tests.benchmarks.subtotals`.

Of each grouping set the root of the mean squared error of its cells, in the column's own unit, at
one price: where the finest groups alone are asked and added up, as the set was measured at its
share of the price, and as it is shown. Noise is drawn by its law, in this process.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from queries.plan.model import Plan, Stage
from queries.plan.noisy import NoisyStage
from queries.plan.price import Price
from queries.release.law import draws, variance
from queries.release.levels import together
from tests import datasets
from tests.parity import Bench

PRICE = Price(rho=10**10, delta=0)


@dataclass(frozen=True, slots=True)
class Asked:
    """A measure by two keys; of what does not add up, the finest groups tell no totals."""

    name: str
    dataset: str
    call: str
    table: str
    keys: tuple[str, str]
    by: str
    adds_up: bool

    @property
    def sql(self) -> str:
        keys = ", ".join(self.keys)
        return f"SELECT {keys}, {self.call} FROM {self.table} GROUP BY {self.by} ({keys})"

    @property
    def finest(self) -> str:
        keys = ", ".join(self.keys)
        return f"SELECT {keys}, {self.call} FROM {self.table} GROUP BY {keys}"


HI, FLIGHTS, ROUTES = ("education", "region"), ("month", "origin"), ("dest", "origin")
AIRCRAFT = "COUNT(DISTINCT tailnum)"
ASKED = (
    Asked("households", "hi", "COUNT(*)", "hi", HI, "ROLLUP", adds_up=True),
    Asked("households", "hi", "COUNT(*)", "hi", HI, "CUBE", adds_up=True),
    Asked("years of experience", "hi", "SUM(experience)", "hi", HI, "CUBE", adds_up=True),
    Asked("aircraft", "nycflights13", AIRCRAFT, "flights", FLIGHTS, "ROLLUP", adds_up=False),
    Asked("aircraft", "nycflights13", AIRCRAFT, "flights", ROUTES, "ROLLUP", adds_up=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One set: its cells, and errors where the finest are added up, as measured, as shown."""

    cells: int
    added: float | None
    measured: float
    shown: float


def lines(asked: Asked, rounds: int) -> Iterator[Line]:
    """The sets of one question, the finest first."""
    bench = Bench(getattr(datasets, asked.dataset)())
    plan = bench.plan(asked.sql, price=PRICE)
    (alone,) = bench.plan(asked.finest, price=PRICE).stages
    exact = bench.exact(plan)
    errors = squared(plan, exact, rounds)
    for stage in sorted(plan.stages, key=lambda one: -len(exact[one.name].keys)):
        cells = len(exact[stage.name].keys)
        step = _step(stage)
        gathered = (variance(alone.columns[0].noise) * len(alone.listed or ()) / cells) ** 0.5
        measured, seen = errors[stage.name]
        added = gathered * _step(alone) if asked.adds_up else None
        yield Line(cells, added, measured**0.5 * step, seen**0.5 * step)


def squared(
    plan: Plan, exact: dict[str, NoisyStage], rounds: int
) -> dict[str, tuple[float, float]]:
    """The mean squared errors of each stage's cells, as measured and as shown, in steps."""
    generator = np.random.default_rng(5)
    (hierarchy,) = plan.hierarchies
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(rounds):
        noisy = {stage.name: noised(stage, exact[stage.name], generator) for stage in plan.stages}
        shown = together(hierarchy, plan.stages, noisy, ()).noisy.values
        start = 0
        for member in hierarchy.members:
            truth, before = exact[member].values, noisy[member].values
            after = shown[start : start + len(truth)]
            found[member].append((_error(before, truth), _error(after, truth)))
            start += len(truth)
    means = {member: np.mean(np.array(own), axis=0) for member, own in found.items()}
    return {member: (float(own[0]), float(own[1])) for member, own in means.items()}


def _error(values: Sequence[tuple[int, ...]], truth: Sequence[tuple[int, ...]]) -> float:
    apart = np.array(values, dtype=float) - np.array(truth, dtype=float)
    return float(np.mean(apart**2))


def noised(stage: Stage, exact: NoisyStage, generator: np.random.Generator) -> NoisyStage:
    """The exact table of a stage, with noise of its columns' laws."""
    columns = [draws(one.noise, generator, (1, len(exact.keys)))[0] for one in stage.columns]
    values = tuple(
        tuple(value + int(columns[n][row]) for n, value in enumerate(own))
        for row, own in enumerate(exact.values)
    )
    return NoisyStage(stage.name, exact.keys, values)


def _step(stage: Stage) -> float:
    column = stage.columns[0]
    return (column.numerator << column.shift) / column.denominator


def main(given: Sequence[str] | None = None) -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.subtotals", description=__doc__)
    parser.add_argument("--draws", type=int, default=400, help="how often noise is drawn")
    args = parser.parse_args(given)
    print("| measure | by | cells | finest, added up | measured | shown |")
    print("|---|---|---|---|---|---|")
    for asked in ASKED:
        for line in lines(asked, args.draws):
            added = "" if line.added is None else f"{line.added:.1f}"
            name = f"{asked.name} | {asked.by} of {' and '.join(asked.keys)}"
            print(f"| {name} | {line.cells} | {added} | {line.measured:.1f} | {line.shown:.1f} |")


if __name__ == "__main__":
    main()

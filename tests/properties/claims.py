"""How far a stage's exact integers move between neighbours, beside what its plan claims.

What is compared is what the noise would meet: integers after the shift, nodes of trees, scores
that are maximised, and the row of what a threshold holds back; column by column, over all groups
at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from queries.catalog.view import Value
from queries.enclave.exact import ExactAnswer
from queries.enclave.selection import Counts, nodes, ranked, scores
from queries.plan.model import Noise, Plan, Stage, Target, Top
from queries.plan.noisy import NoisyStage
from queries.plan.price import Options, Price
from tests.parity import Bench

Answers = dict[str, ExactAnswer]
"""A run's answer to each stage."""
WILD = ((0,), (2**62, 1, -(2**62)), (-(2**62), 2**62, 7))
"""What noise may have made of the numbers of one row, over and over."""
FLOOR = re.compile(r'HAVING COUNT\((?:\*|DISTINCT "u")\) >= ([2-9]|\d\d+)\b')
"""Where the engine drops keys of fewer units."""
PRICE = Price(rho=10**20, delta=10**12)
"""So high that no claim is too large for the noise; none is drawn here."""


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a column moved, in L1 and in L2 squared, beside its claim."""

    stage: str
    column: str
    l1: int
    l2_squared: int
    claim: Noise

    @property
    def shares(self) -> tuple[float, float]:
        """Of the claim in L1 and in L2: what was attained."""
        return self.l1 / self.claim.l1, (self.l2_squared / self.claim.l2_squared) ** 0.5

    @property
    def held(self) -> bool:
        return self.l1 <= self.claim.l1 and self.l2_squared <= self.claim.l2_squared


def stripped(plan: Plan) -> Plan:
    """A plan without what names its delivery."""
    stages = tuple(replace(stage, digest="") for stage in plan.stages)
    return replace(plan, delivery="", stages=stages)


def same_plan(plan: Plan, other: Bench, sql: str, options: Options) -> bool:
    """Whether a neighbour plans the same, as it must: a plan knows public facts alone."""
    return stripped(plan) == stripped(other.plan(sql, options, PRICE))


def runs(plan: Plan, one: Bench, seed: int) -> list[Run]:
    """A plan's runs on one delivery: under several samples, and with various inputs handed in."""
    seeds = (seed, seed + 1, seed + 2) if any("$seed" in s.sql for s in plan.stages) else (seed,)
    reads = any(stage.inputs for stage in plan.stages)
    handed = list(_handed(one.exact(plan))) if reads else [None]
    return [Run(plan, one, each, given) for given in handed for each in seeds]


def _handed(exact: dict[str, NoisyStage]) -> Iterator[dict[str, NoisyStage]]:
    """Released tables that both neighbours are given alike: true ones, and wild ones."""
    yield exact
    for wild in WILD:
        yield {
            name: replace(table, values=tuple(_filled(wild, len(row)) for row in table.values))
            for name, table in exact.items()
        }


def _filled(wild: tuple[int, ...], width: int) -> tuple[int, ...]:
    return (wild * width)[:width]


class Run:
    """One run of a plan: its true integers, to be laid beside those of a neighbour."""

    def __init__(
        self, plan: Plan, bench: Bench, seed: int, handed: Mapping[str, NoisyStage] | None
    ) -> None:
        self.plan, self.bench, self.seed = plan, bench, seed
        self.given = bench.handed(plan, handed or {})
        self.answers = self.of(bench)

    def of(self, bench: Bench) -> Answers:
        """What the same run is on another delivery: it is given the same released rows."""
        return bench.answers(self.plan, self.seed, self.given)

    def moved(self, other: Bench) -> Iterator[Moved]:
        """How far each column of each stage is from where the neighbour has it."""
        return self.between((self.bench, self.answers), (other, self.of(other)))

    def between(
        self, before: tuple[Bench, Answers], after: tuple[Bench, Answers]
    ) -> Iterator[Moved]:
        """How far each column of each stage moves between two neighbours."""
        for stage in self.plan.stages:
            left, right = before[1][stage.name], after[1][stage.name]
            keys = _both(stage, left, right)
            yield from _columns(stage, keys, left, right)
            yield from _histograms(stage, keys, left, right)
            if stage.top is not None:
                yield _selected(stage, stage.top, left, right)
            if stage.other is not None:
                benches = before[0], after[0]
                yield from self._held_back(stage, benches, {*left.keys, *right.keys})

    def _held_back(
        self, stage: Stage, benches: tuple[Bench, Bench], found: set[tuple[Value, ...]]
    ) -> Iterator[Moved]:
        """The same of the row of what is held back, whichever keys left: none, some, or all."""
        assert stage.other is not None
        keys = sorted(found, key=repr)
        given = self.given[stage.name]
        for kept in ([], keys[::2], keys[1::2], keys):
            before, after = (bench.others(stage, kept, self.seed, given) for bench in benches)
            for column, was, now in zip(stage.other.columns, before, after, strict=True):
                yield _between(stage, f"other {column.name}", [now - was], column.noise)


def _between(stage: Stage, column: str, steps: list[int], claim: Noise) -> Moved:
    l1, l2_squared = sum(map(abs, steps)), sum(step * step for step in steps)
    return Moved(stage.name, column, l1, l2_squared, claim)


def _both(stage: Stage, left: ExactAnswer, right: ExactAnswer) -> set[tuple[Value, ...]]:
    """The keys to compare: those of either side, but those of one side where rare ones are dropped.

    Such a key is at the floor with the unit and under it without, and delta answers for it.
    """
    keys = {*left.keys, *right.keys}
    alone = {*left.keys} ^ {*right.keys}
    assert stage.threshold is not None or not alone
    dropped = FLOOR.search(stage.sql)
    if stage.threshold is None or dropped is None:
        return keys
    names = [column.name for column in stage.columns]
    decides = names.index(stage.threshold.column)
    assert len(alone) <= stage.columns[decides].noise.l1
    units = [
        values[decides]
        for side in (left, right)
        for key, values in zip(side.keys, side.values, strict=True)
        if key in alone
    ]
    assert set(units) <= {int(dropped[1])}
    return keys - alone


def _columns(
    stage: Stage, keys: set[tuple[Value, ...]], left: ExactAnswer, right: ExactAnswer
) -> Iterator[Moved]:
    before = dict(zip(left.keys, left.values, strict=True))
    after = dict(zip(right.keys, right.values, strict=True))
    zero = (0,) * len(stage.columns)
    for place, column in enumerate(stage.columns):
        steps = [after.get(key, zero)[place] - before.get(key, zero)[place] for key in keys]
        yield _between(stage, column.name, steps, column.noise)


def _selected(stage: Stage, top: Top, left: ExactAnswer, right: ExactAnswer) -> Moved:
    """The same of selected keys: half of how far the difference of two scores moved, each time."""
    assert left.keys == right.keys
    change = ranked(right) - ranked(left)
    half = -(-int(change.max() - change.min()) // 2)
    return _between(stage, "top", [half] * top.most, top.noise)


def _histograms(
    stage: Stage, keys: set[tuple[Value, ...]], left: ExactAnswer, right: ExactAnswer
) -> Iterator[Moved]:
    """The same of distributions: of all nodes of a tree, or of every score that is maximised."""
    before = dict(zip(left.keys, left.histograms, strict=True))
    after = dict(zip(right.keys, right.histograms, strict=True))
    for place, found in enumerate(stage.distributions):
        zero = (np.zeros(found.bins.count, dtype=np.int64),) * len(stage.distributions)
        steps: list[int] = []
        beside: list[int] = []
        for key in keys:
            was, now = before.get(key, zero)[place], after.get(key, zero)[place]
            if found.levels:
                beside.extend((nodes(found, now) - nodes(found, was)).tolist())
            if not found.read_off:
                steps.extend(_score(target, now, was) for target in found.targets)
        yield _between(stage, found.name, beside if found.read_off else steps, found.noise)
        if found.around is not None:
            yield _between(stage, f"{found.name} ends", beside, found.around)


def _score(target: Target, now: Counts, was: Counts) -> int:
    """How far a score moved."""
    return int(np.abs(scores(target, now) - scores(target, was)).max())

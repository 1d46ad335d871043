"""The whole way without noise: what an accepted query answers when bounds are slack.

The engine's own exact integers take the place of noisy ones, in this process and in tests only; the
package itself has no way to do this.
"""

from __future__ import annotations

import math
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

import duckdb
import numpy as np

from queries.catalog.united import read_together
from queries.catalog.view import Tables, TooMany, Value, View, newest
from queries.enclave import engine as enclave
from queries.enclave import given as inputs
from queries.enclave.exact import ExactAnswer
from queries.enclave.noise import released
from queries.enclave.others import Keys, held_back
from queries.enclave.selection import Counts, nodes, ranked, scores
from queries.language.refusals import NotBound
from queries.plan.model import Distribution, Plan, Stage
from queries.plan.noisy import InputRows, NoisyStage, beside
from queries.plan.planner import plan
from queries.plan.price import Options, Price
from queries.release import engine as release
from queries.workers.settings import Settings
from tests import datasets
from tests.datasets import Dataset

PRICE = Price(rho=10**12, delta=10**12)
Row = tuple[Any, ...]
Given = Mapping[str, tuple[InputRows, ...]]
"""What each stage reads of released tables."""


class _Engine:
    """A sealed connection, shared by all benches on one delivery as long as one of them lives."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection


ENGINES: WeakValueDictionary[str, _Engine] = WeakValueDictionary()


@dataclass(frozen=True)
class Bench:
    """A dataset with its planner, its exact engine and plain DuckDB beside them."""

    dataset: Dataset

    @cached_property
    def view(self) -> View:
        return self.dataset.view

    @cached_property
    def settings(self) -> Settings:
        place = str(self.dataset.deliveries)
        return Settings(place, 4 << 30, 2, 1 << 30, self._spill.name, os.getpid())

    @cached_property
    def _spill(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="sluis-parity-", ignore_cleanup_errors=True)

    @cached_property
    def _engine(self) -> _Engine:
        path = str(self.dataset.directory)
        found = ENGINES.get(path)
        if found is None:
            how = read_together(self.view.manifest)
            connection = enclave.Deliveries(self.settings).connection(self.view.delivery, how)
            found = ENGINES[path] = _Engine(connection)
        return found

    @property
    def private(self) -> duckdb.DuckDBPyConnection:
        """The sealed engine on the delivery, one in a process: a second would meet its locks."""
        return self._engine.connection

    @cached_property
    def _release(self) -> release.Connections:
        return release.Connections(self.settings)

    @cached_property
    def open(self) -> duckdb.DuckDBPyConnection:
        return self._release.public(newest(self.view.delivery))

    @cached_property
    def plain(self) -> duckdb.DuckDBPyConnection:
        return datasets.plain(self.dataset)

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        from queries.release.refusals import NotComputable

        try:
            return [tuple(row) for row in release.rows_of(self.open, sql, limit)]
        except release.TooManyRows:
            raise TooMany from None
        except duckdb.Error:
            raise NotComputable from None

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        try:
            return list(self._release.signatures(newest(self.view.delivery)).of(tables, sql))
        except duckdb.Error:
            raise NotBound from None

    def plan(
        self,
        sql: str,
        options: Options = Options(),
        price: Price = PRICE,
        now: datetime | None = None,
    ) -> Plan:
        return plan(sql, self.view, self, price, options, now)

    def answers(
        self, found: Plan, seed: int = 1, handed: Given | None = None
    ) -> dict[str, ExactAnswer]:
        """The stages' true integers and histograms; later stages read what is `handed` to them."""
        run = self._run(found, exactly, seed, handed)
        return {name: answer for name, (answer, _) in run.items()}

    def exact(self, found: Plan, seed: int = 1) -> dict[str, NoisyStage]:
        """The stages' true integers, in the place of noisy ones."""
        return {name: shown for name, (_, shown) in self._run(found, exactly, seed).items()}

    def _run(
        self,
        found: Plan,
        show: Callable[[Stage, ExactAnswer], NoisyStage],
        seed: int,
        handed: Given | None = None,
    ) -> dict[str, tuple[ExactAnswer, NoisyStage]]:
        """The stages one after another, each given what it reads of those before."""
        made: dict[str, tuple[ExactAnswer, NoisyStage]] = {}
        for stage in found.stages:
            earlier = {name: own for name, (_, own) in made.items()}
            given = self.given(found, stage, earlier) if handed is None else handed[stage.name]
            with inputs.given(self.private, [stage], given):
                answer = enclave.exact(self.private, stage, seed)
                shown = show(stage, answer)
                if (row := beside(stage)) is not None:
                    rest = held_back(self.private, stage, row, shown.keys, seed)
                    shown = replace(shown, other=show(row, rest).values[0])
            made[stage.name] = answer, shown
        return made

    def given(
        self, found: Plan, stage: Stage, handed: Mapping[str, NoisyStage]
    ) -> tuple[InputRows, ...]:
        """What a stage reads of released tables."""
        if not stage.inputs:
            return ()
        return release.given(self.open, found.part(stage.needs), stage.inputs, handed)

    def handed(self, found: Plan, tables: Mapping[str, NoisyStage]) -> Given:
        """What each stage reads of these released tables."""
        return {stage.name: self.given(found, stage, tables) for stage in found.stages}

    def others(
        self, stage: Stage, kept: Keys, seed: int = 1, given: Sequence[InputRows] = ()
    ) -> tuple[int, ...]:
        """The true integers of all groups of a stage but the kept ones, as one row."""
        row = beside(stage)
        assert row is not None
        with inputs.given(self.private, [stage], given):
            return held_back(self.private, stage, row, kept, seed).values[0]

    def answer(self, sql: str, options: Options = Options()) -> tuple[list[str], list[Row]]:
        """Names and rows of a query with noise off."""
        return self.answered(self.plan(sql, options))

    def answered(self, found: Plan) -> tuple[list[str], list[Row]]:
        """Names and rows of a plan with noise off."""
        answer = release.composed(self.open, found, self.exact(found), 0.95)
        return [column.name for column in answer.columns], [tuple(row) for row in answer.rows]

    def drawn(self, found: Plan) -> tuple[list[str], list[Row]]:
        """Names and rows of a plan, with the enclave's own noise."""
        run = self._run(found, released, secrets.randbits(63))
        noisy = {name: shown for name, (_, shown) in run.items()}
        answer = release.composed(self.open, found, noisy, 0.95)
        return [column.name for column in answer.columns], [tuple(row) for row in answer.rows]

    def expected(self, sql: str) -> tuple[list[str], list[Row]]:
        """DuckDB's answer to the analyst's own text."""
        found = self.plain.execute(sql)
        names = [column[0] for column in found.description or ()]
        return names, [tuple(_json(value) for value in row) for row in found.fetchall()]


def exactly(stage: Stage, answer: ExactAnswer) -> NoisyStage:
    """A stage's table with its true integers."""
    if stage.top is not None:
        best = np.argsort(-ranked(answer), kind="stable")[: stage.top.most]
        return NoisyStage(stage.name, tuple(answer.keys[n] for n in best), ((),) * len(best))
    drawn = tuple(
        tuple(map(found_exactly, stage.distributions, each)) for each in answer.histograms
    )
    return NoisyStage(stage.name, tuple(answer.keys), tuple(answer.values), drawn)


def found_exactly(found: Distribution, histogram: Counts) -> tuple[int, ...]:
    """The best bins, or the exact nodes, in the place of those that would be drawn."""
    if found.read_off:
        return tuple(nodes(found, histogram).tolist())
    best = tuple(int(np.argmax(scores(target, histogram))) for target in found.targets)
    return best if found.around is None else (*best, *nodes(found, histogram).tolist())


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case float() if not math.isfinite(value):
            return None
        case datetime() | date():
            return value.isoformat()
        case list():
            return tuple(_json(each) for each in value)
        case dict():
            return tuple((_json(key), _json(each)) for key, each in value.items())
    return value


def same(left: Any, right: Any) -> bool:
    """Whether two values agree: numbers to one part in 10**8."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=1e-8, abs_tol=1e-7)
    return bool(left == right)


def missing(expected: Iterable[Row], got: Iterable[Row]) -> list[Row]:
    """The expected rows that have no counterpart among those got, each used once."""
    rest = list(got)
    lost = []
    for row in expected:
        match = next((r for r in rest if all(map(same, row, r)) and len(r) == len(row)), None)
        if match is None:
            lost.append(row)
        else:
            rest.remove(match)
    return lost

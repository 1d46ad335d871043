"""An accepted query means what DuckDB means by it: noise off and bounds slack, the answers agree.

Hypothesis draws statements from a grammar of the accepted language; each that is accepted is
answered by the gateway's own planner, engine SQL and release, with the exact integers in the place
of noisy ones, and by DuckDB from the analyst's own text over the same data. Known differences: a
sum over no values is 0, cells of public keys that no row has are answered, and a cast whose value
does not fit is NULL where DuckDB fails.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from queries.language.refusals import QueryRefused
from queries.plan.price import Price
from tests import datasets
from tests.parity import Bench, Row, same
from tests.properties.clinic import clinic
from tests.properties.drawn import Query
from tests.properties.statements import queries
from tests.properties.worlds import CLINIC, HI, NYC, TPCH, World

DATASETS: dict[str, Callable[[], datasets.Dataset]] = {
    "clinic": clinic,
    "hi": datasets.hi,
    "nycflights13": datasets.nycflights13,
    "tpch": datasets.tpch,
}
SHARDS = [
    pytest.param(CLINIC, 1, 1_200, 500, id="clinic-1"),
    pytest.param(CLINIC, 2, 1_200, 500, id="clinic-2"),
    pytest.param(CLINIC, 3, 1_200, 500, id="clinic-3"),
    pytest.param(HI, 4, 560, 250, id="hi"),
    pytest.param(TPCH, 5, 430, 200, id="tpch"),
    pytest.param(NYC, 6, 110, 50, id="nycflights13"),
]
PRICE = Price(rho=10**18, delta=10**12)
"""So high that a list of keys holds each one that any unit has."""
FLOOR = re.compile(r"HAVING COUNT\(\*\) >= ([2-9]|\d\d+)\b")
MOST_REFUSED = 0.15
"""The share of generated statements that may be refused; what is drawn is meant to be accepted."""


@cache
def bench(name: str) -> Bench:
    return Bench(DATASETS[name]())


@pytest.mark.slow
@pytest.mark.parametrize(("world", "number", "examples", "least"), SHARDS)
def test_accepted_queries_answer_as_duckdb_does(
    world: World, number: int, examples: int, least: int
) -> None:
    """At least 2,000 distinct accepted statements over all shards, the same in each run."""
    accepted: set[str] = set()
    refused: Counter[str] = Counter()
    place = bench(world.name)

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(query=queries(world))
    def each(query: Query) -> None:
        if query.sql in accepted:
            return
        try:
            plan = place.plan(query.sql, price=PRICE)
        except QueryRefused as refusal:
            refused[refusal.code] += 1
            return
        if any(FLOOR.search(stage.sql) for stage in plan.stages):
            return  # the engine drops rare keys that are not public: what is left may differ
        names, got = place.answered(plan)
        try:
            expected_names, expected = place.expected(query.sql)
        except duckdb.Error:
            return
        assert names == expected_names
        differences = compared(query, expected, got)
        assert not differences, (query.sql, differences[:3])
        accepted.add(query.sql)

    each()
    assert len(accepted) >= least, (len(accepted), refused)
    assert refused.total() <= MOST_REFUSED * (len(accepted) + refused.total()), refused


def compared(query: Query, expected: Sequence[Row], got: Sequence[Row]) -> list[str]:
    """What differs: rows of DuckDB's that are missing, and rows of ours that hold something."""
    if query.ordered and len(expected) == len(got):
        pairs = zip(expected, got, strict=True)
        return [f"{one} {two}" for one, two in pairs if not alike(query, one, two)]
    rest, lost = list(got), []
    for row in expected:
        if row in rest:
            rest.remove(row)
            continue
        match = next((other for other in rest if alike(query, row, other)), None)
        if match is None:
            lost.append(f"missing {row}")
        else:
            rest.remove(match)
    more = [row for row in rest if not (query.empty and hollow(row[query.keys :]))]
    return [*lost, *(f"more {row}" for row in more)]


def alike(query: Query, expected: Row, got: Row) -> bool:
    """Whether two rows agree, a sum of nothing being NULL or 0."""
    pairs = enumerate(zip(expected, got, strict=True))
    return all(
        same(one, two) or (place in query.sums and one is None and same(0, two))
        for place, (one, two) in pairs
    )


def hollow(values: Row) -> bool:
    """Whether a cell's values are those of no rows at all."""
    return all(value is None or same(0, value) for value in values)


def test_the_shards_make_two_thousand() -> None:
    assert sum(shard.values[3] for shard in SHARDS) >= 2_000  # type: ignore[misc]

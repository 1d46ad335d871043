"""Whatever is accepted keeps its claims: statements at random, on neighbouring source files.

The statements are those of the parity tests, over the tables of the neighbours; each that is
accepted is run on the population without one unit and on many populations with it, those designed
to attain the claims and others drawn at random. What one statement means is checked elsewhere:
here nothing is known about it but its plan's claims, so that a bound forgotten in a corner where
two constructs meet is found by itself. Nor may any row make the engine fail.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from queries.language.refusals import QueryRefused
from queries.plan.price import Options
from tests.parity import Bench
from tests.properties import cases
from tests.properties import cases_left_out as left_out
from tests.properties.claims import PRICE, runs, same_plan
from tests.properties.drawn import Query
from tests.properties.neighbours import OTHERS, VARIANTS, any_rows, register
from tests.properties.shop import SHOP
from tests.properties.statements import CLAIMED, queries

ANYHOW = 14
"""Neighbours drawn at random, beside those that are designed."""
OPTIONS = (
    Options(), Options(), Options(), Options(), cases.TIGHT, cases.ONE_GROUP, cases.SAMPLED,
    cases.MOST_ROWS, cases.TWO_ROWS, cases.BOUNDED, left_out.OTHER, left_out.OTHER_SAMPLED,
    left_out.ROWS, left_out.GROUPS, left_out.BOTH, left_out.RANGE, left_out.ALL,
    Options(minimum_frequency=2), Options(non_negative=True),
)  # fmt: skip
SHARDS = tuple((number, 60, 24) for number in range(11, 19))
"""The seed, how many statements are drawn, and how many must be accepted."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(register(tmp_path_factory.mktemp("base"), OTHERS))


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> list[Bench]:
    folder, chance = tmp_path_factory.mktemp("neighbours"), random.Random(5)
    rows = [*VARIANTS.values(), *(any_rows(chance) for _ in range(ANYHOW))]
    return [Bench(register(Path(folder), OTHERS, own)) for own in rows]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "examples", "least"), SHARDS)
def test_no_statement_moves_by_more_than_its_claim(
    base: Bench, neighbours: list[Bench], number: int, examples: int, least: int
) -> None:
    accepted: set[tuple[str, Options]] = set()
    moving: set[str] = set()
    refused: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(query=queries(SHOP, CLAIMED), options=st.sampled_from(OPTIONS))
    def each(query: Query, options: Options) -> None:
        for bounds in dict.fromkeys((options, Options())):
            try:
                plan = base.plan(query.sql, bounds, PRICE)
                break
            except QueryRefused as refusal:
                refused[refusal.code] += 1
        else:
            return
        if (query.sql, bounds) in accepted:
            return
        other = neighbours[len(accepted) % len(neighbours)]
        assert same_plan(plan, other, query.sql, bounds), query.sql
        for run in runs(plan, base, number):
            for neighbour in neighbours:
                for one in run.moved(neighbour):
                    assert one.held, (query.sql, bounds, one)
                    if one.l1:
                        moving.add(query.sql)
        accepted.add((query.sql, bounds))

    each()
    assert len(accepted) >= least, (len(accepted), refused)
    assert len(moving) >= least // 2

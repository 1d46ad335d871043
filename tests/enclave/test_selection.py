"""Scores, nodes and histograms are what they are said to be, and claims about them are verified."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.enclave.claims import verify
from queries.enclave.engine import counted, opened
from queries.enclave.selection import nodes, scores
from queries.faults import ClaimMismatch
from queries.plan.bins import Bins
from queries.plan.model import Distribution, Key, Noise, Stage, Target, Threshold, Top
from queries.workers.settings import Settings
from tests.enclave.stages import MEMORY, column, deliver, gaussian, laplace, selecting, stage

TABLE = "CREATE TABLE t AS SELECT range % 7 AS x, range % 2 AS g FROM range(70)"
MEDIAN = Target("q0_1_2ac", 1, 2, 0, descending=False, sql_type="DOUBLE")
COUNTS = Target(
    "q0_counts", 0, 0, 0, False, "MAP(BIGINT, BIGINT)", tuple(str(bin_) for bin_ in range(9))
)
MODE = Target("q0_mode", 0, 0, 0, descending=False, sql_type="BIGINT")
histograms = st.lists(st.integers(0, 6), min_size=1, max_size=12)


def target(numerator: int, denominator: int, rows: int = 0, *, descending: bool = False) -> Target:
    return Target("q0_1_1ad", numerator, denominator, rows, descending, "BIGINT")


@given(histograms, st.integers(1, 19), st.booleans())
def test_the_best_score_is_the_discrete_quantile(
    counts: list[int], share: int, descending: bool
) -> None:
    rows = [place for place, count in enumerate(counts) for _ in range(count)]
    if descending:
        rows.reverse()
    found = scores(target(share, 20, descending=descending), np.array(counts))
    if rows:
        best = rows[max(0, math.ceil(len(rows) * share / 20) - 1)]
        assert found[best] == 0
        assert [place for place, one in enumerate(found) if one == 0] == [best]


@given(histograms, st.integers(1, 5), st.booleans())
def test_the_best_score_of_an_extreme_is_the_row_at_its_rank(
    counts: list[int], rank: int, descending: bool
) -> None:
    rows = [place for place, count in enumerate(counts) for _ in range(count)]
    if descending:
        rows.reverse()
    found = scores(target(0, 1, rank, descending=descending), np.array(counts))
    if rows:
        best = rows[min(rank, (len(rows) + 1) // 2) - 1]
        assert [place for place, one in enumerate(found) if one == 0] == [best]


@given(histograms, st.integers(0, 20), st.integers(0, 3), st.booleans(), st.data())
def test_a_row_moves_each_score_by_its_weight_and_no_more(
    counts: list[int], share: int, rows: int, descending: bool, data: st.DataObject
) -> None:
    asked = target(share, 20, rows, descending=descending)
    more = list(counts)
    more[data.draw(st.integers(0, len(counts) - 1))] += 1
    moved = scores(asked, np.array(more)) - scores(asked, np.array(counts))
    assert np.abs(moved).max() <= max(share, 20 - share)


def test_a_row_moves_some_score_by_its_whole_weight() -> None:
    for share in (1, 10, 19):
        counts, more = np.array([0, 40, 0]), np.array([1, 40, 0])
        moved = [
            np.abs(scores(target(share, 20), each) - scores(target(share, 20), counts)).max()
            for each in (more, more[::-1])
        ]
        assert max(moved) == max(share, 20 - share)


def distribution(noise: Noise, **other: object) -> Distribution:
    made = Distribution("d0", "SELECT 1", Bins(9), (MEDIAN,), noise)
    return dataclasses.replace(made, **other)  # type: ignore[arg-type]


def test_nodes_are_the_sums_of_their_leaves_and_the_root_is_left_out() -> None:
    tree = distribution(gaussian(1.0), branching=3, levels=2)
    assert nodes(tree, np.arange(1, 8)).tolist() == [1, 2, 3, 4, 5, 6, 7, 0, 0, 6, 15, 7]


def of(found: Distribution) -> list[Stage]:
    return [dataclasses.replace(stage("", []), distributions=(found,))]


GOOD = [
    distribution(selecting(7.0, 3, 9)),
    distribution(selecting(7.0, 3, 5, pure=True)),
    distribution(gaussian(7.0, 3, 9), branching=9, levels=1, targets=(MODE,)),
    distribution(laplace(7.0, 3, 9), branching=9, levels=1, targets=(MODE,)),
    distribution(gaussian(7.0, 3, 9), branching=3, levels=2),
    distribution(laplace(7.0, 3, 9), branching=2, levels=4),
    distribution(gaussian(7.0, 3, 9), branching=9, levels=1, targets=(COUNTS,)),
    distribution(selecting(7.0, 3, 9), branching=3, levels=2, around=gaussian(7.0, 6, 18)),
]


@pytest.mark.parametrize("found", GOOD, ids=range(len(GOOD)))
def test_a_claim_holds_and_one_that_is_too_small_does_not(found: Distribution) -> None:
    verify(of(found))
    for wrong in (
        dataclasses.replace(found.noise, rho=found.noise.rho * 99 // 100),
        dataclasses.replace(found.noise, scale=found.noise.scale * 0.99),
    ):
        with pytest.raises(ClaimMismatch):
            verify(of(dataclasses.replace(found, noise=wrong)))
    if found.noise.epsilon is not None:
        less = dataclasses.replace(found.noise, epsilon=found.noise.epsilon * 99 // 100)
        with pytest.raises(ClaimMismatch):
            verify(of(dataclasses.replace(found, noise=less)))


@pytest.mark.parametrize(
    "wrong",
    [
        distribution(gaussian(7.0)),
        distribution(selecting(7.0), branching=3, levels=2),
        distribution(gaussian(7.0), branching=2, levels=3),
        distribution(gaussian(7.0), branching=3, levels=2, targets=(MODE,)),
        distribution(selecting(7.0), targets=(MODE,)),
        distribution(selecting(7.0), targets=(MODE, MEDIAN)),
        distribution(gaussian(7.0), branching=9, levels=1, targets=(MODE, COUNTS)),
        distribution(gaussian(7.0), branching=2, levels=1, targets=(MODE,)),
        distribution(selecting(7.0), targets=(COUNTS,)),
        distribution(selecting(7.0), around=gaussian(7.0)),
        distribution(selecting(7.0), branching=3, levels=2, around=selecting(7.0)),
        distribution(selecting(7.0), branching=2, levels=3, around=gaussian(7.0)),
        distribution(selecting(7.0), branching=3, levels=2, around=gaussian(7.0), targets=(MODE,)),
        distribution(
            selecting(7.0),
            branching=3,
            levels=2,
            around=dataclasses.replace(gaussian(7.0), rho=gaussian(7.0).rho * 99 // 100),
        ),
        distribution(gaussian(7.0), branching=3, levels=2, targets=(COUNTS,)),
        distribution(gaussian(7.0), branching=8, levels=1, targets=(COUNTS,)),
        distribution(gaussian(7.0), branching=9, levels=1, targets=(COUNTS, MEDIAN)),
        distribution(selecting(7.0), targets=()),
        distribution(selecting(7.0), targets=(MEDIAN, MEDIAN)),
        distribution(dataclasses.replace(selecting(7.0), rho=-1)),
    ],
)
def test_a_distribution_that_makes_no_sense_is_found(wrong: Distribution) -> None:
    with pytest.raises(ClaimMismatch):
        verify(of(wrong))


def selected_keys(noise: Noise, **other: object) -> list[Stage]:
    one = stage("", [], [Key("k0", "BIGINT")], [(key,) for key in range(5)])
    changed: dict[str, object] = {"top": Top("m0", 3, noise), **other}
    return [dataclasses.replace(one, **changed)]  # type: ignore[arg-type]


@pytest.mark.parametrize("pure", [False, True])
def test_the_claim_of_selected_keys_is_that_of_all_selections(pure: bool) -> None:
    noise = selecting(7.0, 3 * 2, 3 * 4, pure=pure)
    verify(selected_keys(noise))
    wrong = [
        dataclasses.replace(noise, rho=noise.rho * 99 // 100),
        dataclasses.replace(noise, scale=noise.scale * 0.99),
        selecting(7.0, 2, 4, pure=pure),
        gaussian(7.0, 3 * 2, 3 * 4),
    ]
    for one in wrong[:2] + wrong[3:]:
        with pytest.raises(ClaimMismatch):
            verify(selected_keys(one))
    less = dataclasses.replace(wrong[2], l1=noise.l1, l2_squared=noise.l2_squared)
    with pytest.raises(ClaimMismatch):
        verify(selected_keys(less))


@pytest.mark.parametrize(
    "other",
    [
        {"listed": None, "threshold": Threshold("m0", 9, 10**9)},
        {"listed": None, "keys": ()},
        {"columns": (column("m1", gaussian(7.0)),)},
        {"distributions": (distribution(selecting(7.0)),)},
        {"top": Top("k0", 3, selecting(7.0, 6, 12))},
        {"top": Top("m0", 0, selecting(7.0, 6, 12))},
    ],
)
def test_keys_are_selected_from_a_list_and_alone(other: dict[str, object]) -> None:
    with pytest.raises(ClaimMismatch):
        verify(selected_keys(selecting(7.0, 6, 12), **other))


def test_a_column_is_never_selected() -> None:
    with pytest.raises(ClaimMismatch):
        verify([stage("", [column("m0", selecting(7.0))])])


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    home = deliver(tmp_path, TABLE)
    settings = Settings(str(home), MEMORY, 1, 1 << 30, str(tmp_path), 0)
    made = opened(home / "d1" / "private.duckdb", settings)
    yield made
    made.close()


def test_histograms_stand_in_the_order_of_the_keys(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT g AS k0, x AS b, COUNT(*) AS n FROM t GROUP BY ALL"
    found = distribution(selecting(7.0), sql=sql, bins=Bins(5))
    keys = [(1,), (5,)]
    first, second = counted(connection, found, ["k0"], keys, 1)
    assert first.tolist() == [5] * 5, "rows in no bin, and of other keys, are discarded"
    assert not second.any()


def test_no_key_at_all_is_no_fault(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT g AS k0, x AS b, COUNT(*) AS n FROM t GROUP BY ALL"
    assert counted(connection, distribution(selecting(7.0), sql=sql), ["k0"], [], 1) == []


def test_listed_values_are_found_by_value(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT 'v' || x AS b, COUNT(*) AS n FROM t GROUP BY ALL"
    bins = Bins(2, listed=("v3", "nobody"))
    found = distribution(selecting(7.0), sql=sql, bins=bins, targets=(MODE,))
    (only,) = counted(connection, found, [], [()], 1)
    assert only.tolist() == [10, 0]

"""The bounds of a stage: rows of a unit, its groups, and rows in each, as each is asked or proved.

Persons of the clinic have at most 8 visits, with 20 items in all; visits have 3 kinds and 11
scores, and notes that are not listed.
"""

from __future__ import annotations

import re

import pytest

from budgets.amounts import ATTO
from queries.enclave.claims import least_threshold
from queries.language.refusals import BoundTooWide
from queries.plan.model import Stage
from queries.plan.price import Options
from tests.plan.benches import bench

NONE = Options()
ONE_ROW = Options(rows_per_group=1)
TWO_ROWS = Options(rows_per_group=2)
THREE_ROWS = Options(rows_per_group=3)
TWO_GROUPS = Options(groups_per_unit=2)
BOTH = Options(groups_per_unit=2, rows_per_group=3)
UNITS = "COUNT(DISTINCT person)"

Norms = tuple[int, int]
BOUNDS: list[tuple[str, Options, Norms]] = [
    ("COUNT(*) FROM visits", NONE, (8, 8**2)),
    ("COUNT(*) FROM visits", ONE_ROW, (1, 1)),
    ("COUNT(*) FROM visits", TWO_GROUPS, (8, 8**2)),
    ("COUNT(*) FROM people", NONE, (1, 1)),
    ("SUM(score) FROM visits", NONE, (40, 40**2)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", NONE, (8, 8**2)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", ONE_ROW, (3, 3)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", TWO_ROWS, (6, 3 * 2**2)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", THREE_ROWS, (8, 2 * 3**2 + 2**2)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", TWO_GROUPS, (8, 8**2)),
    ("kind, COUNT(*) FROM visits GROUP BY kind", BOTH, (6, 2 * 3**2)),
    ("kind, COUNT(*) FROM visits WHERE kind <> 'a' GROUP BY kind", ONE_ROW, (2, 2)),
    ("kind, SUM(score) FROM visits GROUP BY kind", BOTH, (30, 2 * 15**2)),
    ("score, COUNT(*) FROM visits GROUP BY score", ONE_ROW, (8, 8)),
    ("score, COUNT(*) FROM visits GROUP BY score", TWO_ROWS, (8, 4 * 2**2)),
    ("note, COUNT(*) FROM visits GROUP BY note", ONE_ROW, (8, 8)),
    ("note, COUNT(*) FROM visits GROUP BY note", BOTH, (6, 2 * 3**2)),
    (f"{UNITS} FROM visits", NONE, (1, 1)),
    (f"kind, {UNITS} FROM visits GROUP BY kind", NONE, (3, 3)),
    (f"kind, {UNITS} FROM visits GROUP BY kind", TWO_GROUPS, (2, 2)),
    (f"score, {UNITS} FROM visits GROUP BY score", NONE, (8, 8)),
    (f"note, {UNITS} FROM visits GROUP BY note", NONE, (8, 8)),
    (f"note, {UNITS} FROM visits GROUP BY note", TWO_GROUPS, (2, 2)),
    ("COUNT(DISTINCT score) FROM visits", NONE, (8, 8**2)),
    ("COUNT(DISTINCT kind) FROM visits", NONE, (3, 3**2)),
    ("COUNT(DISTINCT note) FROM visits", THREE_ROWS, (3, 3**2)),
    ("score, COUNT(DISTINCT kind) FROM visits GROUP BY score", NONE, (8, 2 * 3**2 + 2**2)),
    ("score, COUNT(DISTINCT kind) FROM visits GROUP BY score", TWO_GROUPS, (6, 2 * 3**2)),
]


def stages(asked: str, options: Options) -> tuple[Stage, ...]:
    return bench("clinic").plan(f"SELECT {asked}", options).stages


def norms(stage: Stage) -> Norms:
    return stage.columns[0].noise.l1, stage.columns[0].noise.l2_squared


@pytest.mark.parametrize(("asked", "options", "claimed"), BOUNDS)
def test_a_unit_fills_as_many_groups_as_it_may_as_far_as_its_rows_go(
    asked: str, options: Options, claimed: Norms
) -> None:
    (stage,) = stages(asked, options)
    assert norms(stage) == claimed


SETS: list[tuple[str, Options, list[Norms]]] = [
    ("COUNT(*) FROM visits GROUP BY ROLLUP (kind)", NONE, [(8, 64), (8, 64)]),
    ("COUNT(*) FROM visits GROUP BY ROLLUP (kind)", ONE_ROW, [(3, 9), (3, 3)]),
    ("COUNT(*) FROM visits GROUP BY ROLLUP (score)", TWO_ROWS, [(8, 64), (8, 16)]),
    ("COUNT(*) FROM visits GROUP BY ROLLUP (score)", BOTH, [(6, 36), (6, 18)]),
    ("COUNT(*) FROM visits GROUP BY ROLLUP (note)", ONE_ROW, [(8, 64), (8, 8)]),
    (f"{UNITS} FROM visits GROUP BY ROLLUP (kind)", NONE, [(1, 1), (3, 3)]),
    (f"{UNITS} FROM visits GROUP BY ROLLUP (score)", TWO_GROUPS, [(1, 1), (2, 2)]),
    (f"{UNITS} FROM visits GROUP BY ROLLUP (note)", NONE, [(1, 1), (8, 8)]),
    (f"{UNITS} FROM visits GROUP BY GROUPING SETS (kind, (kind, score))", NONE, [(3, 3), (8, 8)]),
    (f"{UNITS} FROM visits GROUP BY GROUPING SETS (kind, (kind, score))", TWO_GROUPS, [(2, 2)] * 2),
    (
        "COUNT(*) FROM visits GROUP BY GROUPING SETS (kind, (kind, note))",
        ONE_ROW,
        [(8, 64), (8, 8)],
    ),
]
"""Grouping sets, with what each of them claims, the coarser one first."""


@pytest.mark.parametrize(("asked", "options", "claimed"), SETS)
def test_a_coarser_set_adds_up_the_groups_that_a_unit_keeps(
    asked: str, options: Options, claimed: list[Norms]
) -> None:
    found = sorted(stages(asked, options), key=lambda stage: len(stage.keys))
    assert [norms(stage) for stage in found] == claimed


@pytest.mark.parametrize("name", ["groups_per_unit", "rows_per_group"])
def test_a_bound_is_no_more_than_the_rows_of_a_unit(name: str) -> None:
    assert stages("kind, COUNT(*) FROM visits GROUP BY kind", Options(**{name: 8}))
    with pytest.raises(BoundTooWide):
        stages("kind, COUNT(*) FROM visits GROUP BY kind", Options(**{name: 9}))


@pytest.mark.parametrize("by", ["flight", "ROLLUP (flight)", "ROLLUP (flight, dep_time)"])
def test_a_threshold_is_raised_by_what_the_engine_drops_beneath_it(by: str) -> None:
    """A key of one unit less than the engine hands out must not leave by that one unit (P11)."""
    sql = f"SELECT COUNT(*), COUNT(DISTINCT tailnum) FROM flights GROUP BY {by}"
    held = [s for s in bench().plan(sql).stages if s.threshold is not None]
    assert held
    for stage in held:
        assert stage.threshold is not None
        (floor,) = map(int, re.findall(r"HAVING COUNT\([^)]*\) >= (\d+)", stage.sql))
        deciding = stage.threshold.column
        (noise,) = (one.noise for one in stage.columns if one.name == deciding)
        least = least_threshold(
            noise.mechanism, noise.scale, noise.l1, stage.threshold.delta / ATTO
        )
        assert floor > 1
        assert stage.threshold.at_least >= least + floor - 1

"""The "other" row: all groups that a threshold holds back, as one row with noise of its own.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       whichever keys left, the row's exact numbers move by at most the sensitivities
                stated here (P6, P12).
    Requires    partials bounded per unit and group as those of the stage (`Query`); the keys that
                left, which are released, handed to the text as constants.
    Why         what is counted is all bounded groups of everybody but those of a fixed list, with
                the keys that too few units have for the engine to hand out among them. A unit has
                at most C groups there, each moves the total by at most m, and all of its rows
                together by at most R b: L1 = L2 = min(C m, R b), and 1 for a count of units. It is
                one number, so a total shifted right by s bits moves by at most ceil(x / 2**s)
                (P8). That the list was chosen by noisy counts of the same rows is adaptive
                composition, under which rho adds (Bun and Steinke 2016, Lemma 1.7), and so do
                epsilon and delta; given the one secret of a run the claims hold for each.
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_others.py
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from queries.algebra.measures import Distinct, DistinctTotal, Statistic, Units
from queries.bind.colours import Open
from queries.catalog.view import Tables
from queries.language.refusals import NoOtherRow
from queries.plan import split
from queries.plan.bounding import Bounds, Sensitivity, together
from queries.plan.formulas import most_values, per_row, value_of
from queries.plan.levels import Family
from queries.plan.lower.rest import KEPT
from queries.plan.model import NoisyColumn, Other, Stage
from queries.plan.post import Output, Role
from queries.plan.price import Price
from queries.plan.stages import Draft
from queries.plan.timing import Shape


def wanted(bound: Open, names: Mapping[str, str], families: Mapping[str, Family]) -> str:
    """The name of the one released table whose held-back groups are asked for; may refuse."""
    if bound.rowwise is None:
        raise NoOtherRow(
            "The rows of this answer are not the groups of one GROUP BY, so what a threshold "
            "holds back is no row of it."
        )
    name = names[bound.rowwise.stage]
    found = families[name]
    if found.measure.sets or found.measure.ranked:
        raise NoOtherRow(
            "What is held back is added up for one GROUP BY without grouping sets, quantiles "
            "or modes."
        )
    if not found.drafts[0].thresholded:
        raise NoOtherRow("No group is held back by a threshold here: the keys are public.")
    return name


def shown(outputs: tuple[Output, ...]) -> None:
    """Raises NoOtherRow where the answer has no column that the row could fill."""
    if not any(o.role is Role.MEASURE or o.expression is not None for o in outputs):
        raise NoOtherRow("The answer has no measure to add up for what is held back.")


def columns(family: Family) -> int:
    """How many of the stage's columns the row has: not a count that the threshold alone needs."""
    return len(family.measure.statistics)


def other(found: Draft, parts: Sequence[Price]) -> Other:
    """The row of a stage: as many of its columns as parts of the price are given."""
    made, count = [], len(parts)
    for n, (statistic, part) in enumerate(zip(found.measure.statistics, parts, strict=False)):
        bits = found.query.shifts[n]
        noise = split.noise(sensitivity(statistic, found.bounds, bits), part)
        made.append(NoisyColumn(f"m{n}", noise, bits, *value_of(statistic)))
    return Other(replace(found.query, floor=None, two_levels=True, rest=count).text(), tuple(made))


def sensitivity(statistic: Statistic, bounds: Bounds, bits: int) -> Sensitivity:
    """The claim for one statistic over all groups that are held back, as one number."""
    if isinstance(statistic, Units):
        return Sensitivity(1, 1)
    if isinstance(statistic, Distinct | DistinctTotal):
        kept = most_values(statistic, bounds)
        rows = min(bounds.rows, statistic.most or bounds.rows)
        bounds = replace(bounds, rows=rows, rows_per_group=kept)
    return together(bounds, per_row(statistic), bits)


def kept(stage: Stage) -> Tables:
    """The table of the keys that left, empty: on it the engine binds the text."""
    return ((KEPT, tuple((key.name, "VARCHAR") for key in stage.keys)),)


def shape(found: Draft) -> Shape:
    """The work of the row: the partials once more, and a join with the keys that left."""
    return Shape(found.shape.rows, 2 * found.shape.rows + found.most_rows, found.most_rows // 16)

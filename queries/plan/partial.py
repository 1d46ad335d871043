"""Whether a stage moves further where only some of a unit's rows go: those of one block.

The ceiling of a block promises that its rows reveal little, whatever stands in other blocks. A
question that reads several blocks, or a lasting table beside one, has to keep that promise where a
unit loses its rows of that block alone.

Privacy note
    Neighbours  two datasets that differ in all rows of one unit in one block, its other rows being
                the same.
    Claim       a stage that is not partial moves no further between these than its noise is made
                for, one that is partial no more than twice as far. Its delta is the same for both.
    Requires    sensitivities proved for all rows of one unit (`queries.plan.bounding`); accounts of
                blocks charged for twice the sensitivity of partial stages (`budgets.admission`).
    Why         both neighbours are within the sensitivity of the data without that unit, so at most
                twice that apart. Twice is needed: of a unit that keeps C groups, those of another
                block may take the place of C that went, 2 C cells in all. It is not where each row
                of the unit adds by itself: rows of scans, filtered, projected, joined by INNER JOIN
                or with open rows, and united, without bounds that make rows or groups compete.
                There what goes is a part of what the unit adds, and its count of units falls by one
                or not at all; sums of parts are within the bounds of the whole. Keys that only one
                neighbour has number at most C each way, so either leaves with no more than the
                stage's delta.
    Tried by    tests/plan/test_partial.py, tests/properties/test_blocks.py
"""

from __future__ import annotations

from collections.abc import Iterable

from queries.algebra.measures import Centred, Measure, Rows, Total, Units, scalars_of
from queries.algebra.relations import (
    Derived,
    Inner,
    Left,
    Scan,
    Source,
    Spine,
    United,
    is_private,
)
from queries.algebra.scalars import Scalar, subqueries
from queries.algebra.sources import scanned_by
from queries.catalog.manifest import Manifest
from queries.plan.lower.statistics import Query

_ADDED = (Rows, Units, Total, Centred)


def partial(query: Query, manifest: Manifest) -> bool:
    """Whether twice the sensitivity is needed where a unit loses its rows of one block."""
    return touched(query.measure, manifest) and not _adds(query)


def touched(measure: Measure, manifest: Manifest) -> bool:
    """Whether a unit can lose its rows of one block and keep others that the measure reads."""
    if manifest.blocks is None:
        return False
    if len(manifest.together) > 1:
        return True
    names = scanned_by(measure.relation, scalars_of(measure))
    read = [table for table in manifest.tables if table.name in names]
    return len({table.lasting for table in read}) > 1


def _adds(query: Query) -> bool:
    """Whether every row of a unit adds to the measure by itself."""
    measure, bounds = query.measure, query.bounds
    free = not query.sampled and bounds.per_group >= bounds.rows
    counted = all(isinstance(statistic, _ADDED) for statistic in measure.statistics)
    rest = measure.ranked or measure.leading or not _plain(scalars_of(measure))
    return free and counted and not rest and _row_by_row(measure.relation)


def _row_by_row(source: Source) -> bool:
    """Whether each row of a relation stands or falls with the rows that it is made of."""
    match source:
        case Scan():
            return True
        case Derived():
            return _plain(scalar for _, scalar in source.columns) and _row_by_row(source.source)
        case Spine():
            return _plain(source.conditions) and _row_by_row(source.source)
        case Left():
            open_right = not is_private(source.right) and _plain(source.conjuncts)
            return open_right and _row_by_row(source.left)
        case Inner():
            return _plain(source.conjuncts) and all(map(_row_by_row, source.sources))
        case United():
            plain = _plain(scalar for _, scalars in source.sides for scalar in scalars)
            return plain and source.kind == "UNION ALL" and all(
                _row_by_row(side) for side, _ in source.sides
            )  # fmt: skip
    return not is_private(source)


def _plain(scalars: Iterable[Scalar]) -> bool:
    """Whether scalars look at their own row alone."""
    return not any(True for scalar in scalars for _ in subqueries(scalar))

"""How many rows of one unit a condition on row numbers leaves (P4).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       at most the stated number of rows of one unit pass the condition.
    Requires    row numbers partitioned by the unit and by keys of which one unit has at most
                `partitions` combinations.
    Why         a row number occurs once in each partition, so n possible values of it leave at most
                n rows of each. Ranks with ties prove nothing.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Sequence

from queries.algebra.facts import Facts
from queries.algebra.relations import Inner, Source, Windowed, rows_of
from queries.algebra.scalars import Column, Scalar
from queries.bind import narrowing
from queries.catalog.manifest import Type

NUMBER = Facts(Type.INTEGER, False, 0, 1, 1)


def rows_left(source: Source, parts: Sequence[Scalar]) -> int:
    """The most rows of one unit that pass the conjunction."""
    rows = rows_of(source)
    match source:
        case Windowed():
            return min([rows, *_numbered(source, parts)])
        case Inner() if len(source.sources) == 1:
            return min(rows, rows_left(source.sources[0], [*source.conjuncts, *parts]))
    return rows


def _numbered(source: Windowed, parts: Sequence[Scalar]) -> list[int]:
    """What each row number that the conjunction bounds leaves."""
    found = []
    proved = narrowing.proved(parts)
    for window in source.windows:
        facts = proved.get(Column(source.id, window.name, NUMBER))
        if window.call.kind == "row_number" and facts is not None:
            low, high = facts.span()
            found.append(max(1, high - max(low, 1) + 1) * window.partitions)
    return found

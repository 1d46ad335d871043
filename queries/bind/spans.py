"""Joins with spans: how many rows of a public table hold one value between their two ends (P4).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       one row meets at most as many rows of the public table as overlap in one point.
    Requires    a public table whose overlaps were counted; two conditions that put the same value
                between two of its columns.
    Why         of the spans that hold a value take the one that starts last: its start lies in
                every one of them, so no value is in more spans than some span's start. A span whose
                end is open does not hold it; where both ends are closed, one that ends there does.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from queries.algebra.scalars import Call, Column, Scalar

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
MONOTONE = frozenset({"timestamp", "rescale", "steps"})
"""Operations that keep the order of their operand, and differ where it does."""


@dataclass(frozen=True, slots=True)
class Span:
    """Two columns of a public source, and whether a value may equal both."""

    low: str
    high: str
    closed: bool


End = tuple[Scalar, Column, str]
"""A value, the column it is compared with, and how."""


def spans(ids: frozenset[int], parts: Sequence[Scalar]) -> Iterator[tuple[Scalar, Span]]:
    """The spans of a source that the conjunction puts a value in, with that value."""
    ends = [end for part in parts for end in _ends(part, ids)]
    above = [end for end in ends if end[2] in (">", ">=")]
    below = [end for end in ends if end[2] in ("<", "<=")]
    for (value, low, start), (other, high, stop) in product(above, below):
        if value == other and low.source == high.source:
            yield value, Span(low.name, high.name, start == ">=" and stop == "<=")


def _ends(part: Scalar, ids: frozenset[int]) -> Iterator[End]:
    if not isinstance(part, Call) or part.op not in MIRRORED:
        return
    left, right = part.args
    for value, end, sign in ((left, right, part.op), (right, left, MIRRORED[part.op])):
        column = bare(end)
        if isinstance(column, Column) and column.source in ids:
            yield value, column, sign


def bare(scalar: Scalar) -> Scalar:
    """A scalar without operations that keep its values in order and apart."""
    while isinstance(scalar, Call) and scalar.op.split(":")[0] in MONOTONE:
        scalar = scalar.args[0]
    return scalar

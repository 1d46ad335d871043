"""The time slot of a plan: from its shape and from declared sizes, never from counted rows (P22).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       when an answer leaves is the same for both.
    Requires    `at_most` and `rows_per_unit`, declared and enforced at registration.
    Why         the estimate below reads the plan, the manifest and public sizes only. What remains,
                one bit where a query misses its deadline, is made improbable by estimates with room
                and is rationed by freezing a project after three faults.
    Tried by    tests/plan/test_timing.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from queries.algebra.relations import (
    Derived,
    Full,
    Grouped,
    Inner,
    Left,
    Public,
    Released,
    Scan,
    Source,
    Spine,
    United,
    Windowed,
)
from queries.algebra.scalars import Scalar, subqueries
from queries.catalog.manifest import Timing

OVERHEAD = 50_000
PER_ROW = 40
PER_PARTIAL = 250
PER_WINDOW = 600
PER_NOISE = 45_000
SPARE = 4
UNTIMED = 120_000
LONGEST = 3_600_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How much work a stage may be: declared rows, partials per unit and group, noisy values."""

    rows: int
    partials: int
    noisy: int

    @property
    def nanoseconds(self) -> int:
        work = self.rows * PER_ROW + self.partials * PER_PARTIAL + self.noisy * PER_NOISE
        return OVERHEAD * 1000 + SPARE * work


def scanned(source: Source, units: int, publics: dict[str, int]) -> int:
    """The declared rows that a relation reads, or that its joins make of them."""
    match source:
        case Scan():
            return source.rows * units
        case Public():
            return publics.get(source.sql, 0)
        case Released():
            return source.rows
        case Inner():
            members = sum(scanned(part, units, publics) for part in source.sources)
            made = max(members, source.rows * units, source.met * units)
            return made + met(source.conjuncts, units, publics, source.rows)
        case Left() | Full():
            read = sum(scanned(side, units, publics) for side in (source.left, source.right))
            looked = source.met if isinstance(source, Left) else 0
            made = max(read, source.rows * units, looked * units)
            return made + met(source.conjuncts, units, publics, source.rows)
        case Spine():
            return scanned(source.source, units, publics)
        case Derived():
            own = [scalar for _, scalar in source.columns]
            return scanned(source.source, units, publics) + met(
                own, units, publics, source.source.rows
            )
        case Grouped():
            own = [scalar for part in source.partials for scalar in part.scalars]
            own += [scalar for _, scalar in source.keys]
            inner = scanned(source.source, units, publics) + met(
                own, units, publics, source.source.rows
            )
            return inner + inner * PER_PARTIAL // PER_ROW
        case United():
            read = sum(scanned(side, units, publics) for side, _ in source.sides)
            return read if source.kind == "UNION ALL" else read + read * PER_PARTIAL // PER_ROW
        case Windowed():
            own = [scalar for window in source.windows for scalar in window.scalars]
            own += [scalar for _, scalar in source.columns]
            inner = scanned(source.source, units, publics) + met(
                own, units, publics, source.source.rows
            )
            made = max(inner, source.rows * units)
            return inner + len(source.windows) * made * PER_WINDOW // PER_ROW
    raise TypeError(type(source).__name__)


def met(parts: Iterable[Scalar], units: int, publics: dict[str, int], rows: int) -> int:
    """The declared rows that subqueries in scalars read besides, or compare one by one.

    `rows` are those of one unit on which the scalars are computed.
    """
    found = 0
    for relation in (node.relation for part in parts for node in subqueries(part)):
        found += sum(scanned(source, units, publics) for source in relation.sources)
        found += rows * relation.met * units
        found += met(relation.conjuncts, units, publics, rows * max(1, relation.met))
    return found


def slot(timing: Timing | None, shapes: list[Shape]) -> tuple[int, int]:
    """The slot (0 where slots are off) and the deadline of a plan, in milliseconds."""
    if timing is None:
        return 0, UNTIMED
    needed = sum(shape.nanoseconds for shape in shapes) / 1_000_000
    length = timing.slot * 1000
    while length < needed and length < LONGEST:
        length *= timing.growth
    return int(length), int(length)

"""How many groups of rows one unit can have, from what their keys are (P4)."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from queries.algebra.facts import Facts
from queries.algebra.scalars import Column
from queries.bind import scans
from queries.bind.grouping import Grouping
from queries.catalog.manifest import Type

if TYPE_CHECKING:
    from queries.bind.binder import Binder


def groups(binder: Binder, rows: int, keys: Grouping) -> int:
    """The most groups one unit can have: as many as its keys allow, and no more than its rows."""
    sizes = []
    for _, scalar in keys.keys:
        identity = scalar.facts.identity if isinstance(scalar, Column) else None
        sizes.append(_size(binder, scalar.facts, identity))
    known = [size for size in sizes if size is not None]
    return min(rows, prod(known)) if len(known) == len(sizes) else rows


def _size(binder: Binder, facts: Facts, identity: str | None) -> int | None:
    if identity == "unit":
        return 1 + facts.nullable
    if identity is not None:
        table = binder.view.manifest.table(identity.split(".")[0])
        return None if table is None else scans.rows_per_unit(table) + facts.nullable
    if facts.values is not None:
        return len(facts.values) + facts.nullable
    if facts.type is Type.INTEGER and facts.bounded:
        low, high = facts.span()
        return high - low + 1 + facts.nullable
    return None

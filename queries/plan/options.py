"""The analyst's own bounds on columns: only ever tighter than the manifest's."""

from __future__ import annotations

import math

from queries.algebra.facts import EXACT
from queries.bind.scans import end_of
from queries.catalog.manifest import Column, Manifest, Table
from queries.language.refusals import BoundTooWide, UnknownBound
from queries.plan.price import ColumnBound, Options


def bounds(options: Options, manifest: Manifest) -> dict[str, tuple[int, int]]:
    """Bounds in whole steps by "table.column"; raises UnknownBound or BoundTooWide."""
    found: dict[str, tuple[int, int]] = {}
    for bound in options.columns:
        for table, column in _meant(bound, manifest):
            name = f"{table.name}.{column.name}".lower()
            if name in found:
                raise UnknownBound(f"{bound.column} is bounded twice.", hint="Give one bound.")
            found[name] = _steps(bound, column)
    return found


def _meant(bound: ColumnBound, manifest: Manifest) -> list[tuple[Table, Column]]:
    *prefix, name = bound.column.split(".")
    found = []
    for table in manifest.tables:
        column = table.column(name)
        named = not prefix or prefix == [table.name]
        named = named and name.lower() != (table.unit_key or "").lower()
        if not table.public and named and column is not None and column.type in EXACT:
            found.append((table, column))
    if len(found) != 1 or len(prefix) > 1:
        raise UnknownBound(
            f"{bound.column} is not one numeric column of the private tables.",
            hint="Write it as table.column.",
        )
    return found


def _steps(bound: ColumnBound, column: Column) -> tuple[int, int]:
    lower = math.ceil(bound.lower * 10**column.scale)
    upper = math.floor(bound.upper * 10**column.scale)
    if lower > upper:
        raise BoundTooWide(f"The bounds of {bound.column} leave nothing between them.")
    declared = [end_of(end, column) for end in (column.lower, column.upper)]
    if (declared[0] is not None and lower < declared[0]) or (
        declared[1] is not None and upper > declared[1]
    ):
        raise BoundTooWide(
            f"The bounds of {bound.column} are wider than the manifest's, "
            f"which are {column.lower} and {column.upper}."
        )
    return lower, upper

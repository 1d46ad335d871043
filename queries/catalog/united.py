"""Several blocks read as one: the manifest that is true of their rows together, and their view.

A table that grows has the rows of all blocks that are read, each with its block in a column of that
name; public and lasting tables are those of the newest.

Privacy note
    Neighbours  two datasets that differ in all rows of one unit in all blocks; for the ceiling of
                one block, in that block alone.
    Claim       what the manifest says holds of the rows of all these deliveries together.
    Requires    deliveries sealed with manifests that say the same of tables, columns and units
                (`alike`), and one pseudonym of a unit in all of them: they are of one home.
    Why         types, ranges, categories and NULLs hold row by row. A unit has at most
                `rows_per_unit` rows in each delivery; a key stands once in each, so it is relied on
                no more unless it holds the time that parts the blocks (`Table.deliveries`); there
                are at most `at_most` units in each. Blocks are disjoint, so no row is read twice.
    Tried by    tests/catalog/test_united.py, tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from queries.catalog.blocks import NoSuchBlock, within
from queries.catalog.manifest import Bound, Ceiling, Column, Manifest, Table, Type
from queries.catalog.view import JOINT, View

BLOCK = "block"


class NotAlike(Exception):
    """Two deliveries do not say the same of their tables, so they cannot be read as one."""

    def __init__(self, block: str) -> None:
        super().__init__(f"block {block} was delivered under another manifest")
        self.block = block


@dataclass(frozen=True, slots=True)
class Together:
    """How the deliveries of a view are read as one, oldest first, each of one of the `blocks`.

    `tables` have rows in all of them; those that are `told` say of each row in which. The `rest`
    are read of the newest.
    """

    blocks: tuple[str, ...]
    tables: tuple[str, ...]
    told: tuple[str, ...]
    rest: tuple[str, ...]


def united(manifest: Manifest, names: Sequence[str]) -> Manifest:
    """What a manifest says of several of its blocks together; NoSuchBlock for other names."""
    each = [within(manifest, name) for name in names]
    if not each:
        raise NoSuchBlock("no block is named")
    newest = each[-1]
    tables = [
        table if not _grows(table) else _together([_named(one, table.name) for one in each], names)
        for table in newest.tables
    ]
    unit = replace(manifest.unit, at_most=manifest.unit.at_most * len(each))
    blocks = tuple(one.block for one in each if one.block is not None)
    return replace(manifest, unit=unit, tables=tuple(tables), block=None, together=blocks)


def read_together(manifest: Manifest) -> Together | None:
    """How the engine reads the deliveries of this manifest, or None where there is one."""
    if not manifest.together:
        return None
    grown = [table for table in manifest.tables if _grows(table)]
    told = tuple(table.name for table in grown if any(column.added for column in table.columns))
    blocks = tuple(block.name for block in manifest.together)
    rest = tuple(table.name for table in manifest.tables if not _grows(table))
    return Together(blocks, tuple(table.name for table in grown), told, rest)


def together(manifest: Manifest, views: Sequence[View]) -> View:
    """The view of several deliveries, oldest first; `manifest` is that of the newest, whole.

    Raises NotAlike where an older one does not hold what the newest says.
    """
    newest = views[-1]
    for view in views:
        if not _holds(manifest, view.manifest):
            raise NotAlike(view.manifest.block.name if view.manifest.block else "")
    names = [block.name for view in views if (block := view.manifest.block) is not None]
    delivery = JOINT.join(view.delivery for view in views)
    return replace(newest, manifest=united(manifest, names), delivery=delivery)


def _holds(newest: Manifest, older: Manifest) -> bool:
    """Whether all that the newest manifest says holds of the block that the older one is of."""
    if older.block is None or older.unit.at_most > newest.unit.at_most:
        return False
    try:
        return _said(within(newest, older.block.name)) == _said(older)
    except NoSuchBlock:
        return False


def _said(manifest: Manifest) -> Manifest:
    """What a manifest says of rows: not who supplied them, how much may be lost, or how slowly."""
    nothing = Ceiling(Fraction(0), Fraction(0))
    return replace(
        manifest,
        title="",
        record=(),
        ceiling=nothing,
        blocks=None if manifest.blocks is None else replace(manifest.blocks, ceiling=nothing),
        timing=None,
        minimum_frequency=None,
        unit=replace(manifest.unit, at_most=0),
        tables=tuple(replace(table, source="", origin=None) for table in manifest.tables),
    )


def _grows(table: Table) -> bool:
    return not table.public and not table.lasting


def _named(manifest: Manifest, name: str) -> Table:
    return next(table for table in manifest.tables if table.name == name)


def _together(parts: Sequence[Table], names: Sequence[str]) -> Table:
    """One table of the rows of several deliveries."""
    columns = tuple(_widest(column) for column in zip(*(t.columns for t in parts), strict=True))
    if parts[-1].column(BLOCK) is None:
        columns += (Column(BLOCK, Type.TEXT, categories=tuple(names), added=True),)
    return replace(parts[-1], columns=columns, deliveries=len(parts))


def _widest(parts: Sequence[Column]) -> Column:
    """A column with the range that it has in all blocks together."""
    lowest: Bound = min((part.lower for part in parts), key=_order)
    highest: Bound = max((part.upper for part in parts), key=_order)
    return replace(parts[-1], lower=lowest, upper=highest)


def _order(bound: Bound) -> Any:
    """Bounds of one column are of one type, and either all there or none."""
    return () if bound is None else (bound,)

"""What a manifest says of a growing dataset: how long a block is, where a row's time stands."""

from __future__ import annotations

from typing import Any

from queries.catalog.manifest import Blocks, Ceiling, Column, Every, Manifest, Table, Type
from queries.catalog.shape import BlocksShape, CeilingShape, Faults, shaped

_TIMES = (Type.DATE, Type.TIMESTAMP)
_WORDS = ("block_column", "lasting")


def read_blocks(data: dict[str, Any], tables: tuple[Table, ...], faults: Faults) -> Blocks | None:
    """The blocks of a manifest, or None where it has none; every fault is noted."""
    private = [table for table in tables if not table.public]
    if "blocks" not in data:
        for table in private:
            for word in _WORDS:
                path = ("tables", table.name, word)
                if path in faults.document.lines:
                    faults.add(path, "goes with blocks, which this dataset has none of")
        return None
    found = shaped(BlocksShape, data["blocks"], ("blocks",), faults)
    ceiling = shaped(CeilingShape, found.get("ceiling"), ("blocks", "ceiling"), faults)
    for table in private:
        _check_time(table, private, faults)
    if private and not any(table.block_column for table in private):
        faults.add(("blocks",), "no table has a block_column", "block_column: COLUMN")
    if faults.found:
        return None
    return Blocks(Every(found["every"]), Ceiling(**ceiling))


def check_ceiling(manifest: Manifest, faults: Faults) -> None:
    """A block is promised no more than the whole, and counts losses as the whole does."""
    if manifest.blocks is None:
        return
    part, whole, path = manifest.blocks.ceiling, manifest.ceiling, ("blocks", "ceiling")
    if part.epsilon > whole.epsilon or part.delta > whole.delta:
        faults.add(path, "is more than the ceiling over all blocks")
    elif bool(part.delta) is not bool(whole.delta):
        faults.add(path, "is pure where the ceiling over all blocks is not", "delta: above 0")


def _check_time(table: Table, private: list[Table], faults: Faults) -> None:
    """Where a row's time stands: in a column, in the row it refers to, or nowhere, said so."""
    path = ("tables", table.name)
    follows = _follows(table, private)
    if table.block_column is None and not (table.lasting or follows):
        hint = "block_column: COLUMN, or lasting: true for rows that stand in every delivery"
        faults.add(path, "says not in which block its rows lie", hint)
    if table.lasting and (table.block_column is not None or follows):
        faults.add(
            (*path, "lasting"), "its rows lie in one block, by a column or by what they follow"
        )
    if table.block_column is not None:
        _check_column(table, _column(table), faults)


def _check_column(table: Table, column: Column | None, faults: Faults) -> None:
    path = ("tables", table.name, "block_column")
    if column is None:
        faults.add(path, f"there is no column {table.block_column} in {table.name}")
    elif column.type not in _TIMES:
        faults.add(
            path, f"{column.name} is {column.type}; a block is an interval of dates or times"
        )


def _column(table: Table) -> Column | None:
    return next((one for one in table.columns if one.name == table.block_column), None)


def _follows(table: Table, private: list[Table]) -> bool:
    """Whether the way to the unit leads through a table whose rows lie in one block."""
    seen: set[str] = set()
    here: Table | None = table
    while here is not None and here.unit_via is not None and here.name not in seen:
        seen.add(here.name)
        name = here.unit_via.table
        here = next((one for one in private if one.name == name), None)
        if here is not None and here.block_column is not None:
            return True
    return False

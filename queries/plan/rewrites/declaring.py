"""What a curator would have to declare: the line of the manifest, with the ends left to fill in."""

from __future__ import annotations

from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.language.refusals import UnboundedColumn

RANGED = (Type.INTEGER, Type.DECIMAL, Type.DATE, Type.TIMESTAMP)


def hint(refused: UnboundedColumn, manifest: Manifest) -> str | None:
    """How the column that lacks a range would be declared; None where none could be."""
    for table in manifest.tables:
        column = table.column(refused.column) if refused.column else None
        if column is not None and not table.public and column.type in RANGED:
            return f"Ask the curator to declare its range in the manifest: {_line(table, column)}"
    if refused.column is not None:
        return "Text has no range; bound what is computed from it with LEAST and GREATEST."
    return None


def _line(table: Table, column: Column) -> str:
    step = f", step: {column.step}" if column.step is not None else ""
    return (
        f"`tables: {{{table.name}: {{columns: {{{column.name}: "
        f"{{type: {column.type.value}, lower: ..., upper: ...{step}}}}}}}}}`"
    )

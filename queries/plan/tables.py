"""Empty tables on which the engine binds SQL before anybody pays: as stored, noised, or declared.

What binds on an empty table of the same types binds on the full one, so a construct that the engine
lacks is a refusal, and never a fault after the charge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from queries.algebra.names import occurs, text
from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.catalog.storage import (
    DECIMAL_DIGITS,
    ORDINAL,
    UNIT,
    has_enum,
    stored_columns,
    stored_type,
)
from queries.catalog.view import Tables
from queries.plan.model import Hierarchy, Stage


def stored(manifest: Manifest, texts: Iterable[str]) -> Tables:
    """The tables that a delivery's private file stores otherwise than its public one.

    Those that no text can name are left out.
    """
    read = " ".join(texts).lower()
    kept = [table for table in manifest.tables if not table.public or table.unit_key is not None]
    return tuple((table.name, _stored(table)) for table in kept if occurs(table.name, read))


def _stored(table: Table) -> tuple[tuple[str, str], ...]:
    own = [(column.name, _type(table, column)) for column in stored_columns(table)]
    place = "INTEGER" if table.deliveries == 1 else "BIGINT"
    hidden = [(UNIT, "BIGINT")] if table.public else [(UNIT, "BIGINT"), (ORDINAL, place)]
    return (*hidden, *own)


def _type(table: Table, column: Column) -> str:
    if has_enum(table, column):
        return f"ENUM ({', '.join(text(value) for value in column.categories)})"
    return stored_type(table, column)


def noised(stages: tuple[Stage, ...], hierarchies: tuple[Hierarchy, ...] = ()) -> Tables:
    """The noisy tables of stages, and of the hierarchies made of them."""
    found = []
    for stage in (*stages, *(hierarchy.table(stages) for hierarchy in hierarchies)):
        keys = [(key.name, key.sql_type) for key in stage.keys]
        columns = [(column.name, column.sql_type) for column in stage.columns]
        columns += [(t.name, t.sql_type) for d in stage.distributions for t in d.targets]
        found.append((stage.name, (("_row", "BIGINT"), *keys, *columns)))
    return tuple(found)


def given(stages: Sequence[Stage]) -> Tables:
    """The inputs of stages, as they are handed in."""
    inputs = {one.name: one for stage in stages for one in stage.inputs}
    return tuple(
        (name, tuple((column.name, column.sql_type) for column in one.columns))
        for name, one in inputs.items()
    )


def declared(manifest: Manifest) -> Tables:
    """The private tables as the analyst knows them."""
    found = []
    for table in manifest.tables:
        if not table.public:
            columns = tuple((column.name, _declared(column)) for column in table.columns)
            found.append((table.name, columns))
    return tuple(found)


def _declared(column: Column) -> str:
    if column.type is Type.DECIMAL:
        return f"DECIMAL({DECIMAL_DIGITS}, {column.scale})"
    return DECLARED[column.type]


DECLARED = {
    Type.INTEGER: "BIGINT",
    Type.REAL: "DOUBLE",
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP",
}

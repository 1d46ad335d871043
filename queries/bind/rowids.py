"""`rowid`, the place where DuckDB keeps a row: no manifest declares it, so there is no such column.

It would be another one in each delivery, and is there in tables and not in what is made of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from queries.catalog.manifest import Manifest
from queries.language.parse import place
from queries.language.refusals import UnknownColumn

NAME = "rowid"


def refuse(parts: Iterable[exp.Expr], manifest: Manifest) -> None:
    """Raises UnknownColumn where the text names one and no table declares a column of that name."""
    for column in parts:
        if isinstance(column, exp.Column) and column.name.lower() == NAME:
            if any(table.column(NAME) is not None for table in manifest.tables):
                return
            raise UnknownColumn(
                f"There is no column {column.name} here.",
                position=place(column),
                hint="Rows have no numbers of their own; give a column of yours another name.",
            )

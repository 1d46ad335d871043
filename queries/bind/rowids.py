"""`rowid`, the place where DuckDB keeps a row: no manifest declares it, so there is no such column.

It would be another one in each delivery, and is there in tables and not in what is made of them.
"""

from __future__ import annotations

from sqlglot import exp

from queries.catalog.manifest import Manifest
from queries.language.parse import place
from queries.language.refusals import UnknownColumn
from queries.language.trees import nodes

NAME = "rowid"


def refuse(tree: exp.Query, manifest: Manifest) -> None:
    """Raises UnknownColumn where the text names one and no table declares a column of that name."""
    if any(table.column(NAME) is not None for table in manifest.tables):
        return
    for column in nodes(tree, exp.Column):
        if column.name.lower() == NAME:
            raise UnknownColumn(
                f"There is no column {column.name} here.",
                position=place(column),
                hint="Rows have no numbers of their own; give a column of yours another name.",
            )

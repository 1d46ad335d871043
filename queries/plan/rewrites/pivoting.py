"""A PIVOT that would take its columns from the rows: the same over the values that are declared."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from sqlglot import exp

from queries.catalog.manifest import Column, Manifest, Type
from queries.plan.rewrites.selects import written

MOST = 50
"""The most columns that are written out."""


def listed(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """Each column that is pivoted on, IN the values that its manifest declares."""
    made = tree.copy()
    found = [pivot for pivot in made.find_all(exp.Pivot) if not pivot.args.get("unpivot")]
    open_ = [field for pivot in found for field in _fields(pivot) if isinstance(field, exp.Column)]
    columns = 1
    for field in open_:
        values = _values(field, made, manifest)
        columns *= len(values)
        if not 0 < columns <= MOST:
            return
        field.replace(exp.In(this=field.copy(), expressions=values))
    if open_:
        yield written(made)


def _fields(pivot: exp.Pivot) -> list[exp.Expr]:
    """What a PIVOT statement is ON; the standard's form names its values anyway."""
    return [] if pivot.args.get("fields") else list(pivot.expressions)


def _values(field: exp.Column, tree: exp.Expr, manifest: Manifest) -> list[exp.Expr]:
    """The declared values of a column of that name in a table that is read; none where unknown."""
    read = [manifest.table(node.name) for node in tree.find_all(exp.Table)]
    owners = [table.column(field.name) for table in read if table is not None]
    declared = {_told(column) for column in owners if column is not None}
    return [one.copy() for one in next(iter(declared))] if len(declared) == 1 else []


def _told(column: Column) -> tuple[exp.Expr, ...]:
    if column.type is Type.BOOLEAN:
        return exp.false(), exp.true()
    if column.categories:
        return tuple(exp.Literal.string(value) for value in sorted(column.categories))
    low, high = column.lower, column.upper
    if column.type is not Type.INTEGER or not (
        isinstance(low, Decimal) and isinstance(high, Decimal) and 0 <= low <= high < low + MOST
    ):
        return ()
    return tuple(exp.Literal.number(value) for value in range(int(low), int(high) + 1))

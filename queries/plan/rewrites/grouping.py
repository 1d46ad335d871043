"""Groups that are not whole, or too many: every column grouped by, or coarser groups."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from queries.bind import aggregates
from queries.catalog.manifest import Column, Manifest, Type
from queries.plan.rewrites.selects import bare, keys, outermost, regrouped, selects, tables, written

MOST_KEYS = 6
TEMPORAL = (Type.DATE, Type.TIMESTAMP)
BANDS = 20
"""About how many bands a number is divided in."""


def completed(tree: exp.Query) -> Iterator[str]:
    """Every item that is not an aggregate stands in GROUP BY, as the expression that it is."""
    found = tree.copy()
    changed = False
    for select in selects(found):
        items = [bare(i) for i in select.expressions if not aggregates.contains(i)]
        if not items or not aggregates.present(select) or any(item.is_star for item in items):
            continue
        group = exp.Group(expressions=[item.copy() for item in items])
        changed = changed or group != select.args.get("group")
        select.set("group", group)
    if changed:
        yield written(found)


def coarsened(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """Dates by month and numbers in bands; else without one of the keys; else the first alone."""
    select = outermost(tree)
    if select is None or select is not tree or not aggregates.present(select):
        return
    found = keys(select)
    banded = _banded(select, found, manifest)
    if banded is not None:
        yield written(banded)
    for left_out in reversed(found[-MOST_KEYS:] if len(found) > 1 else []):
        yield written(regrouped(select, [key for key in found if key is not left_out]))
    if len(found) > 2:
        yield written(regrouped(select, found[:1]))


def _banded(select: exp.Select, found: list[exp.Expr], manifest: Manifest) -> exp.Select | None:
    """Each key that is a column with many values replaced by the band that it lies in."""
    made = select.copy()
    made.set("order", None)
    made.set("limit", None)
    coarse = {key: band for key in found if (band := _band(key, select, manifest)) is not None}
    if not coarse:
        return None
    items = []
    for item in made.expressions:
        band = coarse.get(bare(item))
        name = item.alias_or_name
        items.append(item if band is None else exp.alias_(band.copy(), name) if name else band)
    made.set("expressions", items)
    made.set("group", exp.Group(expressions=[coarse.get(key, key).copy() for key in found]))
    return made


def _band(key: exp.Expr, select: exp.Select, manifest: Manifest) -> exp.Expr | None:
    """The band of a key that is a column, or that is made of one column with a date."""
    read = list(key.find_all(exp.Column))
    if len(read) != 1:
        return None
    for named in tables(select, manifest):
        column = named.table.column(read[0].name)
        if column is not None and read[0].table in ("", named.name):
            plain = isinstance(key, exp.Column) or column.type in TEMPORAL
            return _band_of(read[0], column) if plain else None
    return None


def _band_of(key: exp.Column, column: Column) -> exp.Expr | None:
    if column.type in TEMPORAL:
        return exp.func("date_trunc", exp.Literal.string("month"), key.copy())
    if column.type not in (Type.INTEGER, Type.DECIMAL) or column.references:
        return None
    lower, upper = column.lower, column.upper
    if lower is None or upper is None:
        return None
    width = _round((float(str(upper)) - float(str(lower))) / BANDS)
    if width < 1:
        return None
    step = exp.Literal.number(width)
    return exp.Mul(
        this=exp.Floor(this=exp.Div(this=key.copy(), expression=step)), expression=step.copy()
    )


def _round(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ...; 0 under one."""
    if width < 1:
        return 0
    size = 1
    while size * 10 < width:
        size *= 10
    return next(size * part for part in (1, 2, 5, 10) if size * part >= width)

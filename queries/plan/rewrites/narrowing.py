"""What picks persons, or divides person by person: within the unit, of everybody, sum by sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from queries.catalog.manifest import Manifest
from queries.plan.rewrites import listing
from queries.plan.rewrites.listing import UNITS
from queries.plan.rewrites.selects import (
    conditions,
    filtered,
    keys,
    outermost,
    private,
    regrouped,
    selects,
    written,
)


def within_unit(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """LIMIT and windows below an aggregate for each unit on its own; else without LIMIT."""
    yield from _changed(tree, lambda select: _partitioned(select, manifest))
    yield from _changed(tree, _unlimited)


def of_everybody(
    tree: exp.Query, manifest: Manifest, seems: Callable[[str], bool]
) -> Iterator[str]:
    """The same without the conditions that pick units by their id, and without keys made of it."""
    units = {table.unit_key.lower() for table in manifest.tables if table.unit_key}
    found = tree.copy()
    changed = [_unpicked(select, units) for select in selects(found)]
    if any(changed):
        yield written(found)
    select = outermost(found)
    if select is None or select is not found:
        return
    if listing.lists_rows(select):
        yield from listing.aggregated(found, manifest, seems)
    else:
        yield from _counted(select, units)


def _unpicked(select: exp.Select, units: set[str]) -> bool:
    parts = conditions(select)
    kept = [part for part in parts if not _picks(part, units)]
    filtered(select, kept)
    return len(kept) < len(parts)


def _counted(select: exp.Select, units: set[str]) -> Iterator[str]:
    """Aggregates over the id as a count of units, and no key that is made of it."""
    kept = [key for key in keys(select) if not _reads(key, units)]
    made = regrouped(select, kept)
    items = []
    for item in made.expressions:
        named = next((c for c in item.find_all(exp.Column) if c.name.lower() in units), None)
        if named is not None:
            distinct = exp.Count(this=exp.Distinct(expressions=[named.copy()]))
            item = exp.alias_(distinct, item.alias or UNITS)
        items.append(item)
    made.set("expressions", items)
    yield written(made)


def _reads(part: exp.Expr, units: set[str]) -> bool:
    return any(column.name.lower() in units for column in part.find_all(exp.Column))


def ratio_of_sums(tree: exp.Query) -> Iterator[str]:
    """SUM(a) / SUM(b) where a mean or sum of a / b was asked for."""

    def change(node: exp.Expr) -> exp.Expr:
        inner = node.this if isinstance(node, exp.Avg | exp.Sum) else None
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if not isinstance(inner, exp.Div):
            return node
        above, below = (exp.Sum(this=part.copy()) for part in (inner.left, inner.right))
        return exp.Div(
            this=above, expression=below, typed=inner.args.get("typed"), safe=inner.args.get("safe")
        )

    found = tree.copy().transform(change)
    if found != tree:
        yield written(found)


def _changed(tree: exp.Query, change: Callable[[exp.Select], bool]) -> Iterator[str]:
    found = tree.copy()
    top = outermost(found)
    changed = [change(select) for select in selects(found) if select is not top]
    if any(changed):
        yield written(found)


def _partitioned(select: exp.Select, manifest: Manifest) -> bool:
    """LIMIT n as the first n rows of each unit, and windows over the unit's own rows."""
    units = [named.unit for named in private(select, manifest) if named.unit is not None]
    if not units or select.args.get("group") is not None:
        return False
    unit = units[0]
    windows = [window for window in select.find_all(exp.Window) if not window.args.get("alias")]
    for window in windows:
        window.set("partition_by", [unit.copy(), *(window.args.get("partition_by") or [])])
    limit = select.args.get("limit")
    if limit is None or limit.expression is None:
        return bool(windows)
    number = exp.Window(
        this=exp.RowNumber(), partition_by=[unit.copy()], order=select.args.get("order")
    )
    select.set(
        "qualify", exp.Qualify(this=exp.LTE(this=number, expression=limit.expression.copy()))
    )
    for name in ("order", "limit", "offset"):
        select.set(name, None)
    return True


def _unlimited(select: exp.Select) -> bool:
    if select.args.get("limit") is None and select.args.get("offset") is None:
        return False
    for name in ("order", "limit", "offset"):
        select.set(name, None)
    return True


def _picks(part: exp.Expr, units: set[str]) -> bool:
    """Whether a condition compares the unit's id with something that is not a column."""
    read = list(part.find_all(exp.Column))
    named = [column for column in read if column.name.lower() in units]
    return bool(named) and len(named) == len(read) == 1

"""Joins that are not on the unit, meet too much, or keep public rows: the equality that lacks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sqlglot import exp

from queries.catalog.manifest import Manifest
from queries.plan.rewrites.selects import (
    Named,
    conditions,
    filtered,
    outermost,
    private,
    selects,
    tables,
    written,
)

COUNTED = "units"


def on_unit(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """Each private table is equal to the one before it in the unit, or along a declared key."""
    found = tree.copy()
    changed = False
    for select in selects(found):
        for left, right in pairwise(private(select, manifest)):
            equality = _along_key(left, right) or _along_key(right, left) or _on_id(left, right)
            if equality is not None:
                _add(select, right, equality)
                changed = True
    if changed:
        yield written(found)


def on_reference(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """Each public table is equal to what refers to its key."""
    found = tree.copy()
    changed = False
    for select in selects(found):
        named = tables(select, manifest)
        for public in named:
            equality = _refers(named, public) if public.table.public else None
            if equality is not None:
                _add(select, public, equality)
                changed = True
    if changed:
        yield written(found)


def from_public(tree: exp.Query, manifest: Manifest) -> Iterator[str]:
    """How many units each public row has, instead of whether it has any."""
    select = outermost(tree)
    if select is None or select is not tree:
        return
    for side in ("LEFT", ""):
        made = _counted(select.copy(), manifest, side)
        if made is not None:
            yield written(made)


def _on_id(left: Named, right: Named) -> exp.Expr | None:
    if left.unit is None or right.unit is None:
        return None
    return exp.EQ(this=left.unit, expression=right.unit)


def _along_key(child: Named, parent: Named) -> exp.Expr | None:
    via = child.table.unit_via
    if via is None or via.table != parent.table.name:
        return None
    return exp.EQ(
        this=exp.column(via.column, table=child.name),
        expression=exp.column(via.key, table=parent.name),
    )


def _refers(named: list[Named], public: Named) -> exp.Expr | None:
    for other in named:
        for column in other.table.columns if other is not public else ():
            refers = column.references
            if refers is not None and refers.table == public.table.name:
                return exp.EQ(
                    this=exp.column(column.name, table=other.name),
                    expression=exp.column(refers.column, table=public.name),
                )
    return None


def _add(select: exp.Select, member: Named, equality: exp.Expr) -> None:
    """Join a member of FROM on one equality more; in WHERE where it has no ON."""
    join = member.node.parent
    if isinstance(join, exp.Join) and not join.args.get("using"):
        on = join.args.get("on")
        explicit = on is not None or join.args.get("kind") or join.args.get("side")
        if explicit:
            whole = on is None or (isinstance(on, exp.Boolean) and on.this)
            join.set("on", equality if whole else exp.and_(equality, on))
            if join.args.get("kind") == "CROSS":
                join.set("kind", None)
            return
    filtered(select, [*conditions(select), equality])


def _counted(select: exp.Select, manifest: Manifest, side: str) -> exp.Select | None:
    """The public rows beside the number of their units."""
    member = _outer(select, manifest) or _exists(select, manifest)
    if member is None or member.unit is None:
        return None
    join = member.node.parent
    if not isinstance(join, exp.Join):
        return None
    join.set("kind", None)
    join.set("side", side or None)
    public = {named.name for named in tables(select, manifest) if named.table.public}
    kept = [p for p in conditions(select) if {c.table for c in p.find_all(exp.Column)} <= public]
    filtered(select, kept)
    shown = [i for i in select.expressions if not i.find(exp.AggFunc) and not i.is_star]
    if not shown:
        shown = [exp.column(key, table=named.name) for named in tables(select, manifest)
                 if named.table.public for key in named.table.key]  # fmt: skip
    distinct = exp.Distinct(expressions=[member.unit])
    count = exp.alias_(exp.Count(this=distinct), COUNTED)
    select.set("group", exp.Group(expressions=[item.unalias().copy() for item in shown]))
    select.set("expressions", [*(item.copy() for item in shown), count])
    for name in ("order", "limit", "having", "distinct"):
        select.set(name, None)
    return select


def _outer(select: exp.Select, manifest: Manifest) -> Named | None:
    """The private table that is joined to public ones."""
    return next(iter(private(select, manifest)), None)


def _exists(select: exp.Select, manifest: Manifest) -> Named | None:
    """The private table of EXISTS, made a member of FROM."""
    for part in conditions(select):
        exists = part.this if isinstance(part, exp.Not) else part
        inner = exists.this if isinstance(exists, exp.Exists) else None
        if not isinstance(inner, exp.Select):
            continue
        found = private(inner, manifest)
        if len(found) != 1 or inner.args.get("joins"):
            continue
        on = conditions(inner)
        if not on:
            continue
        node = found[0].node.copy()
        select.append("joins", exp.Join(this=node, on=exp.and_(*(one.copy() for one in on))))
        filtered(select, [other for other in conditions(select) if other != part])
        return Named(found[0].name, found[0].table, node)
    return None

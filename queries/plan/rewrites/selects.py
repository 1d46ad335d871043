"""Reading and writing the analyst's own syntax: SELECTs, their tables, keys and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from queries.bind import aggregates
from queries.catalog.manifest import Manifest, Table
from queries.language.trees import anew, walk

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Named:
    """A table of the manifest in FROM, under the name that the text gives it."""

    name: str
    table: Table
    node: exp.Table

    @property
    def unit(self) -> exp.Column | None:
        """The unit's id in this table; None where a path leads to it."""
        key = self.table.unit_key
        return None if key is None else exp.column(key, table=self.name)


def written(tree: exp.Expr) -> str:
    """The text of a tree, laid out for people: on one line where it fits."""
    words = sum(len(part.name) for part in walk(tree) if isinstance(part, exp.Identifier))
    if words <= WIDTH:
        flat = anew(tree).sql(dialect="duckdb", comments=False, copy=False)
        if len(flat) <= WIDTH:
            return flat
    return anew(tree).sql(dialect="duckdb", pretty=True, comments=False, copy=False)


def outermost(tree: exp.Expr) -> exp.Select | None:
    """The SELECT whose rows are the answer; None for a set operation."""
    while isinstance(tree, exp.Subquery):
        tree = tree.this
    return tree if isinstance(tree, exp.Select) else None


def selects(tree: exp.Expr) -> Iterator[exp.Select]:
    """Every SELECT of the text, the outermost first."""
    yield from tree.find_all(exp.Select)


def tables(select: exp.Select, manifest: Manifest) -> list[Named]:
    """The tables of the manifest in a SELECT's own FROM."""
    first = select.args.get("from_")
    members = [] if first is None else [first.this]
    members += [join.this for join in select.args.get("joins") or []]
    found = []
    for node in members:
        table = manifest.table(node.name) if isinstance(node, exp.Table) else None
        if table is not None:
            found.append(Named(node.alias_or_name, table, node))
    return found


def private(select: exp.Select, manifest: Manifest) -> list[Named]:
    """The private tables among them."""
    return [named for named in tables(select, manifest) if not named.table.public]


def bare(item: exp.Expr) -> exp.Expr:
    """An item of SELECT without its alias."""
    return item.unalias()


def measures(select: exp.Select) -> list[exp.Expr]:
    """The items that aggregate."""
    return [item for item in select.expressions if aggregates.contains(item)]


def keys(select: exp.Select) -> list[exp.Expr]:
    """What the SELECT groups by: aliases and positions resolved, GROUP BY ALL written out."""
    group = select.args.get("group")
    plain = [item for item in select.expressions if not aggregates.contains(item)]
    if group is None or group.args.get("all"):
        return [bare(item) for item in plain]
    found = []
    for key in group.expressions:
        found.append(_resolved(key, select))
    return found


def _resolved(key: exp.Expr, select: exp.Select) -> exp.Expr:
    if isinstance(key, exp.Literal) and key.is_int and int(key.name) <= len(select.expressions):
        return bare(select.expressions[int(key.name) - 1])
    if isinstance(key, exp.Column) and not key.table:
        named = {item.alias.lower(): item for item in select.expressions if item.alias}
        if key.name.lower() in named:
            return bare(named[key.name.lower()])
    return key


def regrouped(select: exp.Select, kept: list[exp.Expr]) -> exp.Select:
    """The same SELECT over fewer keys: what names another key is left out everywhere."""
    found = anew(select)
    items = [item for item in found.expressions if aggregates.contains(item) or bare(item) in kept]
    found.set("expressions", items or [exp.alias_(exp.Count(this=exp.Star()), "n")])
    grouped = exp.Group(expressions=[anew(key) for key in kept]) if kept else None
    found.set("group", grouped)
    order = found.args.get("order")
    if order is not None:
        shown = {item.alias_or_name.lower() for item in items}
        parts = [one for one in order.expressions if _shown(one.this, shown, kept)]
        order.set("expressions", parts)
        if not parts:
            found.set("order", None)
            found.set("limit", None)
    return found


def _shown(part: exp.Expr, shown: set[str], kept: list[exp.Expr]) -> bool:
    if part in kept or aggregates.contains(part):
        return True
    return isinstance(part, exp.Column) and part.name.lower() in shown


def untailed(select: exp.Select) -> exp.Select:
    """The same SELECT without what only orders or cuts its rows."""
    found = anew(select)
    for name in ("order", "limit", "offset", "qualify", "distinct"):
        found.set(name, None)
    return found


def conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    """The parts of a condition that AND joins."""
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.left), *conjuncts(condition.right)]
    return [condition]


def filtered(select: exp.Select, parts: list[exp.Expr]) -> None:
    """Set the WHERE of a SELECT to these parts, none of them: no WHERE."""
    where = exp.Where(this=exp.and_(*(anew(part) for part in parts))) if parts else None
    select.set("where", where)


def conditions(select: exp.Select) -> list[exp.Expr]:
    """The parts of the WHERE of a SELECT."""
    where = select.args.get("where")
    return [] if where is None else conjuncts(where.this)

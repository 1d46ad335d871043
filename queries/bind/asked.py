"""The keys asked of a table by key: the values that public columns around it can have.

A subquery over everybody that is looked up by a public column need not be released for each value
of that column, only for those which the conditions of the query around leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import open_queries
from queries.bind.colours import Environment, Open, Private
from queries.language.refusals import QueryRefused
from queries.language.trees import anew, children, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem


@dataclass(frozen=True, slots=True)
class Asked:
    """A query over public tables whose columns are keys; `places` says which ones."""

    query: exp.Select
    places: tuple[int, ...]


def asked(
    binder: Binder,
    env: Environment,
    around: exp.Select,
    items: Sequence[FromItem],
    compared: list[exp.Expr],
) -> Asked | None:
    """The values of what keys are compared with; None where nothing of it is public."""
    owners = {n: _owner(one, items) for n, one in enumerate(compared)}
    places = [n for n, owner in owners.items() if owner is not None and _is_public(owner)]
    sources = [item for item in items if any(owners[n] is item for n in places)]
    if not places:
        return None
    shown = [open_queries.aliased(anew(compared[n]), f"_key{n}") for n in places]
    members = [anew(item.node) for item in sources]
    query = exp.Select(
        expressions=shown,
        from_=exp.From(this=members[0]),
        joins=[exp.Join(this=member) for member in members[1:]],
        distinct=exp.Distinct(),
    )
    conditions: list[exp.Expr] = []
    for part in _around(around):
        plain = _reads_only(part, sources, items) and _of_public(binder, env, part)
        if plain and _binds(binder, env, query, [*conditions, part]):
            conditions.append(part)
    if not conditions and not _binds(binder, env, query, conditions):
        return None
    return Asked(_with(query, conditions), tuple(places))


def _around(around: exp.Select) -> list[exp.Expr]:
    """The conditions that every row of the SELECT around satisfies."""
    where = around.args.get("where")
    found = [] if where is None else conjuncts(where.this)
    joins = around.args.get("joins") or []
    if any(join.side or join.method or join.kind not in ("", "INNER", "CROSS") for join in joins):
        return found
    return [*found, *(p for j in joins if j.args.get("on") for p in conjuncts(j.args["on"]))]


def _reads_only(part: exp.Expr, sources: list[FromItem], items: Sequence[FromItem]) -> bool:
    """Whether a condition reads columns of these sources alone, those of its subqueries aside."""
    stack, found = [part], []
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Column):
            found.append(current)
        elif not isinstance(current, exp.Query):
            stack.extend(children(current))
    owners = [_owner(column, items) for column in found]
    return bool(owners) and all(any(owner is s for s in sources) for owner in owners)


def _of_public(binder: Binder, env: Environment, part: exp.Expr) -> bool:
    """Whether the subqueries of a condition read public tables alone."""
    names = [node.name for node in walk(part) if isinstance(node, exp.Table)]
    tables = [binder.view.manifest.table(name) for name in names if name.lower() not in env]
    return len(tables) == len(names) and all(t is not None and t.public for t in tables)


def _binds(binder: Binder, env: Environment, query: exp.Select, conditions: list[exp.Expr]) -> bool:
    """Whether the query with these conditions is one over public tables."""
    try:
        bound = binder.query(_with(query, conditions), env)
    except QueryRefused:
        return False
    return isinstance(bound, Open) and not bound.released


def _with(query: exp.Select, conditions: Iterable[exp.Expr]) -> exp.Select:
    copied = anew(query)
    parts = [anew(part) for part in conditions]
    if parts:
        copied.set("where", exp.Where(this=conjunction(parts)))
    return copied


def _owner(part: exp.Expr, items: Sequence[FromItem]) -> FromItem | None:
    """The one member of FROM that a bare column belongs to, as far as names tell."""
    if not isinstance(part, exp.Column):
        return None
    found = [item for item in items if _has(item, part)]
    return found[0] if len(found) == 1 else None


def _has(item: FromItem, column: exp.Column) -> bool:
    if column.table:
        return item.alias.lower() == column.table.lower()
    own = [name for name, _ in item.bound.columns] if isinstance(item.bound, Private) else []
    names = [*item.names, *(own if isinstance(item.bound, Private) else item.bound.names)]
    return column.name.lower() in {name.lower() for name in names if name is not None}


def _is_public(item: FromItem) -> bool:
    return isinstance(item.bound, Open) and not item.bound.released


def conjuncts(part: exp.Expr) -> list[exp.Expr]:
    """The parts of a conjunction, however nested."""
    while isinstance(part, exp.Paren):
        part = part.this
    if isinstance(part, exp.And):
        return [*conjuncts(part.this), *conjuncts(part.expression)]
    return [part]


def conjunction(parts: Iterable[exp.Expr]) -> exp.Expr:
    """The parts as one condition."""
    found: exp.Expr | None = None
    for part in parts:
        found = part if found is None else exp.And(this=found, expression=part)
    if found is None:
        raise ValueError("a conjunction of nothing")
    return found

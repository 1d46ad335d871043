"""Subqueries in the expressions of an open query: open themselves, or values released by key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import aggregates, keyed, occurring, open_queries, spines
from queries.bind.colours import Environment, Open, Private
from queries.language.parse import place
from queries.language.refusals import UnknownColumn
from queries.language.trees import anew, children, rebuilt, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem

SOURCES = (exp.CTE, exp.Lateral, exp.Subquery, exp.Table, exp.Unnest, exp.Values)
"""What may give a name to columns."""


def replace_nested(
    binder: Binder,
    node: exp.Select,
    copied: exp.Select,
    items: Sequence[FromItem],
    env: Environment,
) -> None:
    """Bind every subquery that stands in an expression of the SELECT."""
    clauses = [*copied.expressions, *(j for j in copied.args.get("joins") or [])]
    clauses += [
        copied.args[k]
        for k in ("where", "group", "having", "qualify", "order")
        if copied.args.get(k)
    ]
    for clause in clauses:
        inside = clause.args.get("on") if isinstance(clause, exp.Join) else clause
        for query in _outermost(inside):
            query.replace(nested(binder, query, env, node, items, listed=is_listed(query)))


def _outermost(node: exp.Expr | None) -> list[exp.Query]:
    """The subqueries of an expression that stand in no other one."""
    found: list[exp.Query] = []
    stack = [] if node is None else [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Query):
            found.append(current)
        else:
            stack.extend(children(current))
    return found


def nested(
    binder: Binder,
    node: exp.Query,
    env: Environment,
    around: exp.Select | None = None,
    items: Sequence[FromItem] = (),
    *,
    listed: bool = False,
) -> exp.Expr:
    """A subquery inside an open expression, bound: it must be open itself, or a value by key.

    Of one that is `listed` something is compared with all rows.
    """
    inner = node.this if isinstance(node, exp.Subquery) else node
    try:
        bound = binder.query(inner, env)
    except UnknownColumn:  # a column of the rows around
        table = None
        if around is not None and isinstance(inner, exp.Select) and _is_value(node):
            table = keyed.table(binder, env, inner, around, items)
        if table is not None:
            return _by_key(binder, node, table, env)
        if isinstance(inner, exp.Select) and not aggregates.present(inner):
            raise spines.filtered_public(place(node)) from None
        raise
    if isinstance(bound, Private):
        raise spines.filtered_public(place(node))
    there = occurring.groups(inner, bound) if listed else None
    found = bound if there is None else binder.query(there, env)
    bound = found if isinstance(found, Open) else bound
    query = (
        open_queries.wrapped(bound.query)
        if isinstance(bound.query, exp.Table)
        else anew(bound.query)
    )
    return exp.Subquery(this=query) if isinstance(node, exp.Subquery) else query


def tied(
    node: exp.Query, around: Collection[str], write: Callable[[exp.Expr], exp.Expr]
) -> exp.Query:
    """The subquery with what `write` makes of each column that belongs to a table around it."""
    own = {part.alias_or_name.lower() for part in walk(node) if isinstance(part, SOURCES)}

    def written(part: exp.Expr) -> exp.Expr:
        name = part.table.lower() if isinstance(part, exp.Column) else ""
        return write(part) if name in around and name not in own else rebuilt(part, written)

    return rebuilt(node, written)


def is_listed(node: exp.Expr) -> bool:
    """Whether a subquery stands for values that something is compared with."""
    return isinstance(node.parent, occurring.LISTED)


def _is_value(node: exp.Query) -> bool:
    """Whether a subquery stands for one value, not for rows."""
    return isinstance(node, exp.Subquery) and not isinstance(
        node.parent, exp.Exists | exp.In | exp.Any | exp.All
    )


def _by_key(binder: Binder, node: exp.Query, table: keyed.Keyed, env: Environment) -> exp.Expr:
    """A private subquery that reads the open query around it: released for each key."""
    bound = binder.query(table.query, env)
    if not isinstance(bound, Open):
        raise spines.filtered_public(place(node))
    return keyed.lookup(table, bound)

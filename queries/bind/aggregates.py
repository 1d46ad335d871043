"""Where a SELECT aggregates, and what each aggregate means as statistics of a measure."""

from __future__ import annotations

from sqlglot import exp

from queries.bind import forms
from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction

WITHIN = (exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max)
"""The aggregates of one unit's own rows."""
SETS = (exp.Grouping, exp.GroupingId)
"""Functions that tell which grouping set a row belongs to: they read no rows."""


def present(node: exp.Select) -> bool:
    """Whether a SELECT groups or aggregates at its own level."""
    if node.args.get("group") is not None or node.args.get("having") is not None:
        return True
    places = [*node.expressions, node.args.get("order"), node.args.get("qualify")]
    return any(contains(part) for part in places if part is not None)


def contains(node: exp.Expr) -> bool:
    """Whether an aggregate stands in the expression, windows and subqueries left aside."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.AggFunc) and not _windowed(current):
            return True
        if not isinstance(current, exp.Query):
            stack.extend(current.iter_expressions())
    return False


def _windowed(node: exp.Expr) -> bool:
    """Whether the function is the one a window is computed by (ROW_NUMBER, SUM OVER, ...)."""
    parent = node.parent
    if isinstance(parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        return _windowed(parent)
    return isinstance(parent, exp.Window) and parent.this is node


def is_aggregate(node: exp.Expr) -> bool:
    """Whether the node is an aggregate call, with FILTER or without."""
    inner = node.this if isinstance(node, exp.Filter) else node
    told = isinstance(inner, exp.AggFunc) and not isinstance(inner, SETS)
    return told and not _windowed(node)


def parts(
    node: exp.Expr, answered: tuple[type[exp.Expr], ...]
) -> tuple[exp.AggFunc, exp.Expr | None]:
    """The call and its FILTER condition; raises UnsupportedFunction for what is not answered."""
    where = None
    if isinstance(node, exp.Filter):
        forms.check(node)
        where = node.expression.this
        node = node.this
    if not isinstance(node, exp.AggFunc) or type(node) not in answered:
        raise UnsupportedFunction(
            f"{node.key.upper()} of private rows is not answered.",
            position=place(node),
            hint="COUNT, SUM, AVG and COUNT_IF are answered.",
        )
    forms.check(node)
    if node.expressions:
        raise UnsupportedFunction(f"{node.key.upper()} takes one argument.", position=place(node))
    return node, where


def distinct_argument(call: exp.AggFunc) -> exp.Expr | None:
    """x of COUNT(DISTINCT x), or None where there is no DISTINCT."""
    if not isinstance(call.this, exp.Distinct):
        return None
    members = call.this.expressions
    if len(members) != 1 or call.this.args.get("on") is not None:
        raise UnsupportedFunction("DISTINCT takes one expression here.", position=place(call))
    first: exp.Expr = members[0]
    return first


def starred(call: exp.AggFunc) -> bool:
    return call.this is None or isinstance(call.this, exp.Star)

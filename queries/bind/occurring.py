"""Lists of groups' values that something is compared with: groups without rows are none of them.

Every public group of a released table is answered, whoever is there. Beside ALL, ANY, IN and NOT IN
one that nobody is in would decide: the mean of nobody is NULL, and x >= ALL of a list with a NULL
is never true. DuckDB has no such group, so `HAVING COUNT(*) > 0` changes nothing of what is asked,
and keeps them out as far as the noisy count tells.
"""

from __future__ import annotations

from sqlglot import exp

from queries.bind import aggregates
from queries.bind.colours import Bound, Open
from queries.language.trees import anew

LISTED = (exp.Any, exp.All, exp.In)
"""What a subquery of several rows stands in."""
SETS = ("rollup", "cube", "grouping_sets", "all", "totals")
TOGETHER = (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple)
"""Forms of GROUP BY with a group of everybody, which is there without any row."""


def groups(node: exp.Expr, bound: Bound) -> exp.Select | None:
    """The query of released groups that have rows; None where it is no other than it was."""
    inner = node
    while isinstance(inner, exp.Subquery | exp.Paren):
        inner = inner.this
    if not isinstance(bound, Open) or not bound.released or not isinstance(inner, exp.Select):
        return None
    group = inner.args.get("group")
    if group is None or not group.expressions or any(group.args.get(name) for name in SETS):
        return None
    if any(isinstance(one, TOGETHER) for one in group.expressions):
        return None
    if not any(map(aggregates.contains, inner.expressions)):
        return None
    found = anew(inner)
    rows = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))
    having = found.args.get("having")
    both = rows if having is None else exp.and_(having.this, rows, copy=False)
    found.set("having", exp.Having(this=both))
    return found

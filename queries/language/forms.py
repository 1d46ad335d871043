"""Other ways to say the same: FETCH as LIMIT, and ORDER BY ALL as every selected column in turn."""

from __future__ import annotations

from sqlglot import exp

from queries.language.trees import walk


def spelt_out(tree: exp.Expr) -> None:
    """Write such clauses, in place, as the ones that are bound; what has no other form stays."""
    for node in list(walk(tree)):
        limit = node.args.get("limit")
        if isinstance(limit, exp.Fetch) and not _more_than_a_number(limit):
            count = limit.args.get("count") or exp.Literal.number(1)
            node.set("limit", exp.Limit(expression=count))
        if isinstance(node, exp.Select):
            _each_column(node)


def _more_than_a_number(fetch: exp.Fetch) -> bool:
    """PERCENT and WITH TIES mean more than a number of rows."""
    options = fetch.args.get("limit_options")
    return options is not None and bool(
        options.args.get("percent") or options.args.get("with_ties")
    )


def _each_column(select: exp.Select) -> None:
    order = select.args.get("order")
    if order is None:
        return
    parts = order.expressions
    if len(parts) != 1 or not isinstance(parts[0].this, exp.Var):
        return
    if parts[0].this.name.upper() != "ALL" or any(item.is_star for item in select.expressions):
        return
    written = []
    for number in range(1, len(select.expressions) + 1):
        one = parts[0].copy()
        one.set("this", exp.Literal.number(number))
        written.append(one)
    order.set("expressions", written)

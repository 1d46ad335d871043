"""Other ways to say the same: FETCH as LIMIT, ORDER BY ALL as every selected column in turn,
`= ANY([...])` and `list_contains([...], x)` as IN, `list_extract(l, 2)` as `l[2]`, and a row of
values IN a list of rows as the comparisons that it means.
"""

from __future__ import annotations

from sqlglot import exp

from queries.language.trees import anew

EXTRACTS = frozenset({"list_extract", "list_element", "array_extract"})
COMPARED = (exp.EQ, exp.NEQ)
OTHERWISE_SAID = (exp.Select, exp.In, exp.Anonymous, exp.ArrayContains, *COMPARED)
ELEMENTS = (exp.Bracket, exp.Anonymous)
"""What is an element of a list, or may be written as one."""
MOST_COMPARED = 500
"""The most comparisons that a list of rows is written out as."""


def spelt_out(parts: list[exp.Expr]) -> None:
    """Write such clauses of a tree, in place, as the ones that are bound.

    What has no other form stays.
    """
    for node in parts:
        limit = node.args.get("limit")
        if isinstance(limit, exp.Fetch) and not _more_than_a_number(limit):
            count = limit.args.get("count") or exp.Literal.number(1)
            node.set("limit", exp.Limit(expression=count))
        if not isinstance(node, OTHERWISE_SAID):
            continue
        if isinstance(node, exp.Select):
            _each_column(node)
        elif isinstance(node, exp.In) and _rows(node):
            node.replace(_one_of(node))
        elif isinstance(node, exp.Anonymous) and _extracts(node):
            of, place = node.expressions
            node.replace(exp.Bracket(this=of, expressions=[place], offset=1))
        elif isinstance(node, exp.ArrayContains) and (values := _values(node)):
            node.replace(exp.Paren(this=exp.In(this=node.expression, expressions=values)))
        elif isinstance(node, COMPARED) and (members := _members(node)):
            found = exp.In(this=node.this, expressions=members)
            node.replace(found if isinstance(node, exp.EQ) else exp.Not(this=found))


def _extracts(node: exp.Anonymous) -> bool:
    """Whether the element of a list at a constant place is asked for."""
    if node.name.lower() not in EXTRACTS or len(node.expressions) != 2:
        return False
    place = node.expressions[1].this if isinstance(node.expressions[1], exp.Neg) else None
    place = place or node.expressions[1]
    return isinstance(place, exp.Literal) and place.is_int


def _values(node: exp.ArrayContains) -> list[exp.Expr]:
    """The constants of a list that is looked through, in which NULL is never found."""
    members = node.this.expressions if isinstance(node.this, exp.Array) else []
    signed = [one.this if isinstance(one, exp.Neg) else one for one in members]
    if not all(isinstance(one, exp.Literal | exp.Boolean | exp.Null) for one in signed):
        return []
    return [one for one in members if not isinstance(one, exp.Null)]


def _rows(node: exp.In) -> bool:
    """Whether rows of one width are compared, and so few that each may be written out."""
    width = len(node.this.expressions) if isinstance(node.this, exp.Tuple) else 0
    rows = node.expressions
    alike = all(isinstance(row, exp.Tuple) and len(row.expressions) == width for row in rows)
    return 0 < width * len(rows) <= MOST_COMPARED and alike


def _one_of(node: exp.In) -> exp.Expr:
    """Any of the rows, value by value; NULLs are equal to each other in rows."""
    own = node.this.expressions
    rows = []
    for row in node.expressions:
        pairs = zip(own, row.expressions, strict=True)
        rows.append(exp.and_(*(exp.NullSafeEQ(this=anew(a), expression=b) for a, b in pairs)))
    return exp.Paren(this=exp.or_(*rows))


def _members(node: exp.Binary) -> list[exp.Expr]:
    """The members of the list behind `= ANY` or `<> ALL`; none for anything else."""
    other = node.expression
    if isinstance(node, exp.EQ) and isinstance(other, exp.Any):
        listed = other.this.this if isinstance(other.this, exp.Paren) else other.this
    elif isinstance(node, exp.NEQ) and isinstance(other, exp.Anonymous):
        listed = other.expressions[0] if other.name.upper() == "ALL" and other.expressions else None
    else:
        return []
    return listed.expressions if isinstance(listed, exp.Array) else []


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

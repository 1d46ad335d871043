"""LATERAL beside private rows: a subquery that equalities tie to the rows before it, taken apart.

One that has a single row for each row before it, of aggregates or of no table at all, adds columns
to that row: each is the value of a subquery of its own.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       each row before it meets rows of its own unit alone, at most LIMIT of them.
    Requires    joins that equate the unit (`queries.bind.joins`); windows within the unit; single
                values as `queries.bind.values` binds them.
    Why         `inner = outer` in its WHERE becomes the condition of a join, and ORDER BY and LIMIT
                a row number in a partition by the inner sides: the rows that one outer row would
                meet are exactly one partition. Whatever else reads the rows before it has no case.
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_windows.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import aggregates, forms, windows
from queries.bind.grouping import positioned
from queries.bind.outputs import item_name
from queries.language.parse import place
from queries.language.refusals import UnsupportedSql
from queries.language.trees import anew

if TYPE_CHECKING:
    from queries.bind.binder import FromItem

ONE_ROW = frozenset({"expressions", "from_", "joins", "where"})
PLAIN = frozenset({"expressions", "from_", "joins", "where", "order", "limit", "offset"})


@dataclass(frozen=True, slots=True)
class Tied:
    """What ties a subquery to the rows before it, by its last columns.

    `outer` are equal to as many of them, in order; where `numbers` is given, one more is a row
    number that lies between both.
    """

    outer: tuple[exp.Expr, ...]
    numbers: tuple[int, int] | None

    @property
    def hidden(self) -> int:
        """How many columns of the subquery nobody asked for."""
        return len(self.outer) + (self.numbers is not None)


def refuse(items: Iterable[FromItem]) -> None:
    """Refuse LATERAL where nothing private is joined."""
    for item in items:
        if item.tied is not None or item.added:
            raise UnsupportedSql(
                "LATERAL is answered beside private rows.", position=place(item.node)
            )


def added(node: exp.Lateral) -> tuple[tuple[str, exp.Expr], ...]:
    """The columns that a subquery of one row adds to the rows before it; none for any other."""
    forms.check(node)
    select = node.this.this if isinstance(node.this, exp.Subquery) else None
    if not isinstance(select, exp.Select) or not _one_row(select):
        return ()
    return tuple(
        (item_name(item) or f"col{n}", _single(select, item))
        for n, item in enumerate(select.expressions)
    )


def _one_row(select: exp.Select) -> bool:
    used = {name for name, value in select.args.items() if value}
    if any(isinstance(item.unalias(), exp.Star) for item in select.expressions):
        return False
    if windows.present(select) or not used <= ONE_ROW:
        return False
    return used == {"expressions"} or ("from_" in used and aggregates.present(select))


def _single(select: exp.Select, item: exp.Expr) -> exp.Expr:
    if select.args.get("from_") is None:
        return anew(item.unalias())
    made = anew(select)
    made.set("expressions", [anew(item.unalias())])
    return exp.Subquery(this=made)


def apart(node: exp.Lateral) -> tuple[exp.Select, Tied]:
    """The subquery on its own, and what ties it to the rows before it; raises UnsupportedSql."""
    forms.check(node)
    select = node.this.this if isinstance(node.this, exp.Subquery) else None
    if not isinstance(select, exp.Select) or not _plain(select):
        raise UnsupportedSql(
            "Only a plain SELECT is answered in LATERAL.",
            position=place(node),
            hint="Group by the id in a subquery of its own, and LEFT JOIN it.",
        )
    made: exp.Select = select.copy()
    own = {source.alias_or_name.lower() for source in _sources(made)}
    kept, pairs = _split(made, own)
    made.set("where", exp.Where(this=exp.and_(*kept, copy=False)) if kept else None)
    hidden = [exp.alias_(inner.copy(), f"_by{n}") for n, (inner, _) in enumerate(pairs)]
    numbers = _numbers(made)
    if numbers is not None:
        hidden.append(_numbered(made, [inner for inner, _ in pairs]))
    for name in ("order", "limit", "offset"):
        made.set(name, None)
    made.set("expressions", [*made.expressions, *hidden])
    return made, Tied(tuple(outer for _, outer in pairs), numbers)


def _plain(select: exp.Select) -> bool:
    used = {name for name, value in select.args.items() if value}
    return used <= PLAIN and not aggregates.present(select) and not windows.present(select)


def _sources(select: exp.Select) -> Iterable[exp.Expr]:
    first = select.args.get("from_")
    if first is not None:
        yield first.this
    yield from (join.this for join in select.args.get("joins") or [])


def _split(
    select: exp.Select, own: set[str]
) -> tuple[list[exp.Expr], list[tuple[exp.Expr, exp.Expr]]]:
    """The conditions of WHERE that stay, and the equalities with the rows before it."""
    where = select.args.get("where")
    kept: list[exp.Expr] = []
    pairs: list[tuple[exp.Expr, exp.Expr]] = []
    for part in [] if where is None else _conjuncts(where.this):
        if not _reads_outer(part, own):
            kept.append(part)
        elif isinstance(part, exp.EQ):
            pairs.append(_pair(part, own))
        else:
            raise _not_equal(part)
    return kept, pairs


def _conjuncts(node: exp.Expr) -> Iterable[exp.Expr]:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _reads_outer(node: exp.Expr, own: set[str]) -> bool:
    return any(c.table and c.table.lower() not in own for c in node.find_all(exp.Column))


def _pair(part: exp.EQ, own: set[str]) -> tuple[exp.Expr, exp.Expr]:
    """The inner and the outer side of an equality."""
    for inner, outer in ((part.this, part.expression), (part.expression, part.this)):
        read = list(outer.find_all(exp.Column))
        apart = all(c.table and c.table.lower() not in own for c in read)
        if read and apart and not _reads_outer(inner, own) and outer.find(exp.Query) is None:
            return inner, outer
    raise _not_equal(part)


def _not_equal(part: exp.Expr) -> UnsupportedSql:
    return UnsupportedSql(
        "LATERAL is tied to the rows before it by equalities alone.",
        position=place(part),
        hint="Join the table, and number its rows with ROW_NUMBER where you need the first ones.",
    )


def _numbers(select: exp.Select) -> tuple[int, int] | None:
    """The row numbers that LIMIT and OFFSET leave, or None where there is no LIMIT."""
    limit, offset = (_constant(select, name) for name in ("limit", "offset"))
    if limit is None:
        if offset is not None:
            raise UnsupportedSql("OFFSET needs LIMIT here.", position=place(select))
        return None
    return (offset or 0) + 1, (offset or 0) + limit


def _constant(select: exp.Select, name: str) -> int | None:
    clause = select.args.get(name)
    if clause is None:
        return None
    forms.check(clause)
    value = clause.expression
    if not isinstance(value, exp.Literal) or not value.name.isdigit():
        raise UnsupportedSql(f"{name.upper()} takes a constant here.", position=place(clause))
    return int(value.name)


def _numbered(select: exp.Select, keys: list[exp.Expr]) -> exp.Expr:
    order = select.args.get("order")
    meant = None if order is None else order.copy()
    for item in [] if meant is None else meant.expressions:
        item.set("this", _meant(select, item.this))
    over = exp.Window(
        this=exp.RowNumber(),
        partition_by=[key.copy() for key in keys],
        order=meant,
        over="OVER",
    )
    return exp.alias_(over, "_n")


def _meant(select: exp.Select, item: exp.Expr) -> exp.Expr:
    """What an item of ORDER BY means: a position, a name that SELECT gives, or itself."""
    if isinstance(item, exp.Literal) and not item.is_string:
        return positioned(select, item).copy()
    aliases = {shown.alias.lower(): shown.this for shown in select.expressions if shown.alias}
    if isinstance(item, exp.Column) and not item.table:
        meant: exp.Expr = aliases.get(item.name.lower(), item)
        return meant.copy()
    return item

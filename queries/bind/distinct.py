"""DISTINCT and DISTINCT ON below a measure: within the unit, or refused.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a row of one unit never stands for a row of another, and one unit has at most the
                stated number of rows.
    Requires    an id of the unit among what is distinct, never NULL (P2).
    Why         DISTINCT is a grouping by its columns, DISTINCT ON the first row of each partition
                by the analyst's order and then a total one (P3).
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_refusals.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.relations import Relation
from queries.algebra.scalars import Scalar
from queries.bind import frames, orderings, windows, within
from queries.bind.colours import Private
from queries.bind.expressions import Expressions
from queries.bind.grouping import Grouping, positioned
from queries.bind.windows import Windowing, windowing
from queries.language.parse import place
from queries.language.refusals import AcrossUnits, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder

Projected = Callable[[exp.Select, Expressions], tuple[tuple[str, Scalar], ...]]


def on(node: exp.Select) -> exp.Expr | None:
    """What stands in DISTINCT ON, or None."""
    clause = node.args.get("distinct")
    found: exp.Expr | None = None if clause is None else clause.args.get("on")
    return found


def refuse_on(node: exp.Select) -> None:
    """Refuse DISTINCT ON where rows are not those of FROM."""
    if on(node) is not None:
        raise UnsupportedSql(
            "DISTINCT ON is not answered beside GROUP BY or windows.",
            position=place(node),
            hint="Put the inner query into a subquery of its own.",
        )


def distinct(binder: Binder, node: exp.Select, found: Private) -> Private:
    """The relation, its rows once each where SELECT has DISTINCT."""
    if node.args.get("distinct") is None:
        return found
    keys = Grouping(tuple((None, scalar) for _, scalar in found.columns))
    if not keys.within_unit:
        raise AcrossUnits(
            "DISTINCT below an aggregate would let one person's row stand for another's.",
            position=place(node),
            hint="Add the unit's id to the DISTINCT columns, or count the distinct rows: "
            "SELECT COUNT(*) FROM (SELECT DISTINCT ...).",
        )
    grouped, renamed = within.grouped(binder, found.relation, keys, ())
    names = [name for name, _ in found.columns]
    return Private(grouped, tuple(zip(names, renamed, strict=True)))


def first(
    binder: Binder,
    node: exp.Select,
    relation: Relation,
    expressions: Expressions,
    projected: Projected,
) -> Private:
    """DISTINCT ON: the first row of each of its keys, by ORDER BY."""
    if windows.present(node):
        refuse_on(node)
    given_on = on(node)
    items = given_on.expressions if isinstance(given_on, exp.Tuple) else [given_on]
    meant = [_meant(node, item, expressions) for item in items if item is not None]
    keys = frames.partition(meant, expressions, node, "DISTINCT ON")
    order = _order(node, expressions)
    given = orderings.read(order, expressions, [scalar for _, scalar in keys.keys])
    to: Windowing = windowing(binder, expressions, relation, expressions.scope)
    columns = projected(node, to)
    kept = op.boolean("=", to.row_number(keys, given), op.number(1))
    return Private(*windows.qualified(to, relation, (kept,), columns))


def _order(node: exp.Select, expressions: Expressions) -> exp.Order | None:
    """ORDER BY with what its positions and names mean, a name that SELECT gives before a column."""
    given = node.args.get("order")
    if given is None:
        return None
    order: exp.Order = given.copy()
    for item in order.expressions:
        item.set("this", _meant(node, item.this, expressions))
    return order


def _meant(node: exp.Select, item: exp.Expr, expressions: Expressions) -> exp.Expr:
    while isinstance(item, exp.Paren):
        item = item.this
    if isinstance(item, exp.Literal) and not item.is_string:
        return positioned(node, item).copy()
    if isinstance(item, exp.Column) and not item.table:
        return expressions.aliases.get(item.name.lower(), item).copy()
    return item

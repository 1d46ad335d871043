"""A SELECT over private rows: a projection, a grouping within the unit, or a measure.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what comes out is private with a stated number of rows per unit, or a measure.
    Requires    joins and conditions bound by `queries.bind.from_clause`.
    Why         each clause has one case. LIMIT, OFFSET, and windows and DISTINCT without the unit,
                would let rows of one unit decide about another's, so they are refused (P2); ORDER
                BY without LIMIT changes no relation and is dropped; aggregates either group by the
                unit, or are a measure.
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_refusals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.relations import Inner, Relation, Spine
from queries.algebra.scalars import Column, Scalar, conjuncts
from queries.bind import (
    aggregates,
    distinct,
    measures,
    narrowing,
    spines,
    windows,
    within,
)
from queries.bind.colours import Bound, Environment, Private
from queries.bind.determined import determined
from queries.bind.expressions import Expressions, measured
from queries.bind.from_clause import FromClause
from queries.bind.grouping import grouping
from queries.bind.outputs import item_name, selected
from queries.bind.scope import Scope
from queries.bind.subqueries import InScope
from queries.bind.windows import Windowing, qualified, windowing
from queries.language.parse import place
from queries.language.refusals import AcrossUnits, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem

Named = tuple[tuple[str, Scalar], ...]


def select(
    binder: Binder,
    node: exp.Select,
    items: list[FromItem],
    env: Environment,
    outer: Scope | None,
    *,
    every: bool = False,
) -> Bound:
    """The colour and meaning of a SELECT with a private member in FROM; raises a QueryRefused.

    With `every` its DISTINCT is left for the caller to apply.
    """
    subqueries = InScope(binder, env, node, items)
    clause = FromClause(binder, subqueries, outer)
    for item, join in zip(items, [None, *(node.args.get("joins") or [])], strict=True):
        clause.add(item, join)
    aliases = {item.alias.lower(): item.this for item in node.expressions if item.alias}
    where = node.args.get("where")
    if where is not None:
        bound = Expressions(clause.scope, subqueries, aliases).predicate(where.this)
        clause.where([measured(part, where) for part in conjuncts(bound)], place(where))
    relation = clause.relation(place(node))
    scope = clause.scope.narrow(_proved(relation))
    expressions = Expressions(scope, subqueries, aliases)
    if aggregates.present(node):
        return _aggregated(binder, node, items, clause, relation, expressions, env)
    if isinstance(relation, Spine):
        raise spines.unmeasured(place(node))
    return _rows(binder, node, relation, expressions, env, every=every)


def _aggregated(
    binder: Binder,
    node: exp.Select,
    items: list[FromItem],
    clause: FromClause,
    relation: Relation,
    expressions: Expressions,
    env: Environment,
) -> Bound:
    """A SELECT that aggregates: within each unit where it groups by it, else over everybody."""
    found = grouping(node, expressions)
    own = not isinstance(relation, Spine) and found.within_unit
    if own and found.sets:
        raise UnsupportedSql(
            "Grouping sets are answered over everybody, not within a unit.",
            position=place(node.args["group"]),
            hint="Group by the unit first, and by sets of columns above that.",
        )
    if own:
        distinct.refuse_on(node)
        grouped = within.select(binder, node, relation, expressions, found)
        return distinct.distinct(binder, node, grouped)
    found = determined(found, node, expressions, clause.members, clause.parts)
    first = expressions.scope.tables[0]
    once = tuple(s for _, s in first.columns) if items[0].distinct else None
    return measures.select(binder, node, relation, expressions, found, env, once)


def _rows(
    binder: Binder,
    node: exp.Select,
    relation: Relation,
    expressions: Expressions,
    env: Environment,
    *,
    every: bool,
) -> Bound:
    """A SELECT of rows: a list of keys where they are distinct, else private as they are."""
    keys = None
    if not windows.present(node):  # they would number rows, and are to number what is listed
        keys = measures.listed(binder, node, relation, expressions, env)
    if keys is not None:
        return keys
    _refuse_limit(node)
    if distinct.on(node) is not None:
        return distinct.first(binder, node, relation, expressions, _projected)
    if windows.present(node):
        relation, columns = _windowed(binder, node, relation, expressions)
    else:
        columns = _projected(node, expressions)
    bare = Private(relation, columns)
    return bare if every else distinct.distinct(binder, node, bare)


def _proved(relation: Relation) -> dict[Column, Facts]:
    """What holds for the columns of all rows, but that a kept public row may match nobody."""
    if isinstance(relation, Spine):
        found = _proved(relation.source)
        gone = relation.missing
        return {c: facts.maybe_null() for c, facts in found.items() if c.source in gone}
    return narrowing.proved(relation.conjuncts) if isinstance(relation, Inner) else {}


def _refuse_limit(node: exp.Select) -> None:
    for name in ("limit", "offset"):
        if node.args.get(name) is not None:
            raise AcrossUnits(
                f"{name.upper()} below an aggregate would choose among persons.",
                position=place(node.args[name]),
                hint="For some rows of each person: QUALIFY ROW_NUMBER() OVER (PARTITION BY its id "
                "ORDER BY ...) <= n.",
            )
    if node.args.get("qualify") is not None and not windows.present(node):
        raise UnsupportedSql("QUALIFY needs a window.", position=place(node.args["qualify"]))


def _windowed(
    binder: Binder, node: exp.Select, relation: Relation, expressions: Expressions
) -> tuple[Relation, Named]:
    """The rows with their windows, those that QUALIFY keeps."""
    to = windowing(binder, expressions, relation, expressions.scope)
    columns = _projected(node, to)
    return qualified(to, relation, windows.qualifying(node, to), columns)


def _projected(node: exp.Select, expressions: Expressions) -> Named:
    found: list[tuple[str, Scalar]] = []
    for number, item in enumerate(selected(node, expressions.scope)):
        if isinstance(item, tuple) and isinstance(expressions, Windowing):
            found.append((item[0], expressions.carried(item[1])))
        elif isinstance(item, tuple):
            found.append(item)
        else:
            scalar = measured(expressions.bind(item.unalias()), item)
            found.append((item_name(item) or f"col{number}", scalar))
    return tuple(found)

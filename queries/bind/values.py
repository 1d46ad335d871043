"""Subqueries that yield one value: of the unit's own rows, of public tables, or over everybody.

Within the unit and over public tables an aggregate, or a row proved to be the only one, is read
where it stands. What ranges over everybody is measured first, as a stage of its own; where it reads
the query around it, once for each key (`queries.bind.keyed`).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the value that a row is given follows from its own unit's rows and open relations.
    Requires    units equated by the lowering; inputs as `queries.enclave.given` hands them in.
    Why         private sources are aggregated where they stand only if `joins.check_units` finds
                them connected with the unit around them; else the subquery is bound by itself, and
                the one way from private to open is a measure.
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_subqueries.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.relations import Inside, OpenSource, Ordering, Partial, Released
from queries.algebra.scalars import Exists, Scalar, Subvalue, columns
from queries.bind import aggregates, inputs, joins, keyed, open_queries, spines, types
from queries.bind.colours import Open, Private
from queries.bind.expressions import TRUTH, Expressions, chosen
from queries.bind.joins import Member
from queries.bind.scope import Scope
from queries.bind.subqueries import in_force
from queries.bind.summaries import TRUTHS, Summaries
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import (
    JoinNotOnUnit,
    SeveralRows,
    UnknownColumn,
    UnsupportedSql,
)

if TYPE_CHECKING:
    from queries.bind.from_clause import FromClause
    from queries.bind.subqueries import InScope

ANSWERED: tuple[type[exp.Expr], ...] = (*aggregates.WITHIN, *TRUTHS)
READ = frozenset({"expressions", "from_", "joins", "where", "having"})


def value(of: InScope, node: exp.Expr, scope: Scope) -> Scalar:
    """The value of a subquery; raises a QueryRefused."""
    if not isinstance(node, exp.Select) or {k for k, v in node.args.items() if v} - READ:
        return _alone(of, node)
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Star):
        raise UnsupportedSql("A subquery yields a value by one column.", position=place(node))
    if node.args.get("from_") is None:
        return _alone(of, node)
    clause, expressions = of.clause(node, scope)
    try:
        return _here(of, node, scope, clause, expressions)
    except JoinNotOnUnit:
        return _over_everybody(of, node, scope)


def _here(
    of: InScope, node: exp.Select, scope: Scope, clause: FromClause, expressions: Expressions
) -> Scalar:
    """The value read where it stands; raises JoinNotOnUnit where it ranges over everybody."""
    if clause.kept is not None:
        raise spines.unmeasured(place(node))
    outer, reach = joins.ids_in(scope), of.binder.publics.reach
    parts = joins.common_equalities(clause.parts)
    joins.check_units(clause.members, parts, place(node), outer, tables=in_force(clause))
    found = joins.most_met(clause.members, parts, reach, outer, place(node))
    met = joins.compared(parts, outer, found)
    relation = Inside(tuple(member.source for member in clause.members), parts, met)
    item = node.expressions[0].unalias()
    if aggregates.present(node):
        return _aggregated(node, item, OneGroup(expressions, relation, found.rows, outer))
    if found.rows > 1:
        raise _several(node)
    value = expressions.value(item)
    return Subvalue(relation, value, _plain(value.facts))


def _aggregated(node: exp.Select, item: exp.Expr, group: OneGroup) -> Scalar:
    found = group.value(item)
    having = node.args.get("having")
    if having is None:
        return found
    kept = types.require(group.predicate(having.this), TRUTH, having, "HAVING")
    return chosen([kept], types.unified([found, types.NULL], node))


class OneGroup(Expressions):
    """Binds a value over the one group that a subquery without GROUP BY has."""

    def __init__(
        self, base: Expressions, relation: Inside, rows: int, outer: frozenset[int]
    ) -> None:
        super().__init__(base.scope, base.subqueries, base.aliases)
        self.base = base
        self.relation = relation
        self.outer = outer
        self.summaries = Summaries(base, rows, (), self._emit, ANSWERED)

    def bind(self, node: exp.Expr) -> Scalar:
        if aggregates.is_aggregate(node):
            return self.summaries.bind(node)
        return super().bind(node)

    def _column(self, node: exp.Column) -> Scalar:
        """A column of the query around; raises NotGrouped for one of the group's own."""
        found = super()._column(node)
        for column in columns(found):
            if column.source not in self.outer:
                raise aggregates.ungrouped(column.name, node)
        return found

    def _emit(
        self,
        kind: str,
        value: Scalar | None,
        where: Scalar | None,
        order: tuple[Ordering, ...],
        facts: Facts,
    ) -> Scalar:
        return Subvalue(self.relation, Partial("a", kind, value, where, order), facts)


def _over_everybody(of: InScope, node: exp.Select, scope: Scope) -> Scalar:
    try:
        return _alone(of, node)
    except UnknownColumn as unknown:
        table = keyed.table(of.binder, of.env, node, of.node, of.items)
        if table is None:
            raise unknown from None
    bound = of.binder.query(table.query, of.env)
    if not isinstance(bound, Open):
        raise _several(node)
    source, named = inputs.given(of.binder, bound)
    read = dict(named)
    around = Expressions(scope, of)
    parts = tuple(
        around.compared("=", around.bind(outer), read[name], node) for name, outer in table.keys
    )
    if keyed.VALUE not in read or _met(source, parts, scope, of) > 1:
        raise _several(node)
    inside = Inside((source,), parts)
    found = Subvalue(inside, read[keyed.VALUE], _plain(read[keyed.VALUE].facts))
    if table.otherwise is None:
        return found
    return _or_else(found, inside, around.bind(table.otherwise), node)


def _met(source: Released, parts: tuple[Scalar, ...], scope: Scope, of: InScope) -> int:
    """The most rows of an input that the conditions leave: what is cast may equal several keys."""
    keys = () if source.unique is None else (frozenset((source.id, n) for n in source.unique),)
    member = Member(source, frozenset({source.id}), source.rows, keys)
    return joins.Met(parts, of.binder.publics.reach).fan_out(member, joins.ids_in(scope))


def _or_else(found: Subvalue, inside: Inside, otherwise: Scalar, node: exp.Expr) -> Scalar:
    """The value, or what the aggregate of no rows is where its key has no row."""
    known = Exists(inside, Facts(Type.BOOLEAN, False))
    return chosen([known], types.unified([found, otherwise], node))


def _alone(of: InScope, node: exp.Expr) -> Scalar:
    """The value of a subquery that reads nothing of the query around it."""
    bound = of.binder.query(node, of.env)
    if isinstance(bound, Private):
        raise _several(node)
    source: OpenSource
    if bound.released:
        source, named = inputs.given(of.binder, bound)
        rows = source.rows
    else:
        query = bound.query
        if isinstance(query, exp.Table):
            query = open_queries.wrapped(query)
        source, named = of.binder.publics.query(query, of.binder.number())
        rows = of.binder.publics.reach(source, frozenset())
    if rows > 1:
        raise _several(node)
    if len(named) != 1:
        raise UnsupportedSql("A subquery yields a value by one column.", position=place(node))
    found = named[0][1]
    return Subvalue(Inside((source,), ()), found, _plain(found.facts))


def _plain(facts: Facts) -> Facts:
    return replace(facts, nullable=True, identity=None, reference=None)


def _several(node: exp.Expr) -> SeveralRows:
    return SeveralRows(
        "A subquery that yields a value may have more than one row here.", position=place(node)
    )

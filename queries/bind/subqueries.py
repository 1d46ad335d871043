"""EXISTS and IN over a subquery: within the unit, or over public tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.relations import Inside
from queries.algebra.scalars import Exists, Scalar, conjuncts
from queries.bind import aggregates, forms, joins, spines
from queries.bind.colours import Bound, Environment, Open, Private
from queries.bind.expressions import Expressions
from queries.bind.from_clause import FromClause
from queries.bind.scope import Scope, Visible
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder

PLAIN = frozenset({"expressions", "from_", "joins", "where", "distinct"})


@dataclass(frozen=True, slots=True)
class InScope:
    """Binds the subqueries of one SELECT, with the WITH names in force there."""

    binder: Binder
    env: Environment

    def exists(self, query: exp.Expr, scope: Scope, member: Scalar | None) -> Exists:
        """Whether the subquery has a row (whose first column equals `member`, for IN)."""
        inner = query
        while isinstance(inner, exp.Subquery | exp.Paren):
            forms.check(inner)
            if inner.args.get("with_") is not None:
                raise UnsupportedSql("WITH is not answered here.", position=place(inner))
            inner = inner.this
        if isinstance(inner, exp.Select) and _plain(inner):
            return self._correlated(inner, scope, member)
        return self._alone(inner, scope, member)

    def _correlated(self, node: exp.Select, scope: Scope, member: Scalar | None) -> Exists:
        from queries.bind.binder import sources_of

        clause = FromClause(self.binder, self, scope)
        sources = sources_of(node)
        if not sources:
            raise UnsupportedSql("A subquery needs FROM.", position=place(node))
        for source, join in zip(sources, [None, *(node.args.get("joins") or [])], strict=True):
            clause.add(self.binder.item(source, self.env), join)
        expressions = Expressions(clause.scope, self)
        where = node.args.get("where")
        if where is not None:
            clause.where(conjuncts(expressions.predicate(where.this)), place(where))
        if member is not None:
            first = node.expressions[0].unalias()
            if len(node.expressions) != 1 or isinstance(first, exp.Star):
                raise UnsupportedSql("IN takes a subquery of one column.", position=place(node))
            equal = expressions.compared("=", member, expressions.bind(first), node)
            clause.where([equal], place(node))
        return self._inside(clause, scope, node)

    def _alone(self, node: exp.Expr, scope: Scope, member: Scalar | None) -> Exists:
        """A subquery that groups or limits: bound by itself, then met like a table."""
        from queries.bind.binder import FromItem

        bound: Bound = self.binder.query(node, self.env)
        if member is None and isinstance(bound, Private | Open):
            raise UnsupportedSql("EXISTS takes a plain SELECT.", position=place(node))
        clause = FromClause(self.binder, self, scope)
        clause.add(FromItem("q", node, bound), None)
        if len(clause.tables[0].columns) != 1:
            raise UnsupportedSql("IN takes a subquery of one column.", position=place(node))
        first = clause.tables[0].columns[0][1]
        compared = Expressions(clause.scope, self).compared("=", _given(member), first, node)
        clause.parts.append(compared)
        return self._inside(clause, scope, node)

    def _inside(self, clause: FromClause, scope: Scope, node: exp.Expr) -> Exists:
        if clause.kept is not None:
            raise spines.unmeasured(place(node))
        parts = joins.common_equalities(clause.parts)
        outer, reach = joins.ids_in(scope), self.binder.publics.reach
        joins.check_units(clause.members, parts, place(node), outer, tables=in_force(clause))
        joins.most_met(clause.members, parts, reach, outer, place(node))
        relation = Inside(tuple(member.source for member in clause.members), parts)
        return Exists(relation, Facts(Type.BOOLEAN, False))


def in_force(clause: FromClause) -> list[Visible]:
    """The tables that a subquery sees, those of the queries around it included."""
    found, scope = list(clause.tables), clause.outer
    while scope is not None:
        found.extend(scope.tables)
        scope = scope.outer
    return found


def _plain(node: exp.Select) -> bool:
    used = {key for key, value in node.args.items() if value}
    distinct = node.args.get("distinct")
    odd = distinct is not None and distinct.args.get("on") is not None
    return used <= PLAIN and not aggregates.present(node) and not odd


def _given(member: Scalar | None) -> Scalar:
    if member is None:
        raise ValueError("IN has a left side")
    return member

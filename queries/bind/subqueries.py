"""Subqueries in expressions: EXISTS, IN, ANY, ALL and single values.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what a subquery tells a row follows from the row's own unit, from public tables and
                from what was released.
    Requires    the lowering equates the units wherever an equality implies it.
    Why         private sources inside are refused unless they are joined with the row's unit;
                anything else of private rows is measured first, and read as released (P1, P21).
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_subqueries.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.relations import Inside
from queries.algebra.scalars import Call, Exists, Literal, Scalar, conjuncts
from queries.bind import aggregates, forms, joins, occurring, spines
from queries.bind.colours import Environment, Open
from queries.bind.expressions import Expressions, chosen
from queries.bind.from_clause import FromClause
from queries.bind.scope import Scope, Visible
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import (
    AcrossUnits,
    JoinNotOnUnit,
    NamesPersons,
    UnknownColumn,
    UnsupportedSql,
)
from queries.language.trees import anew

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem

PLAIN = frozenset({"expressions", "from_", "joins", "where", "distinct"})
TRUTH = Facts(Type.BOOLEAN, False)
Row = Sequence[Scalar]
Test = Callable[[Expressions, Row], Scalar]
"""A condition on the columns of a subquery, which are as many as the values compared."""


@dataclass(frozen=True, slots=True)
class InScope:
    """Binds the subqueries of one SELECT over `items`, with the WITH names in force there."""

    binder: Binder
    env: Environment
    node: exp.Select | None = None
    items: Sequence[FromItem] = ()

    def exists(self, query: exp.Expr, scope: Scope) -> Exists:
        """Whether the subquery has a row."""
        inner = unwrapped(query)
        if not isinstance(inner, exp.Select) or not _plain(inner):
            raise UnsupportedSql("EXISTS takes a plain SELECT.", position=place(inner))
        clause, _ = self.clause(inner, scope)
        return self._inside(clause, scope, inner)

    def member(self, query: exp.Expr, scope: Scope, given: Row) -> Exists:
        """Whether a row of the subquery equals the values, as a condition: NULL counts as false."""
        return self._having(unwrapped(query), scope, _compared("=", given, query))[0]

    def any(self, query: exp.Expr, scope: Scope, sign: str, given: Row) -> Scalar:
        """`given <sign> ANY (query)`, and `given IN (query)`: NULL where only NULLs decide."""
        return self._some(query, scope, _compared(sign, given, query))

    def all(self, query: exp.Expr, scope: Scope, sign: str, given: Row) -> Scalar:
        """`given <sign> ALL (query)`: no row for which it is false."""
        test = _compared(sign, given, query)
        found = self._some(query, scope, lambda to, row: op.boolean("not", test(to, row)))
        return op.boolean("not", found)

    def value(self, query: exp.Expr, scope: Scope) -> Scalar:
        """The one value of a subquery; raises a QueryRefused where it may have several rows."""
        from queries.bind import values

        return values.value(self, unwrapped(query), scope)

    def clause(self, node: exp.Select, scope: Scope | None) -> tuple[FromClause, Expressions]:
        """FROM and WHERE of a subquery, and its expressions."""
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
        return clause, expressions

    def _some(self, query: exp.Expr, scope: Scope, test: Test) -> Scalar:
        """Whether the test holds for some row; NULL where it does for none but is NULL for one."""
        inner = unwrapped(query)
        found, null = self._having(inner, scope, test)
        if not null:
            return found
        unknown, _ = self._having(inner, scope, lambda to, row: _unknown(test(to, row)))
        yes, no = (Literal(word, TRUTH) for word in (True, False))
        nothing = Literal(None, Facts(Type.BOOLEAN))
        return chosen([found, unknown], [yes, nothing, no])

    def _having(self, inner: exp.Expr, scope: Scope, test: Test) -> tuple[Exists, bool]:
        """Whether a row passes a test of its columns, and whether the test may be NULL."""
        if isinstance(inner, exp.Select) and _plain(inner):
            try:
                return self._having_here(inner, scope, test)
            except JoinNotOnUnit as apart:
                return self._having_listed(inner, scope, test, apart)
        return self._having_alone(inner, scope, test)

    def _having_here(self, inner: exp.Select, scope: Scope, test: Test) -> tuple[Exists, bool]:
        clause, expressions = self.clause(inner, scope)
        items = [item.unalias() for item in inner.expressions]
        if any(item.is_star for item in items):
            raise UnsupportedSql("IN takes a subquery of named columns.", position=place(inner))
        row = [expressions.bind(item) for item in items]
        return self._passing(clause, scope, test, row, inner)

    def _having_listed(
        self, inner: exp.Select, scope: Scope, test: Test, apart: JoinNotOnUnit
    ) -> tuple[Exists, bool]:
        """Over everybody: the different values are a list of keys, released first."""
        listed = anew(inner)
        listed.set("distinct", exp.Distinct())
        try:
            return self._having_alone(listed, scope, test)
        except (UnknownColumn, AcrossUnits, NamesPersons):
            raise apart from None

    def _having_alone(self, inner: exp.Expr, scope: Scope, test: Test) -> tuple[Exists, bool]:
        clause, row = self._alone(inner, scope)
        return self._passing(clause, scope, test, row, inner)

    def _passing(
        self, clause: FromClause, scope: Scope, test: Test, row: Row, inner: exp.Expr
    ) -> tuple[Exists, bool]:
        condition = test(Expressions(clause.scope, self), row)
        clause.where(conjuncts(condition), place(inner))
        return self._inside(clause, scope, inner), condition.facts.nullable

    def _alone(self, node: exp.Expr, scope: Scope) -> tuple[FromClause, Row]:
        """A subquery that groups or limits: bound by itself, then met like a table."""
        from queries.bind.binder import FromItem

        bound = self.binder.query(node, self.env)
        there = occurring.groups(node, bound)
        bound = bound if there is None else self.binder.query(there, self.env)
        clause = FromClause(self.binder, self, scope)
        item = FromItem("q", node, bound)
        if isinstance(bound, Open) and bound.released:
            clause.add_released(item, bound)
        else:
            clause.add(item, None)
        return clause, [scalar for _, scalar in clause.tables[0].columns]

    def _inside(self, clause: FromClause, scope: Scope, node: exp.Expr) -> Exists:
        if clause.kept is not None:
            raise spines.unmeasured(place(node))
        parts = joins.common_equalities(clause.parts)
        outer, reach = joins.ids_in(scope), self.binder.publics.reach
        joins.check_units(clause.members, parts, place(node), outer, tables=in_force(clause))
        found = joins.most_met(clause.members, parts, reach, outer, place(node))
        met = joins.compared(parts, outer, found)
        relation = Inside(tuple(member.source for member in clause.members), parts, met)
        return Exists(relation, TRUTH)


def unwrapped(query: exp.Expr) -> exp.Expr:
    """The subquery without the parentheses around it."""
    inner = query
    while isinstance(inner, exp.Subquery | exp.Paren):
        forms.check(inner)
        if inner.args.get("with_") is not None or inner.args.get("alias") is not None:
            raise UnsupportedSql("WITH is not answered here.", position=place(inner))
        inner = inner.this
    return inner


def _compared(sign: str, given: Row, node: exp.Expr) -> Test:
    """Each value compared with the column in its place; raises UnsupportedSql for other widths."""

    def test(to: Expressions, row: Row) -> Scalar:
        if len(row) != len(given):
            wanted = "one column" if len(given) == 1 else f"{len(given)} columns"
            why = f"IN takes a subquery of {wanted} here, of types that private columns can have."
            raise UnsupportedSql(why, position=place(node))
        parts = [to.compared(sign, a, b, node) for a, b in zip(given, row, strict=True)]
        return parts[0] if len(parts) == 1 else op.boolean("and", *parts)

    return test


def _unknown(condition: Scalar) -> Scalar:
    """Whether a conjunction is NULL: none of its parts is false, and one is NULL.

    What is never NULL stays a condition of its own, so that units are seen to be equated.
    """
    parts = conjuncts(condition)
    sure = [part for part in parts if not part.facts.nullable]
    rest = [part for part in parts if part.facts.nullable]
    open_ = rest[0] if len(rest) == 1 else op.boolean("and", *rest)
    null = Call("null", (open_,), TRUTH)
    return op.boolean("and", *sure, null) if sure else null


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

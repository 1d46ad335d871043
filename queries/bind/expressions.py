"""Row-level expressions: each kind of syntax node has a case here, and what has none is refused.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       evaluating an accepted expression on one row reads that row alone, never fails and
                takes time bounded by the row's declared size.
    Requires    the lowering writes each operation in its total form (`queries.plan.lower`).
    Why         the cases below are the whole allow-list: arithmetic and comparison, CASE, a fixed
                set of text and date functions, casts that yield NULL; patterns of LIKE are
                constants with few wildcards; anything else ends in a refusal.
    Tried by    tests/properties/test_totality.py
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import ABOUT_UNIT, EXACT, UNIT, Facts
from queries.algebra.scalars import Call, Literal, Scalar, walk
from queries.bind import forms, functions, gaps, types
from queries.bind.scope import Scope
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import (
    TooComplex,
    UnitCompared,
    UnsupportedSql,
)

NUMERIC = EXACT | {Type.REAL}
TRUTH = frozenset({Type.BOOLEAN})
TEXTS = frozenset({Type.TEXT})
COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "same", exp.NullSafeNEQ: "differs",
}  # fmt: skip


MOST_EXPANSIONS = 200
MOST_PARTS = 5_000


class Subqueries(Protocol):
    """What binds a subquery met inside an expression."""

    def exists(self, query: exp.Expr, scope: Scope) -> Scalar: ...
    def member(self, query: exp.Expr, scope: Scope, given: Sequence[Scalar]) -> Scalar: ...
    def any(self, query: exp.Expr, scope: Scope, sign: str, given: Sequence[Scalar]) -> Scalar: ...
    def all(self, query: exp.Expr, scope: Scope, sign: str, given: Sequence[Scalar]) -> Scalar: ...
    def value(self, query: exp.Expr, scope: Scope) -> Scalar: ...


class Expressions:
    """Binds expressions in one scope; `aliases` are the names that SELECT gives, by lower case."""

    def __init__(
        self, scope: Scope, subqueries: Subqueries, aliases: Mapping[str, exp.Expr] | None = None
    ) -> None:
        self.scope = scope
        self.subqueries = subqueries
        self.aliases = dict(aliases or {})
        self._expansions = 0

    def value(self, node: exp.Expr) -> Scalar:
        """A bound expression that does not give away the unit's id."""
        scalar = self.bind(node)
        types.refuse_unit(scalar, node)
        return scalar

    def predicate(self, node: exp.Expr) -> Scalar:
        """A condition of WHERE, ON or FILTER: NULL counts as false, so IN may look within units."""
        match node:
            case exp.Paren():
                return self.predicate(node.this)
            case exp.And() | exp.Or() | exp.In():
                forms.check(node)
        match node:
            case exp.And():
                return op.boolean("and", self.predicate(node.this), self.predicate(node.expression))
            case exp.Or():
                return op.boolean("or", self.predicate(node.this), self.predicate(node.expression))
            case exp.In() if node.args.get("query") is not None:
                return self.subqueries.member(node.args["query"], self.scope, self._row(node.this))
        return types.require(self.bind(node), TRUTH, node, "A condition")

    def bind(self, node: exp.Expr) -> Scalar:
        """The scalar of a syntax node; raises a QueryRefused."""
        forms.check(node)
        if type(node) in COMPARISONS:
            return self._comparison(node)
        case = CASES.get(type(node))
        if case is not None:
            return case(self, node)
        return functions.bind(node, self.value)

    def _comparison(self, node: exp.Expr) -> Scalar:
        sign, other = COMPARISONS[type(node)], node.expression
        if isinstance(other, exp.Any | exp.All):
            return self._quantified(sign, node.this, other)
        apart = gaps.compared([node.this, other], self.value)
        left, right = apart or (self.bind(node.this), self.bind(other))
        return self.compared(sign, left, right, node)

    def _quantified(self, sign: str, left: exp.Expr, node: exp.Any | exp.All) -> Scalar:
        """A comparison with ANY or ALL rows of a subquery."""
        forms.check(node)
        inner = node.this
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if not isinstance(inner, exp.Query):
            raise UnsupportedSql("ANY and ALL take a subquery.", position=place(node))
        bind = self.subqueries.any if isinstance(node, exp.Any) else self.subqueries.all
        return bind(inner, self.scope, sign, (self.bind(left),))

    def compared(self, sign: str, left: Scalar, right: Scalar, node: exp.Expr) -> Scalar:
        """A comparison of two bound sides; the unit's id only equals itself (P5)."""
        identities = {left.facts.identity, right.facts.identity}
        if identities & {UNIT, ABOUT_UNIT}:
            if not identities <= {UNIT, ABOUT_UNIT} or sign != "=":
                raise UnitCompared(
                    "The privacy unit's id can only be equal to the same id of another table.",
                    position=place(node),
                )
            return op.boolean("=", left, right)
        left, right = types.unified(types.as_truths([left, right]), node)
        result = op.boolean(sign, left, right)
        if sign in ("same", "differs"):
            return Call(sign, (left, right), Facts(Type.BOOLEAN, False))
        return result

    def _column(self, node: exp.Column) -> Scalar:
        found = self.scope.find(node)
        name = node.name.lower()
        if found is None and not node.table and name in self.aliases:
            self._expansions += 1
            if self._expansions > MOST_EXPANSIONS:
                raise TooComplex("Names given by SELECT are used in each other too often.")
            meant = self.aliases.pop(name)  # an alias does not see itself
            try:
                return self.bind(meant)
            finally:
                self.aliases[name] = meant
        return self.scope.resolve(node) if found is None else found

    def _paren(self, node: exp.Paren) -> Scalar:
        return self.bind(node.this)

    def _literal(self, node: exp.Literal) -> Scalar:
        return types.literal(node)

    def _boolean(self, node: exp.Boolean) -> Scalar:
        return Literal(bool(node.this), Facts(Type.BOOLEAN, False))

    def _null(self, node: exp.Null) -> Scalar:
        return types.NULL

    def _connective(self, node: exp.Connector) -> Scalar:
        sign = "and" if isinstance(node, exp.And) else "or"
        sides = [
            types.require(self.bind(side), TRUTH, side, sign.upper()) for side in operands(node)
        ]
        return op.boolean(sign, *sides)

    def _not(self, node: exp.Not) -> Scalar:
        return op.boolean("not", types.require(self.bind(node.this), TRUTH, node, "NOT"))

    def _is(self, node: exp.Is) -> Scalar:
        arg = self.bind(node.this)
        if isinstance(node.expression, exp.Null):
            return Call("null", (arg,), Facts(Type.BOOLEAN, False))
        if isinstance(node.expression, exp.Boolean):
            checked = types.require(arg, TRUTH, node, "IS")
            word = "true" if node.expression.this else "false"
            return Call(word, (checked,), Facts(Type.BOOLEAN, False))
        raise UnsupportedSql("This form of IS is not answered.", position=place(node))

    def _between(self, node: exp.Between) -> Scalar:
        if node.args.get("symmetric"):
            raise UnsupportedSql("BETWEEN SYMMETRIC is not answered.", position=place(node))
        parts = [node.args[key] for key in ("this", "low", "high")]
        value, low, high = gaps.compared(parts, self.value) or map(self.value, parts)
        above = op.boolean(">=", *types.unified([value, low], node))
        below = op.boolean("<=", *types.unified([value, high], node))
        return op.boolean("and", above, below)

    def _in(self, node: exp.In) -> Scalar:
        if node.args.get("query") is not None:
            return self.subqueries.any(node.args["query"], self.scope, "=", self._row(node.this))
        if node.args.get("unnest") or node.args.get("field") or not node.expressions:
            raise UnsupportedSql("This form of IN is not answered.", position=place(node))
        parts = [node.this, *node.expressions]
        found = gaps.compared(parts, self.value) or [self.value(part) for part in parts]
        args = types.unified(types.as_truths(found), node)
        return op.boolean("in", *args)

    def _row(self, node: exp.Expr) -> Sequence[Scalar]:
        """The values that stand left of IN."""
        if not isinstance(node, exp.Tuple):
            return (self.bind(node),)
        forms.check(node)
        return [self.bind(part) for part in node.expressions]

    def _exists(self, node: exp.Exists) -> Scalar:
        return self.subqueries.exists(node.this, self.scope)

    def _like(self, node: exp.Like | exp.ILike) -> Scalar:
        value = types.require(self.bind(node.this), TEXTS, node, "LIKE")
        pattern = self.bind(node.expression)
        if not isinstance(pattern, Literal) or not isinstance(pattern.value, str):
            raise UnsupportedSql("The pattern of LIKE must be a constant.", position=place(node))
        wild = pattern.value.count("%")
        if wild > 8 or ("_" in pattern.value and wild > 2):
            raise UnsupportedSql(
                "The pattern of LIKE has too many wildcards.", position=place(node)
            )
        found = op.boolean("ilike" if isinstance(node, exp.ILike) else "like", value, pattern)
        return op.boolean("not", found) if node.args.get("negate") else found

    def _case(self, node: exp.Case) -> Scalar:
        subject = None if node.this is None else self.value(node.this)
        conditions, results = [], []
        for branch in node.args["ifs"]:
            test = self.bind(branch.this)
            if subject is not None:
                test = self.compared("=", subject, test, branch)
            conditions.append(types.require(test, TRUTH, branch, "WHEN"))
            results.append(self.value(branch.args["true"]))
        default = node.args.get("default")
        results.append(types.NULL if default is None else self.value(default))
        return chosen(conditions, types.unified(results, node))

    def _if(self, node: exp.If) -> Scalar:
        condition = types.require(self.bind(node.this), TRUTH, node, "IF")
        otherwise = node.args.get("false")
        results = [self.value(node.args["true"])]
        results.append(types.NULL if otherwise is None else self.value(otherwise))
        return chosen([condition], types.unified(results, node))


def chosen(conditions: list[Scalar], results: list[Scalar]) -> Scalar:
    """CASE: conditions and results in turn, the last result being ELSE."""
    args = [part for pair in zip(conditions, results, strict=False) for part in pair]
    return op.choose("case", results, [*args, results[-1]], null=op.nullable(*results))


def measured(scalar: Scalar, node: exp.Expr) -> Scalar:
    """The scalar, unless names written out have made it too large; raises TooComplex."""
    for count, _ in enumerate(walk(scalar)):
        if count > MOST_PARTS:
            raise TooComplex(
                "With its names written out an expression is too large.", position=place(node)
            )
    return scalar


def operands(node: exp.Connector) -> list[exp.Expr]:
    return [node.this, node.expression]


def _subquery(binder: Expressions, node: exp.Expr) -> Scalar:
    return binder.subqueries.value(node, binder.scope)


CASES: dict[type[exp.Expr], Callable[..., Scalar]] = {
    exp.Column: Expressions._column,
    exp.Paren: Expressions._paren,
    exp.Literal: Expressions._literal,
    exp.Boolean: Expressions._boolean,
    exp.Null: Expressions._null,
    exp.And: Expressions._connective,
    exp.Or: Expressions._connective,
    exp.Not: Expressions._not,
    exp.Is: Expressions._is,
    exp.Between: Expressions._between,
    exp.In: Expressions._in,
    exp.Exists: Expressions._exists,
    exp.Like: Expressions._like,
    exp.ILike: Expressions._like,
    exp.Case: Expressions._case,
    exp.If: Expressions._if,
    exp.Subquery: _subquery,
    exp.Select: _subquery,
}

"""Arithmetic, rounding and choices, and the way to all other families of total functions."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, TEMPORAL
from queries.algebra.scalars import Literal, Scalar
from queries.bind import casts, gaps, maths, moments, temporal, texts, types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]
NUMERIC = EXACT | {Type.REAL}
INTEGERS = frozenset({Type.INTEGER})


def bind(node: exp.Expr, value: Bind) -> Scalar:
    """The scalar of a function or operator; raises UnsupportedFunction where there is no case."""
    case = CASES.get(type(node))
    if case is not None:
        return case(node, value)
    if isinstance(node, exp.Anonymous) and node.name.lower() in NAMED:
        return NAMED[node.name.lower()](node, value)
    found = gaps.bind(node, value) or temporal.bind(node, value)
    if found is not None:
        return found
    name = node.name if isinstance(node, exp.Anonymous) else node.key
    raise UnsupportedFunction(f"{name.upper()} is not answered here.", position=place(node))


def _sum(node: exp.Expr, value: Bind) -> Scalar:
    sign = 1 if isinstance(node, exp.Add) else -1
    shifted = temporal.interval_moved(node, value, sign)
    if shifted is not None:
        return shifted
    left, right = (value(side) for side in sides(node))
    if {left.facts.type, right.facts.type} & TEMPORAL:
        return temporal.moved(left, right, node, sign)
    parts = [types.require(side, NUMERIC, node, "Arithmetic") for side in (left, right)]
    left, right = types.unified(parts, node)
    return op.add(left, right) if sign == 1 else op.subtract(left, right)


def _product(node: exp.Expr, value: Bind) -> Scalar:
    left, right = (types.require(value(side), NUMERIC, node, "*") for side in sides(node))
    if Type.REAL in (left.facts.type, right.facts.type):
        left, right = op.to_real(left), op.to_real(right)
    if left.facts.scale + right.facts.scale > types.LARGEST_SCALE:
        raise TypeMismatch("The product has too many decimals.", position=place(node))
    return op.multiply(left, right)


def sides(node: exp.Expr) -> list[exp.Expr]:
    return [node.this, node.expression]


def _quotient(node: exp.Expr, value: Bind) -> Scalar:
    left, right = (types.require(value(side), NUMERIC, node, "/") for side in sides(node))
    return op.divide(op.to_real(left), op.to_real(right))


def _whole_quotient(node: exp.Expr, value: Bind) -> Scalar:
    left, right = (types.require(value(side), INTEGERS, node, "//") for side in sides(node))
    return op.whole_divide(left, right)


def _remainder(node: exp.Expr, value: Bind) -> Scalar:
    left, right = (types.require(value(side), EXACT, node, "%") for side in sides(node))
    return op.remainder(*types.unified([left, right], node))


def _negation(node: exp.Expr, value: Bind) -> Scalar:
    arg = types.require(value(node.this), NUMERIC, node, "-")
    if isinstance(arg, Literal) and isinstance(arg.value, int | float):
        facts = op.negate(arg).facts
        return Literal(-arg.value, facts)
    return op.negate(arg)


def _absolute(node: exp.Expr, value: Bind) -> Scalar:
    return op.absolute(types.require(value(node.this), NUMERIC, node, "ABS"))


def _rounding(node: exp.Expr, value: Bind) -> Scalar:
    name = node.key
    arg = types.require(value(node.this), NUMERIC, node, name.upper())
    digits = 0
    given = node.args.get("decimals")
    if given is not None:
        bound = value(given)
        if not isinstance(bound, Literal) or not isinstance(bound.value, int):
            raise TypeMismatch("The number of decimals must be a constant.", position=place(node))
        digits = bound.value
    if (name != "round" and given is not None) or not -15 <= digits <= 15:
        raise UnsupportedFunction("Rounding takes -15 to 15 decimals.", position=place(node))
    exact = maths.floored(arg) if name == "floor" else None
    return op.rounded(name, arg, digits) if exact is None else exact


def _coalesce(node: exp.Expr, value: Bind) -> Scalar:
    args = types.unified([value(arg) for arg in [node.this, *node.expressions]], node)
    return op.choose("coalesce", args, args, null=all(arg.facts.nullable for arg in args))


def _extreme(node: exp.Expr, value: Bind) -> Scalar:
    args = types.unified([value(arg) for arg in [node.this, *node.expressions]], node)
    return op.extreme("least" if isinstance(node, exp.Least) else "greatest", args)


def _null_if(node: exp.Expr, value: Bind) -> Scalar:
    left, right = types.unified([value(side) for side in sides(node)], node)
    return op.null_if(left, right)


def _interval(node: exp.Expr, value: Bind) -> Scalar:
    raise TypeMismatch(
        "An interval is added to a date, or compared with the time between two timestamps.",
        position=place(node) or place(node.parent),
        hint="Write date_diff('day', a, b) for whole days, or CAST(a AS TIMESTAMP) - b.",
    )


CASES: dict[type[exp.Expr], Callable[[exp.Expr, Bind], Scalar]] = {
    exp.Add: _sum, exp.Sub: _sum, exp.Mul: _product, exp.Div: _quotient,
    exp.IntDiv: _whole_quotient, exp.Mod: _remainder, exp.Neg: _negation, exp.Abs: _absolute,
    exp.Interval: _interval, exp.Round: _rounding, exp.Floor: _rounding, exp.Ceil: _rounding,
    exp.Coalesce: _coalesce, exp.Nullif: _null_if, exp.Least: _extreme, exp.Greatest: _extreme,
    exp.Cast: casts.cast, exp.TryCast: casts.cast, **maths.CASES, **texts.CASES,
    **moments.CASES,
}  # fmt: skip

NAMED = maths.NAMED | texts.NAMED | moments.NAMED

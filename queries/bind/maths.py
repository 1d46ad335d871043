"""Mathematical functions: of reals, of whole numbers, and of constants."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra import reals, wholes
from queries.algebra.facts import EXACT
from queries.algebra.scalars import Call, Literal, Scalar
from queries.bind import types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]
Case = Callable[[exp.Expr, Bind], Scalar]
NUMERIC = EXACT | {Type.REAL}
INTEGERS = frozenset({Type.INTEGER})
MOST_BUCKETS = 1_000
MOST_DIVIDED = 2**50
"""Below this a quotient of whole numbers, as a double, has the floor of the exact one."""


def _real(name: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        return reals.real(name, types.require(value(node.this), NUMERIC, node, name.upper()))

    return case


def _atan2(node: exp.Expr, value: Bind) -> Scalar:
    sides = [types.require(value(s), NUMERIC, node, "ATAN2") for s in (node.this, node.expression)]
    return reals.real("atan2", *sides)


def _log(node: exp.Expr, value: Bind) -> Scalar:
    """log(x) is of base 10; log(b, x) of base b, and so the parser writes log2 and log10 too."""
    arg = types.require(value(node.expression or node.this), NUMERIC, node, "LOG")
    if node.args.get("expression") is None:
        return reals.real("log10", arg)
    base = types.require(value(node.this), NUMERIC, node, "LOG")
    if isinstance(base, Literal) and base.facts.type is Type.INTEGER and base.value in (2, 10):
        return reals.real(f"log{base.value}", arg)
    return reals.logarithm(base, arg)


def _power(node: exp.Expr, value: Bind) -> Scalar:
    sides = [types.require(value(s), NUMERIC, node, "POWER") for s in (node.this, node.expression)]
    return reals.power(*sides)


def _pi(node: exp.Expr, value: Bind) -> Scalar:
    return types.real_literal(math.pi)


def _sign(node: exp.Expr, value: Bind) -> Scalar:
    return wholes.sign(types.require(value(node.this), NUMERIC, node, "SIGN"))


def _bits(word: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        left, right = (
            types.require(value(side), INTEGERS, node, "A bit operation")
            for side in (node.this, node.expression)
        )
        return wholes.bits(word, left, right)

    return case


def _inverted(node: exp.Expr, value: Bind) -> Scalar:
    return wholes.inverted(types.require(value(node.this), INTEGERS, node, "~"))


def _shift(*, left: bool) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        arg = types.require(value(node.this), INTEGERS, node, "A shift")
        by = constant(node.expression, value, "The width of a shift")
        if not 0 <= by <= wholes.MOST_SHIFTED:
            raise UnsupportedFunction("A shift is by 0 to 62 bits.", position=place(node))
        if arg.facts.span()[0] < 0:
            raise UnsupportedFunction(
                "Only numbers that cannot be negative are shifted.",
                position=place(node),
                hint="Multiply by a power of two, or divide by one with //.",
            )
        return wholes.shifted(arg, by, left=left)

    return case


def constant(node: exp.Expr, value: Bind, what: str) -> int:
    """A constant whole number; raises TypeMismatch."""
    found = value(node)
    if isinstance(found, Literal) and isinstance(found.value, int) and found.facts.scale == 0:
        return found.value
    raise TypeMismatch(f"{what} must be a constant whole number.", position=place(node))


def _bucket(node: exp.Expr, value: Bind) -> Scalar:
    """width_bucket, as PostgreSQL defines it; the engine has none."""
    if any(node.args.get(name) is None for name in ("min_value", "max_value", "num_buckets")):
        raise UnsupportedFunction("WIDTH_BUCKET takes four arguments.", position=place(node))
    written = [node.this, node.args["min_value"], node.args["max_value"]]
    parts = [types.require(value(part), NUMERIC, node, "WIDTH_BUCKET") for part in written]
    arg, low, high = types.unified(parts, node)
    count = constant(node.args["num_buckets"], value, "The number of buckets")
    ends = [_constant(end) for end in (low, high)]
    known = [end for end in ends if end is not None]
    if len(known) < 2 or known[0] >= known[1] or not 1 <= count <= MOST_BUCKETS:
        raise TypeMismatch(
            f"WIDTH_BUCKET takes two constants in order and a count of 1 to {MOST_BUCKETS:,}.",
            position=place(node),
        )
    return wholes.bucket(arg, low, high, count)


def _constant(scalar: Scalar) -> Fraction | None:
    """The number that a constant is, also where it was brought to a real; None for others."""
    if isinstance(scalar, Call) and scalar.op.startswith("real:"):
        return _constant(scalar.args[0])
    number = scalar.value if isinstance(scalar, Literal) else None
    known = isinstance(number, int | float) and scalar.facts.type in NUMERIC
    return Fraction(number) * scalar.facts.step if known and number is not None else None


def _truncated(node: exp.Expr, value: Bind) -> Scalar:
    arg = types.require(value(node.this), NUMERIC, node, "TRUNC")
    given = node.args.get("decimals")
    digits = 0 if given is None else constant(given, value, "The number of decimals")
    if not -15 <= digits <= 15 or (digits != 0 and arg.facts.type is Type.REAL):
        raise UnsupportedFunction("TRUNC takes -15 to 15 decimals.", position=place(node))
    return op.rounded("truncate", arg, digits)


def floored(arg: Scalar) -> Scalar | None:
    """The floor of a whole or decimal number over a constant whole one, exactly; or None."""
    if not isinstance(arg, Call) or arg.op != "/":
        return None
    top, bottom = arg.args
    if not (isinstance(top, Call) and top.op.startswith("real:")):
        return None
    by, counted = _constant(bottom), top.args[0]
    reach = max(abs(end) for end in counted.facts.span())
    if by is None or by < 1 or by != int(by) or reach >= MOST_DIVIDED or by >= MOST_DIVIDED:
        return None
    unit = int(by) * 10**counted.facts.scale
    low, high = (end // unit for end in counted.facts.span())
    found = op.whole(f"floor:{unit}:1", (counted,), low, high, null=counted.facts.nullable)
    return op.to_real(found)


def _test(name: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        arg = types.require(value(node.this), NUMERIC, node, name.upper())
        return op.boolean(name, op.to_real(arg))

    return case


def _two(name: str) -> Callable[[exp.Anonymous, Bind], Scalar]:
    make = {"gcd": wholes.divisor, "greatest_common_divisor": wholes.divisor,
            "lcm": wholes.multiple, "least_common_multiple": wholes.multiple,
            "divide": op.whole_divide}[name]  # fmt: skip

    def case(node: exp.Anonymous, value: Bind) -> Scalar:
        parts = [types.require(value(p), INTEGERS, node, name.upper()) for p in node.expressions]
        if len(parts) != 2:
            raise TypeMismatch(f"{name.upper()} takes two numbers.", position=place(node))
        return make(*parts)

    return case


def _finite(node: exp.Anonymous, value: Bind) -> Scalar:
    if len(node.expressions) != 1:
        raise TypeMismatch("ISFINITE takes one number.", position=place(node))
    arg = types.require(value(node.expressions[0]), NUMERIC, node, "ISFINITE")
    return op.boolean("isfinite", op.to_real(arg))


CASES: dict[type[exp.Expr], Case] = {
    exp.Sqrt: _real("sqrt"), exp.Cbrt: _real("cbrt"), exp.Ln: _real("ln"), exp.Log: _log,
    exp.Exp: _real("exp"), exp.Pow: _power, exp.Sign: _sign, exp.Pi: _pi,
    exp.Sin: _real("sin"), exp.Cos: _real("cos"), exp.Tan: _real("tan"), exp.Cot: _real("cot"),
    exp.Asin: _real("asin"), exp.Acos: _real("acos"), exp.Atan: _real("atan"), exp.Atan2: _atan2,
    exp.Degrees: _real("degrees"), exp.Radians: _real("radians"), exp.Trunc: _truncated,
    exp.BitwiseAnd: _bits("bitand"), exp.BitwiseOr: _bits("bitor"),
    exp.BitwiseXor: _bits("bitxor"), exp.BitwiseNot: _inverted,
    exp.BitwiseLeftShift: _shift(left=True), exp.BitwiseRightShift: _shift(left=False),
    exp.WidthBucket: _bucket, exp.IsNan: _test("isnan"), exp.IsInf: _test("isinf"),
}  # fmt: skip

NAMED: dict[str, Callable[[exp.Anonymous, Bind], Scalar]] = {
    **{name: _two(name) for name in ("gcd", "greatest_common_divisor", "lcm",
                                     "least_common_multiple", "divide")},
    "isfinite": _finite,
}  # fmt: skip

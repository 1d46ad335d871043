"""Whole-number functions: signs, divisors, bits and buckets, each with its range.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the value on any row lies in the range its facts state (P9), and none raises.
    Requires    the operands' ranges, which hold for every row of a sealed delivery (P16).
    Why         bits of numbers below a power of two stay below it; a common divisor is no larger
                than either number; a shift is a product or a floor by a constant power of two.
    Tried by    tests/properties/test_ranges.py, tests/properties/test_totality.py
"""

from __future__ import annotations

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, Facts
from queries.algebra.scalars import Call, Scalar
from queries.catalog.manifest import Type

MOST_SHIFTED = 62


def sign(arg: Scalar) -> Call:
    """-1, 0 or 1; 0 where the number is none."""
    low = op.known(arg)
    least = 0 if low is not None and low[0] >= 0 else -1
    most = 0 if low is not None and low[1] <= 0 else 1
    return op.whole("sign", (arg,), least, most, null=arg.facts.nullable)


def divisor(left: Scalar, right: Scalar) -> Call:
    """The greatest common divisor, 0 of two zeros."""
    reach = _reach(left, right)
    sure = op.declared(left, right)
    facts = Facts(Type.INTEGER, op.nullable(left, right), 0, 0, reach, declared=sure)
    return Call("gcd", (left, right), facts)


def multiple(left: Scalar, right: Scalar) -> Call:
    """The least common multiple."""
    reach = _reach(left) * _reach(right)
    sure = op.declared(left, right)
    facts = Facts(Type.INTEGER, op.nullable(left, right), 0, 0, reach, declared=sure)
    return Call("lcm", (left, right), facts)


def _reach(*args: Scalar) -> int:
    return max(abs(end) for arg in args for end in arg.facts.span())


def bits(word: str, left: Scalar, right: Scalar) -> Call:
    """`&`, `|` or xor of two whole numbers."""
    (a, b), (c, d) = left.facts.span(), right.facts.span()
    full = 2 ** max(_width(end) for end in (a, b, c, d))
    low, high = (0, full - 1) if a >= 0 and c >= 0 else (-full, full - 1)
    if word == "bitand" and a >= 0:
        low, high = 0, b
    if word == "bitand" and c >= 0:
        low, high = 0, min(d, high)
    sure = op.declared(left, right)
    facts = Facts(Type.INTEGER, op.nullable(left, right), 0, low, high, declared=sure)
    return Call(word, (left, right), facts)


def _width(end: int) -> int:
    return (end if end >= 0 else ~end).bit_length()


def inverted(arg: Scalar) -> Call:
    """`~x` is -1 - x."""
    return op.subtract(op.number(-1), arg)


def shifted(arg: Scalar, by: int, *, left: bool) -> Scalar:
    """A shift by a constant of a number that is not negative."""
    low, high = ((end << by) if left else (end >> by) for end in arg.facts.span())
    facts = Facts(Type.INTEGER, arg.facts.nullable, 0, low, high, declared=arg.facts.declared)
    return Call(f"{'shl' if left else 'shr'}:{2**by}", (arg,), facts)


def bucket(value: Scalar, low: Scalar, high: Scalar, count: int) -> Scalar:
    """Which of `count` equal widths between two constants a value lies in, from 1.

    0 lies below them and `count` + 1 above; the three have one type, and low is below high.
    """
    below, above = op.boolean("<", value, low), op.boolean(">=", value, high)
    if value.facts.type in EXACT:
        inside = _in_steps(value, low, high, count)
    else:
        inside = _of_reals(value, low, high, count)
    results: tuple[Scalar, ...] = (op.number(0), op.number(count + 1), inside)
    args = (below, results[0], above, results[1], inside)
    facts = Facts(Type.INTEGER, value.facts.nullable, 0, 0, count + 1)
    return Call("case", args, facts)


def _in_steps(value: Scalar, low: Scalar, high: Scalar, count: int) -> Scalar:
    least, most = low.facts.span()[0], high.facts.span()[0]
    apart = op.multiply(op.subtract(value, low), op.number(count))
    ends = sorted(abs(end) // (most - least) for end in apart.facts.span())
    facts = Facts(Type.INTEGER, value.facts.nullable, 0, -ends[1], ends[1])
    return op.add(Call("//", (apart, op.number(most - least)), facts), op.number(1))


def _of_reals(value: Scalar, low: Scalar, high: Scalar, count: int) -> Scalar:
    width = op.subtract(high, low)
    many = op.multiply(op.subtract(value, low), op.to_real(op.number(count)))
    floor = op.rounded("floor", op.divide(many, width), 0)
    facts = Facts(Type.INTEGER, True, 0, 0, count)
    return op.add(Call(f"whole:-1.0:{float(count)!r}", (floor,), facts), op.number(1))

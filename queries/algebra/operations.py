"""The operations on scalars: what each one means and what it proves about its result.

Every operation is total: it yields a value or NULL on every row and looks at that row alone.
Operands reach these functions already brought to one type (`queries.bind.types`). A range is left
out (None) where it cannot be proved; nothing is ever guessed.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the value of an operation on any row lies in the range its facts state (P9).
    Requires    facts of columns that hold for every row of a sealed delivery (P16).
    Why         each range is the image of the operands' ranges under a monotone or piecewise
                monotone function, computed in exact arithmetic; whole numbers are lowered to types
                wide enough for the range, so that no intermediate value wraps or raises.
    Tried by    tests/properties/test_ranges.py
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from queries.algebra.facts import EXACT, Facts, Number, hull
from queries.algebra.scalars import Call, Literal, Scalar
from queries.catalog.manifest import Type

BOOLEAN = Facts(Type.BOOLEAN)
SURE = Facts(Type.BOOLEAN, False)
LARGEST_REAL = 2**960
"""Sums of so large values over all rows of all units still are doubles."""
FINEST_REAL = 2**1074
Range = tuple[Number | None, Number | None]


def known(scalar: Scalar) -> tuple[Number, Number] | None:
    """The range of a scalar when both ends are known."""
    facts = scalar.facts
    return None if facts.lower is None or facts.upper is None else (facts.lower, facts.upper)


def nullable(*args: Scalar) -> bool:
    return any(arg.facts.nullable for arg in args)


def declared(*args: Scalar) -> bool:
    """Whether every operand's range comes from declarations rather than from its storage."""
    return all(arg.facts.declared for arg in args)


def number(value: int, scale: int = 0) -> Literal:
    kind = Type.DECIMAL if scale else Type.INTEGER
    return Literal(value, Facts(kind, False, scale, value, value))


def boolean(op: str, *args: Scalar) -> Call:
    """A comparison or a connective: NULL only where an operand may be."""
    return Call(op, args, BOOLEAN if nullable(*args) else SURE)


def add(left: Scalar, right: Scalar) -> Call:
    return _arithmetic("+", left, right, left.facts.scale)


def subtract(left: Scalar, right: Scalar) -> Call:
    return _arithmetic("-", left, right, left.facts.scale)


def multiply(left: Scalar, right: Scalar) -> Call:
    """A product; of a value with itself one that is not negative."""
    found = _arithmetic("*", left, right, left.facts.scale + right.facts.scale)
    if left != right:
        return found
    return replace(found, facts=found.facts.within(0, None))


def quantised(arg: Scalar, step: Fraction, low: int, high: int) -> Call:
    """A real rounded to whole steps of a grid, kept in a range; NULL where it is not finite."""
    return Call(f"quantised:{float(step)!r}", (arg,), Facts(Type.INTEGER, True, 0, low, high))


def _arithmetic(op: str, left: Scalar, right: Scalar, scale: int) -> Call:
    low, high = _image(op, known(left), known(right))
    kind = Type.REAL if left.facts.type is Type.REAL else Type.DECIMAL if scale else Type.INTEGER
    low, high = of_reals(low, high) if kind is Type.REAL else (low, high)
    null, sure = nullable(left, right), declared(left, right)
    return Call(op, (left, right), Facts(kind, null, scale, low, high, declared=sure))


def of_reals(low: Number | None, high: Number | None) -> Range:
    """A range of doubles: none near the largest of them, its ends on the smallest one's grid."""
    if low is None or high is None or not -LARGEST_REAL <= low <= high <= LARGEST_REAL:
        return None, None
    return Fraction(math.floor(low * FINEST_REAL), FINEST_REAL), Fraction(
        math.ceil(high * FINEST_REAL), FINEST_REAL
    )


def _image(
    op: str, left: tuple[Number, Number] | None, right: tuple[Number, Number] | None
) -> Range:
    if left is None or right is None:
        return None, None
    (a, b), (c, d) = left, right
    match op:
        case "+":
            return a + c, b + d
        case "-":
            return a - d, b - c
        case "*":
            corners = (a * c, a * d, b * c, b * d)
            return min(corners), max(corners)
    raise ValueError(op)


def negate(arg: Scalar) -> Call:
    span = (arg.facts.upper, arg.facts.lower)
    low, high = (None if end is None else -end for end in span)
    return Call("neg", (arg,), replace(_plain(arg.facts), lower=low, upper=high))


def absolute(arg: Scalar) -> Call:
    low, high = arg.facts.lower, arg.facts.upper
    if low is None or high is None:
        return Call("abs", (arg,), replace(_plain(arg.facts), lower=None, upper=None))
    ends: list[Number] = [low, high, -low, -high]
    least: Number = 0 if low <= 0 <= high else min(end for end in ends if end >= 0)
    return Call("abs", (arg,), replace(_plain(arg.facts), lower=least, upper=max(ends)))


def divide(left: Scalar, right: Scalar) -> Call:
    """Real division; a range only where the divisor cannot come near zero."""
    facts = Facts(Type.REAL, nullable(left, right))
    top, bottom = known(left), known(right)
    if top is None or bottom is None or bottom[0] <= 0 <= bottom[1]:
        return Call("/", (left, right), facts)
    quotients = [Fraction(t) / Fraction(b) for t in top for b in bottom]
    low, high = of_reals(min(quotients), max(quotients))
    return Call("/", (left, right), replace(facts, lower=low, upper=high))


def whole_divide(left: Scalar, right: Scalar) -> Call:
    """`//` on integers: towards zero, NULL on division by zero."""
    low, high = left.facts.span()
    reach = max(abs(low), abs(high))
    facts = Facts(Type.INTEGER, True, 0, -reach, reach, declared=left.facts.declared)
    if isinstance(right, Literal) and isinstance(right.value, int) and right.value != 0:
        ends = [_towards_zero(end, right.value) for end in (low, high)]
        facts = replace(facts, nullable=nullable(left), lower=min(ends), upper=max(ends))
    return Call("//", (left, right), facts)


def _towards_zero(value: int, by: int) -> int:
    quotient = abs(value) // abs(by)
    return quotient if (value >= 0) == (by > 0) else -quotient


def remainder(left: Scalar, right: Scalar) -> Call:
    """`%` on whole steps of one scale: the sign of the left operand, NULL on division by zero."""
    (least, most), by = left.facts.span(), right.facts.span()
    reach = max(abs(by[0]), abs(by[1]), 1) - 1
    low, high = (0 if least >= 0 else -reach), (0 if most <= 0 else reach)
    null = nullable(left, right) or by[0] <= 0 <= by[1]
    sure = right.facts.declared
    facts = Facts(left.facts.type, null, left.facts.scale, low, high, declared=sure)
    return Call("%", (left, right), facts)


def rescale(arg: Scalar, scale: int) -> Scalar:
    """The same value counted in smaller steps."""
    factor = 10 ** (scale - arg.facts.scale)
    if factor == 1:
        return arg
    low, high = (end * factor for end in arg.facts.span())
    null, sure = arg.facts.nullable, arg.facts.declared
    facts = Facts(Type.DECIMAL, null, scale, low, high, declared=sure)
    if isinstance(arg, Literal):
        return Literal(None if arg.value is None else int(arg.value) * factor, facts)
    return Call(f"rescale:{factor}", (arg,), facts)


def to_real(arg: Scalar) -> Scalar:
    """The value as a double, as the engine itself would cast it."""
    facts = arg.facts
    if facts.type is Type.REAL:
        return arg
    low, high = (end * facts.step for end in facts.span()) if facts.declared else (None, None)
    return Call(f"real:{facts.scale}", (arg,), Facts(Type.REAL, facts.nullable, 0, low, high))


def rounded(op: str, arg: Scalar, digits: int) -> Scalar:
    """ROUND, FLOOR, CEIL, TRUNC: of whole steps to `digits` decimals exactly, of reals as reals."""
    facts = arg.facts
    if facts.type is Type.REAL:
        margin = Fraction(10) ** -digits
        ends = (facts.lower, facts.upper)
        low, high = (
            None if e is None else e + s * margin for e, s in zip(ends, (-1, 1), strict=True)
        )
        return Call(f"{op}:{digits}", (arg,), Facts(Type.REAL, facts.nullable, 0, low, high))
    if digits >= facts.scale:
        return arg
    scale = max(0, digits)
    unit, keep = 10 ** (facts.scale - digits), 10 ** (scale - digits)
    low, high = (whole_rounded(op, end, unit) * keep for end in facts.span())
    kind = Type.DECIMAL if scale else Type.INTEGER
    result = Facts(kind, facts.nullable, scale, low, high, declared=facts.declared)
    return Call(f"{op}:{unit}:{keep}", (arg,), result)


def whole_rounded(op: str, value: int, unit: int) -> int:
    """How many units `value` is when rounded half away from zero, down, up or to zero."""
    match op:
        case "round":
            halves = (2 * abs(value) + unit) // (2 * unit)
            return halves if value >= 0 else -halves
        case "floor":
            return value // unit
        case "ceil":
            return -(-value // unit)
        case "truncate":
            return _towards_zero(value, unit)
    raise ValueError(op)


def choose(op: str, branches: Sequence[Scalar], args: Sequence[Scalar], *, null: bool) -> Call:
    """CASE, COALESCE, LEAST, GREATEST: one of the branches, which have one type."""
    real = [branch for branch in branches if not is_null(branch)]
    first = real[0].facts if real else branches[0].facts
    low, high = hull(branch.facts for branch in real)
    sure = declared(*real)
    facts = Facts(first.type, null, first.scale, low, high, _texts(real), declared=sure)
    return Call(op, tuple(args), facts)


def extreme(op: str, args: Sequence[Scalar]) -> Call:
    """LEAST and GREATEST, which skip NULLs as the engine does."""
    lows = [arg.facts.lower for arg in args]
    highs = [arg.facts.upper for arg in args]
    chosen = choose(op, args, args, null=all(arg.facts.nullable for arg in args))
    if nullable(*args) or None in lows or None in highs:
        return chosen
    known_lows = [end for end in lows if end is not None]
    known_highs = [end for end in highs if end is not None]
    least = op == "least"
    low = min(known_lows) if least else max(known_lows)
    high = min(known_highs) if least else max(known_highs)
    return replace(chosen, facts=replace(chosen.facts, lower=low, upper=high))


def null_if(arg: Scalar, other: Scalar) -> Call:
    """NULLIF; a whole number loses an end of its range that it is compared with."""
    facts = replace(_plain(arg.facts), nullable=True)
    if isinstance(other, Literal) and facts.type in EXACT and isinstance(other.value, int):
        if facts.lower == other.value:
            facts = facts.within(other.value + 1, None)
        elif facts.upper == other.value:
            facts = facts.within(None, other.value - 1)
    return Call("nullif", (arg, other), facts)


def text(op: str, *args: Scalar) -> Call:
    return Call(op, args, Facts(Type.TEXT, nullable(*args)))


def whole(
    op: str, args: tuple[Scalar, ...], low: int | None, high: int | None, *, null: bool
) -> Call:
    """An operation that yields an integer in a known range."""
    return Call(op, args, Facts(Type.INTEGER, null, 0, low, high))


def _plain(facts: Facts) -> Facts:
    """The facts of a computed value: it is not a column any more."""
    return replace(facts, values=None, reference=None, identity=None)


def is_null(scalar: Scalar) -> bool:
    return isinstance(scalar, Literal) and scalar.value is None


def _texts(branches: Sequence[Scalar]) -> tuple[str, ...] | None:
    """The values that text branches may have, when each has a known list."""
    found: dict[str, None] = {}
    for branch in branches:
        listed = _listed(branch)
        if listed is None:
            return None
        found.update(dict.fromkeys(listed))
    return tuple(found)


def _listed(scalar: Scalar) -> tuple[str, ...] | None:
    if isinstance(scalar, Literal) and isinstance(scalar.value, str):
        return (scalar.value,)
    return scalar.facts.values

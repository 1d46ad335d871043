"""What an expression is where some of its sources have no row: NULL, a constant, or unknown.

An outer join fills the columns of a row that it does not find with NULL. Most operations on NULL
are NULL; those that are not (`IS NULL`, COALESCE, CASE, AND and OR) are followed here one by one,
and what has no case is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from queries.algebra.scalars import Call, Column, Exists, Literal, Scalar, Subvalue


class Unknown(Enum):
    """A value that depends on what is there."""

    UNKNOWN = "unknown"


UNKNOWN = Unknown.UNKNOWN
Value = int | float | str | bool | None | Unknown
STRICT = frozenset(
    {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "//", "%", "||", "like", "ilike", "neg",
     "abs", "rescale", "real", "round", "floor", "ceil", "timestamp", "date", "text", "truth",
     "whole", "era", "try", "fit", "part", "trunc", "diff", "shift", "days+", "days-", "clamp",
     "steps", "upper", "lower", "trim", "ltrim", "rtrim", "substring", "left", "right", "length",
     "starts_with", "contains", "acos", "asin", "atan", "atan2", "cbrt", "cos", "cot", "degrees",
     "exp", "gcd", "isfinite", "isinf", "isnan", "lcm", "ln", "log", "log10", "log2", "pow",
     "radians", "sign", "sin", "sqrt", "tan", "truncate", "bitand", "bitor", "bitxor", "shl", "shr",
     "ascii", "ends_with", "lpad", "rpad", "regexp_extract", "regexp_full_match", "regexp_matches",
     "regexp_replace", "replace", "reverse", "split_part", "strip_accents", "strpos", "translate",
     "unicode", "age", "bucket", "dayname", "epoch", "last_day", "make_date", "monthname", "since",
     "strftime", "strptime", "gap", "microseconds"}
)  # fmt: skip
"""Operations that are NULL wherever an operand is."""
LEADING = frozenset({"in", "nullif"})
"""Operations that are NULL wherever the first operand is."""
ZERO = frozenset({"rescale", "real", "neg", "abs", "steps", "truth"})
"""Operations that make 0 of 0."""


def without(scalar: Scalar, missing: frozenset[int]) -> Value:
    """The value of a scalar where the sources `missing` have no row."""
    match scalar:
        case Column():
            return None if scalar.source in missing else UNKNOWN
        case Literal():
            return scalar.value
        case Exists():
            fails = any(fails_without(part, missing) for part in scalar.relation.conjuncts)
            return False if fails else UNKNOWN
        case Subvalue():
            return UNKNOWN
    return _call(scalar, missing)


def fails_without(condition: Scalar, missing: frozenset[int]) -> bool:
    """Whether a condition is never true where the sources have no row."""
    found = without(condition, missing)
    return found is None or found is False


def _call(call: Call, missing: frozenset[int]) -> Value:
    name = call.op.split(":")[0]
    args = [without(arg, missing) for arg in call.args]
    if (name in STRICT and None in args) or (name in LEADING and args[0] is None):
        return None
    if name in ZERO and args[0] in (0, False):
        return 0
    match name:
        case "null":
            return UNKNOWN if args[0] is UNKNOWN else args[0] is None
        case "true" | "false":
            return UNKNOWN if args[0] is UNKNOWN else args[0] is (name == "true")
        case "not":
            return not args[0] if isinstance(args[0], bool) else args[0]
        case "and" | "or":
            return _connected(args, decisive=name == "or")
        case "case":
            return _case(args)
        case "coalesce":
            return next((arg for arg in args if arg is not None), None)
        case "least" | "greatest":
            return None if all(arg is None for arg in args) else UNKNOWN
    return UNKNOWN


def _connected(args: Sequence[Value], *, decisive: bool) -> Value:
    """AND and OR of three values: a decisive operand settles it, then an unknown one, then NULL."""
    if any(arg is decisive for arg in args):
        return decisive
    if UNKNOWN in args:
        return UNKNOWN
    return None if None in args else not decisive


def _case(args: Sequence[Value]) -> Value:
    """CASE: conditions and results in turn, the last result being ELSE."""
    possible: list[Value] = []
    for condition, result in zip(args[:-1:2], args[1:-1:2], strict=True):
        if condition is None or condition is False:
            continue
        possible.append(result)
        if condition is True:
            break
    else:
        possible.append(args[-1])
    first = possible[0]
    same = all(type(one) is type(first) and one == first for one in possible)
    return first if same else UNKNOWN


def adds_nothing(value: Scalar, missing: frozenset[int], *, zero: bool) -> bool:
    """Whether a value is NULL where the sources have no row (or 0, where that adds nothing too)."""
    found = without(value, missing)
    return found is None or (zero and not isinstance(found, Unknown) and found in (0, False))

"""Mathematical functions as engine SQL, each in its total form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from queries.algebra.scalars import Call
from queries.plan.lower.words import width

if TYPE_CHECKING:
    from queries.plan.lower.scalars import Scalars

Form = Callable[["Scalars", Call, list[str]], str]
REALS = ("sqrt", "cbrt", "ln", "log2", "log10", "log", "exp", "pow", "sin", "cos", "tan", "cot",
         "atan", "atan2", "degrees", "radians", "isnan", "isinf", "isfinite")  # fmt: skip


def _named(name: str) -> Form:
    """A function that raises on no value."""
    return lambda to, call, _: f"{name}({', '.join(to.write(arg) for arg in call.args)})"


def _sign(to: Scalars, call: Call, _: list[str]) -> str:
    return f"CAST(sign({to.write(call.args[0])}) AS BIGINT)"


def _wide(pattern: str) -> Form:
    """Two whole numbers in a type wide enough for both and for the result."""

    def form(to: Scalars, call: Call, _: list[str]) -> str:
        wide = width(call.facts, *(arg.facts for arg in call.args))
        left, right = (to.wide(arg, wide) for arg in call.args)
        return pattern.format(left, right)

    return form


def _shifted(sign: str) -> Form:
    """By a power of two, of a number that is not negative."""

    def form(to: Scalars, call: Call, fixed: list[str]) -> str:
        (arg,) = call.args
        return f"({to.wide(arg, width(call.facts, arg.facts))} {sign} {fixed[0]})"

    return form


FORMS: dict[str, Form] = {
    **{name: _named(name) for name in REALS},
    "asin": _named("asin"), "acos": _named("acos"), "sign": _sign,
    "gcd": _wide("gcd({}, {})"), "lcm": _wide("lcm({}, {})"),
    "bitand": _wide("({} & {})"), "bitor": _wide("({} | {})"), "bitxor": _wide("xor({}, {})"),
    "shl": _shifted("*"), "shr": _shifted("//"),
}  # fmt: skip

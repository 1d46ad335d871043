"""Functions over what is public or released that take constants, so that none runs away or fails.

What stands above a measure is computed after the charge, so a pattern that does not compile or a
text that grows without bound is refused here, before it.
"""

from __future__ import annotations

from sqlglot import exp

from queries.bind import patterns
from queries.bind.texts import LONGEST_CONSTANT, LONGEST_PAD
from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction

PATTERNED = (
    exp.RegexpLike, exp.RegexpFullMatch, exp.SimilarTo, exp.RegexpExtract, exp.RegexpReplace,
)  # fmt: skip
FLAGS = ("flag", "options", "parameters", "modifiers")
GROWING = (exp.Replace, exp.RegexpReplace)
NODES: frozenset[type[exp.Expr]] = frozenset(
    {exp.Cbrt, exp.Sin, exp.Cos, exp.Tan, exp.Cot, exp.Asin, exp.Acos, exp.Atan, exp.Atan2,
     exp.Degrees, exp.Radians, exp.Pi, exp.Trunc, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor,
     exp.BitwiseNot, exp.IsNan, exp.IsInf, exp.Replace, exp.Reverse, exp.SplitPart,
     exp.StrPosition, exp.Pad, exp.ConcatWs, exp.EndsWith, exp.Translate, exp.Ascii,
     exp.Unicode, exp.RegexpLike, exp.RegexpFullMatch, exp.RegexpExtract, exp.RegexpReplace,
     exp.SimilarTo}
)  # fmt: skip
NAMED = frozenset({"gcd", "isfinite", "prefix", "suffix", "strip_accents"})


def check(node: exp.Expr) -> None:
    """Refuse a function whose constants would let it fail, or grow, on a value."""
    if isinstance(node, PATTERNED):
        patterns.check(_text(node, node.expression), node)
        for flag in FLAGS:
            if node.args.get(flag) is not None:
                patterns.modifiers(_text(node, node.args[flag]), node, also="g")
    if isinstance(node, exp.RegexpExtract) and node.args.get("group") is not None:
        _within(node, node.args["group"], 9)
    if isinstance(node, GROWING):
        _text(node, node.args.get("replacement"))
        if node.find_ancestor(*GROWING) is not None:
            raise UnsupportedFunction(
                "A replacement inside another is not answered here.", position=place(node)
            )
    if isinstance(node, exp.Pad):
        _within(node, node.expression, LONGEST_PAD)
        if not _text(node, node.args.get("fill_pattern")):
            raise _constants(node)


def _text(node: exp.Expr, given: exp.Expr | None) -> str:
    if not isinstance(given, exp.Literal) or not given.is_string:
        raise _constants(node)
    if len(given.name) > LONGEST_CONSTANT:
        raise _constants(node)
    return str(given.name)


def _within(node: exp.Expr, given: exp.Expr, most: int) -> None:
    digits = isinstance(given, exp.Literal) and not given.is_string and given.name.isdigit()
    if not digits or int(given.name) > most:
        raise _constants(node)


def _constants(node: exp.Expr) -> UnsupportedFunction:
    return UnsupportedFunction(
        f"{node.key.upper()} takes short constants here.", position=place(node)
    )

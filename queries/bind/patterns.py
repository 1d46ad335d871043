"""Regular expressions that may be asked of rows: constants, small, and certain to compile.

The engine's matcher (RE2) takes time in proportion to the text and to the compiled pattern, so a
pattern is short and what it repeats by number is counted. Some engine functions compile a pattern
only when they meet a row, so a form is accepted only where it is known to compile: what is listed
here means the same to RE2 and to Python, which compiles it once more to be sure.
"""

from __future__ import annotations

import re
import warnings

from sqlglot import exp

from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction

LONGEST = 100
MOST_REPEATED = 20
"""The most that the counts of all counted repetitions may multiply to."""
ESCAPED = frozenset("dDwWsSbBtnrf")
COUNTED = re.compile(r"\{(\d{1,4})(?:,(\d{0,4}))?\}")
CLASS = re.compile(r"\[\^?(?:\\.|[^\]\\\[])+\]")
GROUP = re.compile(r"\((?!\?)|\(\?:|\(\?i\)")
MODIFIERS = frozenset("cimns")
NOTHING, PART, REPEATED = range(3)


def check(pattern: str, node: exp.Expr) -> str:
    """The pattern; raises UnsupportedFunction where it is too large or not certain to compile."""
    if len(pattern) > LONGEST:
        raise UnsupportedFunction(
            f"A regular expression has at most {LONGEST} characters.", position=place(node)
        )
    repeated, at, state = 1, 0, NOTHING
    while at < len(pattern):
        part = _part(pattern, at)
        if part is None or (_repeats(part) and not _may_repeat(state, part)):
            raise _unknown(node)
        counts = COUNTED.fullmatch(part)
        if counts is not None:
            repeated *= max(1, int(counts[2] or counts[1]))
        at, state = at + len(part), _after(state, part)
    if repeated > MOST_REPEATED:
        raise UnsupportedFunction(
            f"The counted repetitions of a regular expression multiply to at most {MOST_REPEATED}.",
            position=place(node),
        )
    _compile(pattern, node)
    return pattern


def modifiers(text: str, node: exp.Expr, also: str = "") -> str:
    """The letters that change how a pattern matches; raises UnsupportedFunction for others."""
    if not set(text) <= MODIFIERS | set(also) or len(text) > 4:
        raise UnsupportedFunction(
            "These modifiers of a regular expression are not answered.", position=place(node)
        )
    return text


def _part(pattern: str, at: int) -> str | None:
    """The next part: an escape, a class, a group's opening, a repetition, or one character."""
    sign = pattern[at]
    match sign:
        case "\\":
            return pattern[at : at + 2] if _escape(pattern[at + 1 : at + 2]) else None
        case "[":
            found = CLASS.match(pattern, at)
            return found[0] if found is not None and _plain_class(found[0]) else None
        case "(":
            found = GROUP.match(pattern, at)
        case "{":
            found = COUNTED.match(pattern, at)
        case "*" | "+" | "?":
            return sign
        case "}" | "]":
            return None
        case _:
            return sign
    return None if found is None else found[0]


def _repeats(part: str) -> bool:
    return part in ("*", "+", "?") or part.startswith("{")


def _may_repeat(state: int, part: str) -> bool:
    return state == PART or (state == REPEATED and part == "?")


def _after(state: int, part: str) -> int:
    """What a repetition that follows would repeat; `?` after one makes it lazy."""
    if _repeats(part):
        return REPEATED if state == PART else NOTHING
    return NOTHING if part[0] in "(|^$" or part in ("\\b", "\\B") else PART


def _escape(sign: str) -> bool:
    return sign in ESCAPED if sign.isalnum() else bool(sign) and sign.isascii()


def _plain_class(text: str) -> bool:
    escapes = re.findall(r"\\(.)", text)
    return all(_escape(sign) and sign not in "bB" for sign in escapes)


def _compile(pattern: str, node: exp.Expr) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, Warning, OverflowError, RecursionError):
        raise _unknown(node) from None


def _unknown(node: exp.Expr) -> UnsupportedFunction:
    return UnsupportedFunction(
        "This form of regular expression is not answered.",
        position=place(node),
        hint="Use characters, classes, groups, alternatives and simple repetitions.",
    )

"""Text functions: the allow-list of those that are total and take time in the length of the text.

A function whose result is longer than what it is given takes constants that say by how much; how
far they multiply in one expression is limited, so that no row's value grows without bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import Facts, stored
from queries.algebra.scalars import Call, Literal, Scalar, walk
from queries.bind import patterns, types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]
Case = Callable[[exp.Expr, Bind], Scalar]
TEXTS = frozenset({Type.TEXT})
INTEGERS = frozenset({Type.INTEGER})
MOST_CHARACTERS = 2**31 - 1
"""Beyond 32 bits the engine raises on positions and lengths, and only where it meets a text."""
LONGEST_PAD = 1_000
LONGEST_CONSTANT = 100
MOST_GROWTH = 32
"""How many times longer the replacements of one expression may make a text."""
LAST_CODE = 0x10FFFF


def _text(name: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        return op.text(name, types.require(value(node.this), TEXTS, node, name.upper()))

    return case


def subject(node: exp.Expr, value: Bind) -> Scalar:
    """The text that a function is about."""
    return types.require(value(node.this), TEXTS, node, node.key.upper())


def fixed(node: exp.Expr | None, value: Bind, parent: exp.Expr) -> Literal:
    """A short constant text; raises UnsupportedFunction."""
    found = None if node is None else value(node)
    constant_text = isinstance(found, Literal) and isinstance(found.value, str)
    if isinstance(found, Literal) and constant_text and len(str(found.value)) <= LONGEST_CONSTANT:
        return found
    raise UnsupportedFunction(
        f"{parent.key.upper()} takes a constant of at most {LONGEST_CONSTANT} characters here.",
        position=place(parent),
    )


def growing(name: str, factor: int, args: tuple[Scalar, ...], node: exp.Expr) -> Call:
    """A function that makes a text at most `factor` times longer; raises UnsupportedFunction."""
    if factor * math.prod(_factor(part) for arg in args for part in walk(arg)) > MOST_GROWTH:
        raise UnsupportedFunction(
            f"Replacements may make a text {MOST_GROWTH} times longer at most.",
            position=place(node),
        )
    return Call(f"{name}:{factor}", args, Facts(Type.TEXT, op.nullable(*args)))


def _factor(part: Scalar) -> int:
    name, *factor = part.op.split(":") if isinstance(part, Call) else [""]
    return int(factor[0]) if name in ("replace", "regexp_replace") else 1


def _trim(node: exp.Expr, value: Bind) -> Scalar:
    if node.args.get("collation") is not None:
        raise UnsupportedFunction("TRIM takes no collation.", position=place(node))
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "trim")
    arg = types.require(value(node.this), TEXTS, node, "TRIM")
    given = node.args.get("expression")
    return op.text(name, arg) if given is None else op.text(name, arg, fixed(given, value, node))


def _substring(node: exp.Expr, value: Bind) -> Scalar:
    parts = [node.args[key] for key in ("start", "length") if node.args.get(key) is not None]
    numbers = [constant(value(part), node) for part in parts]
    return op.text("substring", subject(node, value), *numbers)


def _edge(node: exp.Expr, value: Bind) -> Scalar:
    name = "left" if isinstance(node, exp.Left) else "right"
    return op.text(name, subject(node, value), constant(value(node.expression), node))


def constant(scalar: Scalar, node: exp.Expr) -> Literal:
    """A position or length; raises TypeMismatch."""
    if isinstance(scalar, Literal) and scalar.facts.type is Type.INTEGER:
        number, _ = scalar.facts.span()
        if abs(number) <= MOST_CHARACTERS:
            return scalar
    raise TypeMismatch(
        "Positions and lengths must be constant whole numbers, of at most 31 bits.",
        position=place(node),
    )


def _length(node: exp.Expr, value: Bind) -> Scalar:
    arg = types.require(value(node.this), TEXTS, node, "LENGTH")
    return Call("length", (arg,), _counted(arg))


def _counted(arg: Scalar) -> Facts:
    """The facts of a number of characters of a text."""
    longest = arg.facts.longest
    if arg.facts.values is not None:
        longest = max((len(text) for text in arg.facts.values), default=0)
    if longest is None:
        return stored(Type.INTEGER, null=arg.facts.nullable)
    return Facts(Type.INTEGER, arg.facts.nullable, 0, 0, longest)


def _pipe(node: exp.Expr, value: Bind) -> Scalar:
    sides = (node.this, node.expression)
    return op.text("||", *(types.require(value(side), TEXTS, node, "||") for side in sides))


def _concat(node: exp.Expr, value: Bind) -> Scalar:
    parts = [types.require(value(arg), TEXTS, node, "CONCAT") for arg in node.expressions]
    return Call("concat", tuple(parts), Facts(Type.TEXT, False))


def _joined(node: exp.Expr, value: Bind) -> Scalar:
    first, *rest = node.expressions
    parts = [types.require(value(arg), TEXTS, node, "CONCAT_WS") for arg in rest]
    return Call("concat_ws", (fixed(first, value, node), *parts), Facts(Type.TEXT, False))


def _search(name: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        sides = (node.this, node.expression)
        return op.boolean(name, *(types.require(value(s), TEXTS, node, name) for s in sides))

    return case


def _replace(node: exp.Expr, value: Bind) -> Scalar:
    old = fixed(node.expression, value, node)
    new = fixed(node.args.get("replacement"), value, node)
    factor = -(-len(str(new.value)) // max(1, len(str(old.value))))
    return growing("replace", max(1, factor), (subject(node, value), old, new), node)


def _translate(node: exp.Expr, value: Bind) -> Scalar:
    signs = [fixed(node.args.get(key), value, node) for key in ("from_", "to")]
    return op.text("translate", subject(node, value), *signs)


def _split(node: exp.Expr, value: Bind) -> Scalar:
    part = constant(value(node.args["part_index"]), node)
    by = fixed(node.args["delimiter"], value, node)
    return op.text("split_part", subject(node, value), by, part)


def _position(node: exp.Expr, value: Bind) -> Scalar:
    arg = subject(node, value)
    sought = types.require(value(node.args["substr"]), TEXTS, node, "POSITION")
    facts = _counted(arg)
    if facts.declared:
        facts = Facts(Type.INTEGER, op.nullable(arg, sought), 0, 0, max(1, facts.span()[1]))
    else:
        facts = stored(Type.INTEGER, null=op.nullable(arg, sought))
    return Call("strpos", (arg, sought), facts)


def _pad(node: exp.Expr, value: Bind) -> Scalar:
    width = constant(value(node.expression), node)
    fill = fixed(node.args.get("fill_pattern"), value, node)
    if not 0 <= width.facts.span()[0] <= LONGEST_PAD or not fill.value:
        raise UnsupportedFunction(
            f"A text is padded with at least one sign, to at most {LONGEST_PAD:,} characters.",
            position=place(node),
        )
    name = "lpad" if node.args.get("is_left") else "rpad"
    return op.text(name, subject(node, value), width, fill)


def _code(name: str) -> Case:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        arg = subject(node, value)
        return op.whole(name, (arg,), -1, LAST_CODE, null=arg.facts.nullable)

    return case


def _character(node: exp.Expr, value: Bind) -> Scalar:
    found = value(node.expressions[0]) if len(node.expressions) == 1 else types.NULL
    code = constant(found, node).facts.span()[0]
    if not 1 <= code <= LAST_CODE or 0xD800 <= code <= 0xDFFF:
        raise TypeMismatch("There is no character of this code.", position=place(node))
    return types.text_literal(chr(code))


def _matched(name: str) -> Case:
    """A test of a regular expression; SIMILAR TO is DuckDB's, a match of the whole text."""

    def case(node: exp.Expr, value: Bind) -> Scalar:
        arg, pattern = subject(node, value), _pattern(node, value)
        flags = _modifiers(node.args.get("flag") or node.args.get("options"), value, node)
        return op.boolean(name, arg, pattern, *flags)

    return case


def _pattern(node: exp.Expr, value: Bind) -> Literal:
    found = fixed(node.expression, value, node)
    patterns.check(str(found.value), node)
    return found


def _modifiers(given: exp.Expr | None, value: Bind, node: exp.Expr, also: str = "") -> list[Scalar]:
    if given is None:
        return []
    found = fixed(given, value, node)
    patterns.modifiers(str(found.value), node, also)
    return [found]


def _extract(node: exp.Expr, value: Bind) -> Scalar:
    given = node.args.get("group")
    group = op.number(0) if given is None else constant(value(given), node)
    if not 0 <= group.facts.span()[0] <= 9:
        raise UnsupportedFunction("The group is one of 0 to 9.", position=place(node))
    flags = _modifiers(node.args.get("parameters"), value, node)
    return op.text("regexp_extract", subject(node, value), _pattern(node, value), group, *flags)


def _replaced(node: exp.Expr, value: Bind) -> Scalar:
    new = fixed(node.args.get("replacement"), value, node)
    if "\\" in str(new.value):
        raise UnsupportedFunction("A replacement refers to no group.", position=place(node))
    flags = _modifiers(node.args.get("modifiers"), value, node, also="g")
    factor = 1 + len(str(new.value))
    args = (subject(node, value), _pattern(node, value), new, *flags)
    return growing("regexp_replace", factor, args, node)


CASES: dict[type[exp.Expr], Case] = {
    exp.Upper: _text("upper"), exp.Lower: _text("lower"), exp.Trim: _trim,
    exp.Substring: _substring, exp.Left: _edge, exp.Right: _edge, exp.Length: _length,
    exp.DPipe: _pipe, exp.Concat: _concat, exp.ConcatWs: _joined,
    exp.StartsWith: _search("starts_with"), exp.EndsWith: _search("ends_with"),
    exp.Contains: _search("contains"), exp.Replace: _replace, exp.Reverse: _text("reverse"),
    exp.Translate: _translate, exp.SplitPart: _split, exp.StrPosition: _position, exp.Pad: _pad,
    exp.Ascii: _code("ascii"), exp.Unicode: _code("unicode"), exp.Chr: _character,
    exp.RegexpLike: _matched("regexp_matches"), exp.RegexpFullMatch: _matched("regexp_full_match"),
    exp.SimilarTo: _matched("regexp_full_match"), exp.RegexpExtract: _extract,
    exp.RegexpReplace: _replaced,
}  # fmt: skip


def _named_search(name: str) -> Callable[[exp.Anonymous, Bind], Scalar]:
    def case(node: exp.Anonymous, value: Bind) -> Scalar:
        parts = [types.require(value(p), TEXTS, node, name.upper()) for p in node.expressions]
        if len(parts) != 2:
            raise TypeMismatch(f"{name.upper()} takes two texts.", position=place(node))
        return op.boolean("starts_with" if name == "prefix" else "ends_with", *parts)

    return case


def _accents(node: exp.Anonymous, value: Bind) -> Scalar:
    if len(node.expressions) != 1:
        raise TypeMismatch("STRIP_ACCENTS takes one text.", position=place(node))
    return op.text("strip_accents", types.require(value(node.expressions[0]), TEXTS, node, "It"))


NAMED: dict[str, Callable[[exp.Anonymous, Bind], Scalar]] = {
    "prefix": _named_search("prefix"), "suffix": _named_search("suffix"),
    "strip_accents": _accents,
}  # fmt: skip

"""Arithmetic, text, rounding and casts: the allow-list of total functions, one case each."""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.calendar import DAY
from queries.algebra.facts import EXACT, TEMPORAL, Facts, Number, stored
from queries.algebra.scalars import Call, Literal, Scalar
from queries.bind import temporal, types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnboundedColumn, UnsupportedFunction

Bind = Callable[[exp.Expr], Scalar]
NUMERIC = EXACT | {Type.REAL}
TEXTS = frozenset({Type.TEXT})
INTEGERS = frozenset({Type.INTEGER})
MOST_CHARACTERS = 2**31 - 1
"""Beyond 32 bits the engine raises on positions and lengths, and only where it meets a text."""


def bind(node: exp.Expr, value: Bind) -> Scalar:
    """The scalar of a function or operator; raises UnsupportedFunction where there is no case."""
    case = CASES.get(type(node))
    if case is not None:
        return case(node, value)
    found = temporal.bind(node, value)
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
    return op.rounded(name, arg, digits)


def _coalesce(node: exp.Expr, value: Bind) -> Scalar:
    args = types.unified([value(arg) for arg in [node.this, *node.expressions]], node)
    return op.choose("coalesce", args, args, null=all(arg.facts.nullable for arg in args))


def _extreme(node: exp.Expr, value: Bind) -> Scalar:
    args = types.unified([value(arg) for arg in [node.this, *node.expressions]], node)
    return op.extreme("least" if isinstance(node, exp.Least) else "greatest", args)


def _null_if(node: exp.Expr, value: Bind) -> Scalar:
    left, right = types.unified([value(side) for side in sides(node)], node)
    return op.null_if(left, right)


def _text(name: str) -> Callable[[exp.Expr, Bind], Scalar]:
    def case(node: exp.Expr, value: Bind) -> Scalar:
        return op.text(name, types.require(value(node.this), TEXTS, node, name.upper()))

    return case


def _trim(node: exp.Expr, value: Bind) -> Scalar:
    if node.args.get("expression") is not None or node.args.get("collation") is not None:
        raise UnsupportedFunction("TRIM takes one text.", position=place(node))
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "trim")
    return op.text(name, types.require(value(node.this), TEXTS, node, "TRIM"))


def _substring(node: exp.Expr, value: Bind) -> Scalar:
    parts = [node.args[key] for key in ("start", "length") if node.args.get(key) is not None]
    numbers = [_constant(value(part), node) for part in parts]
    subject = types.require(value(node.this), TEXTS, node, "SUBSTRING")
    return op.text("substring", subject, *numbers)


def _edge(node: exp.Expr, value: Bind) -> Scalar:
    name = "left" if isinstance(node, exp.Left) else "right"
    subject = types.require(value(node.this), TEXTS, node, name.upper())
    return op.text(name, subject, _constant(value(node.expression), node))


def _constant(scalar: Scalar, node: exp.Expr) -> Scalar:
    whole = isinstance(scalar, Literal) and scalar.facts.type is Type.INTEGER
    if whole and max(map(abs, scalar.facts.span())) <= MOST_CHARACTERS:
        return scalar
    raise TypeMismatch(
        "Positions and lengths must be constant whole numbers, of at most 31 bits.",
        position=place(node),
    )


def _length(node: exp.Expr, value: Bind) -> Scalar:
    arg = types.require(value(node.this), TEXTS, node, "LENGTH")
    facts = stored(Type.INTEGER, null=arg.facts.nullable)
    if arg.facts.values is not None:
        longest = max((len(text) for text in arg.facts.values), default=0)
        facts = Facts(Type.INTEGER, arg.facts.nullable, 0, 0, longest)
    return Call("length", (arg,), facts)


def _pipe(node: exp.Expr, value: Bind) -> Scalar:
    return op.text("||", *(types.require(value(side), TEXTS, node, "||") for side in sides(node)))


def _concat(node: exp.Expr, value: Bind) -> Scalar:
    parts = [types.require(value(arg), TEXTS, node, "CONCAT") for arg in node.expressions]
    return Call("concat", tuple(parts), Facts(Type.TEXT, False))


def _search(node: exp.Expr, value: Bind) -> Scalar:
    name = "starts_with" if isinstance(node, exp.StartsWith) else "contains"
    return op.boolean(
        name, *(types.require(value(s), TEXTS, node, name.upper()) for s in sides(node))
    )


def _cast(node: exp.Expr, value: Bind) -> Scalar:
    target = node.args["to"]
    arg = value(node.this)
    kind = CASTS.get(target.this)
    if kind is None:
        raise UnsupportedFunction("A cast to this type is not answered.", position=place(node))
    if kind is Type.DECIMAL:
        return _to_decimal(arg, target, node)
    cast = to_type(arg, kind)
    if cast is None:
        raise TypeMismatch("This cast is not answered.", position=place(node))
    return fitted(cast, NARROW[target.this]) if target.this in NARROW else cast


def fitted(arg: Scalar, kind: tuple[str, int]) -> Scalar:
    """A whole number where a narrower type holds it, else NULL."""
    (low, high), (name, bits) = arg.facts.span(), kind
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if least <= low and high <= most:
        return arg
    ends = max(low, least), min(high, most)
    if ends[0] > ends[1]:
        return types.null_of(arg.facts)
    return Call(f"fit:{name}", (arg,), Facts(Type.INTEGER, True, 0, *ends))


def _to_decimal(arg: Scalar, target: exp.DataType, node: exp.Expr) -> Scalar:
    written = [param.name for param in target.expressions] or ["18", "3"]
    if len(written) > 2 or not all(part.isascii() and part.isdigit() for part in written):
        raise TypeMismatch("DECIMAL takes two whole numbers.", position=place(node))
    sizes = [int(part) for part in written]
    scale = sizes[1] if len(sizes) > 1 else 0
    if scale > types.LARGEST_SCALE or sizes[0] > 38:
        raise TypeMismatch("This decimal type has too many digits.", position=place(node))
    if arg.facts.type not in EXACT:
        raise TypeMismatch(
            "Only whole and decimal numbers are cast to a decimal.", position=place(node)
        )
    cast = op.rescale(arg, scale) if scale >= arg.facts.scale else op.rounded("round", arg, scale)
    reach = max(abs(end) for end in cast.facts.span())
    if reach >= 10 ** sizes[0]:
        raise UnboundedColumn(
            "The value may not fit this decimal type.", position=place(node), hint="Widen the type."
        )
    return cast


def to_type(arg: Scalar, kind: Type) -> Scalar | None:
    """A cast that yields NULL where the engine's would fail; None where there is no such cast."""
    source = arg.facts.type
    if source is kind:
        return arg
    if isinstance(arg, Literal) and isinstance(arg.value, str):
        read = types.read_text(arg.value, kind)
        return None if read is not None and read.facts.type is not kind else read
    match kind:
        case Type.REAL if source in EXACT:
            return op.to_real(arg)
        case Type.INTEGER if source is Type.DECIMAL:
            return op.rounded("round", arg, 0)
        case Type.INTEGER if source is Type.BOOLEAN:
            return op.whole("truth", (arg,), 0, 1, null=arg.facts.nullable)
        case Type.INTEGER if source is Type.REAL:
            return _real_to_integer(arg)
        case Type.INTEGER | Type.REAL if source is Type.TEXT:
            facts = stored(kind) if kind is Type.INTEGER else Facts(kind)
            return Call(f"try:{kind.value}", (arg,), facts)
        case Type.DATE | Type.TIMESTAMP if source is Type.TEXT:
            return Call(f"try:{kind.value}", (arg,), Facts(kind))
        case Type.TIMESTAMP if source is Type.DATE:
            return types.to_timestamp(arg)
        case Type.DATE if source is Type.TIMESTAMP:
            low, high = (
                None if e is None else int(e) // DAY for e in (arg.facts.lower, arg.facts.upper)
            )
            return Call("date", (arg,), Facts(Type.DATE, arg.facts.nullable, 0, low, high))
        case Type.TEXT if source in INTEGERS | TEMPORAL | {Type.BOOLEAN}:
            return Call("text", (arg,), Facts(Type.TEXT, arg.facts.nullable))
    return None


def _real_to_integer(arg: Scalar) -> Scalar:
    """Rounded; kept in its range, since doubles may have left it on the way (P9)."""
    if arg.facts.lower is not None and arg.facts.upper is not None:
        low, high = _beyond(arg.facts.lower, -2), _beyond(arg.facts.upper, 2)
        if low > -(2.0**62) and high < 2.0**62:
            facts = Facts(Type.INTEGER, True, 0, math.floor(low), math.ceil(high))
            return Call(f"whole:{low!r}:{high!r}", (arg,), facts)
    return Call("whole", (arg,), stored(Type.INTEGER))


def _beyond(end: Number, by: int) -> float:
    """A double that lies outside an end of a range."""
    moved = float(end + by)
    return moved if abs(moved) < 2**52 else math.nextafter(moved, math.copysign(math.inf, by))


CASTS = {
    exp.DType.INT: Type.INTEGER, exp.DType.BIGINT: Type.INTEGER, exp.DType.SMALLINT: Type.INTEGER,
    exp.DType.TINYINT: Type.INTEGER, exp.DType.DOUBLE: Type.REAL, exp.DType.DECIMAL: Type.DECIMAL,
    exp.DType.TEXT: Type.TEXT, exp.DType.VARCHAR: Type.TEXT, exp.DType.BOOLEAN: Type.BOOLEAN,
    exp.DType.DATE: Type.DATE, exp.DType.TIMESTAMP: Type.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: Type.TIMESTAMP,
}  # fmt: skip
"""The types that a cast may name: no FLOAT, whose arithmetic rounds otherwise than a double's."""

NARROW = {
    exp.DType.TINYINT: ("TINYINT", 8), exp.DType.SMALLINT: ("SMALLINT", 16),
    exp.DType.INT: ("INTEGER", 32),
}  # fmt: skip

CASES: dict[type[exp.Expr], Callable[[exp.Expr, Bind], Scalar]] = {
    exp.Add: _sum, exp.Sub: _sum, exp.Mul: _product, exp.Div: _quotient,
    exp.IntDiv: _whole_quotient, exp.Mod: _remainder, exp.Neg: _negation, exp.Abs: _absolute,
    exp.Round: _rounding, exp.Floor: _rounding, exp.Ceil: _rounding,
    exp.Coalesce: _coalesce, exp.Nullif: _null_if, exp.Least: _extreme, exp.Greatest: _extreme,
    exp.Upper: _text("upper"), exp.Lower: _text("lower"), exp.Trim: _trim,
    exp.Substring: _substring, exp.Left: _edge, exp.Right: _edge, exp.Length: _length,
    exp.DPipe: _pipe, exp.Concat: _concat, exp.StartsWith: _search, exp.Contains: _search,
    exp.Cast: _cast, exp.TryCast: _cast,
}  # fmt: skip

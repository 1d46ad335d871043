"""Casts: those that yield a value or NULL, with what each proves about its result."""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.calendar import DAY
from queries.algebra.facts import EXACT, TEMPORAL, Facts, Number, stored
from queries.algebra.scalars import Call, Literal, Scalar
from queries.bind import types
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnboundedColumn, UnsupportedFunction

INTEGERS = frozenset({Type.INTEGER})


def cast(node: exp.Expr, value: Callable[[exp.Expr], Scalar]) -> Scalar:
    target = node.args["to"]
    arg = value(node.this)
    kind = CASTS.get(target.this)
    if kind is None:
        raise UnsupportedFunction("A cast to this type is not answered.", position=place(node))
    if kind is Type.DECIMAL:
        return _to_decimal(arg, target, node)
    made = to_type(arg, kind)
    if made is None:
        raise TypeMismatch("This cast is not answered.", position=place(node))
    return fitted(made, NARROW[target.this]) if target.this in NARROW else made


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
    made = op.rescale(arg, scale) if scale >= arg.facts.scale else op.rounded("round", arg, scale)
    reach = max(abs(end) for end in made.facts.span())
    if reach >= 10 ** sizes[0]:
        raise UnboundedColumn(
            "The value may not fit this decimal type.", position=place(node), hint="Widen the type."
        )
    return made


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

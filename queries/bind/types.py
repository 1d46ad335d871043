"""Types of literals, and how two operands come to one type, as DuckDB would bring them."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.calendar import DAY, days, microseconds
from queries.algebra.facts import ABOUT_UNIT, EXACT, UNIT, Facts
from queries.algebra.scalars import Call, Literal, Scalar
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import RangeTooLarge, TypeMismatch, UnitCompared

NULL = Literal(None, Facts(Type.TEXT, True))
LARGEST_SCALE = 18
FIRST_DAY, LAST_DAY = days(date(1, 1, 1)), days(date(9999, 12, 31))
NUMBER = re.compile(r"\s*-?\d{1,15}(\.\d{1,9})?\s*")
WORDS = {
    Type.INTEGER: "a whole number",
    Type.DECIMAL: "a decimal number",
    Type.REAL: "a real number",
    Type.TEXT: "text",
    Type.BOOLEAN: "true or false",
    Type.DATE: "a date",
    Type.TIMESTAMP: "a timestamp",
    Type.INTERVAL: "the time between two moments",
}

SECONDS = "Write EXTRACT(epoch FROM x) for its seconds."


def literal(node: exp.Literal) -> Literal:
    """The constant a literal stands for; raises RangeTooLarge for numbers beyond 62 bits."""
    if node.is_string:
        return text_literal(str(node.this))
    text = str(node.this).replace("_", "")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise TypeMismatch("This number cannot be read.", position=place(node)) from None
    if "e" in text.lower():
        return real_literal(float(value))
    scale = max(0, -int(value.as_tuple().exponent))
    steps = int(value.scaleb(scale))
    if scale > LARGEST_SCALE or abs(steps) > 2**62:
        raise RangeTooLarge("This number has too many digits.", position=place(node))
    return op.number(steps, scale)


def text_literal(value: str) -> Literal:
    return Literal(value, Facts(Type.TEXT, False, values=(value,)))


def real_literal(value: float) -> Literal:
    if value != value or value in (float("inf"), float("-inf")):
        raise RangeTooLarge("This number is too large.")
    exact = Decimal(value)
    ends = exact.as_integer_ratio()
    fraction = Fraction(*ends)
    return Literal(value, Facts(Type.REAL, False, 0, fraction, fraction))


def date_literal(value: int) -> Literal:
    return Literal(value, Facts(Type.DATE, False, 0, value, value))


def timestamp_literal(value: int) -> Literal:
    return Literal(value, Facts(Type.TIMESTAMP, False, 0, value, value))


def null_of(facts: Facts) -> Literal:
    """A NULL of the same type as something else."""
    low, high = (0, 0) if facts.type in EXACT else (None, None)
    return Literal(None, Facts(facts.type, True, facts.scale, low, high))


def parsed_temporal(text: str, kind: Type) -> Literal | None:
    """A date or timestamp written as text, or None where the text is neither."""
    stripped = text.strip()
    try:
        if kind is Type.DATE:
            return date_literal(days(date.fromisoformat(stripped)))
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", stripped):
            return None
        return timestamp_literal(microseconds(datetime.fromisoformat(stripped)))
    except ValueError:
        return None


def to_timestamp(scalar: Scalar) -> Scalar:
    """A date as the timestamp of its midnight."""
    if scalar.facts.type is not Type.DATE:
        return scalar
    if isinstance(scalar, Literal) and isinstance(scalar.value, int):
        return timestamp_literal(scalar.value * DAY)
    scalar = in_era(scalar)
    low, high = (end * DAY for end in scalar.facts.span())
    return Call("timestamp", (scalar,), Facts(Type.TIMESTAMP, scalar.facts.nullable, 0, low, high))


def in_era(scalar: Scalar) -> Scalar:
    """A date or timestamp of the years 1 to 9999, else NULL: engines fail at their calendar's ends.

    What is declared lies in these years already.
    """
    facts = scalar.facts
    if facts.bounded:
        return scalar
    factor = 1 if facts.type is Type.DATE else DAY
    found = Facts(facts.type, True, 0, facts.lower, facts.upper)
    return Call("era", (scalar,), found.within(FIRST_DAY * factor, (LAST_DAY + 1) * factor - 1))


def unified(parts: list[Scalar], node: exp.Expr) -> list[Scalar]:
    """The operands brought to one type; raises TypeMismatch where DuckDB's rules have none."""
    typed = [part for part in parts if not op.is_null(part)]
    if not typed:
        return parts
    kinds = {part.facts.type for part in typed}
    if Type.TEXT in kinds and len(kinds) > 1:
        scale = max(part.facts.scale for part in typed)
        typed = [_read(part, kinds - {Type.TEXT}, scale, node) for part in typed]
        kinds = {part.facts.type for part in typed}
    aligned = _aligned(typed, kinds, node)
    rest = iter(aligned)
    return [null_of(aligned[0].facts) if op.is_null(part) else next(rest) for part in parts]


def _aligned(parts: list[Scalar], kinds: set[Type], node: exp.Expr) -> list[Scalar]:
    if len(kinds) == 1 and not kinds & EXACT:
        return parts
    if kinds <= EXACT:
        scale = max(part.facts.scale for part in parts)
        return [op.rescale(part, scale) for part in parts]
    if kinds <= EXACT | {Type.REAL}:
        return [op.to_real(part) for part in parts]
    if kinds <= {Type.DATE, Type.TIMESTAMP}:
        return [to_timestamp(part) for part in parts]
    names = " and ".join(sorted(WORDS[kind] for kind in kinds))
    raise TypeMismatch(f"These do not compare: {names}.", position=place(node))


def _read(part: Scalar, others: set[Type], scale: int, node: exp.Expr) -> Scalar:
    """A text literal beside another type is read as that type, as DuckDB does.

    One with more decimals than `scale` is not: DuckDB would round it first.
    """
    if part.facts.type is not Type.TEXT:
        return part
    if isinstance(part, Literal) and isinstance(part.value, str) and len(others) == 1:
        read = read_text(part.value, next(iter(others)))
        if read is not None and (read.facts.type is Type.REAL or read.facts.scale <= scale):
            return read
    raise TypeMismatch("This text cannot be compared with that type.", position=place(node))


def read_text(value: str, kind: Type) -> Literal | None:
    """A text as a constant of another type, or None."""
    if kind in (Type.DATE, Type.TIMESTAMP):
        return parsed_temporal(value, kind)
    if kind is Type.BOOLEAN and value.lower() in ("true", "false"):
        return Literal(value.lower() == "true", Facts(Type.BOOLEAN, False))
    if kind is Type.REAL and NUMBER.fullmatch(value):
        return real_literal(float(value))
    if kind in EXACT and NUMBER.fullmatch(value):
        number = Decimal(value.strip())
        scale = max(0, -int(number.as_tuple().exponent))
        return op.number(int(number.scaleb(scale)), scale)
    return None


def counted(truth: Scalar) -> Scalar:
    """A truth as 1 or 0; anything else as it is."""
    if truth.facts.type is not Type.BOOLEAN or op.is_null(truth):
        return truth
    return op.whole("truth", (truth,), 0, 1, null=truth.facts.nullable)


def as_truths(parts: list[Scalar]) -> list[Scalar]:
    """Where truths are compared, 1 and 0 written out are TRUE and FALSE, as they are to DuckDB."""
    if not any(part.facts.type is Type.BOOLEAN for part in parts):
        return parts
    return [_truth(part) for part in parts]


def _truth(part: Scalar) -> Scalar:
    if not isinstance(part, Literal) or part.facts.type is not Type.INTEGER:
        return part
    known = part.value in (0, 1)
    return Literal(part.value == 1, Facts(Type.BOOLEAN, False)) if known else part


def require(scalar: Scalar, kinds: frozenset[Type], node: exp.Expr, what: str) -> Scalar:
    """The scalar, if it has one of the types (NULL takes any); raises TypeMismatch."""
    refuse_unit(scalar, node)
    if op.is_null(scalar):
        return null_of(stand_in(next(iter(sorted(kinds)))))
    if scalar.facts.type not in kinds:
        got = WORDS[scalar.facts.type]
        hint = SECONDS if scalar.facts.type is Type.INTERVAL else None
        raise TypeMismatch(f"{what} does not take {got}.", position=place(node), hint=hint)
    return scalar


def stand_in(kind: Type) -> Facts:
    return Facts(kind, True, 0, 0, 0) if kind in EXACT else Facts(kind, True)


def refuse_unit(scalar: Scalar, node: exp.Expr) -> None:
    """The unit's id may not enter an expression (P5)."""
    if scalar.facts.identity in (UNIT, ABOUT_UNIT):
        raise UnitCompared(
            "The privacy unit's id may not be used in an expression.", position=place(node)
        )

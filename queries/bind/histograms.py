"""HISTOGRAM: how many rows have each of a column's values, or fall in each bin of a list, as a map.

A bin is named by its upper end, as the engine names it, and holds what is above the bin before it.
What is above the last one has a bin of its own, whose key is the largest value that the type has
(for text the empty one), unless the range of the column proves that nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.calendar import DAY, as_date, as_datetime
from queries.algebra.facts import EXACT, TEMPORAL, Facts, Number
from queries.algebra.measures import BinCounts
from queries.algebra.scalars import Call, Column, Literal, Scalar
from queries.bind import aggregates, forms, types
from queries.bind.calls import Aggregate, Read, Reading, alone
from queries.bind.expressions import chosen, measured
from queries.catalog.manifest import Type
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import TooComplex, UnsupportedFunction

COUNTABLE = EXACT | TEMPORAL | {Type.TEXT, Type.BOOLEAN}
ORDERED = EXACT | TEMPORAL | {Type.REAL, Type.TEXT}
LAST: dict[Type, str] = {
    Type.INTEGER: str(2**63 - 1), Type.REAL: "inf", Type.TEXT: "", Type.DATE: "infinity",
    Type.TIMESTAMP: "infinity",
}  # fmt: skip
"""The key of what is in none of the bins, as the engine writes it."""
BINNED = "Bins are a list of constants of the column's own type."
WAY_OUT = "Write the bins out, or GROUP BY width_bucket(x, low, high, n) and count."


def _histogram(*, sign: str) -> Read:
    def read(found: Aggregate) -> tuple[Reading, ...]:
        arguments = aggregates.arguments(found.call)
        if not (1 if sign == "<=" else 2) <= len(arguments) <= 2:
            raise UnsupportedFunction(
                f"{found.name} takes a column and a list of bins.", position=place(found.call)
            )
        value, bins = arguments[0], arguments[1:]
        if isinstance(value, exp.Distinct):
            raise UnsupportedFunction("DISTINCT is not answered here.", position=place(found.call))
        bound = found.expressions.value(value)
        if not bins:
            whole = types.require(bound, COUNTABLE, found.call, found.name)
            return alone(BinCounts(measured(whole, found.call), found.where))
        ordered = types.require(bound, ORDERED, found.call, f"{found.name} with bins")
        return alone(_binned(found, value, ordered, bins[0], sign))

    return read


def _binned(
    found: Aggregate, node: exp.Expr, value: Scalar, listed: exp.Expr, sign: str
) -> BinCounts:
    """Rows by the number of their bin; raises UnsupportedFunction."""
    if not isinstance(listed, exp.Array):
        raise _unlisted(listed)
    forms.check(listed)
    if len(listed.expressions) > LIMITS.in_list:
        raise TooComplex(f"At most {LIMITS.in_list:,} bins are answered.", position=place(listed))
    if value.facts.type is Type.DECIMAL:  # as the engine does
        value = op.to_real(value)
    ends = {end.value: end for end in (_end(found, item, value) for item in listed.expressions)}
    bins = [ends[end] for end in sorted(ends)]  # type: ignore[type-var]
    labels = [_label(end) for end in bins]
    if sign == "=" or _above(value, bins):
        _check_last(node, value)
        labels.append(LAST[value.facts.type])
    number = _number(value, bins, sign, more=len(labels) > len(bins))
    return BinCounts(measured(number, found.call), found.where, tuple(labels), value.facts.type)


def _end(found: Aggregate, node: exp.Expr, value: Scalar) -> Literal:
    """One end of a bin, of the value's type; raises UnsupportedFunction."""
    minus = isinstance(node, exp.Neg)
    scalar = found.expressions.value(node.this if minus else node)
    if not isinstance(scalar, Literal) or scalar.value is None:
        raise _unlisted(node)
    kind = value.facts.type
    if isinstance(scalar.value, str) and kind in TEMPORAL:
        scalar = types.read_text(scalar.value, kind) or scalar
    if kind is Type.TIMESTAMP and scalar.facts.type is Type.DATE:
        scalar = types.timestamp_literal(int(scalar.value) * DAY)  # type: ignore[arg-type]
    if kind in EXACT | {Type.REAL} and scalar.facts.type in EXACT | {Type.REAL}:
        return _numeric(node, scalar, kind, minus=minus)
    if scalar.facts.type is not kind or minus or scalar.value == "":
        raise _unlisted(node)
    return scalar


def _numeric(node: exp.Expr, scalar: Literal, kind: Type, *, minus: bool) -> Literal:
    if scalar.facts.type is Type.REAL:
        size: Number | float = scalar.value  # type: ignore[assignment]
    else:
        size = int(scalar.value) * scalar.facts.step  # type: ignore[arg-type]
    size = -size if minus else size
    if kind is Type.REAL:
        return types.real_literal(float(size))
    if size != int(size):
        raise UnsupportedFunction("These bins are whole numbers.", position=place(node))
    return op.number(int(size))


def _above(value: Scalar, bins: Sequence[Literal]) -> bool:
    """Whether a value can be above the last bin."""
    facts, kind = value.facts, value.facts.type
    most: object = max(facts.values or ("",)) if facts.values is not None else facts.upper
    if kind is Type.REAL and facts.upper is not None:
        most = float(facts.upper)  # casts to a double are monotone
    return not bins or most is None or most > bins[-1].value  # type: ignore[operator]


def _check_last(node: exp.Expr, value: Scalar) -> None:
    """The last bin of whole numbers is named by how wide they are, which only a column tells."""
    while isinstance(node, exp.Paren):
        node = node.this
    plain = isinstance(node, exp.Column) and isinstance(value, Column)
    if value.facts.type is Type.INTEGER and not plain:
        reach = value.facts.upper if value.facts.bounded else None
        raise UnsupportedFunction(
            "What is above the last bin would be counted under a key of unknown width.",
            position=place(node),
            hint="Let the last bin reach the largest value"
            + ("." if reach is None else f", {reach:,}."),
        )


def _number(value: Scalar, bins: Sequence[Literal], sign: str, *, more: bool) -> Scalar:
    """The number of the bin of a row; NULL where the value is, or is in none of them."""
    nothing = types.null_of(Facts(Type.INTEGER, True, 0, 0, 0))
    conditions: list[Scalar] = []
    results: list[Scalar] = []
    if value.facts.nullable:
        conditions.append(Call("null", (value,), Facts(Type.BOOLEAN, False)))
        results.append(nothing)
    for number, end in enumerate(bins):
        conditions.append(op.boolean(sign, value, end))
        results.append(op.number(number))
    results.append(op.number(len(bins)) if more else nothing)
    return chosen(conditions, results) if conditions else results[-1]


def _label(end: Literal) -> str:
    match end.facts.type, end.value:
        case Type.DATE, int(day):
            return as_date(day).isoformat()
        case Type.TIMESTAMP, int(moment):
            return as_datetime(moment).isoformat(sep=" ")
        case Type.REAL, float(real):
            return repr(real)
    return str(end.value)


def _unlisted(node: exp.Expr) -> UnsupportedFunction:
    return UnsupportedFunction(BINNED, position=place(node), hint=WAY_OUT)


READERS: dict[aggregates.Kind, Read] = {
    "HISTOGRAM": _histogram(sign="<="),
    "HISTOGRAM_EXACT": _histogram(sign="="),
}

"""Scalars as engine SQL: each operation in its total form.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the text computes on every row what the algebra says, and raises on none.
    Requires    columns stored as registration stores them: whole steps, ENUMs, dates.
    Why         whole numbers are cast to a type wide enough for the proven range before each
                operation; divisors pass through NULLIF and casts are TRY_CAST; constants are
                written by this module, quoted; names are numbers of sources, quoted.
    Tried by    tests/properties/test_totality.py, tests/plan/test_lowering.py
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from queries.algebra.facts import ENGINE_TYPES, EXACT, Facts
from queries.algebra.names import quoted, text
from queries.algebra.scalars import Call, Column, Exists, Literal, Scalar, Subquery, Subvalue
from queries.catalog.manifest import Type
from queries.plan.lower import dates, maths
from queries.plan.lower.words import constant, width


@dataclass(slots=True)
class Scalars:
    """Writes scalars; sources are named in the order in which they are first met."""

    subquery: Callable[[Subquery], str]
    _names: dict[int, str] = field(default_factory=dict)

    def alias(self, source: int) -> str:
        """The quoted alias of a source."""
        return quoted(self._names.setdefault(source, f"t{len(self._names)}"))

    def column(self, source: int, name: str) -> str:
        return f"{self.alias(source)}.{quoted(name)}"

    def write(self, scalar: Scalar) -> str:
        """The scalar as text values: an ENUM as the text that it stands for."""
        if isinstance(scalar, Column) and scalar.facts.values is not None:
            return f"CAST({self.raw(scalar)} AS VARCHAR)"
        return self.raw(scalar)

    def raw(self, scalar: Scalar) -> str:
        """The scalar as stored, where an ENUM may stay one: equality, NULL tests, grouping."""
        match scalar:
            case Column():
                return self.column(scalar.source, scalar.name)
            case Literal():
                return constant(scalar)
            case Exists() | Subvalue():
                return self.subquery(scalar)
            case Call():
                return self._call(scalar)
        raise TypeError(f"no engine form of {type(scalar).__name__}")

    def grouped(self, scalar: Scalar) -> str:
        """The scalar as it stands in GROUP BY, where a bare number would be a position."""
        if isinstance(scalar, Literal) and scalar.facts.type in EXACT:
            return f"CAST({self.raw(scalar)} AS {width(scalar.facts)})"
        return self.raw(scalar) if scalar.facts.type is not Type.REAL else self.compared(scalar)

    def compared(self, scalar: Scalar) -> str:
        """The scalar where values are compared and one of the equal ones is kept: zero has no sign.

        Which of two equal zeros the engine keeps would depend on its order of work (P3).
        """
        written = self.write(scalar)
        return written if scalar.facts.type is not Type.REAL else f"({written} + 0::DOUBLE)"

    def _call(self, call: Call) -> str:
        name, *fixed = call.op.split(":")
        if name in CONNECTIVES:
            return self._connective(call, CONNECTIVES[name])
        if name in EQUALITIES:
            left, right = sorted(self.raw(arg) for arg in call.args)
            return f"({left} {EQUALITIES[name]} {right})"
        if name in ORDERINGS:
            return self._ordering(call, name)
        if name in ARITHMETIC:
            return self._arithmetic(call, name)
        if name in TEXTS:
            return f"{name}({', '.join(self.write(arg) for arg in call.args)})"
        form = FORMS.get(name)
        if form is None:
            raise TypeError(f"no engine form of {name}")
        return form(self, call, fixed)

    def _ordering(self, call: Call, sign: str) -> str:
        """A comparison, written one way round whichever way the analyst wrote it."""
        (one, left), (other, right) = (
            (isinstance(arg, Literal), self.write(arg)) for arg in call.args
        )
        if (one, left) > (other, right):
            left, right, sign = right, left, ORDERINGS[sign]
        return f"({left} {sign} {right})"

    def _connective(self, call: Call, word: str) -> str:
        parts = sorted(dict.fromkeys(self._flat(call, call.op)))
        return f"({f' {word} '.join(parts)})" if len(parts) > 1 else parts[0]

    def _flat(self, scalar: Scalar, op: str) -> list[str]:
        if isinstance(scalar, Call) and scalar.op == op:
            return [part for arg in scalar.args for part in self._flat(arg, op)]
        return [self.write(scalar)]

    def _arithmetic(self, call: Call, sign: str) -> str:
        if call.facts.type is Type.REAL:
            left, right = (self.write(arg) for arg in call.args)
            return f"({left} {sign} {right})"
        wide = width(call.facts, *(arg.facts for arg in call.args))
        left, right = (self.wide(arg, wide) for arg in call.args)
        if sign in ("//", "%"):
            return f"({left} {sign} NULLIF({right}, 0))"
        if sign in ("+", "*"):
            left, right = sorted((left, right))
        return f"({left} {sign} {right})"

    def wide(self, scalar: Scalar, kind: str) -> str:
        """A whole number in a given engine type."""
        if isinstance(scalar, Literal) and isinstance(scalar.value, int):
            return f"{scalar.value}::{kind}" if scalar.value >= 0 else f"({scalar.value})::{kind}"
        return f"CAST({self.write(scalar)} AS {kind})"


CONNECTIVES = {"and": "AND", "or": "OR"}
EQUALITIES = {"=": "=", "<>": "<>", "same": "IS NOT DISTINCT FROM", "differs": "IS DISTINCT FROM"}
ORDERINGS = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
ARITHMETIC = frozenset({"+", "-", "*", "//", "%", "/"})
TEXTS = frozenset(
    {"coalesce", "nullif", "least", "greatest", "upper", "lower", "trim", "ltrim", "rtrim",
     "substring", "left", "right", "length", "concat", "concat_ws", "starts_with", "ends_with",
     "contains", "replace", "reverse", "translate", "split_part", "strpos", "lpad", "rpad",
     "ascii", "unicode", "strip_accents", "regexp_matches", "regexp_full_match", "regexp_extract",
     "regexp_replace"}
)  # fmt: skip

Form = Callable[[Scalars, Call, list[str]], str]


def _not(to: Scalars, call: Call, _: list[str]) -> str:
    return f"(NOT {to.write(call.args[0])})"


def _null(to: Scalars, call: Call, _: list[str]) -> str:
    return f"({to.raw(call.args[0])} IS NULL)"


def _truth(word: str) -> Form:
    return lambda to, call, _: f"({to.write(call.args[0])} IS {word})"


def _in(to: Scalars, call: Call, _: list[str]) -> str:
    value, *members = call.args
    listed = sorted(dict.fromkeys(to.raw(member) for member in members))
    return f"({to.raw(value)} IN ({', '.join(listed)}))"


def _infix(sign: str) -> Form:
    return lambda to, call, _: f"({f' {sign} '.join(to.write(arg) for arg in call.args)})"


def _case(to: Scalars, call: Call, _: list[str]) -> str:
    *pairs, default = call.args
    tests, results = pairs[::2], pairs[1::2]
    branches = [
        f"WHEN {to.write(test)} THEN {to.write(result)}"
        for test, result in zip(tests, results, strict=True)
    ]
    return f"(CASE {' '.join(branches)} ELSE {to.write(default)} END)"


def _negate(to: Scalars, call: Call, _: list[str]) -> str:
    if call.facts.type is Type.REAL:
        return f"(-{to.write(call.args[0])})"
    return f"(-{to.wide(call.args[0], width(call.facts, call.args[0].facts))})"


def _absolute(to: Scalars, call: Call, _: list[str]) -> str:
    if call.facts.type is Type.REAL:
        return f"abs({to.write(call.args[0])})"
    return f"abs({to.wide(call.args[0], width(call.facts, call.args[0].facts))})"


def _rescale(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"({to.wide(call.args[0], width(call.facts))} * {fixed[0]})"


def _real(to: Scalars, call: Call, fixed: list[str]) -> str:
    cast = f"CAST({to.write(call.args[0])} AS DOUBLE)"
    return cast if fixed == ["0"] else f"({cast} / {10 ** int(fixed[0])}::DOUBLE)"


def _rounding(name: str) -> Form:
    def form(to: Scalars, call: Call, fixed: list[str]) -> str:
        arg = call.args[0]
        if len(fixed) == 1:
            digits = f", {fixed[0]}" if name == "round" else ""
            return f"{name}({to.write(arg)}{digits})"
        unit, keep = int(fixed[0]), int(fixed[1])
        low, high = arg.facts.span()
        room = Facts(Type.INTEGER, False, 0, low - unit, high + unit)
        apart = Facts(Type.INTEGER, False, 0, 0, high - low + 2 * unit)
        wide = width(call.facts, room, apart)
        return f"({_divided(name, to.wide(arg, wide), unit, low // unit)} * {keep}::{wide})"

    return form


def _divided(name: str, value: str, unit: int, least: int) -> str:
    """A whole division that rounds half away from zero, down, up, or to zero as the engine's.

    The value is at least `least` units, and is written once: texts of nested roundings would grow
    with the power of their number.
    """
    if name == "trunc":
        return f"({value} // {unit})"
    if name == "round":
        return f"(round({value}, -{len(str(unit)) - 1}) // {unit})"
    more = unit - 1 if name == "ceil" else 0
    return f"((({value} - ({least * unit - more})) // {unit}) + ({least}))"


def _same(to: Scalars, call: Call, fixed: list[str]) -> str:
    """The same number, of another type."""
    return to.write(call.args[0])


def _cast(kind: str, word: str = "CAST") -> Form:
    return lambda to, call, _: f"{word}({to.write(call.args[0])} AS {kind})"


def _whole(to: Scalars, call: Call, fixed: list[str]) -> str:
    """A real rounded to a whole number, NULL where it is none, at the lower end or below it.

    The upper end takes what lies above.
    """
    value = f"TRY_CAST({to.write(call.args[0])} AS BIGINT)"
    if not fixed:
        return value
    low, high = math.floor(float(fixed[0])), math.ceil(float(fixed[1]))
    return f"NULLIF(GREATEST(LEAST(COALESCE({value}, {low}), {high}), {low}), {low})"


def _try(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"TRY_CAST({to.write(call.args[0])} AS {ENGINE_TYPES[Type(fixed[0])]})"


def _fit(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"CAST(TRY_CAST({to.write(call.args[0])} AS {fixed[0]}) AS BIGINT)"


def _clamp(to: Scalars, call: Call, fixed: list[str]) -> str:
    return clamped(to.write(call.args[0]), int(fixed[0]), int(fixed[1]))


def clamped(value: str, low: int, high: int) -> str:
    """A whole number brought into a range; NULL stays NULL."""
    over = f"WHEN ({value} > {high}) THEN {high}"
    return f"(CASE WHEN ({value} < {low}) THEN {low} {over} ELSE {value} END)"


def _quantised(to: Scalars, call: Call, fixed: list[str]) -> str:
    return on_grid(to.write(call.args[0]), fixed[0], *call.facts.span())


def on_grid(value: str, step: str, low: int, high: int) -> str:
    """A double in whole steps, kept in a range; NULL where it is not finite."""
    scaled = f"round({value} / CAST({text(step)} AS DOUBLE))"
    kept = f"LEAST(GREATEST({scaled}, {low}::DOUBLE), {high}::DOUBLE)"
    return f"(CASE WHEN isfinite({value}) THEN CAST({kept} AS BIGINT) END)"


def _steps(to: Scalars, call: Call, fixed: list[str]) -> str:
    return f"CAST(({to.raw(call.args[0])} * {10 ** int(fixed[0])}) AS BIGINT)"


FORMS: dict[str, Form] = {
    "not": _not, "null": _null, "true": _truth("TRUE"), "false": _truth("FALSE"), "in": _in,
    "like": _infix("LIKE"), "ilike": _infix("ILIKE"), "||": _infix("||"), "case": _case,
    "neg": _negate, "abs": _absolute, "rescale": _rescale, "real": _real,
    "round": _rounding("round"), "floor": _rounding("floor"), "ceil": _rounding("ceil"),
    "timestamp": _cast("TIMESTAMP"), "date": _cast("DATE"), "text": _cast("VARCHAR"),
    "truth": _cast("BIGINT"), "whole": _whole, "try": _try, "fit": _fit, "days-": _infix("-"),
    "gap": _same, "microseconds": _same,
    "clamp": _clamp, "steps": _steps, "quantised": _quantised,
    "truncate": _rounding("trunc"), **maths.FORMS,
    **dates.FORMS,
}  # fmt: skip

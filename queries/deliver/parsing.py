"""Parsing: source values as values of the declared type, in whole steps where they are numbers.

Every column becomes two expressions: its value, and whether the source holds something that the
type cannot express (`bad`, which fails the registration; it is never turned into NULL in silence).
NaN and infinities are NULL. A number beyond what can be stored is taken as the largest one where
bounds are declared, since those will move or remove it anyway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from queries.catalog.manifest import Column, Type
from queries.catalog.storage import DECIMAL_DIGITS, steps
from queries.deliver import sql

_WHOLE_TYPES = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_WIDE_TYPES = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_FLOATS = {"FLOAT", "DOUBLE"}
_TIMES = {"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"}
_ZONED = "TIMESTAMP WITH TIME ZONE"
_MOST_WHOLE = 2**63 - 1
_EXTRA_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Parsed:
    """SQL over a source's columns; `bad` is None where the source's type rules faults out."""

    value: str
    bad: str | None = None


class TypesDisagree(Exception):
    """The source's type cannot hold values of the declared type."""


def parse(column: Column, source: str, kind: str, zone: str) -> Parsed:
    """How `source`, an identifier of engine type `kind`, becomes a value of `column`."""
    kind = "VARCHAR" if kind.startswith("ENUM(") else kind
    match column.type:
        case Type.INTEGER:
            return _integer(column, source, kind)
        case Type.DECIMAL:
            return _decimal(column, source, kind)
        case Type.REAL:
            return _real(source, kind)
        case Type.TEXT:
            return _text(source, kind)
        case Type.BOOLEAN:
            return _boolean(source, kind)
        case Type.DATE:
            return _date(source, kind, zone)
        case Type.TIMESTAMP:
            return _timestamp(source, kind, zone)
    raise TypesDisagree(f"no column is declared as {column.type}")


def _family(kind: str) -> str:
    if kind in _WHOLE_TYPES:
        return "whole"
    if kind in _WIDE_TYPES:
        return "wide"
    if kind in _FLOATS:
        return "float"
    return "decimal" if kind.startswith("DECIMAL(") else kind


def _integer(column: Column, x: str, kind: str) -> Parsed:
    match _family(kind):
        case "whole":
            return Parsed(f"CAST({x} AS BIGINT)")
        case "wide":
            exact = f"TRY_CAST({x} AS BIGINT)"
        case "float" | "decimal":
            exact = f"CASE WHEN {x} = trunc({x}) THEN TRY_CAST({x} AS BIGINT) END"
        case "VARCHAR":
            exact = _whole_text(x)
        case _:
            raise TypesDisagree
    return _number(column, x, exact, _MOST_WHOLE, _MOST_WHOLE)


def _whole_text(x: str) -> str:
    """Whole numbers as text; `7.0` and `1e3` are whole, `7.5` is not."""
    exact = f"TRY_CAST({x} AS DECIMAL(38, 10))"
    return (
        f"CASE WHEN contains({x}, '.') OR contains(lower({x}), 'e') "
        f"THEN CASE WHEN {exact} = trunc({exact}) THEN TRY_CAST({exact} AS BIGINT) END "
        f"ELSE TRY_CAST({x} AS BIGINT) END"
    )


def _decimal(column: Column, x: str, kind: str) -> Parsed:
    if _family(kind) not in ("whole", "wide", "float", "decimal", "VARCHAR"):
        raise TypesDisagree
    scale = column.scale
    step = steps(column, column.step or 1)  # type: ignore[arg-type]
    limit = 10 ** (DECIMAL_DIGITS - scale)
    return _number(column, x, _in_steps(x, scale, step), limit, 10**DECIMAL_DIGITS - 10**9)


def _in_steps(x: str, scale: int, step: int) -> str:
    """The nearest multiple of `step`, counted in units of 10**-scale; halves go away from zero."""
    exact = f"TRY_CAST({x} AS DECIMAL({DECIMAL_DIGITS}, {scale}))"
    if step == 1:
        wide = exact if scale == 0 else f"CAST({exact} AS DECIMAL(38, {scale})) * {10**scale}"
        return f"CAST({wide} AS BIGINT)"
    fine = f"TRY_CAST({x} AS DECIMAL(38, {scale + _EXTRA_DIGITS}))"
    digits = f"CAST(replace(CAST({fine} AS VARCHAR), '.', '') AS HUGEINT)"
    grid = step * 10**_EXTRA_DIGITS
    nearest = f"((abs({digits}) + {grid // 2}) // {grid}) * {step}"
    return f"CASE WHEN {exact} IS NOT NULL THEN CAST(sign({digits}) * {nearest} AS BIGINT) END"


def _number(column: Column, x: str, exact: str, limit: int, most: int) -> Parsed:
    wide = f"TRY_CAST({x} AS DOUBLE)"
    bounded = column.lower is not None and column.upper is not None
    beyond = (
        f"WHEN {wide} >= {limit}.0 THEN {most} WHEN {wide} <= -{limit}.0 THEN -{most} "
        if bounded
        else ""
    )
    value = (
        f"CASE WHEN ({exact}) IS NOT NULL THEN {exact} "
        f"WHEN NOT isfinite({wide}) THEN NULL {beyond}END"
    )
    lost = f"({wide} IS NULL OR isfinite({wide}))"
    return Parsed(value, f"{x} IS NOT NULL AND ({value}) IS NULL AND {lost}")


def _real(x: str, kind: str) -> Parsed:
    family = _family(kind)
    if family not in ("whole", "wide", "float", "decimal", "VARCHAR"):
        raise TypesDisagree
    value = f"CASE WHEN isfinite(TRY_CAST({x} AS DOUBLE)) THEN TRY_CAST({x} AS DOUBLE) END"
    if family != "VARCHAR":
        return Parsed(value)
    return Parsed(value, f"{x} IS NOT NULL AND TRY_CAST({x} AS DOUBLE) IS NULL")


def _text(x: str, kind: str) -> Parsed:
    if not re.fullmatch(r"[A-Z_]+( WITH TIME ZONE)?|DECIMAL\(\d+,\d+\)", kind) or kind == "BLOB":
        raise TypesDisagree
    if kind != "VARCHAR":
        return Parsed(f"CAST({x} AS VARCHAR)")
    return Parsed(f"CASE WHEN contains({x}, chr(0)) THEN replace({x}, chr(0), '') ELSE {x} END")


def _boolean(x: str, kind: str) -> Parsed:
    family = _family(kind)
    if kind == "BOOLEAN":
        return Parsed(x)
    if family == "VARCHAR":
        value = f"TRY_CAST(trim({x}) AS BOOLEAN)"
    elif family == "whole":
        value = f"CASE {x} WHEN 0 THEN false WHEN 1 THEN true END"
    else:
        raise TypesDisagree
    return Parsed(value, f"{x} IS NOT NULL AND ({value}) IS NULL")


def _date(x: str, kind: str, zone: str) -> Parsed:
    if kind == "DATE":
        return Parsed(f"CASE WHEN isfinite({x}) THEN {x} END")
    if kind == "VARCHAR":
        return _finite(x, f"TRY_CAST({x} AS DATE)")
    moment = _timestamp(x, kind, zone)
    return Parsed(f"CAST(({moment.value}) AS DATE)", moment.bad)


def _timestamp(x: str, kind: str, zone: str) -> Parsed:
    if kind == _ZONED:
        local = f"timezone({sql.text(zone)}, {x})"
        return Parsed(f"CASE WHEN isfinite({x}) THEN {local} END")
    if kind in _TIMES or kind == "DATE":
        cast = f"TRY_CAST({x} AS TIMESTAMP)"
        return Parsed(f"CASE WHEN isfinite({cast}) THEN {cast} END")
    if kind != "VARCHAR":
        raise TypesDisagree
    tail = f"substring({x}, 17)"
    offset = f"contains({tail}, 'Z') OR contains({tail}, '+') OR contains({tail}, '-')"
    zoned = f"timezone({sql.text(zone)}, TRY_CAST({x} AS TIMESTAMP WITH TIME ZONE))"
    return _finite(x, f"CASE WHEN {offset} THEN {zoned} ELSE TRY_CAST({x} AS TIMESTAMP) END")


def _finite(x: str, value: str) -> Parsed:
    return Parsed(
        f"CASE WHEN isfinite({value}) THEN {value} END",
        f"{x} IS NOT NULL AND ({value}) IS NULL",
    )


def unit_id(column: Column, parsed: str) -> str:
    """A unit's normalised id as text: 7 for "007", no blanks around it, one form of accents."""
    if column.type is Type.INTEGER:
        return f"CAST({parsed} AS VARCHAR)"
    return f"nullif(nfc_normalize(trim({parsed}, chr(32) || chr(9) || chr(10) || chr(13))), '')"

"""Columns of a manifest: what each type may declare, and bounds that lie on the grid.

A numeric column that is summed needs a range, and a decimal column a step, because every private
sum is a sum of whole steps (P9). Bounds are what the curator wrote, never what the data hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from queries.catalog.faults import Path
from queries.catalog.fields import number
from queries.catalog.manifest import Bound, Column, Reference, Type
from queries.catalog.names import fault_of_name
from queries.catalog.shape import MOST_CATEGORIES, ColumnShape, Faults, shaped

MOST_STEPS = 2**62
MOST_DIGITS = 18
MOST_DECIMALS = 12

_NUMBERS = (Type.INTEGER, Type.DECIMAL)
_ALLOWED = {
    "lower": (*_NUMBERS, Type.DATE, Type.TIMESTAMP),
    "upper": (*_NUMBERS, Type.DATE, Type.TIMESTAMP),
    "step": (Type.DECIMAL,),
    "categories": (Type.TEXT,),
    "references": (Type.TEXT, Type.INTEGER, Type.DATE),
    "length": (Type.TEXT,),
}


def read_columns(value: object, path: Path, faults: Faults) -> tuple[Column, ...]:
    """The columns of a table, as far as they are valid."""
    if not isinstance(value, dict) or not value:
        faults.add(path, "not a mapping of columns", "write NAME: {type: integer}")
        return ()
    _check_names(value, path, faults)
    read = (read_column(name, value[name], (*path, name), faults) for name in value)
    return tuple(column for column in read if column is not None)


def _check_names(names: Mapping[str, object], path: Path, faults: Faults) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if (fault := fault_of_name(name)) is not None:
            faults.add((*path, name), fault)
        if (other := seen.setdefault(name.lower(), name)) != name:
            faults.add((*path, name), f"differs from {other} by case alone", "SQL ignores case")


def read_column(name: str, value: object, path: Path, faults: Faults) -> Column | None:
    """One column, or None where even its type is not known."""
    data = shaped(ColumnShape, value, path, faults)
    if "type" not in data:
        return None
    kind = Type(data["type"])
    for word, kinds in _ALLOWED.items():
        if word in data and kind not in kinds:
            faults.add((*path, word), f"a {kind} column has no {word}", _hint(word, kind))
            del data[word]
    return Column(
        name=name,
        type=kind,
        nullable=data.get("nullable", False),
        lower=_bound(kind, data, "lower", path, faults),
        upper=_bound(kind, data, "upper", path, faults),
        step=_step(kind, data, path, faults),
        categories=_categories(data, path, faults),
        references=_reference(data, path, faults),
        length=_length(data, path, faults),
    )


def _hint(word: str, kind: Type) -> str | None:
    if kind is Type.REAL and word in ("lower", "upper", "step"):
        return "declare it decimal, with a step, to sum it"
    return "an integer's step is 1" if word == "step" and kind is Type.INTEGER else None


def _bound(kind: Type, data: dict[str, Any], word: str, path: Path, faults: Faults) -> Bound:
    if word not in data:
        return None
    try:
        return bound(kind, data[word])
    except ValueError as error:
        faults.add((*path, word), str(error))
        return None


def bound(kind: Type, text: str) -> Bound:
    """A bound in the words of its column's type."""
    if kind is Type.DATE:
        day: date = _parsed(date.fromisoformat, text, "not a date such as 2026-03-01")
        return day
    if kind is Type.TIMESTAMP:
        words = "not a time such as 2026-03-01T12:00:00"
        moment: datetime = _parsed(datetime.fromisoformat, text, words)
        if moment.tzinfo is not None:
            raise ValueError("a time has no offset here: it is local to the manifest's time_zone")
        return moment
    value = number(text)
    if kind is Type.INTEGER and value != value.to_integral_value():
        raise ValueError("not a whole number")
    return value


def _parsed(read: Any, text: str, words: str) -> Any:
    try:
        return read(text)
    except ValueError:
        raise ValueError(words) from None


def _step(kind: Type, data: dict[str, Any], path: Path, faults: Faults) -> Decimal | None:
    step: Decimal | None = data.get("step")
    if kind is Type.DECIMAL and "step" not in data and not faults.under((*path, "step")):
        faults.add(path, "a decimal column needs a step", "step: 0.01 keeps two decimals")
    if step is None:
        return None
    if not 0 < step <= 10**9:
        faults.add((*path, "step"), "not above 0 and at most 1,000,000,000")
        return None
    exponent = int(step.normalize().as_tuple().exponent)
    if exponent < -MOST_DECIMALS:
        faults.add((*path, "step"), f"has more than {MOST_DECIMALS} decimals")
        return None
    return step


def _categories(data: dict[str, Any], path: Path, faults: Faults) -> tuple[str, ...]:
    if "categories" not in data:
        return ()
    path = (*path, "categories")
    names: list[str] = data["categories"]
    if not 0 < len(names) <= MOST_CATEGORIES:
        faults.add(path, f"not 1 to {MOST_CATEGORIES:,} categories")
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name in seen:
            faults.add((*path, place), f"the category {name} stands twice")
        if "\0" in name:
            faults.add((*path, place), "a category has no NUL character")
        seen.add(name)
    return tuple(names)


def _reference(data: dict[str, Any], path: Path, faults: Faults) -> Reference | None:
    if "references" not in data:
        return None
    if "categories" in data:
        faults.add((*path, "references"), "a column has categories or references, not both")
    table, dot, column = data["references"].rpartition(".")
    if not dot or not table or not column:
        faults.add((*path, "references"), "not TABLE.COLUMN")
        return None
    return Reference(table, column)


def _length(data: dict[str, Any], path: Path, faults: Faults) -> int | None:
    if "length" in data and ("categories" in data or "references" in data):
        faults.add((*path, "length"), "has no use beside categories or references")
    length: int | None = data.get("length")
    return length


def check_range(column: Column, path: Path, faults: Faults) -> None:
    """Both bounds or none, in order, on the grid, and within what the engine can add."""
    lower, upper = column.lower, column.upper
    declared = [word for word in ("lower", "upper") if (*path, word) in faults.document.lines]
    if len(declared) == 1 and not faults.under(path):
        other = "upper" if declared == ["lower"] else "lower"
        faults.add(path, f"has {declared[0]} and no {other}", "declare both")
    for word, value in (("lower", lower), ("upper", upper)):
        if isinstance(value, Decimal):
            _check_on_grid(column, value, (*path, word), faults)
    if lower is not None and upper is not None and lower > upper:  # type: ignore[operator]
        faults.add((*path, "lower"), "lies above upper")


def _check_on_grid(column: Column, value: Decimal, path: Path, faults: Faults) -> None:
    if column.type is Type.DECIMAL and abs(value) >= Decimal(10) ** (MOST_DIGITS - column.scale):
        faults.add(path, f"with its decimals it has more than {MOST_DIGITS} digits")
    elif abs(value) >= MOST_STEPS:
        faults.add(path, "does not fit in 62 bits")
    elif column.step is not None and value % column.step != 0:
        faults.add(path, f"does not lie on the step {column.step}")

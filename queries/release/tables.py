"""Noisy tables in the sealed engine: steps become values of the type that the plan announced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from queries.catalog.view import Value
from queries.plan.model import Key, NoisyColumn, Stage, Target
from queries.plan.noisy import NoisyStage
from queries.release import histograms
from queries.release.quantiles import MOMENTS, Found, moment

Array = NDArray[Any]
Column = TypeVar("Column")

INCOMING = "_incoming"
DECIMAL = re.compile(r"DECIMAL\((\d+), *(\d+)\)", re.IGNORECASE)
BITS = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63, "HUGEINT": 127}


def create(
    connection: duckdb.DuckDBPyConnection,
    stage: Stage,
    noisy: NoisyStage,
    found: Sequence[Found] = (),
) -> None:
    """A table of the stage's name: `_row`, its keys, its measures and what was `found`, typed."""
    targets = [target for part in stage.distributions for target in part.targets]
    columns: tuple[Key | NoisyColumn | Target, ...] = (*stage.keys, *stage.columns, *targets)
    arrays: dict[str, Array] = {"_row": np.arange(len(noisy.keys))}
    arrays |= {key.name: keys(key, part) for key, part in _parts(stage.keys, noisy.keys)}
    arrays |= {col.name: measures(col, part) for col, part in _parts(stage.columns, noisy.values)}
    arrays |= {one.target.name: located(one) for one in found}
    casts = [f"{_cast(column)} AS {_name(column.name)}" for column in columns]
    chosen = ", ".join(["CAST(_row AS BIGINT) AS _row", *casts])
    connection.register(INCOMING, arrays)
    try:
        connection.execute(f"CREATE TABLE {_name(stage.name)} AS SELECT {chosen} FROM {INCOMING}")
    finally:
        connection.unregister(INCOMING)


def _cast(column: Key | NoisyColumn | Target) -> str:
    """What is handed in, as the column's own type."""
    if isinstance(column, Target) and column.labels:
        return histograms.mapped(column, _name(column.name))
    return f"CAST({_name(column.name)} AS {column.sql_type})"


def keys(key: Key, values: Sequence[Value]) -> Array:
    """Key values as text that casts to the key's type without loss."""
    return _objects([None if value is None else _text(key, value) for value in values])


def measures(column: NoisyColumn, noisy: Sequence[int]) -> Array:
    """(noisy << shift) * numerator / denominator, exactly or rounded to the type's last digit."""
    grown = [(value << column.shift) * column.numerator for value in noisy]
    return _numbers(grown, column.denominator, column.sql_type)


def located(found: Found) -> Array:
    """The values of the bins in which a quantile, an extreme or a mode was found, or all counts."""
    distribution, target = found.distribution, found.target
    values = found.values
    if target.labels:
        return _objects(values)
    if distribution.bins.listed is not None:
        return keys(Key(target.name, target.sql_type, distribution.scale), values)
    if target.sql_type in MOMENTS:
        return _objects([moment(target.sql_type, each) for each in values])
    return _numbers(values, distribution.bins.denominator, target.sql_type)


def _numbers(grown: Sequence[int], denominator: int, sql_type: str) -> Array:
    decimal = DECIMAL.fullmatch(sql_type)
    if decimal:
        width, scale = int(decimal[1]), int(decimal[2])
        most = 10**width - 1
        steps = [rounded(value * 10**scale, denominator) for value in grown]
        return _objects([decimal_text(max(-most, min(most, step)), scale) for step in steps])
    if sql_type.upper() not in BITS:
        return np.array([value / denominator for value in grown], dtype=np.float64)
    most = 2 ** BITS[sql_type.upper()] - 1
    whole = [max(-most, min(most, rounded(value, denominator))) for value in grown]
    if all(abs(value) < 2**63 for value in whole):
        return np.array(whole, dtype=np.int64)
    return _objects([str(value) for value in whole])


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, halves to even."""
    if denominator == 1:
        return numerator
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def decimal_text(steps: int, scale: int) -> str:
    """Whole steps of 10**-scale, written as a decimal."""
    if scale == 0:
        return str(steps)
    whole, rest = divmod(abs(steps), 10**scale)
    return f"{'-' if steps < 0 else ''}{whole}.{rest:0{scale}d}"


def _text(key: Key, value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return decimal_text(value, key.scale)
    return str(value)


def _parts(
    columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]
) -> list[tuple[Column, list[Any]]]:
    return [(column, [row[place] for row in rows]) for place, column in enumerate(columns)]


def _objects(values: Sequence[str | None]) -> Array:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

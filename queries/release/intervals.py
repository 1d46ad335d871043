"""Intervals of released values: in closed form for a measure, simulated for an expression (P23).

An interval speaks of the noise alone: what bounding, clamping or thresholding left out is not in
it. Everything here is computed from released values and the plan.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import duckdb
import numpy as np
from numpy import ma
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from queries.plan.model import NoisyColumn, Stage
from queries.release.law import draws, half_width, standard_width
from queries.release.levels import Fit, Together
from queries.release.tables import DECIMAL, INCOMING, Array

SAMPLES = 1000
FEWEST_SAMPLES = 200
ALL_SAMPLES = 2_000_000
BATCH = 200_000
ENOUGH = 0.99
"""The share of samples on which an expression must have a value, for an interval to be given."""

Interval = tuple[float, float] | None


def measured(column: NoisyColumn, noisy: Sequence[int], confidence: float) -> list[tuple[int, int]]:
    """Ends of the intervals in closed form, in steps times the column's numerator.

    A total was shifted right, which rounds down: the exact total may lie up to 2**shift - 1 steps
    higher than what was noised, and the upper end says so.
    """
    width = half_width(column.noise, confidence)
    lost = (1 << column.shift) - 1
    return [
        (
            ((value - width) << column.shift) * column.numerator,
            (((value + width) << column.shift) + lost) * column.numerator,
        )
        for value in noisy
    ]


def estimated(
    column: NoisyColumn,
    fit: Fit,
    rows: Sequence[int],
    shown: Sequence[int],
    confidence: float,
) -> list[tuple[int, int]]:
    """The same of estimates: around each estimate, and around what is shown in its place."""
    factor = standard_width(fit.mechanism, confidence)
    widths = [half_width(noise, confidence) for noise in fit.noises]
    lost = (1 << column.shift) - 1
    found = []
    for row, value in zip(rows, shown, strict=True):
        width = float(factor * fit.deviation[row])
        width = float(widths[int(fit.of[row])]) if math.isnan(width) else width
        low = min(value, fit.base[row] + math.floor(fit.offset[row] - width) - fit.slack)
        high = max(value, fit.base[row] + math.ceil(fit.offset[row] + width) + fit.slack)
        found.append(
            (
                (low << column.shift) * column.numerator,
                ((high << column.shift) + lost) * column.numerator,
            )
        )
    return found


def simulated(
    connection: duckdb.DuckDBPyConnection,
    table: Together,
    rows: Sequence[int],
    expressions: Sequence[str],
    confidence: float,
) -> list[dict[int, Interval]]:
    """For each expression, the intervals of the given rows of the stage.

    The stage's measures scatter around the released values by the law of their own noise; the
    sealed engine evaluates the expressions. The generator is seeded from the stage's digest, so
    that one release always shows the same intervals.
    """
    stage = table.stage
    used = [place for place, c in enumerate(stage.columns) if mentions(expressions, c.name)]
    seed = hashlib.sha256(stage.digest.encode()).digest()
    generator = default_rng(int.from_bytes(seed, "big"))
    samples = max(FEWEST_SAMPLES, min(SAMPLES, ALL_SAMPLES // max(1, len(rows))))
    size = max(1, BATCH // samples)
    found: list[dict[int, Interval]] = [{} for _ in expressions]
    columns = [_as_engine_type(stage.columns[place]) for place in used]
    sql = statement(stage, columns, expressions)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        arrays = _scattered(table, used, part, samples, generator)
        for intervals, values in zip(
            found, evaluated(connection, sql, arrays, samples), strict=True
        ):
            intervals.update(zip(part, _intervals(values, confidence), strict=True))
    return found


def mentions(expressions: Sequence[str], name: str) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(expression) for expression in expressions)


def _scattered(
    table: Together,
    used: Sequence[int],
    rows: Sequence[int],
    samples: int,
    generator: Generator,
) -> dict[str, Array]:
    """A column of samples for each measure used, row after row."""
    arrays: dict[str, Array] = {"_row": np.repeat(np.asarray(rows, dtype=np.int64), samples)}
    for place in used:
        column, fit = table.stage.columns[place], table.fits.get(place)
        if fit is None:
            centre = np.array([table.noisy.values[row][place] for row in rows], dtype=np.float64)
            steps = centre[:, None] + draws(column.noise, generator, (len(rows), samples))
        else:
            steps = _around(fit, rows, samples, generator)
        arrays[column.name] = _values(column, steps, generator).ravel()
    return arrays


def _around(
    fit: Fit, rows: Sequence[int], samples: int, generator: Generator
) -> NDArray[np.float64]:
    """Samples around estimates: by the normal law what was fitted, by its own what was measured."""
    at = np.asarray(rows, dtype=np.int64)
    deviation = fit.deviation[at]
    steps = generator.normal(0.0, 1.0, (len(rows), samples)) * np.nan_to_num(deviation)[:, None]
    for number, noise in enumerate(fit.noises):
        own = np.flatnonzero(np.isnan(deviation) & (fit.of[at] == number))
        if own.size:
            steps[own] = draws(noise, generator, (len(own), samples))
    centre = np.array([fit.base[row] + fit.offset[row] for row in rows], dtype=np.float64)
    return np.asarray(centre[:, None] + steps)


def _values(column: NoisyColumn, steps: NDArray[np.float64], generator: Generator) -> Array:
    """Steps in the column's own unit, whole numbers where the engine is to see whole numbers."""
    if column.shift:
        steps = steps * float(1 << column.shift)
        steps += generator.integers(0, 1 << min(column.shift, 62), steps.shape)
    if column.numerator != column.denominator:
        steps = steps * (column.numerator / column.denominator)
    if column.sql_type.upper() != "BIGINT":
        return steps
    return np.asarray(np.clip(np.rint(steps), -(2.0**62), 2.0**62).astype(np.int64))


def statement(stage: Stage, columns: Sequence[str], expressions: Sequence[str]) -> str:
    """Each expression for each sample. Keys are joined only where an expression reads one."""
    values = [f"CAST(({sql}) AS DOUBLE) AS e{n}" for n, sql in enumerate(expressions)]
    keys = [key.name for key in stage.keys if mentions(expressions, key.name)]
    joined = f' JOIN "{stage.name}" AS t ON t._row = d._row' if keys else ""
    inner = ", ".join(["d._row AS _row", *columns, *(f't."{key}"' for key in keys)])
    return (
        f'SELECT "{stage.name}"._row AS _row, {", ".join(values)} '
        f'FROM (SELECT {inner} FROM {INCOMING} AS d{joined}) AS "{stage.name}"'
    )


def _as_engine_type(column: NoisyColumn) -> str:
    """Samples of decimals stay DOUBLE: many times faster, and only quantiles are taken of them."""
    if DECIMAL.fullmatch(column.sql_type) or column.sql_type.upper() == "BIGINT":
        return f'd."{column.name}"'
    return f'TRY_CAST(d."{column.name}" AS {column.sql_type}) AS "{column.name}"'


def evaluated(
    connection: duckdb.DuckDBPyConnection, sql: str, arrays: dict[str, Array], samples: int
) -> list[NDArray[np.float64]]:
    """The values of each expression, a line for each row, whatever the engine's own order."""
    connection.register(INCOMING, arrays)
    try:
        columns = connection.execute(sql).fetchnumpy()
    finally:
        connection.unregister(INCOMING)
    rows = columns.pop("_row")
    order = np.argsort(rows, kind="stable")
    filled = [ma.filled(values.astype(np.float64), np.nan) for values in columns.values()]
    return [values[order].reshape(-1, samples) for values in filled]


def _intervals(values: NDArray[np.float64], confidence: float) -> list[Interval]:
    """Quantiles of each line, interpolated, where enough of its samples have a value at all."""
    ordered = np.sort(values, axis=1)  # NaN last
    known = np.count_nonzero(~np.isnan(ordered), axis=1)
    low = _quantile(ordered, known, (1 - confidence) / 2)
    high = _quantile(ordered, known, (1 + confidence) / 2)
    told = (known >= ENOUGH * values.shape[1]) & np.isfinite(low) & np.isfinite(high)
    return [
        (float(low[line]), float(high[line])) if told[line] else None for line in range(len(told))
    ]


def _quantile(ordered: NDArray[np.float64], known: Array, level: float) -> NDArray[np.float64]:
    place = level * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    lines = np.arange(len(ordered))
    with np.errstate(invalid="ignore"):
        rise = (place - below) * (ordered[lines, above] - ordered[lines, below])
        return np.asarray(ordered[lines, below] + np.nan_to_num(rise, nan=0.0, posinf=np.inf))

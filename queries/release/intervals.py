"""Intervals of released values: in closed form for a measure, simulated for an expression (P23).

An interval speaks of the noise alone: what bounding, clamping or thresholding left out is not in
it. Everything here is computed from released values and the plan.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np

from queries.plan.model import NoisyColumn, Stage
from queries.plan.noisy import NoisyStage
from queries.release.law import draws, half_width
from queries.release.tables import INCOMING, Array

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


def simulated(
    connection: duckdb.DuckDBPyConnection,
    stage: Stage,
    noisy: NoisyStage,
    rows: Sequence[int],
    expressions: Sequence[str],
    confidence: float,
) -> list[dict[int, Interval]]:
    """For each expression, the intervals of the given rows of the stage.

    The stage's measures scatter around the released values by the law of their own noise; the
    sealed engine evaluates the expressions. The generator is seeded from the stage's digest, so
    that one release always shows the same intervals.
    """
    used = [place for place, c in enumerate(stage.columns) if _mentions(expressions, c.name)]
    seed = hashlib.sha256(stage.digest.encode()).digest()
    generator = np.random.default_rng(int.from_bytes(seed, "big"))
    samples = max(FEWEST_SAMPLES, min(SAMPLES, ALL_SAMPLES // max(1, len(rows))))
    size = max(1, BATCH // samples)
    found: list[dict[int, Interval]] = [{} for _ in expressions]
    sql = _statement(stage, used, expressions, confidence)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        arrays = _scattered(stage, noisy, used, part, samples, generator)
        for row, *ends in _evaluated(connection, sql, arrays):
            for place in range(len(expressions)):
                found[place][row] = _interval(ends[2 * place], ends[2 * place + 1], samples)
    return found


def _mentions(expressions: Sequence[str], name: str) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(expression) for expression in expressions)


def _scattered(
    stage: Stage,
    noisy: NoisyStage,
    used: Sequence[int],
    rows: Sequence[int],
    samples: int,
    generator: np.random.Generator,
) -> dict[str, Array]:
    """A column of samples for each measure used, row after row."""
    arrays: dict[str, Array] = {"_row": np.repeat(np.asarray(rows, dtype=np.int64), samples)}
    for place in used:
        column = stage.columns[place]
        centre = np.array([noisy.values[row][place] for row in rows], dtype=np.float64)
        steps = centre[:, None] + draws(column.noise, generator, (len(rows), samples))
        grown = steps * float(1 << column.shift)
        if column.shift:
            grown += generator.integers(0, 1 << min(column.shift, 62), grown.shape)
        arrays[column.name] = (grown * (column.numerator / column.denominator)).ravel()
    return arrays


def _statement(
    stage: Stage, used: Sequence[int], expressions: Sequence[str], confidence: float
) -> str:
    """Quantiles of each expression for each row, over the samples joined with the row's keys."""
    names = [stage.columns[place].name for place in used]
    casts = [
        f'TRY_CAST(d."{stage.columns[place].name}" AS {stage.columns[place].sql_type})'
        f' AS "{stage.columns[place].name}"'
        for place in used
    ]
    others = ", ".join(f'"{name}"' for name in ("_row", *names))
    inner = ", ".join([f"t.* EXCLUDE ({others})", "d._row", *casts])
    values = [f"CAST(({sql}) AS DOUBLE) AS e{n}" for n, sql in enumerate(expressions)]
    low, high = (1 - confidence) / 2, (1 + confidence) / 2
    ends = [
        f"quantile_cont(e{n}, [{low}, {high}]) FILTER (WHERE NOT isnan(e{n})), "
        f"count(e{n}) FILTER (WHERE NOT isnan(e{n}))"
        for n in range(len(expressions))
    ]
    return (
        f"SELECT _row, {', '.join(ends)} FROM ("
        f'SELECT "{stage.name}"._row AS _row, {", ".join(values)} FROM ('
        f'SELECT {inner} FROM {INCOMING} AS d JOIN "{stage.name}" AS t ON t._row = d._row'
        f') AS "{stage.name}") AS scattered GROUP BY _row'
    )


def _evaluated(
    connection: duckdb.DuckDBPyConnection, sql: str, arrays: dict[str, Array]
) -> list[tuple[Any, ...]]:
    connection.register(INCOMING, arrays)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.unregister(INCOMING)


def _interval(ends: Sequence[float] | None, known: int, samples: int) -> Interval:
    if ends is None or known < ENOUGH * samples or not all(map(math.isfinite, ends)):
        return None
    return float(ends[0]), float(ends[1])

"""Ends of expressions over quantiles and counts of histograms, at the corners of their parts' ends.

The confidence is shared out: each of k different parts has ends that hold at 1 - (1 - c) / k, so
that all hold together at c, and then so do those of what is computed from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from queries.plan.post import Atom, Box
from queries.release import histograms
from queries.release.intervals import BATCH, evaluated, simulated, statement
from queries.release.levels import Together
from queries.release.tables import Array

Pair = tuple[Any, Any]
Intervals = Mapping[int, tuple[float, float]]


def ends(
    connection: duckdb.DuckDBPyConnection,
    table: Together,
    rows: Sequence[int],
    box: Box,
    confidence: float,
) -> dict[int, tuple[float, float]]:
    """The ends of the expression, row by row, where its parts have ends and divide by no zero."""
    different = tuple(dict.fromkeys(box.atoms))
    own = 1 - (1 - confidence) / len(different)
    known = {atom: _known(connection, table, rows, atom, own) for atom in different}
    whole = [row for row in rows if all(known[atom].get(row) for atom in different)]
    corners = list(product((0, 1), repeat=len(box.atoms)))
    sql = statement(
        table.stage,
        [_typed(table, atom, f"b{n}") for n, atom in enumerate(box.atoms)],
        [box.sql, *box.apart],
    )
    found: dict[int, tuple[float, float] | None] = {}
    size = max(1, BATCH // len(corners))
    for start in range(0, len(whole), size):
        part = whole[start : start + size]
        arrays: dict[str, Array] = {"_row": np.repeat(np.asarray(part, np.int64), len(corners))}
        for n, atom in enumerate(box.atoms):
            picked = [known[atom][row][corner[n]] for row in part for corner in corners]
            arrays[f"b{n}"] = _column(picked)
        values, *apart = evaluated(connection, sql, arrays, len(corners))
        found.update(zip(part, _spans(values, apart), strict=True))
    return {row: span for row, span in found.items() if span is not None}


def _known(
    connection: duckdb.DuckDBPyConnection,
    table: Together,
    rows: Sequence[int],
    atom: Atom,
    confidence: float,
) -> dict[int, Pair]:
    """The ends of one part; of a map those of all its counts, as lists in order."""
    if atom.column is None:
        (found,) = simulated(connection, table, rows, [atom.text], confidence)
        return {row: span for row, span in found.items() if span is not None}
    one = next(one for one in table.found(confidence) if one.target.name == atom.column)
    spans = {row: one.ends[row] for row in rows}
    if one.target.labels:
        return {row: (_counts(low), _counts(high)) for row, (low, high) in _some(spans).items()}
    return {row: span for row, span in _some(spans).items() if not isinstance(span[0], tuple)}


def _some(spans: Mapping[int, Pair | None]) -> dict[int, Pair]:
    return {row: span for row, span in spans.items() if span is not None and None not in span}


def _counts(pairs: Sequence[tuple[Any, int]]) -> str:
    return str([count for _, count in pairs])


def _typed(table: Together, atom: Atom, name: str) -> str:
    """An atom's column as the engine is to see it: numbers as doubles, moments as what they are."""
    column = f'd."{name}"'
    located = table.stage.located(atom.column)
    if located is not None and located[1].labels:
        return f'{histograms.mapped(located[1], column)} AS "{name}"'
    if atom.sql_type in ("DATE", "TIMESTAMP"):
        return f'TRY_CAST({column} AS {atom.sql_type}) AS "{name}"'
    return f'{column} AS "{name}"'


def _column(picked: Sequence[Any]) -> Array:
    if isinstance(picked[0], str):
        texts = np.empty(len(picked), dtype=object)
        texts[:] = picked
        return texts
    return np.asarray(picked, dtype=np.float64)


def _spans(
    values: NDArray[np.float64], apart: Sequence[NDArray[np.float64]]
) -> list[tuple[float, float] | None]:
    """The least and greatest value of each line, where all its corners have one."""
    told = [bool(np.isfinite(line).all()) for line in values]
    for divisor in apart:
        sides = zip(told, divisor, strict=True)
        told = [known and bool((line > 0).all() or (line < 0).all()) for known, line in sides]
    lines = zip(told, values, strict=True)
    return [(float(line.min()), float(line.max())) if known else None for known, line in lines]

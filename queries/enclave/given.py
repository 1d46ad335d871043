"""Released rows that a stage reads, as temporary tables beside the delivery for one job.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a stage's sensitivity holds for any rows that are handed in, so that its loss adds
                to that of the stages which those rows were computed from.
    Requires    a sensitivity proved from what an input states of itself: its most rows, the columns
                that no two rows share, and the ranges of its columns.
    Why         to the stage its inputs are constants, the same on both neighbours. What they state
                is not trusted but made true here: rows beyond the most or with shared keys end the
                job, numbers outside a range are brought to its end. The choice of the constants by
                earlier noisy answers is adaptive composition, under which rho adds (Bun and Steinke
                2016, Lemma 1.7); scales were fixed before the first stage ran (P21).
    Tried by    tests/properties/test_sensitivity.py, tests/enclave/test_given.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import duckdb
import numpy as np

from queries.algebra.inputs import Input, InputColumn
from queries.algebra.names import quoted
from queries.catalog.view import Value
from queries.enclave.engine import EngineFailed
from queries.plan.model import Stage
from queries.plan.noisy import InputRows

INCOMING = "_incoming"


@contextmanager
def given(
    connection: duckdb.DuckDBPyConnection, stages: Sequence[Stage], rows: Sequence[InputRows]
) -> Iterator[None]:
    """The block with the stages' inputs as tables; the connection is afterwards as it was."""
    inputs = {one.name: one for stage in stages for one in stage.inputs}
    found = {one.name: one.rows for one in rows}
    if set(inputs) != set(found) or len(found) != len(rows):
        raise EngineFailed("the inputs are not those of the plan")
    connection.execute("BEGIN")
    try:
        for name, one in inputs.items():
            _create(connection, one, found[name])
        yield
    finally:
        connection.execute("ROLLBACK")


def _create(
    connection: duckdb.DuckDBPyConnection, one: Input, rows: Sequence[tuple[Value, ...]]
) -> None:
    """A temporary table of the input's name, its columns typed."""
    _check(one, rows)
    texts = {
        column.name: [_value(column, row[place]) for row in rows]
        for place, column in enumerate(one.columns)
    }
    casts = ", ".join(
        f"TRY_CAST({quoted(column.name)} AS {column.sql_type}) AS {quoted(column.name)}"
        for column in one.columns
    )
    connection.register(INCOMING, {name: np.array(own, object) for name, own in texts.items()})
    try:
        table = quoted(one.name)
        connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {casts} FROM {INCOMING}")
    finally:
        connection.unregister(INCOMING)
    _check_unique(connection, one)


def _check(one: Input, rows: Sequence[tuple[Value, ...]]) -> None:
    if len(rows) > one.most_rows:
        raise EngineFailed("an input has more rows than the plan allows")
    if any(len(row) != len(one.columns) for row in rows):
        raise EngineFailed("an input has other columns than the plan announced")


def _check_unique(connection: duckdb.DuckDBPyConnection, one: Input) -> None:
    """No two rows share the values of the unique columns: without a column, no second row."""
    if one.unique is None:
        return
    names = [quoted(name) for name in one.unique]
    present = " AND ".join(f"{name} IS NOT NULL" for name in names) or "TRUE"
    by = f" GROUP BY {', '.join(names)}" if names else ""
    counted = f"SELECT COUNT(*) AS n FROM {quoted(one.name)} WHERE {present}{by}"
    most = connection.execute(f"SELECT MAX(n) FROM ({counted}) AS g").fetchone()
    if most is None or (most[0] or 0) > 1:
        raise EngineFailed("two rows of an input share what no two should")


def _value(column: InputColumn, value: Value) -> str | None:
    """The text that casts to the value as it is stored: whole steps, reals in their range."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise EngineFailed("a value of an input is no text")
    if column.sql_type == "BIGINT":
        return _steps(column, value)
    if column.lower is None or column.upper is None:
        return value
    return _real(value, float(column.lower), float(column.upper))


def _steps(column: InputColumn, value: str) -> str | None:
    try:
        steps = Fraction(Decimal(value)) * 10**column.scale
    except (InvalidOperation, ValueError, OverflowError):
        raise EngineFailed("a value of an input is no number") from None
    if column.lower is None or column.upper is None:
        raise EngineFailed("a whole number of an input has no range")
    return str(int(max(column.lower, min(column.upper, steps))))


def _real(value: str, lower: float, upper: float) -> str | None:
    try:
        number = float(value)
    except ValueError:
        raise EngineFailed("a value of an input is no number") from None
    return None if number != number else repr(max(lower, min(upper, number)))

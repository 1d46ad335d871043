"""The row of what a threshold held back: its own columns, and what is computed of each row.

It stands beside the rows, not among them: as a row of SQL its keys would have to be NULL, which
may be a key of the data, and HAVING, ORDER BY and LIMIT would read it as a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from queries.algebra.names import quoted
from queries.plan.model import Plan, Stage
from queries.plan.noisy import NoisyStage, beside
from queries.plan.post import Output, Role
from queries.release.answer import AnswerColumn, Cell, OtherRow
from queries.release.intervals import mentions
from queries.release.levels import alone
from queries.release.margins import Margins
from queries.release.tables import create
from queries.release.values import shown_rows
from queries.workers.sealed import selected

TABLE = "_other"


def row(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    noisy: NoisyStage,
    columns: Sequence[AnswerColumn],
    confidence: float,
) -> OtherRow | None:
    """The row of an answer whose rows are those of one stage, where it was asked for."""
    stage = next((one for one in plan.stages if one.name == noisy.name), None)
    single = None if stage is None else beside(stage)
    if stage is None or single is None or _held_back(plan, stage, noisy):
        return None
    positive = {found.table: found.columns for found in plan.non_negative}
    measured = NoisyStage(noisy.name, ((),), (noisy.other,))
    table = alone(single, measured, positive.get(stage.name, ()))
    create(connection, replace(single, name=TABLE), table.noisy)
    outputs = tuple(_of_groups(output, stage, single) for output in plan.post.outputs)
    margins = Margins(connection, table, [0], confidence)
    _, lower, upper = margins.attached(outputs, tuple(columns))
    return OtherRow(_values(connection, outputs, stage.name), lower[0], upper[0])


def _held_back(plan: Plan, stage: Stage, noisy: NoisyStage) -> bool:
    """Whether the row itself is under the least frequency of the answer."""
    names = [column.name for column in stage.columns]
    return any(
        noisy.other[names.index(least.column)] < least.at_least
        for least in plan.frequencies
        if least.table == stage.name
    )


def _of_groups(output: Output, stage: Stage, single: Stage) -> Output:
    """The output, or one without a value where it reads a key, or a column the row has not."""
    own = {column.name for column in single.columns}
    names = {key.name for key in stage.keys} | {c.name for c in stage.columns} - own
    read = [output.expression] if output.expression is not None else []
    if any(mentions(read, name) for name in names) or output.column in names:
        return Output(output.name, Role.KEY)
    return output


def _values(
    connection: duckdb.DuckDBPyConnection, outputs: Sequence[Output], name: str
) -> tuple[Cell, ...]:
    return tuple(_value(connection, output, name) for output in outputs)


def _value(connection: duckdb.DuckDBPyConnection, output: Output, name: str) -> Cell:
    """One value; None where an expression has none for this row, whatever it has for others."""
    text = quoted(output.column) if output.column is not None else output.expression
    if text is None:
        return None
    sql = f"SELECT ({text}) AS v FROM {quoted(TABLE)} AS {quoted(name)}"
    try:
        return shown_rows(connection.execute(selected(connection, sql)).fetchall())[0][0]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None

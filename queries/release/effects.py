"""The effect of bounding: shares computed from the noisy totals of their stages, with intervals.

Where the answer has a least frequency, the first number of such a stage counts its units: under it
nothing is told of their shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from queries.algebra.names import quoted
from queries.plan.model import Plan
from queries.plan.shown import Effect
from queries.release.answer import Share
from queries.release.intervals import simulated
from queries.release.levels import Together
from queries.release.values import plain_rows
from queries.workers.sealed import selected


def shares(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    tables: Mapping[str, Together],
    confidence: float,
) -> tuple[Share, ...]:
    """The shares that a plan asks for, in its order; the tables of its stages are at hand."""
    asked = () if plan.effects is None else plan.effects.shares
    return tuple(
        share
        for stage in dict.fromkeys(effect.stage for effect in asked)
        for share in _shares(
            connection,
            plan,
            tables[stage],
            [one for one in asked if one.stage == stage],
            confidence,
        )
    )


def _shares(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    table: Together,
    asked: list[Effect],
    confidence: float,
) -> Iterator[Share]:
    count = table.noisy.values[0][0]
    if any(count < least.at_least for least in plan.frequencies):
        yield from (Share(one.of, one.about, one.columns, None, None, None) for one in asked)
        return
    expressions = [effect.expression for effect in asked]
    sql = f"SELECT {', '.join(expressions)} FROM {quoted(table.stage.name)}"
    (values,) = plain_rows(connection.execute(selected(connection, sql)).fetchall())
    scattered = simulated(connection, table, [0], expressions, confidence)
    for effect, value, found in zip(asked, values, scattered, strict=True):
        lower, upper = found[0] or (None, None)
        share = float(value) if isinstance(value, int | float) else None
        yield Share(effect.of, effect.about, effect.columns, share, lower, upper)

"""The sealed engine above the stages: public and released tables, and nothing else.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       whatever SQL runs here, its result is a function of public tables and of what was
                released: post-processing, which loses nothing.
    Requires    noisy tables that were charged; a public file made without the private tables.
    Why         no private file is ever opened here, files are closed before any SQL is run, and
                tables of one job are rolled back before the next; the empty tables on which
                queries are bound stand where no job reads.
    Tried by    tests/release/test_sealed.py, tests/release/test_engine.py,
                tests/release/test_binding.py
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import duckdb

from queries.algebra.inputs import Input
from queries.algebra.names import quoted as identifier
from queries.catalog.view import Scope, Value
from queries.plan.model import Plan, Stage
from queries.plan.noisy import InputRows, NoisyStage
from queries.release import effects, others
from queries.release.answer import Answer
from queries.release.binding import Signatures
from queries.release.levels import Together, alone, frequent, together
from queries.release.margins import Margins, described
from queries.release.tables import create
from queries.release.values import kind, plain_rows, shown_rows
from queries.workers.sealed import file_of, quoted, sealed, selected
from queries.workers.settings import Settings

PUBLIC = "public.duckdb"
MOST_ROWS = 200_000

_Opened = tuple[str, Scope | None]


class TooManyRows(Exception):
    """The result has more rows than a result may have."""


class Connections:
    """One sealed connection without any file, and on the public file of a delivery two.

    One of these is for what runs; the other sees empty tables besides, on which queries are bound.
    Within a scope both see the columns that it names, as if the file held no others.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bare = sealed(":memory:", settings, read_only=False)
        self._open: tuple[_Opened, duckdb.DuckDBPyConnection, Signatures] | None = None

    def bare(self) -> duckdb.DuckDBPyConnection:
        return self._bare

    def public(self, delivery: str, scope: Scope | None = None) -> duckdb.DuckDBPyConnection:
        return self._opened(delivery, scope)[1]

    def signatures(self, delivery: str, scope: Scope | None = None) -> Signatures:
        return self._opened(delivery, scope)[2]

    def _opened(
        self, delivery: str, scope: Scope | None
    ) -> tuple[_Opened, duckdb.DuckDBPyConnection, Signatures]:
        if self._open is not None and self._open[0] == (delivery, scope):
            return self._open
        if self._open is not None:
            self._open[1].close()
            self._open = None
        file = file_of(self._settings, delivery, PUBLIC)
        tables = "public_tables" if scope is None else "shown_tables"
        attach = f"ATTACH {quoted(str(file))} AS public_tables (READ_ONLY)"
        path = f"SET search_path = 'main,{tables}.main'"
        first = (attach, *_shown(scope or ()), path)
        connection = sealed(":memory:", self._settings, read_only=False, first=first)
        beside = (_beside(connection, tables, name) for name in ("empty_tables", "other_tables"))
        self._open = (delivery, scope), connection, Signatures(beside)
        return self._open


def _shown(scope: Scope) -> Iterator[str]:
    """The statements that make the tables of a scope: their rows, and the columns it names."""
    yield "ATTACH ':memory:' AS shown_tables"
    for table, columns in scope:
        name, listed = identifier(table), ", ".join(map(identifier, columns))
        yield (
            f"CREATE VIEW shown_tables.main.{name} AS "
            f"SELECT {listed} FROM public_tables.main.{name}"
        )


def _beside(
    connection: duckdb.DuckDBPyConnection, tables: str, name: str
) -> duckdb.DuckDBPyConnection:
    """Another connection to the same engine, whose own tables no other one finds by their names."""
    found = connection.cursor()
    found.execute(f"ATTACH ':memory:' AS {name}")
    found.execute(f"SET search_path = '{name}.main,{tables}.main'")
    return found


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, limit: int
) -> tuple[tuple[Value, ...], ...]:
    """At most `limit` rows of one SELECT; raises TooManyRows beyond that."""
    rows = connection.execute(selected(connection, sql)).fetchmany(limit + 1)
    if len(rows) > limit:
        raise TooManyRows
    return plain_rows(rows)


def composed(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    noisy: Mapping[str, NoisyStage],
    confidence: float,
) -> Answer:
    """The answer; the connection is as empty afterwards as it was before."""
    with _holding(connection, plan, noisy) as tables:
        answer = _answer(connection, plan, tables, confidence)
        answer = replace(answer, effects=effects.shares(connection, plan, tables, confidence))
        shown = noisy.get(plan.post.rowwise or "")
        if shown is None:
            return answer
        other = others.row(connection, plan, shown, answer.columns, confidence)
        return replace(answer, other=other)


def given(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    inputs: Sequence[Input],
    noisy: Mapping[str, NoisyStage],
) -> tuple[InputRows, ...]:
    """The rows of inputs, from noisy tables of a plan's stages; TooManyRows beyond their most."""
    with _holding(connection, plan, noisy):
        return tuple(
            InputRows(one.name, rows_of(connection, one.sql, one.most_rows)) for one in inputs
        )


@contextmanager
def _holding(
    connection: duckdb.DuckDBPyConnection, plan: Plan, noisy: Mapping[str, NoisyStage]
) -> Iterator[dict[str, Together]]:
    """The block with the released tables of a plan."""
    connection.execute("BEGIN")
    try:
        tables = _tables(plan, noisy)
        for table in tables.values():
            create(connection, table.stage, table.noisy, table.found(0.5))
        yield tables
    finally:
        connection.execute("ROLLBACK")


def _answer(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    tables: Mapping[str, Together],
    confidence: float,
) -> Answer:
    types, rows = _result(connection, plan.post.sql)
    table = tables.get(plan.post.rowwise or "")
    if table is None:
        columns = described(plan, types, _only(plan))
        nothing = tuple((None,) * len(types) for _ in rows)
        return Answer(columns, shown_rows(rows), nothing, nothing, confidence)
    columns = described(plan, types[1:], table.stage)
    places = [row[0] for row in rows]
    shown = [row[1:] for row in rows]
    margins = Margins(connection, table, places, confidence, shown)
    columns, lower, upper = margins.attached(plan.post.outputs, columns)
    return Answer(columns, shown_rows(shown), lower, upper, confidence)


def _tables(plan: Plan, noisy: Mapping[str, NoisyStage]) -> dict[str, Together]:
    """The released tables by name: those of stages, and of hierarchies made of them."""
    positive = {found.table: found.columns for found in plan.non_negative}
    found = {
        stage.name: alone(stage, noisy[stage.name], positive.get(stage.name, ()))
        for stage in plan.stages
    }
    for each in plan.hierarchies:
        found[each.name] = together(each, plan.stages, noisy, positive.get(each.name, ()))
    for least in plan.frequencies:
        found[least.table] = frequent(found[least.table], least.column, least.at_least)
    return found


def _result(
    connection: duckdb.DuckDBPyConnection, sql: str
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The types and the rows of one SELECT."""
    result = connection.execute(selected(connection, sql))
    types = [kind(str(column[1])) for column in result.description or ()]
    rows = result.fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise TooManyRows
    return types, rows


def _only(plan: Plan) -> Stage | None:
    """The one stage that the answer is computed from."""
    apart = set() if plan.effects is None else {one.stage for one in plan.effects.shares}
    stages = [stage for stage in plan.stages if stage.name not in apart]
    return stages[0] if len(stages) == 1 else None

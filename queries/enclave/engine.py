"""The exact answer of a stage, from the sealed engine on a delivery's private file.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the rows handed to the noise are those of the listed keys, all of them and no
                others; or candidates for a threshold; or exactly one row (P10).
    Requires    a plan whose list was written before any row was read, or is a query over released
                and public tables alone; SQL from the algebra alone.
    Why         rows with an unlisted key are discarded and missing cells are zero, so which keys
                occur shows in nothing but the noisy numbers. A list that is made here is made
                first, by a text that the planner bound where no private table is.
    Tried by    tests/enclave/test_engine.py, tests/bind/test_released_spines.py
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from queries.algebra.names import quoted
from queries.catalog.storage import ORDINAL
from queries.catalog.united import BLOCK, Together
from queries.catalog.view import Value, deliveries_of
from queries.enclave.exact import ExactAnswer
from queries.plan.model import Distribution, Stage
from queries.plan.noisy import in_order
from queries.workers.sealed import file_of, sealed, selected
from queries.workers.sealed import quoted as literal
from queries.workers.settings import Settings

PRIVATE = "private.duckdb"
LOWEST, HIGHEST = -(2**63), 2**63 - 1
FETCHED = 10_000

Row = tuple[Any, ...]
_Wanted = tuple[str, Together | None]


class EngineFailed(Exception):
    """The engine's answer is not what the plan announced. The text never leaves the process."""


class Deliveries:
    """Opens deliveries; the last one stays open, so that its pages stay warm.

    Only one connection at a time: each has buffers of its own, and together they would pass the
    limit of the process. The deliveries of several blocks that are read as one share one.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: tuple[_Wanted, duckdb.DuckDBPyConnection] | None = None

    def connection(
        self, delivery: str, together: Together | None = None
    ) -> duckdb.DuckDBPyConnection:
        wanted = delivery, together
        if self._open is not None and self._open[0] == wanted:
            return self._open[1]
        if self._open is not None:
            self._open[1].close()
            self._open = None
        files = [file_of(self._settings, one, PRIVATE) for one in deliveries_of(delivery)]
        if together is None:
            (file,) = files
            connection = opened(file, self._settings)
        else:
            connection = opened_together(files, together, self._settings)
        self._open = (wanted, connection)
        return connection


def opened(file: Path, settings: Settings) -> duckdb.DuckDBPyConnection:
    """A sealed, read-only connection to a delivery's private file."""
    return sealed(
        str(file), settings, read_only=True, first=("SET preserve_insertion_order = false",)
    )


def opened_together(
    files: Sequence[Path], how: Together, settings: Settings
) -> duckdb.DuckDBPyConnection:
    """A sealed connection that reads the private files of several blocks as one."""
    attached = [
        f"ATTACH {literal(str(file))} AS {_attached(place)} (READ_ONLY)"
        for place, file in enumerate(files)
    ]
    newest = _attached(len(files) - 1)
    views = [f"CREATE VIEW {quoted(name)} AS SELECT * FROM {newest}.main.{quoted(name)}"
             for name in how.rest]  # fmt: skip
    views += [_view(name, how) for name in how.tables]
    first = (*attached, *views, "SET preserve_insertion_order = false")
    return sealed(":memory:", settings, read_only=False, first=first)


def _attached(place: int) -> str:
    return f"_block{place}"


def _view(table: str, how: Together) -> str:
    """A table of the rows of all blocks; the ordinals of one unit stay apart (P3)."""
    name, number = quoted(table), len(how.blocks)
    listed = ", ".join(map(literal, how.blocks))
    parts = []
    for place, block in enumerate(how.blocks):
        told = f", CAST({literal(block)} AS ENUM ({listed})) AS {quoted(BLOCK)}"
        ordinal = f"CAST({quoted(ORDINAL)} AS BIGINT) * {number} + {place} AS {quoted(ORDINAL)}"
        parts.append(
            f"SELECT * REPLACE ({ordinal}){told if table in how.told else ''} "
            f"FROM {_attached(place)}.main.{name}"
        )
    return f"CREATE VIEW {name} AS {' UNION ALL BY NAME '.join(parts)}"


def exact(connection: duckdb.DuckDBPyConnection, stage: Stage, seed: int) -> ExactAnswer:
    """The exact integers of a stage, aligned with its list where it has one."""
    listed = _listed(connection, stage)
    answer = _answer(stage, _rows(connection, stage, seed), listed)
    named = [key.name for key in stage.keys]
    parts = [counted(connection, found, named, answer.keys, seed) for found in stage.distributions]
    if parts:
        answer = ExactAnswer(answer.keys, answer.values, list(zip(*parts, strict=True)))
    if not all(LOWEST <= value <= HIGHEST for row in answer.values for value in row):
        raise EngineFailed("an integer does not fit")
    return answer


def _listed(
    connection: duckdb.DuckDBPyConnection, stage: Stage
) -> tuple[tuple[Value, ...], ...] | None:
    """The keys that are answered, where they are public or those of released rows."""
    if stage.listing is None:
        return stage.listed
    wanted = [key.name for key in stage.keys]
    result, names = executed(connection, stage.listing, 0, wanted)
    rows = result.fetchmany(stage.most_rows + 1)
    if len(rows) > stage.most_rows:
        raise EngineFailed("more keys than the plan allows")
    places = [names.index(name) for name in wanted]
    return in_order(_encoded([tuple(row[place] for place in places) for row in rows], len(wanted)))


def _rows(connection: duckdb.DuckDBPyConnection, stage: Stage, seed: int) -> list[Row]:
    """At most `most_rows` rows of the stage's single SELECT, its columns in the plan's order."""
    wanted = list(stage.wanted)
    if len(wanted) == len(stage.keys) and stage.threshold is None:
        return [] if stage.keys else [()]
    result, names = executed(connection, stage.sql, seed, wanted)
    rows = result.fetchmany(stage.most_rows + 1)
    if len(rows) > stage.most_rows:
        raise EngineFailed("more rows than the plan allows")
    if names == wanted:
        return rows
    places = [names.index(name) for name in wanted]
    return [tuple(row[place] for place in places) for row in rows]


def executed(
    connection: duckdb.DuckDBPyConnection, sql: str, seed: int, wanted: list[str]
) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """A SELECT under way, and its columns' names: those that are wanted, in any order."""
    statement = selected(connection, sql)
    bound = {"seed": seed} if "seed" in statement.named_parameters else None
    result = connection.execute(statement, bound)
    names = [column[0] for column in result.description or ()]
    if sorted(names) != sorted(wanted):
        raise EngineFailed("the columns are not those of the plan")
    return result, names


def counted(
    connection: duckdb.DuckDBPyConnection,
    found: Distribution,
    named: Sequence[str],
    keys: Sequence[tuple[Value, ...]],
    seed: int,
) -> list[NDArray[np.int64]]:
    """The histogram of each key; rows of other keys, or in no bin, are discarded."""
    places = {key: place for place, key in enumerate(keys)}
    width = len(named)
    wanted = [*named, "b", "n"]
    result, names = executed(connection, found.sql, seed, wanted)
    counts = np.zeros((len(keys), found.bins.count), dtype=np.int64)
    listed = found.bins.listed
    bins = {value: b for b, value in enumerate(listed or range(found.bins.count))}
    order = [names.index(name) for name in wanted]
    while rows := result.fetchmany(FETCHED):
        columns = [[row[place] for row in rows] for place in order]
        found_keys = _encoded(list(zip(*columns[:width], strict=True)) or [()] * len(rows), width)
        for key, value, number in zip(found_keys, _column(columns[-2]), columns[-1], strict=True):
            if key in places and value in bins:
                counts[places[key], bins[value]] = number
    return list(counts)


def _answer(
    stage: Stage, rows: list[Row], listed: tuple[tuple[Value, ...], ...] | None
) -> ExactAnswer:
    width = len(stage.keys)
    if any(type(value) is not int for row in rows for value in row[width:]):
        raise EngineFailed("a measure is not an integer")
    keys = _encoded([row[:width] for row in rows], width)
    values = [row[width:] for row in rows]
    if listed is not None:
        return _aligned(listed, keys, values, len(stage.wanted) - width)
    if stage.threshold is not None:
        _distinct(keys)
        return ExactAnswer(keys, values)
    if width or len(rows) != 1:
        raise EngineFailed("a stage without keys has exactly one row")
    return ExactAnswer(keys, values)


def _aligned(
    listed: tuple[tuple[Value, ...], ...],
    keys: list[tuple[Value, ...]],
    values: list[tuple[int, ...]],
    columns: int,
) -> ExactAnswer:
    """One row for each listed key, in the list's order, zeros where the engine has none."""
    _distinct(list(listed))
    _distinct(keys)
    found = dict(zip(keys, values, strict=True))
    empty = (0,) * columns
    return ExactAnswer(list(listed), [found.get(key, empty) for key in listed])


def _distinct(keys: list[tuple[Value, ...]]) -> None:
    if len(set(keys)) != len(keys):
        raise EngineFailed("a key occurs twice")


def _encoded(keys: list[Row], width: int) -> list[tuple[Value, ...]]:
    """Keys as plan values. Columns are encoded one by one: most need no change at all."""
    if width == 0:
        return [()] * len(keys)
    columns = [_column(column) for column in zip(*keys, strict=True)]
    return list(zip(*columns, strict=True))


def _column(values: Sequence[Any]) -> Sequence[Value]:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int, str, bool, float}:
        return values
    if kinds <= {date, datetime, str}:
        return [_iso(value) for value in values]
    raise EngineFailed("a key of this type cannot be released")


def _iso(value: date | str | None) -> str | None:
    """ISO 8601; the engine hands out dates past the year 9999 as text already."""
    return value.isoformat() if isinstance(value, date) else value

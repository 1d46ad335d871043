"""The row of what a threshold held back: exact once it is known which keys left, then noised.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the row loses what `queries.enclave.claims` verified for its columns, besides what
                the keys and their own columns lose.
    Requires    a sensitivity that holds for any list of keys (`queries.plan.others`).
    Why         which keys left was decided from noisy counts alone, so to the row their list is a
                constant, the same on both neighbours; it is handed to the engine as texts, and
                nothing else of the noisy table is. One that failed to match would only be counted
                among the others.
    Tried by    tests/properties/test_sensitivity.py, tests/enclave/test_others.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import numpy as np

from queries.catalog.view import Value
from queries.enclave.engine import exact
from queries.enclave.exact import ExactAnswer
from queries.enclave.noise import released
from queries.plan.lower.rest import KEPT
from queries.plan.model import Key, Stage
from queries.plan.noisy import NoisyStage, beside

Keys = Sequence[tuple[Value, ...]]


def complete(
    connection: duckdb.DuckDBPyConnection, stage: Stage, noisy: NoisyStage, seed: int
) -> NoisyStage:
    """The noisy table of a stage with the row of what it held back, where it has one."""
    row = beside(stage)
    if row is None:
        return noisy
    found = released(row, held_back(connection, stage, row, noisy.keys, seed))
    return replace(noisy, other=found.values[0])


def held_back(
    connection: duckdb.DuckDBPyConnection, stage: Stage, row: Stage, kept: Keys, seed: int
) -> ExactAnswer:
    """The exact integers of all groups but those whose keys left."""
    with _registered(connection, stage.keys, kept):
        return exact(connection, row, seed)


@contextmanager
def _registered(
    connection: duckdb.DuckDBPyConnection, keys: tuple[Key, ...], kept: Keys
) -> Iterator[None]:
    columns = {
        key.name: np.array([_text(row[place]) for row in kept], dtype=object)
        for place, key in enumerate(keys)
    }
    connection.register(KEPT, columns)
    try:
        yield
    finally:
        connection.unregister(KEPT)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)

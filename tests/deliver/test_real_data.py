"""Real data, registered, hold exactly the analyst's rows: manifests are slack there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import pytest

from queries.catalog.manifest import Column, Table, Type
from queries.catalog.storage import stored_columns
from tests import datasets


@contextmanager
def beside(dataset: datasets.Dataset) -> Iterator[duckdb.DuckDBPyConnection]:
    """The analyst's tables with the delivery attached as `made`, and let go of afterwards.

    Connections of one process to one file share its attached databases.
    """
    with datasets.plain(dataset) as engine:
        engine.execute(f"ATTACH '{dataset.directory / 'private.duckdb'}' AS made (READ_ONLY)")
        try:
            yield engine
        finally:
            engine.execute("DETACH made")


def shown(table: Table, column: Column) -> str:
    """A stored column as the analyst's type."""
    name = f'"{column.name}"'
    kind = datasets.natural_type(table, column)
    if column.type is not Type.DECIMAL or table.public:
        return f"CAST({name} AS {kind}) AS {name}"
    step = f"CAST('1e-{column.scale}' AS DECIMAL(18,{column.scale}))"
    return f"CAST(CAST({name} AS DECIMAL(18,0)) * {step} AS {kind}) AS {name}"


@pytest.mark.slow
@pytest.mark.parametrize("build", [datasets.nycflights13, datasets.hi, datasets.tpch])
def test_nothing_but_rows_without_a_unit_is_changed(build: Callable[[], datasets.Dataset]) -> None:
    dataset = build()
    with beside(dataset) as engine:
        for table in dataset.manifest.tables:
            columns = stored_columns(table)
            ours = ", ".join(shown(table, column) for column in columns)
            theirs = ", ".join(f'"{column.name}"' for column in columns)
            left = f'SELECT {ours} FROM made.main."{table.name}"'
            right = f'SELECT {theirs} FROM "{table.name}"'
            for one, other in ((left, right), (right, left)):
                row = engine.execute(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchone()
                assert row == (0,), table.name


@pytest.mark.slow
def test_units_are_the_ids_of_the_source() -> None:
    dataset = datasets.nycflights13()
    with beside(dataset) as engine:
        ours = "SELECT count(*) AS n FROM made.main.flights GROUP BY _unit"
        theirs = "SELECT count(*) AS n FROM flights GROUP BY tailnum"
        found = engine.execute(f"SELECT list(n ORDER BY n) FROM ({ours})").fetchone()
        assert found == engine.execute(f"SELECT list(n ORDER BY n) FROM ({theirs})").fetchone()

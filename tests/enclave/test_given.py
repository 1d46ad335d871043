"""Inputs in the enclave: what they state of themselves is made true, whatever is handed in."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from queries.algebra.inputs import Input, InputColumn
from queries.enclave.engine import EngineFailed, opened
from queries.enclave.given import given
from queries.plan.model import Stage
from queries.plan.noisy import InputRows
from queries.workers.settings import Settings
from tests.enclave.conftest import VISITS
from tests.enclave.stages import DELIVERY, MEMORY, column, deliver, gaussian, stage

KEY = InputColumn("c0", "VARCHAR")
COUNT = InputColumn("c1", "BIGINT", 2, Fraction(-1000), Fraction(1000))
MEAN = InputColumn("c2", "DOUBLE", 0, Fraction(0), Fraction(10))
REAL = InputColumn("c3", "DOUBLE")
ROW = ("north", "1.50", "2.5", "nan")

Rows = list[tuple[str | None, ...]]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = tmp_path_factory.mktemp("home")
    deliveries = deliver(home, *VISITS)
    spill = home / "spill"
    spill.mkdir()
    world = Settings(str(deliveries), MEMORY, 1, 1 << 30, spill=str(spill))
    with opened(Path(deliveries) / DELIVERY / "private.duckdb", world) as made:
        yield made


def reading(unique: tuple[str, ...] | None = ("c0",), most_rows: int = 3) -> Stage:
    one = Input("_in0", "", (KEY, COUNT, MEAN, REAL), most_rows, unique, ("_stage0",))
    made = stage("SELECT count(*) AS m0 FROM visits", [column("m0", gaussian(1.0))])
    return Stage(**{name: getattr(made, name) for name in FIELDS}, inputs=(one,))


FIELDS = ("name", "digest", "sql", "keys", "columns", "listed", "threshold", "most_rows")


def handed(connection: duckdb.DuckDBPyConnection, read: Stage, rows: Rows) -> Rows:
    with given(connection, [read], [InputRows("_in0", tuple(rows))]):
        return connection.execute('SELECT * FROM "_in0" ORDER BY ALL').fetchall()


def test_values_are_stored_as_whole_steps_and_within_their_range(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows: Rows = [
        ROW, ("south", "99.999", "1e300", "-inf"), (None, "-1e30", "-0.5", "0.30000000000000004")
    ]  # fmt: skip
    found = handed(connection, reading(), rows)
    assert [row[:3] for row in found] == [
        ("north", 150, 2.5), ("south", 1000, 10.0), (None, -1000, 0.0)
    ]  # fmt: skip
    assert found[2][3] == 0.1 + 0.2
    assert found[1][3] == float("-inf")
    assert found[0][3] != found[0][3]


def test_nulls_and_no_rows_at_all(connection: duckdb.DuckDBPyConnection) -> None:
    assert handed(connection, reading(), []) == []
    nothing = (None, None, None, None)
    assert handed(connection, reading(), [nothing]) == [nothing]
    assert handed(connection, reading(), [("x", None, "nan", None)]) == [("x", None, None, None)]


@pytest.mark.parametrize(
    ("unique", "rows"),
    [
        (("c0",), [ROW, ROW]),
        (("c0",), [ROW, ("north", "2", "3", "4")]),
        (("c1",), [("a", "1.5", None, None), ("b", "1.50", None, None)]),
        (("c3",), [("a", None, None, "0.0"), ("b", None, None, "-0.0")]),
        ((), [ROW, ("south", None, None, None)]),
        (None, [ROW] * 4),
        (None, [("north", "1.50", "2.5")]),
        (None, [("north", "1,50", "2.5", "0")]),
        (None, [("north", "1", "x", "0")]),
        (None, [("north", 1, "2", "0")]),
    ],
)
def test_what_is_not_as_stated_ends_the_job(
    connection: duckdb.DuckDBPyConnection, unique: tuple[str, ...] | None, rows: Rows
) -> None:
    with pytest.raises(EngineFailed):
        handed(connection, reading(unique), rows)
    assert handed(connection, reading(unique), [ROW])[0][0] == "north"


def test_the_inputs_are_those_of_the_stages(connection: duckdb.DuckDBPyConnection) -> None:
    for rows in ([], [InputRows("visits", ())], [InputRows("_in0", ())] * 2):
        with pytest.raises(EngineFailed), given(connection, [reading()], rows):
            pass


def test_nothing_stays_behind(connection: duckdb.DuckDBPyConnection) -> None:
    before = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    handed(connection, reading(), [ROW])
    with pytest.raises(EngineFailed):
        handed(connection, reading(), [ROW, ROW])
    assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == before
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert views == []

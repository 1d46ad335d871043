"""Exact answers are those of the plan's list, and nothing else comes through."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queries import codec
from queries.enclave.engine import EngineFailed, exact, opened
from queries.enclave.exact import ExactAnswer
from queries.plan.model import Key, Stage, Threshold
from queries.workers.sealed import NotOneSelect
from queries.workers.settings import Settings
from tests.enclave.conftest import VISITS
from tests.enclave.stages import DELIVERY, MEMORY, column, deliver, gaussian, stage

COUNT = column("m0", gaussian(1.0))
TOTAL = column("m1", gaussian(1.0))
AREA = Key("k0", "VARCHAR")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = tmp_path_factory.mktemp("home")
    deliveries = deliver(home, *VISITS)
    spill = home / "spill"
    spill.mkdir()
    world = Settings(str(deliveries), MEMORY, 1, 1 << 30, spill=str(spill))
    with opened(deliveries / DELIVERY / "private.duckdb", world) as made:
        yield made


def rows(connection: duckdb.DuckDBPyConnection, given_stage: Stage) -> list[tuple[object, ...]]:
    answer = exact(connection, given_stage, seed=1)
    return [(*key, *value) for key, value in zip(answer.keys, answer.values, strict=True)]


def test_listed_keys_are_answered_in_full_and_in_order(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    listed = [("east",), ("south",), (None,), ("north",)]
    sql = "SELECT area AS k0, count(*) AS m0, sum(cost) AS m1 FROM visits GROUP BY area"
    found = rows(connection, stage(sql, [COUNT, TOTAL], [AREA], listed))
    assert found == [("east", 0, 0), ("south", 500, 250000), (None, 0, 0), ("north", 500, 249500)]


def test_rows_with_an_unlisted_key_are_discarded(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT area AS k0, count(*) AS m0 FROM visits GROUP BY area"
    assert rows(connection, stage(sql, [COUNT], [AREA], [("south",)])) == [("south", 500)]


def test_a_null_key_meets_the_listed_null(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT nullif(area, 'north') AS k0, count(*) AS m0 FROM visits GROUP BY 1"
    found = rows(connection, stage(sql, [COUNT], [AREA], [("south",), (None,)]))
    assert found == [("south", 500), (None, 500)]


def test_keys_of_every_type_are_plan_values(connection: duckdb.DuckDBPyConnection) -> None:
    sql = """SELECT urgent AS k0, day AS k1, day::TIMESTAMP + INTERVAL 1 MICROSECOND AS k2,
             12::HUGEINT AS k3, day::TIMESTAMP AS k4, count(*) AS m0 FROM visits
             WHERE cost = 21 GROUP BY ALL"""
    keys = [Key(f"k{n}", "VARCHAR") for n in range(5)]
    count = Threshold("m0", 2, 1)
    assert rows(connection, stage(sql, [COUNT], keys, threshold=count)) == [
        (True, "2026-03-01", "2026-03-01T00:00:00.000001", 12, "2026-03-01T00:00:00", 1)
    ]


def test_columns_are_found_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT sum(cost) AS m1, count(*) AS m0, area AS k0 FROM visits GROUP BY area"
    assert rows(connection, stage(sql, [COUNT, TOTAL], [AREA], [("south",)])) == [
        ("south", 500, 250000)
    ]


def test_a_stage_without_keys_is_one_row(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT count(*) AS m0 FROM visits WHERE cost < 0"
    assert rows(connection, stage(sql, [COUNT])) == [(0,)]


def test_the_seed_is_bound(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT count(*) AS m0 FROM visits WHERE hash(_unit, $seed) > hash($seed)"
    assert 0 <= rows(connection, stage(sql, [COUNT]))[0][0] <= 1000  # type: ignore[operator]
    shown = stage("SELECT $seed AS m0", [COUNT])
    assert exact(connection, shown, seed=2**63 - 1).values == [(2**63 - 1,)]


REFUSED = {
    "a key twice": "SELECT area AS k0, 1 AS m0 FROM visits",
    "a null measure": "SELECT area AS k0, NULL::BIGINT AS m0 FROM visits GROUP BY area",
    "a real measure": "SELECT area AS k0, avg(cost) AS m0 FROM visits GROUP BY area",
    "a decimal measure": "SELECT area AS k0, sum(1.5) AS m0 FROM visits GROUP BY area",
    "a boolean measure": "SELECT area AS k0, true AS m0 FROM visits GROUP BY area",
    "past 64 bits": "SELECT area AS k0, 9223372036854775808 AS m0 FROM visits GROUP BY area",
    "below 64 bits": "SELECT area AS k0, -9223372036854775809 AS m0 FROM visits GROUP BY area",
    "a column more": "SELECT area AS k0, 1 AS m0, 2 AS m1 FROM visits GROUP BY area",
    "a column less": "SELECT 1 AS m0",
    "too many rows": "SELECT cost::VARCHAR AS k0, 1 AS m0 FROM visits",
    "a list as key": "SELECT [area] AS k0, 1 AS m0 FROM visits GROUP BY area",
    "a decimal key": "SELECT 1.5 AS k0, 1 AS m0",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED)
def test_what_the_plan_did_not_announce_fails(
    connection: duckdb.DuckDBPyConnection, sql: str
) -> None:
    with pytest.raises(EngineFailed):
        exact(connection, stage(sql, [COUNT], [AREA], [("south",)], most_rows=999), seed=1)


def test_keys_never_leave_without_a_list_or_a_threshold(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    sql = "SELECT area AS k0, count(*) AS m0 FROM visits WHERE area = 'south' GROUP BY area"
    with pytest.raises(EngineFailed):
        exact(connection, stage(sql, [COUNT], [AREA]), seed=1)


@pytest.mark.parametrize(
    "sql", ["SELECT 1 AS m0; SELECT 2 AS m0", "", "PRAGMA database_list", "EXPLAIN SELECT 1 AS m0"]
)
def test_only_one_select_is_run(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(NotOneSelect):
        exact(connection, stage(sql, [COUNT]), seed=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.dictionaries(st.none() | st.integers(0, 30), st.integers(-(2**63), 2**63 - 1)),
    listed=st.lists(st.none() | st.integers(0, 30), unique=True),
)
def test_alignment_is_a_left_join_of_the_list(
    connection: duckdb.DuckDBPyConnection, held: dict[int | None, int], listed: list[int | None]
) -> None:
    pairs = [f"({'NULL' if k is None else k}::BIGINT, {v}::HUGEINT)" for k, v in held.items()]
    values = ", ".join(["(0::BIGINT, 0::HUGEINT)", *pairs])
    sql = f"SELECT * FROM (VALUES {values} OFFSET 1) AS t(k0, m0)"
    found = rows(connection, stage(sql, [COUNT], [AREA], [(key,) for key in listed]))
    assert found == [(key, held.get(key, 0)) for key in listed]


def test_an_exact_answer_can_be_neither_shown_nor_sent(tmp_path: Path) -> None:
    answer = ExactAnswer([("secret",)], [(123456,)])
    assert "123456" not in f"{answer} {answer!r}"
    assert "secret" not in f"{answer} {answer!r}"
    with pytest.raises(TypeError):
        pickle.dumps(answer)
    with pytest.raises(TypeError):
        codec.dumps(answer)

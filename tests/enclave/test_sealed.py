"""The sealed engine reads its delivery and nothing else, and writes nowhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from queries.enclave.engine import opened
from queries.workers.settings import Settings
from tests.enclave.attempts import ATTEMPTS, NOT_IN_THIS_BUILD
from tests.enclave.conftest import VISITS
from tests.enclave.stages import DELIVERY, MEMORY, deliver


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("home")
    deliver(place, *VISITS)
    (place / "spill").mkdir()
    (place / "other.csv").write_text("1,0,north,true,2026-03-01,5\n")
    with duckdb.connect(str(place / "other.duckdb")) as other:
        other.execute("CREATE TABLE t AS SELECT 1 AS x")
        other.execute(f"COPY t TO '{place}/other.parquet'")
    return place


@pytest.fixture(scope="module")
def sealed_connection(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    world = Settings(str(home / "deliveries"), MEMORY, 1, 1 << 30, spill=str(home / "spill"))
    with opened(home / "deliveries" / DELIVERY / "private.duckdb", world) as made:
        yield made


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_an_attempt_fails(
    sealed_connection: duckdb.DuckDBPyConnection, home: Path, attempt: str
) -> None:
    python_variable = {"a": [1]}
    before = sorted(home.rglob("*"))
    with pytest.raises(duckdb.Error):
        sealed_connection.execute(attempt.format(home=home)).fetchall()
    assert python_variable
    assert sorted(home.rglob("*")) == before
    assert sealed_connection.execute("SELECT count(*) FROM visits").fetchall() == [(1000,)]


def test_the_same_attempts_succeed_on_an_open_connection(home: Path, tmp_path: Path) -> None:
    """So that the list above tests the seal, and not the spelling of its attempts."""
    for name, attempt in ATTEMPTS.items():
        if name not in NOT_IN_THIS_BUILD:
            place = tmp_path / name.replace(" ", "-")
            shutil.copytree(home, place)
            with duckdb.connect(str(place / "deliveries" / DELIVERY / "private.duckdb")) as open_:
                open_.execute(attempt.format(home=place))


def test_spill_is_encrypted_and_capped(sealed_connection: duckdb.DuckDBPyConnection) -> None:
    names = "('temp_file_encryption', 'max_temp_directory_size', 'threads', 'lock_configuration')"
    sql = f"SELECT name, value FROM duckdb_settings() WHERE name IN {names}"
    found = dict(sealed_connection.execute(sql).fetchall())
    assert found == {
        "temp_file_encryption": "true",
        "max_temp_directory_size": "1.0 GiB",
        "threads": "1",
        "lock_configuration": "true",
    }


FOLDED = "SELECT COUNT(*) FROM nothing WHERE split_part(word, 'o', 2) = 'a'"


def test_a_column_of_nulls_is_no_reason_to_fail(home: Path, tmp_path: Path) -> None:
    """The engine's own conclusion from such a column fails; whether it is one is private."""
    file = tmp_path / "private.duckdb"
    with duckdb.connect(str(file)) as made:
        made.execute("CREATE TABLE nothing AS SELECT CAST(NULL AS VARCHAR) AS word FROM range(2)")
        with pytest.raises(duckdb.Error):
            made.execute(FOLDED).fetchall()
    world = Settings(str(tmp_path), MEMORY, 1, 1 << 30, spill=str(home / "spill"))
    with opened(file, world) as found:
        assert found.execute(FOLDED).fetchall() == [(0,)]

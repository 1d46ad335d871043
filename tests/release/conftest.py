"""Release engines over a small public delivery made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from queries.release.client import ReleaseEngine
from queries.release.engine import Connections
from queries.workers.settings import Settings
from tests.enclave.stages import MEMORY, deliver

PUBLIC = (
    "CREATE TABLE areas (area VARCHAR, residents INTEGER, fee DECIMAL(18,2), since DATE)",
    """INSERT INTO areas VALUES ('north', 10, 1.25, DATE '2020-01-31'), ('south', 20, NULL, NULL),
       ('east', 30, 2.50, DATE '2021-12-01')""",
    "CREATE TABLE numbers AS SELECT range AS n FROM range(1000)",
)


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deliver(tmp_path_factory.mktemp("home"), "CREATE TABLE hidden(x INT)", public=PUBLIC)


@pytest.fixture(scope="module")
def engine(deliveries: Path) -> Iterator[ReleaseEngine]:
    made = ReleaseEngine(deliveries, workers=1, memory=MEMORY, seconds=10)
    yield made
    made.close()


@pytest.fixture(scope="module")
def connections(deliveries: Path) -> Connections:
    spill = deliveries.parent / "spill-in-process"
    spill.mkdir()
    return Connections(Settings(str(deliveries), MEMORY, 1, 1 << 30, spill=str(spill)))


@pytest.fixture(scope="module")
def bare(connections: Connections) -> duckdb.DuckDBPyConnection:
    return connections.bare()

"""Enclaves over small deliveries made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from queries.enclave.client import Enclave
from tests.enclave.stages import MEMORY, deliver

MakeEnclave = Callable[..., Enclave]

VISITS = (
    "CREATE TYPE place AS ENUM ('north', 'south', 'east')",
    """CREATE TABLE visits AS SELECT i // 10 AS _unit, (i % 10)::INTEGER AS _ordinal,
       (['north', 'south'])[1 + i % 2]::place AS area, i % 7 = 0 AS urgent,
       DATE '2026-03-01' + (i % 3)::INTEGER AS day, i AS cost FROM range(1000) r(i)""",
)


@pytest.fixture
def make_enclave(tmp_path: Path) -> Iterator[MakeEnclave]:
    """Starts enclaves on one delivery, and closes them."""
    deliveries = deliver(tmp_path, *VISITS)
    made: list[Enclave] = []

    def make(workers: int = 1) -> Enclave:
        made.append(Enclave(deliveries, workers=workers, memory=MEMORY, threads=1))
        return made[-1]

    yield make
    for enclave in made:
        enclave.close()

"""One real enclave for all statistics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from queries.enclave.client import Enclave
from tests.enclave.stages import MEMORY, deliver


@pytest.fixture(scope="session")
def enclave(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enclave]:
    deliveries = deliver(tmp_path_factory.mktemp("home"), "CREATE TABLE t AS SELECT 1 AS x")
    made = Enclave(deliveries, workers=1, memory=MEMORY, threads=1)
    yield made
    made.close()

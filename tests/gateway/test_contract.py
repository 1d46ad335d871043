"""The server keeps its own contract: schemathesis generates requests from openapi.yaml."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.running import Gateway, make_home, running

COMMITTED = Path(__file__).resolve().parents[2] / "openapi.yaml"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """A server of its own: what is generated may move budgets and end members."""
    home = tmp_path / "home"
    with running(home, make_home(home)) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("key", ["analyst", "root"])
def test_generated_requests_find_no_breach(gateway: Gateway, key: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(COMMITTED),
        "--url", f"http://127.0.0.1:{gateway.port}",
        "--header", f"Authorization: Bearer {gateway.keys[key]}",
        "--checks", ",".join(CHECKS),
        "--max-examples", "12", "--phases", "examples,fuzzing", "--generation-deterministic",
        "--exclude-operation-id", "revokeKey",
        "--request-timeout", "30",
    ]  # fmt: skip
    told = subprocess.run(
        command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    assert "passed" in told.stdout

"""The server keeps its own contract: schemathesis generates requests from openapi.yaml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.running import Gateway

COMMITTED = Path(__file__).resolve().parents[2] / "openapi.yaml"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["analyst", "root"])
def test_generated_requests_find_no_breach(own: Gateway, key: str, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(COMMITTED),
        "--url", f"http://127.0.0.1:{own.port}",
        "--header", f"Authorization: Bearer {own.keys[key]}",
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

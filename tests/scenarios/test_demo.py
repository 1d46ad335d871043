"""`sluis demo`: from nothing to a private answer, and nothing new granted when run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def demo(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway.cli.run", "demo", "--once", *words]
    variables = os.environ | {"SLUIS_HOME": str(home)}
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=180, check=False
    )


def test_it_answers_quickly_and_again_for_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    began = time.monotonic()
    first = demo(home)
    took = time.monotonic() - began
    assert first.returncode == 0, first.stderr
    assert "Left of the budget" in first.stdout
    assert "curl" in first.stdout
    assert took < 60, "20 s on a quiet machine"
    again = demo(home, "--json")
    release: dict[str, Any] = json.loads(again.stdout)["release"]
    assert release["replayed"]
    assert release["privacy_loss"]["rho"] == "0"
    assert release["budget"]["guarantee"]["epsilon"] == "2"
    assert float(release["budget"]["spent"]["rho"]) > 0

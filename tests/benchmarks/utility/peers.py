"""Peers in environments of their own, made once in a folder of this machine; never in our lock."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A library that answers some of the questions: what to install, and the script that asks."""

    name: str
    requirement: str
    script: str

    def ask(self, job: dict[str, Any]) -> dict[str, list[Rows]]:
        """The answers of each question, draw by draw."""
        python = self._environment() / "bin" / "python"
        done = subprocess.run(
            [str(python), str(HERE / self.script)],
            input=json.dumps(job), capture_output=True, text=True, check=True,
        )  # fmt: skip
        found: dict[str, list[Rows]] = json.loads(done.stdout.splitlines()[-1])
        return found

    def _environment(self) -> Path:
        folder = Path(tempfile.gettempdir()) / f"sluis-peer-{self.name}"
        if not (folder / "ready").exists():
            venv.create(folder, with_pip=True, clear=True)
            install = ["-m", "pip", "install", "--quiet", self.requirement]
            subprocess.run([str(folder / "bin" / "python"), *install], check=True)
            (folder / "ready").write_text(sys.version)
        return folder


SMARTNOISE = Peer("smartnoise", "smartnoise-sql==1.0.10", "smartnoise.py")
CONTEXT = Peer("opendp", "opendp[polars]==0.16.0", "context.py")

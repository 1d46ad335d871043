"""The repository's first page: agreed names alone, and the two commands that work from it."""

from __future__ import annotations

import os
import subprocess
import tomllib

import pytest

from tests.house.tree import ROOT, listed

FOLDERS = {"gateway", "budgets", "queries", "tests", "docs"}
FILES = {
    "openapi.yaml",
    "pyproject.toml",
    "uv.lock",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
}


def test_the_top_level_holds_the_agreed_names() -> None:
    names = {one.split("/")[0] for one in listed()}
    assert not {name for name in names if not name.startswith(".")} - FOLDERS - FILES
    assert names >= FOLDERS | FILES


@pytest.mark.parametrize("script", ["setup", "demo", "test", "run"])
def test_a_script_is_sound_and_may_be_run(script: str) -> None:
    path = ROOT / ".ci" / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_the_readme_opens_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = text.split("```")[1]
    assert ".ci/demo" in first
    assert ".ci/test" in first


def test_run_leaves_nothing_out() -> None:
    """`.ci/run` is `.ci/test` with no argument, and that one names every check."""
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    test = (ROOT / ".ci" / "test").read_text(encoding="utf-8")
    assert run.splitlines()[-1].endswith('/test" "$@"')
    checks = {line.split(" ", 2)[2] for line in test.splitlines() if line.startswith("check ")}
    first = {" ".join(check.split()[:2]) for check in checks}
    assert first >= {"ruff check", "ruff format", "mypy", "lint-imports --no-logo"}
    assert first >= {"same_openapi", "openapi-spec-validator openapi.yaml"}
    assert '"${suites[@]}" "$@"' in checks


def test_mypy_reads_all_three_packages_strictly() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert table["strict"] is True
    assert set(table["packages"]) == {"gateway", "budgets", "queries"}

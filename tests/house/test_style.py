"""What the linter cannot say: sizes, words, and checks that must survive `python -O`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.tree import PACKAGES, ROOT, listed, sources, suites, syntax, where

LONGEST_FUNCTION = 60
LONGEST_FILE = 350
OPEN_ENDS = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|HACK)\b")
UNNAMED = {"utils", "util", "helpers", "helper", "common", "misc"}
VAGUE = re.compile(r"_*(process|handle|clean)(_\w+)?")
GIVEN_NAMES = {  # overridden: Flask, webargs and SQLAlchemy chose them
    "handle_http_exception",
    "handle_error",
    "process_bind_param",
    "process_result_value",
}
PHRASES = re.compile(r"\b(user[- ]level|epsilon cost|cost in epsilon)\b", re.IGNORECASE)
ELSEWHERE = re.compile(
    r"(?<!\w)#\d{1,2}\b(?! *[;}])"  # a number in somebody's tracker
    r"|\bissues? +#?\d{1,2}\b"
    r"|/work/|/tmp/bash_jobs"
    r"|\b(DESIGN|PRIVACY|STYLE|GOVERNANCE|COMMON)\.md\b",
)
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".sql", ".cfg", ".ini", ".mako", ".sh", ""}


def _texts() -> list[Path]:
    """What people wrote: neither the lock file, nor the licence, nor this page of rules."""
    apart = {"uv.lock", "LICENSE", "tests/house/test_style.py"}
    return [ROOT / one for one in listed() if one not in apart and Path(one).suffix in TEXTS]


def _lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_check_vanishes_under_optimisation() -> None:
    """`assert` is removed by `python -O`; what decides privacy is an explicit raise."""
    asserts = [
        where(path, node)
        for path in sources()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Assert)
        or (isinstance(node, ast.Name) and node.id in ("__debug__", "AssertionError"))
    ]
    assert not asserts


def test_functions_are_short() -> None:
    long = [
        f"{where(path, node)} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path in sources()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_files_hold_one_idea() -> None:
    sizes = {path: path.read_text(encoding="utf-8").count("\n") for path in (*sources(), *suites())}
    assert not {where(path): size for path, size in sizes.items() if size > LONGEST_FILE}


def test_files_are_named_for_what_they_hold() -> None:
    assert not [
        one for one in listed() if UNNAMED & {part.split(".")[0] for part in one.split("/")}
    ]


def test_functions_are_named_for_what_they_do() -> None:
    vague = [
        f"{where(path, node)} {node.name}"
        for path in sources()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and VAGUE.fullmatch(node.name.lower())
        and node.name not in GIVEN_NAMES
    ]
    assert not vague


def test_words_are_those_of_the_literature() -> None:
    assert not _lines_with(PHRASES, _texts())


def test_nothing_is_left_open() -> None:
    assert not _lines_with(OPEN_ENDS, _texts())


def test_the_project_speaks_of_itself_alone() -> None:
    """No tracker numbers, no paths of somebody's machine, no pages that are not here."""
    allowed = re.compile(r"opendp", re.IGNORECASE)  # upstream's own numbers help its readers
    found = _lines_with(ELSEWHERE, _texts())
    assert not [line for line in found if not allowed.search(line)]


def test_no_test_is_switched_off() -> None:
    marks = re.compile(r"@pytest\.mark\.(skip|xfail)\b|pytest\.xfail\(|@unittest\.skip")
    assert not _lines_with(marks, list(suites()))


def test_the_packages_exist() -> None:
    """Guards every test above against looking at nothing."""
    for package in PACKAGES:
        assert any(path.is_relative_to(ROOT / package) for path in sources()), package

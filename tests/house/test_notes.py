"""Privacy notes are whole: for whom, what is claimed, what it needs, why, and tried where."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, sources, syntax, where

FIELDS = ("Neighbours", "Claim", "Requires", "Why", "Tried by")
HEADING = re.compile(r"^(?:#+ *)?Privacy note\b", re.MULTILINE)
FIELD = re.compile(
    rf"^[ \t]*(?:\*\*)?({'|'.join(FIELDS)})\b(?:\*\*)?:?[ \t]+(\S.*)?$", re.MULTILINE
)
RULE = re.compile(r"\bP(\d{1,2})\b")


def _notes() -> dict[str, str]:
    """The text of every privacy note, by the place where it stands."""
    noted = (path for path in sources() if "Privacy note" in path.read_text(encoding="utf-8"))
    places = {where(path): ast.get_docstring(syntax(path)) or "" for path in noted}
    for package in PACKAGES:
        pages = (ROOT / package).rglob("*.md")
        places |= {where(page): page.read_text(encoding="utf-8") for page in pages}
    return {
        f"{place}#{number}" if number > 1 else place: note
        for place, text in places.items()
        for number, note in enumerate(HEADING.split(text)[1:], start=1)
    }


def _fields(note: str) -> dict[str, str]:
    marks = list(FIELD.finditer(note))
    ends = [mark.start() for mark in marks[1:]] + [len(note)]
    return {
        mark.group(1): note[mark.start(2) if mark.group(2) else mark.end() : end].strip()
        for mark, end in zip(marks, ends, strict=True)
    }


NOTES = _notes()


def test_there_are_notes_to_read() -> None:
    assert NOTES


@pytest.mark.parametrize("place", NOTES)
def test_a_note_is_whole(place: str) -> None:
    fields = _fields(NOTES[place])
    assert not [name for name in FIELDS if not fields.get(name)], "missing or empty"


@pytest.mark.parametrize("place", NOTES)
def test_a_note_names_tests_that_exist(place: str) -> None:
    named = re.findall(r"tests/[\w./-]+\w", _fields(NOTES[place]).get("Tried by", ""))
    assert named, "no test file is named"
    assert not [one for one in named if not (ROOT / one).is_file()]


def test_a_note_stands_at_the_top_of_its_module() -> None:
    """Elsewhere in a file no test would read it."""
    strays = [
        where(path, node)
        for path in sources()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and HEADING.search(ast.get_docstring(node) or "")
    ]
    assert not strays


def _rules() -> set[int]:
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    return {int(number) for number in re.findall(r"^### P(\d+)\. ", page, re.MULTILINE)}


def test_every_cited_rule_stands_in_the_docs() -> None:
    known = _rules()
    assert known == set(range(1, len(known) + 1))
    unknown = [
        f"{where(path)}: P{number}"
        for path in (*sources(), *_pages())
        for number in RULE.findall(path.read_text(encoding="utf-8"))
        if int(number) not in known
    ]
    assert not unknown


def _pages() -> tuple[Path, ...]:
    folders = (*PACKAGES, "docs")
    return tuple(page for folder in folders for page in (ROOT / folder).rglob("*.md"))

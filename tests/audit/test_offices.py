"""An office that signs whatever it likes: what it leaves out of an export, or writes twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from budgets.chain import canonical
from tests.audit.books import Books, full
from tests.audit.test_export import closed, judged, rewritten
from tests.budgets.books import DATASET
from tests.budgets.places import Place


@pytest.fixture
def books(tmp_path: Path, place: Place) -> Books:
    return full(tmp_path / "home", place)


def test_an_office_that_numbers_its_entries_otherwise_is_found(books: Books) -> None:
    """Receipts and checkpoints tell a place in a chain by its number."""

    def later(entry: dict[str, Any]) -> None:
        if entry.get("event") == "settle":
            entry["number"] += 1

    findings = judged(books, rewritten(books, later)).findings
    assert any("does not follow from those before it" in one for one in findings)


def unnamed(lines: list[dict[str, Any]]) -> None:
    """Leave the ledger's chain out of those that the export names."""
    lines[0]["chains"].remove(f"dataset:{DATASET}")
    del lines[-1]["statement"]["chains"][f"dataset:{DATASET}"]


def unhashed(lines: list[dict[str, Any]]) -> None:
    """Put an entry before the end that has no hash to compare."""
    made = next(line for line in lines if line.get("chain") == f"dataset:{DATASET}")
    lines.insert(-1, {name: made[name] for name in ("chain", "entry")})


def signed_anew(books: Books, lines: list[dict[str, Any]]) -> list[bytes]:
    """These lines, the last of which says so much of all the others."""
    written = [canonical(line).encode() + b"\n" for line in lines[:-1]]
    return closed(books, written, lines[-1]["statement"]["chains"])


def headed(lines: list[dict[str, Any]]) -> None:
    """Begin the chains once more."""
    lines.insert(1, lines[0])


@pytest.mark.parametrize("change", [unnamed, unhashed, headed])
def test_an_office_that_tells_entries_of_no_chain_is_found(
    books: Books, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Nothing recomputes their hashes, so that a charge could be made up in them."""
    lines = [json.loads(line) for line in books.export()]
    change(lines)
    findings = judged(books, signed_anew(books, lines)).findings
    assert any("not one that an export has there" in one for one in findings)


def test_an_office_that_forgets_what_a_checkpoint_says_is_found(books: Books) -> None:
    """It writes chains anew and leaves a checkpoint of before among the lines."""
    kept = [line for line in map(json.loads, books.export()) if "statement" in line][:-1]

    def cheaper(entry: dict[str, Any]) -> None:
        if entry.get("event") == "reserve":
            entry["rho"] -= 1

    found = [json.loads(line) for line in rewritten(books, cheaper)]
    assert judged(books, signed_anew(books, found)).intact
    assert kept
    for line in kept:
        told = [*found[:-1], line, found[-1]]
        (finding,) = judged(books, signed_anew(books, told)).findings
        assert "the checkpoint tells of" in finding

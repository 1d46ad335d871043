"""Small deliveries for tests: rows as CSV text, a manifest, and what is stored of them."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.register import Registration, register

KEYS = PseudonymKeys(unit=b"u" * 32, cap=b"c" * 32)
Row = Sequence[object]
_fresh = itertools.count()


@dataclass(frozen=True, slots=True)
class Source:
    """One CSV file: its header and rows; None is an empty field."""

    header: tuple[str, ...]
    rows: Sequence[Row]


def write(folder: Path, manifest: str, sources: Mapping[str, Source]) -> Path:
    """Write sources and manifest into a folder; where the manifest is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(source.header)
            writer.writerows(source.rows)
    path = folder / "manifest.yaml"
    path.write_text(manifest, encoding="utf-8")
    return path


def delivered(
    folder: Path, manifest: str, sources: Mapping[str, Source], keys: PseudonymKeys = KEYS
) -> Registration:
    """Register small sources in a folder of their own."""
    here = folder / f"delivery-{next(_fresh)}"
    return register(write(here / "sources", manifest, sources), here / "deliveries", keys)


def stored(registration: Registration, table: str) -> list[tuple[Any, ...]]:
    """All stored rows of a table, hidden columns first, in the order of the file."""
    return rows(registration, f'SELECT * FROM "{table}"')


def rows(registration: Registration, query: str, file: str = "private") -> list[tuple[Any, ...]]:
    """What a query yields from one of a delivery's files."""
    path = registration.directory / f"{file}.duckdb"
    with duckdb.connect(str(path), read_only=True) as engine:
        return engine.execute(query).fetchall()

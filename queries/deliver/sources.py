"""Source files: which they are, what their columns are called, and their hashes.

How a CSV file is read follows from the manifest and the file's first line, which holds names and
no data: nothing is sniffed from rows, or one unit's rows could change how all others are read.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit, in files of the same form.
    Claim       which files are read, with which separator and which columns, does not depend on
                any row.
    Requires    the header, the file names and the file types to be public (they are the form).
    Why         the separator is the one that splits the first line into all declared names; every
                CSV column is read as text; Parquet types stand in the file's schema.
    Tried by    tests/deliver/test_sources.py
"""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from queries.catalog.manifest import Table
from queries.catalog.tables import SUFFIXES
from queries.deliver import sql

_SEPARATORS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_MOST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a table: `columns` are its names and engine types; CSV columns are all text."""

    path: Path
    columns: tuple[tuple[str, str], ...]
    separator: str | None = None

    def column(self, wanted: str) -> tuple[str, str] | None:
        """Name and type of a column: the very name, or the only one that differs by case alone."""
        exact = [column for column in self.columns if column[0] == wanted]
        near = [column for column in self.columns if column[0].lower() == wanted.lower()]
        found = exact if len(exact) == 1 else near
        return found[0] if len(found) == 1 else None

    @property
    def form(self) -> tuple[object, ...]:
        """What files must share to be read together."""
        return (self.separator, self.columns)


def relation(files: Sequence[SourceFile]) -> str:
    """SQL that reads files of one form."""
    places = f"[{sql.listed(sql.text(_literal(file.path)) for file in files)}]"
    separator, columns = files[0].separator, files[0].columns
    if separator is None:
        return f"read_parquet({places}, hive_partitioning=false)"
    types = sql.listed(f"{sql.text(name)}: 'VARCHAR'" for name, _ in columns)
    return (
        f"read_csv({places}, auto_detect=false, header=true, delim={sql.text(separator)}, "
        f"quote='\"', escape='\"', hive_partitioning=false, columns={{{types}}})"
    )


class SourceUnusable(Exception):
    """A source file is missing or has not the form that the manifest declares."""


def find_files(table: Table, folder: Path) -> tuple[Path, ...]:
    """The files of a table in order of their names, `source` taken from the manifest's folder."""
    exact = folder / table.source
    if exact.is_file():
        return (exact,)
    pattern = str(Path(glob.escape(str(folder))) / table.source)
    found = sorted(path for path in map(Path, glob.glob(pattern, recursive=True)) if path.is_file())
    if not found:
        raise SourceUnusable(f"{table.name}: there is no file {table.source}")
    return tuple(found)


def open_file(path: Path, table: Table, engine: duckdb.DuckDBPyConnection) -> SourceFile:
    """Read a file's column names and types, and no row that stands for itself."""
    if not path.name.lower().endswith(SUFFIXES):
        raise SourceUnusable(f"{table.name}: {path.name} is neither Parquet nor CSV")
    if path.name.lower().endswith(".parquet"):
        return SourceFile(path, _parquet_columns(path, table, engine))
    header = _header(path, table)
    separator = _separator(header, path, table)
    names = next(csv.reader(io.StringIO(header), delimiter=separator))
    if len({name.lower() for name in names}) < len(names):
        raise SourceUnusable(f"{table.name}: {path.name} has two columns of one name")
    return SourceFile(path, tuple((name, "VARCHAR") for name in names), separator)


def _parquet_columns(
    path: Path, table: Table, engine: duckdb.DuckDBPyConnection
) -> tuple[tuple[str, str], ...]:
    place = sql.text(_literal(path))
    try:
        rows = engine.execute(f"DESCRIBE SELECT * FROM read_parquet({place})").fetchall()
    except duckdb.Error:
        raise SourceUnusable(f"{table.name}: {path.name} is not a whole Parquet file") from None
    return tuple((str(row[0]), str(row[1])) for row in rows)


def _header(path: Path, table: Table) -> str:
    try:
        with _opened(path) as file:
            line = file.readline(_MOST_HEADER)
        return line.decode("utf-8-sig").rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError):
        raise SourceUnusable(f"{table.name}: {path.name} has no first line in UTF-8") from None


def _opened(path: Path) -> io.BufferedIOBase:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rb")
    return path.open("rb")


def _separator(header: str, path: Path, table: Table) -> str:
    """The separator that splits the header into the most declared names."""
    wanted = {column.name.lower() for column in table.columns}

    def matches(separator: str) -> int:
        names = next(csv.reader(io.StringIO(header), delimiter=separator), [])
        return len(wanted & {name.lower() for name in names})

    best = max(_SEPARATORS, key=matches)
    if not matches(best):
        raise SourceUnusable(f"{table.name}: the first line of {path.name} holds no declared name")
    return best


def _literal(path: Path) -> str:
    """A path in which nothing is taken for a pattern."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in str(path))


def hash_files(paths: tuple[Path, ...]) -> str:
    """SHA-256 of a file's bytes; of several files, of their hashes in order."""
    hashes = [_hash(path) for path in paths]
    return hashes[0].hex() if len(hashes) == 1 else hashlib.sha256(b"".join(hashes)).hexdigest()


def marks(paths: tuple[Path, ...]) -> tuple[tuple[int, ...], ...]:
    """What changes when a file does: its identity, size and time of change."""
    found = (path.stat() for path in paths)
    return tuple((s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in found)


def _hash(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()

"""Checking a manifest: in plain words, what it allows and what it lacks.

No row is read. Where source files stand already, their column names and types are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from queries.catalog.faults import ManifestFault
from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.catalog.reading import Reading, read
from queries.catalog.storage import stored_columns
from queries.deliver.sources import SourceUnusable, find_files, open_file
from queries.deliver.stage import parsed_column

MOST_LISTED = 1_000
"""Integers of at most so many values are shown as keys that are answered in full."""


@dataclass(frozen=True, slots=True)
class Lack:
    """What a column cannot be used for, and the line where that could be declared."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table: sentences on what may be asked, and what is lacking."""

    name: str
    allows: tuple[str, ...]
    lacks: tuple[Lack, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A valid manifest explained; `sources`: files that do not fit, `absent`: none there yet."""

    dataset: str
    allows: tuple[str, ...]
    tables: tuple[TableCheck, ...]
    warnings: tuple[ManifestFault, ...]
    sources: tuple[str, ...]
    absent: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the files that stand there fit the manifest."""
        return not self.sources

    def lines(self) -> tuple[str, ...]:
        """The whole report, to be read from top to bottom."""
        found = [f"{self.dataset}:", *(f"  {line}" for line in self.allows)]
        for table in self.tables:
            found.append(f"{table.name}:")
            found.extend(f"  {line}" for line in table.allows)
            found.extend(f"  lacks {lack}" for lack in table.lacks)
        found.extend(f"warning: {warning}" for warning in self.warnings)
        found.extend(f"does not fit: {fault}" for fault in self.sources)
        found.extend(f"no file yet: {name}" for name in self.absent)
        return tuple(found)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def check(manifest_path: Path) -> CheckReport:
    """Explain a manifest; raises ManifestRefused with all its faults, or OSError without a file."""
    reading = read(manifest_path)
    sources, absent = _sources(reading.manifest, manifest_path.parent)
    return CheckReport(
        reading.manifest.dataset,
        tuple(_whole(reading.manifest)),
        tuple(_table(reading, table) for table in reading.manifest.tables),
        reading.warnings,
        sources,
        absent,
    )


def _whole(manifest: Manifest) -> Iterator[str]:
    unit, ceiling = manifest.unit, manifest.ceiling
    yield f"protects every {unit.name}, at most {unit.at_most:,} of them"
    if unit.most_per_person > 1:
        yield f"one person may be up to {unit.most_per_person} of them, and is protected less"
    delta = f"delta {float(ceiling.delta):g}" if ceiling.delta else "no delta"
    yield f"all projects together may spend epsilon {float(ceiling.epsilon):g}, {delta}"
    if manifest.timing is None:
        yield "answers leave when they are ready: for trusted analysts alone"


def _table(reading: Reading, table: Table) -> TableCheck:
    if table.public:
        names = ", ".join(column.name for column in table.columns)
        key = f"; joins on {', '.join(table.key)} meet one row" if table.key else ""
        return TableCheck(table.name, (f"public, from {table.origin}: {names}{key}",))
    columns = stored_columns(table)
    keys = tuple(column for column in columns if column.name not in _naming(table))
    parts = (
        _unit(reading.manifest, table),
        _listed("GROUP BY answers in full", map(_full_key, keys)),
        _listed("GROUP BY answers keys with enough units", map(_thresholded, keys)),
        _listed("SUM and AVG", map(_summable, columns)),
        _other_party(table),
    )
    lacks = tuple(lack for column in columns for lack in _lacks(reading, table, column))
    return TableCheck(table.name, tuple(part for part in parts if part), lacks)


def _naming(table: Table) -> frozenset[str]:
    """Columns that determine the unit, and so are no group keys."""
    way = (table.unit_via.column,) if table.unit_via else ()
    return frozenset((*way, *(table.key if len(table.key) == 1 else ())))


def _unit(manifest: Manifest, table: Table) -> str:
    rows = "one row" if table.rows_per_unit == 1 else f"at most {table.rows_per_unit:,} rows"
    return f"private: the unit is {_way(manifest, table)}; it has {rows}"


def _way(manifest: Manifest, table: Table) -> str:
    steps, here = [], table
    while here.unit_via is not None:
        via = here.unit_via
        steps.append(f"{via.column} -> {via.table}.{via.key}")
        found = manifest.table(via.table)
        if found is None:
            raise ValueError(f"there is no table {via.table}")
        here = found
    return ", ".join([*steps, f"{here.name}.{here.unit_key}"])


def _listed(words: str, parts: Iterator[str | None]) -> str:
    found = [part for part in parts if part is not None]
    return f"{words}: {', '.join(found)}" if found else ""


def _full_key(column: Column) -> str | None:
    """A column whose values are public, and how many there are."""
    if column.categories:
        return f"{column.name} ({len(column.categories)} categories)"
    if column.references is not None:
        return f"{column.name} (every {column.references.table}.{column.references.column})"
    if column.type is Type.BOOLEAN:
        return f"{column.name} (2)"
    values = _values(column)
    return f"{column.name} ({values})" if values is not None and values <= MOST_LISTED else None


def _values(column: Column) -> int | None:
    if column.type is not Type.INTEGER or column.lower is None or column.upper is None:
        return None
    return int(column.upper) - int(column.lower) + 1  # type: ignore[arg-type]


def _thresholded(column: Column) -> str | None:
    return None if column.type is Type.REAL or _full_key(column) is not None else column.name


def _summable(column: Column) -> str | None:
    if column.type not in (Type.INTEGER, Type.DECIMAL) or column.lower is None:
        return None
    step = f" in steps of {column.step}" if column.step is not None else ""
    return f"{column.name} ({column.lower} to {column.upper}{step})"


def _other_party(table: Table) -> str:
    if table.other_party is None:
        return ""
    return f"{table.other_party} names a second party, who is not protected"


def _lacks(reading: Reading, table: Table, column: Column) -> Iterator[Lack]:
    line = reading.line("tables", table.name, "columns", column.name)
    if column.type is Type.REAL:
        hint = "a real is for filters; declare it decimal, with lower, upper and step"
        yield Lack(line, column.name, f"SUM over {column.name} will be refused: {hint}")
    elif column.lower is None and column.type in (Type.INTEGER, Type.DECIMAL):
        if column.references is None:
            hint = "add lower and upper"
            yield Lack(line, column.name, f"SUM over {column.name} will be refused: {hint}")
    elif column.lower is None and column.type in (Type.DATE, Type.TIMESTAMP):
        hint = "have no known range; add lower and upper to answer them in full"
        yield Lack(line, column.name, f"years, months and days of {column.name} {hint}")


def _sources(manifest: Manifest, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    faults: list[str] = []
    absent: list[str] = []
    with duckdb.connect(":memory:") as engine:
        for table in manifest.tables:
            try:
                paths = find_files(table, folder)
            except SourceUnusable:
                absent.append(f"{table.name} ({table.source})")
                continue
            for path in paths:
                faults.extend(_compared(manifest, table, path, engine))
    return tuple(faults), tuple(absent)


def _compared(
    manifest: Manifest, table: Table, path: Path, engine: duckdb.DuckDBPyConnection
) -> Iterator[str]:
    try:
        file = open_file(path, table, engine)
    except SourceUnusable as error:
        yield str(error)
        return
    for column in table.columns:
        try:
            parsed_column(manifest, table, column, file)
        except SourceUnusable as error:
            yield str(error)

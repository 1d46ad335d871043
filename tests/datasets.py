"""Real data for tests: sources, registered deliveries and the analyst's plain tables.

Each dataset is built once per machine, in a folder named after all that it is made from (manifest,
recipe, the code of registration), under a file lock, so that parallel test processes share it.
`plain` opens the same data without the gateway: what DuckDB itself would answer from.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from gateway.demo import sources
from queries.catalog.delivered import load_view
from queries.catalog.manifest import Column, Manifest, Table, Type
from queries.catalog.reading import read
from queries.catalog.view import View
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.register import register

ROOT = Path(__file__).parent.parent
MANIFESTS = Path(__file__).parent / "fixtures" / "manifests"
KEYS = PseudonymKeys(unit=bytes(range(32)), cap=bytes(range(32, 64)))
RECIPE = 1


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset in its folder: `directory` is the registered delivery."""

    name: str
    folder: Path

    @property
    def manifest_path(self) -> Path:
        return self.folder / "sources" / f"{self.name}.yaml"

    @property
    def manifest(self) -> Manifest:
        return read(self.manifest_path).manifest

    @property
    def deliveries(self) -> Path:
        return self.folder / "deliveries"

    @property
    def directory(self) -> Path:
        return next(path for path in self.deliveries.iterdir() if path.is_dir())

    @property
    def view(self) -> View:
        return _view(self.directory)


@cache
def _view(delivery: Path) -> View:
    """Read once, as a gateway does."""
    return load_view(delivery)


def nycflights13() -> Dataset:
    """336,776 flights of 2013; the unit is the aircraft, by tail number."""
    return _built("nycflights13", _text("nycflights13"), _nycflights13)


def hi() -> Dataset:
    """22,272 respondents of a survey, one row each."""
    return _built("hi", _text("hi"), _hi)


def tpch(scale: float = 0.01) -> Dataset:
    """TPC-H at a scale factor; the unit is the customer."""
    text = _text("tpch")
    for word, most in (("at_most: 150000", 150_000), ("upper: 6000000", 6_000_000)):
        text = text.replace(word, f"{word.split()[0]} {round(most * scale)}")
    return _built("tpch", text, lambda folder: _tpch(folder, scale))


def mobility() -> Dataset:
    """The demonstration's million pings of 50,000 devices, as `sluis demo` registers them."""
    return _demonstration("mobility", sources.write_mobility, {})


def breaches() -> Dataset:
    """The demonstration's notifications by 15,000 organisations, as `sluis demo` registers them."""
    return _demonstration("breaches", sources.write_breaches, {})


def slack_mobility() -> Dataset:
    """The same under bounds that all its devices keep, so that nothing is dropped."""
    return _demonstration(
        "mobility", sources.write_mobility, {"rows_per_unit: 80": "rows_per_unit: 1000"}
    )


def slack_breaches() -> Dataset:
    """The same under bounds that all its organisations keep, so that nothing is changed."""
    wider = {"rows_per_unit: 100": "rows_per_unit: 4000", "upper: 10000,": "upper: 9000000,"}
    return _demonstration("breaches", sources.write_breaches, wider)


def _demonstration(name: str, write: Callable[[Path], None], wider: Mapping[str, str]) -> Dataset:
    text = Path(sources.__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    for declared, slack in wider.items():
        if declared not in text:
            raise ValueError(f"{name}.yaml no longer declares {declared}")
        text = text.replace(declared, slack)
    return _built(name, text, write)


def plain(dataset: Dataset) -> duckdb.DuckDBPyConnection:
    """The analyst's tables, without the gateway: declared names, natural types, the same rows.

    Without what the engine concludes from statistics: it fails on some columns of NULLs.
    """
    path = dataset.folder / "plain.duckdb"
    with _Lock(dataset.folder.parent / f"{dataset.folder.name}.plain.lock"):
        if not path.exists():
            _write_plain(dataset, path)
    config: dict[str, str | bool | int | float | list[str]] = {
        "disabled_optimizers": "statistics_propagation"
    }
    return duckdb.connect(str(path), read_only=True, config=config)


def _text(name: str) -> str:
    return (MANIFESTS / f"{name}.yaml").read_text(encoding="utf-8")


def _built(name: str, text: str, write: Callable[[Path], None]) -> Dataset:
    root = Path(tempfile.gettempdir()) / f"sluis-tests-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    folder = root / f"{name}-{_digest(name, text)}"
    with _Lock(root / f"{folder.name}.lock"):
        if not folder.exists():
            _build(name, text, write, folder)
    return Dataset(name, folder)


def _digest(name: str, text: str) -> str:
    """Of all that a delivery is made from."""
    digest = hashlib.sha256(f"{RECIPE} {name} {duckdb.__version__}\n{text}".encode())
    for part in ("catalog", "deliver"):
        for path in sorted((ROOT / "queries" / part).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _build(name: str, text: str, write: Callable[[Path], None], folder: Path) -> None:
    making = folder.with_name(folder.name + ".part")
    shutil.rmtree(making, ignore_errors=True)
    sources = making / "sources"
    sources.mkdir(parents=True)
    write(sources)
    (sources / f"{name}.yaml").write_text(text, encoding="utf-8")
    register(sources / f"{name}.yaml", making / "deliveries", KEYS)
    making.rename(folder)


class _Lock:
    """A file lock, freed when its process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _package(name: str) -> Path:
    """Where a data package lies; it is not imported, only its files are wanted."""
    return Path(str(importlib.metadata.distribution(name).locate_file(name)))


def _nycflights13(folder: Path) -> None:
    data = _package("nycflights13") / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    for name in ("airlines", "airports", "planes"):
        shutil.copyfile(data / f"{name}.csv", folder / f"{name}.csv")
    for name in ("flights", "airlines", "airports", "planes"):
        _without_na(folder / f"{name}.csv")


def _without_na(path: Path) -> None:
    """The same file with NULLs as empty fields instead of the word NA."""
    rows = f"read_csv('{path}', all_varchar=true, nullstr='NA')"
    made = path.with_suffix(".made")
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT * FROM {rows}) TO '{made}' (FORMAT csv, HEADER)")
    made.rename(path)


def _hi(folder: Path) -> None:
    with tarfile.open(_package("pydataset") / "resources.tar.gz") as archive:
        file = archive.extractfile("resources/rdata/csv/Ecdat/HI.csv")
        if file is None:
            raise FileNotFoundError("HI.csv")
        text = file.read()
    (folder / "hi.csv").write_bytes(text.replace(b'"",', b'"respondent",', 1))


def _tpch(folder: Path, scale: float) -> None:
    tool = Path(sys.executable).parent / "tpchgen-cli"
    command = [str(tool), "parquet", "-s", str(scale), f"--output-dir={folder}"]
    subprocess.run(command, check=True, capture_output=True)


def _write_plain(dataset: Dataset, path: Path) -> None:
    making = path.with_suffix(".part")
    making.unlink(missing_ok=True)
    manifest = dataset.manifest
    with duckdb.connect(str(making)) as engine:
        for table in sorted(manifest.tables, key=lambda table: not table.public):
            engine.execute(_plain_table(manifest, table, dataset.manifest_path.parent))
    making.rename(path)


def _plain_table(manifest: Manifest, table: Table, folder: Path) -> str:
    """SQL, independent of registration's: casts, references looked up, rows without a unit gone."""
    source = folder / table.source
    rows = f"read_csv('{source}', all_varchar=true)" if source.suffix == ".csv" else f"'{source}'"
    values = ", ".join(_plain_value(manifest, table, column) for column in table.columns)
    where = f'"{table.unit_key}" IS NOT NULL' if table.unit_key else "true"
    return f'CREATE TABLE "{table.name}" AS SELECT {values} FROM {rows} WHERE {where}'


def _plain_value(manifest: Manifest, table: Table, column: Column) -> str:
    value = f'CAST("{column.name}" AS {natural_type(table, column)})'
    if column.type is Type.TIMESTAMP and table.source.endswith(".csv"):
        zoned = f'CAST("{column.name}" AS TIMESTAMPTZ)'
        value = f"({zoned} AT TIME ZONE '{manifest.time_zone}')"
    if column.references is not None:
        keys = f'SELECT "{column.references.column}" FROM "{column.references.table}"'
        value = f"CASE WHEN {value} IN ({keys}) THEN {value} END"
    return f'{value} AS "{column.name}"'


def natural_type(table: Table, column: Column) -> str:
    """The type an analyst expects: integers as they are stored, decimals as decimals."""
    if column.type is Type.DECIMAL:
        return f"DECIMAL(18,{column.scale})"
    kinds = {
        Type.INTEGER: "BIGINT",
        Type.REAL: "DOUBLE",
        Type.TEXT: "VARCHAR",
        Type.BOOLEAN: "BOOLEAN",
        Type.DATE: "DATE",
        Type.TIMESTAMP: "TIMESTAMP",
    }
    return kinds[column.type]

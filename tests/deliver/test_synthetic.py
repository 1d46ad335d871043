"""Synthetic deliveries keep what their manifest declares, and differ in nothing with the rows."""

from __future__ import annotations

import hashlib
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from queries.catalog.delivered import MANIFEST, PRIVATE, PUBLIC
from queries.catalog.storage import ORDINAL, UNIT, steps, stored_columns
from queries.deliver import sql
from queries.deliver.synthetic import MOST_UNITS, build
from tests.plan.benches import DATASETS, bench


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for name in DATASETS:
        folder = tmp_path_factory.mktemp("synthetic")
        for file in (MANIFEST, PUBLIC):
            shutil.copy(bench(name).dataset.directory / file, folder / file)
        build(folder)
        found[name] = folder
    return found


@pytest.mark.parametrize("name", DATASETS)
def test_it_has_the_tables_of_the_delivery(
    folders: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """The same columns of the same types in the same order, hidden ones included.

    Of the real file a copy is opened: other tests hold it open under settings of their own.
    """
    real = tmp_path / PRIVATE
    shutil.copyfile(bench(name).dataset.directory / PRIVATE, real)
    shapes = []
    for place in (folders[name] / PRIVATE, real):
        with duckdb.connect(str(place), read_only=True) as engine:
            tables = [row[0] for row in engine.execute("SHOW TABLES").fetchall()]
            described = {
                table: [row[:2] for row in engine.execute(f"DESCRIBE {sql.name(table)}").fetchall()]
                for table in tables
                if not table.startswith("_")
            }
        shapes.append(described)
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", DATASETS)
def test_it_keeps_what_is_declared(folders: dict[str, Path], name: str) -> None:
    manifest = bench(name).view.manifest
    with duckdb.connect(str(folders[name] / PRIVATE), read_only=True) as engine:

        def number(text: str) -> int:
            return int((engine.execute(f"SELECT {text}").fetchone() or (0,))[0] or 0)

        for table in (one for one in manifest.tables if not one.public):
            named = sql.name(table.name)
            assert number(f"count(*) FROM {named}") > 0
            assert number(f"count(DISTINCT {UNIT}) FROM {named}") <= MOST_UNITS
            most = f"max(n) FROM (SELECT count(*) AS n FROM {named} GROUP BY {UNIT})"
            assert number(most) <= (table.rows_per_unit or 1)
            cells = sql.listed([UNIT, ORDINAL])
            assert number(f"count(DISTINCT ({cells})) - count(*) FROM {named}") == 0
            if table.key:
                key = [UNIT if n == table.unit_key else sql.name(n) for n in table.key]
                cells = sql.listed(key)
                assert number(f"count(DISTINCT ({cells})) - count(*) FROM {named}") == 0
            for column in stored_columns(table):
                x = sql.name(column.name)
                if not column.nullable:
                    assert number(f"count_if({x} IS NULL) FROM {named}") == 0
                if column.references is not None:
                    key, other = column.references.column, column.references.table
                    known = f"SELECT {sql.name(key)} FROM {sql.name(other)}"
                    assert number(f"count_if({x} NOT IN ({known})) FROM {named}") == 0
                for bound, sign in ((column.lower, "<"), (column.upper, ">")):
                    if isinstance(bound, Decimal) and column.references is None:
                        limit = str(steps(column, bound))
                    elif bound is not None and not isinstance(bound, Decimal):
                        limit = sql.text(str(bound))
                    else:
                        continue
                    assert number(f"count_if({x} {sign} {limit}) FROM {named}") == 0, column


def test_it_is_the_same_every_time(folders: dict[str, Path]) -> None:
    build(folders["clinic"])
    digests = []
    for _ in range(2):
        build(folders["clinic"])
        with duckdb.connect(str(folders["clinic"] / PRIVATE), read_only=True) as engine:
            tables = [row[0] for row in engine.execute("SHOW TABLES").fetchall()]
            rows = [engine.execute(f"FROM {sql.name(t)} ORDER BY ALL").fetchall() for t in tables]
        digests.append(hashlib.sha256(repr(rows).encode()).hexdigest())
    assert digests[0] == digests[1]

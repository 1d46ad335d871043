"""Public tables about units: joined on the unit's pseudonym, and never a way to name one."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from queries.language.refusals import QueryRefused
from tests import datasets
from tests.parity import Bench, missing


@pytest.fixture(scope="module")
def flights() -> Bench:
    return Bench(datasets.nycflights13())


ANSWERED = (
    "SELECT manufacturer, COUNT(*) FROM flights JOIN planes USING (tailnum) GROUP BY manufacturer",
    """SELECT engine, COUNT(DISTINCT f.tailnum) FROM flights f
       JOIN planes p ON p.tailnum = f.tailnum WHERE seats > 100 GROUP BY engine""",
    """SELECT COUNT(*) FROM flights f LEFT JOIN planes p ON f.tailnum = p.tailnum
       WHERE p.tailnum IS NULL""",
    "SELECT COUNT(*) FROM flights WHERE tailnum IN (SELECT tailnum FROM planes WHERE seats > 300)",
    """SELECT COUNT(*) FROM flights f WHERE EXISTS
       (SELECT 1 FROM planes p WHERE p.tailnum = f.tailnum AND p.seats > 300)""",
)


@pytest.mark.parametrize("sql", ANSWERED)
def test_a_join_on_the_unit_answers_what_duckdb_answers(flights: Bench, sql: str) -> None:
    assert missing(flights.expected(sql)[1], flights.answer(sql)[1]) == []


REFUSED = {
    "SELECT p.tailnum, COUNT(*) FROM flights f JOIN planes p USING (tailnum) GROUP BY 1":
        "names-persons",
    "SELECT COUNT(*) FROM flights f JOIN planes p USING (tailnum) WHERE p.tailnum = 'N14228'":
        "unit-id-used",
    "SELECT COUNT(*) FROM flights f JOIN planes p ON f.carrier = p.tailnum": "unit-id-used",
    "SELECT COUNT(DISTINCT p.tailnum) FROM flights f JOIN planes p USING (tailnum)":
        "unit-id-used",
    "SELECT COUNT(*) FROM flights f JOIN planes p USING (tailnum) JOIN flights g"
    " ON g.tailnum = p.tailnum": "join-not-on-unit",
}  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED)
def test_the_id_of_a_unit_names_nobody_there_either(flights: Bench, sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        flights.plan(sql)
    assert refused.value.code == REFUSED[sql]


def test_the_private_file_holds_pseudonyms_and_the_public_one_holds_ids(
    flights: Bench, tmp_path: Path
) -> None:
    columns = {
        name: [row[0] for row in _described(flights, name, tmp_path)]
        for name in ("private.duckdb", "public.duckdb")
    }
    assert "tailnum" not in columns["private.duckdb"]
    assert columns["private.duckdb"][0] == "_unit"
    assert "tailnum" in columns["public.duckdb"]
    assert "_unit" not in columns["public.duckdb"]


def _described(bench: Bench, name: str, folder: Path) -> list[tuple[str, ...]]:
    copy = shutil.copyfile(bench.dataset.directory / name, folder / name)
    with duckdb.connect(str(copy), read_only=True) as engine:
        return engine.execute("DESCRIBE planes").fetchall()

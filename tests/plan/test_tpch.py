"""TPC-H in its standard text: answered as by DuckDB, exact where public, or refused."""

from __future__ import annotations

import pytest

from queries import codec
from queries.language.refusals import NamesPersons
from queries.plan.model import Plan
from tests.parity import missing
from tests.plan.benches import bench
from tests.plan.cases import FIXTURES

ANSWERED = (1, 4, 5, 6, 7, 8, 9, 12, 13, 14, 19, 21)
PUBLIC = (2, 11, 16)
NAMING = (3, 10, 18)


def text(number: int) -> str:
    return (FIXTURES / "tpch" / f"q{number:02}.sql").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", ANSWERED)
def test_an_answered_query_means_what_duckdb_means(number: int) -> None:
    """Row for row: what DuckDB has stands in the answer, where empty cells are answered too."""
    names, expected = bench("tpch").expected(text(number))
    got_names, got = bench("tpch").answer(text(number))
    assert got_names == names
    assert not missing(expected, got)
    kept = {row for row in got if not all(value in (None, 0) for value in row[-1:])}
    assert len(kept) <= len(expected)


@pytest.mark.parametrize("number", ANSWERED)
def test_an_answered_query_is_charged(number: int) -> None:
    found = bench("tpch").plan(text(number))
    assert len(found.stages) == 1
    assert found.stages[0].rho > 0


@pytest.mark.parametrize("number", PUBLIC)
def test_a_query_of_public_tables_is_exact_and_free(number: int) -> None:
    found = bench("tpch").plan(text(number))
    assert not found.stages
    names, expected = bench("tpch").expected(text(number))
    assert bench("tpch").answer(text(number)) == (names, expected)


@pytest.mark.parametrize("number", NAMING)
def test_a_query_that_names_persons_is_refused(number: int) -> None:
    with pytest.raises(NamesPersons):
        bench("tpch").plan(text(number))


@pytest.mark.parametrize("number", ANSWERED + PUBLIC)
def test_a_plan_survives_its_json(number: int) -> None:
    found = bench("tpch").plan(text(number))
    assert codec.loads(Plan, codec.dumps(found)) == found

"""Statements of other dialects are answered as their own engines mean them, or refused.

Each fixture holds what an analyst writes and what it means, in DuckDB's SQL; the answer without
noise is compared with the latter's.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from queries.language.dialects import DIALECTS, translated
from queries.language.refusals import QueryRefused, TooComplex, UnknownDialect
from queries.plan.price import Options
from tests.parity import missing
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

CASES = cases("dialects")


def options(case: Case) -> Options:
    return replace(case.options, dialect=case.code)


def halves(case: Case) -> tuple[str, str]:
    written, _, meant = case.sql.partition(";\n")
    return written, meant


def test_each_dialect_has_twelve_statements() -> None:
    assert Counter(case.code for case in CASES) == dict.fromkeys(set(DIALECTS) - {"duckdb"}, 12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_translation_is_answered_as_it_is_meant(case: Case) -> None:
    asked = bench(case.dataset)
    written, meant = halves(case)
    found = asked.plan(written, options(case))
    names, got = asked.answered(found)
    expected_names, expected = asked.expected(meant)
    assert [name.lower() for name in names] == expected_names
    assert not missing(expected, got)
    assert found.translation is not None
    assert case.code in found.notes[0]


def test_a_translation_costs_what_its_text_costs() -> None:
    """The stage is that of the translation, so an answer to either serves the other."""
    written = "SELECT TOP 3 [origin], COUNT(*) AS n FROM [flights] GROUP BY [origin]"
    found = bench("nycflights13").plan(written, Options(dialect="tsql"))
    same = bench("nycflights13").plan("SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin")
    assert [stage.digest for stage in found.stages] == [stage.digest for stage in same.stages]


def test_a_refusal_shows_the_translation_that_it_points_into() -> None:
    written = "SELECT `dest`,\n  MD5(`dest`) FROM `flights`"
    with pytest.raises(QueryRefused) as caught:
        bench("nycflights13").plan(written.replace("MD5", "UPPER"), Options(dialect="mysql"))
    assert caught.value.translation == 'SELECT "dest", UPPER("dest") FROM "flights"'


def test_an_unknown_dialect_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownDialect) as caught:
        translated("SELECT 1", "oracle", {})
    assert all(dialect in caught.value.message for dialect in DIALECTS)


@pytest.mark.parametrize("dialect", sorted(set(DIALECTS) - {"duckdb"}))
@pytest.mark.parametrize(
    "text", ["", ";", "SELECT 1; SELECT 2", "DROP TABLE t", "(" * 60, "SELECT '" + "x" * 20_000]
)
def test_what_is_no_query_is_refused_before_it_is_translated(dialect: str, text: str) -> None:
    with pytest.raises(QueryRefused):
        translated(text, dialect, {})


@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "mysql"])
def test_joins_without_conditions_are_not_tried_in_all_ways(dialect: str) -> None:
    """The parser of each dialect would take years for forty of them."""
    sql = "SELECT COUNT(*) FROM flights " + "JOIN flights " * 40
    with pytest.raises(TooComplex):
        bench().plan(sql, Options(dialect=dialect))

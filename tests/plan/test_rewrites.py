"""A refusal shows its place, and a question near to it that is answered.

Pairs in `fixtures/rewrites/<code>.sql`: what is refused with that code, then what is offered.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlglot

from queries.catalog.view import View
from queries.language.parse import Texts
from queries.language.refusals import (
    NamesPersons,
    NotAnAggregate,
    Position,
    QueryRefused,
    UnboundedColumn,
    UnknownColumn,
)
from queries.plan.planner import plan
from queries.plan.price import Options
from queries.plan.rewrites import offering
from tests.parity import PRICE
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

PAIRS = cases("rewrites")
REFUSED = [case for case in cases("refusals") if case.code != "query-too-expensive"]


def refusal(sql: str, dataset: str = "nycflights13") -> QueryRefused:
    with pytest.raises(QueryRefused) as caught:
        bench(dataset).plan(sql)
    return caught.value


def pretty(sql: str) -> str:
    return str(sqlglot.parse_one(sql, read="duckdb").sql(dialect="duckdb", pretty=True))


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_what_is_offered_is_what_stands_beside_it(case: Case) -> None:
    given, _, expected = case.sql.rpartition(";\n")
    found = refusal(given, case.dataset)
    assert found.code == case.code
    assert found.rewrite is not None
    assert pretty(found.rewrite) == pretty(expected)


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_what_is_offered_runs(case: Case) -> None:
    found = refusal(case.sql.rpartition(";\n")[0], case.dataset)
    assert found.rewrite is not None
    names, _ = bench(case.dataset).answer(found.rewrite)
    assert names


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_few_candidates_are_planned_and_what_is_offered_was_accepted(case: Case) -> None:
    """However a statement is refused."""
    asked: list[str] = []
    accepted: list[str] = []

    def planned(text: str) -> object:
        asked.append(text)
        found = bench(case.dataset).plan(text, case.options, case.price)
        accepted.append(text)
        return found

    with pytest.raises(QueryRefused) as caught:
        bench(case.dataset).plan(case.sql, case.options, case.price)
    trials = offering.Trials(planned, planned, Texts())
    told = offering.told(caught.value, case.sql, bench(case.dataset).view.manifest, trials)
    assert len(asked) <= offering.TRIALS + 1
    assert told.rewrite is None or told.rewrite in accepted


def test_a_rewrite_depends_on_nothing_but_text_and_manifest() -> None:
    """The same refusal twice: nothing is remembered, nothing drawn."""
    sql = "SELECT tailnum, origin, COUNT(*) FROM flights GROUP BY ALL"
    assert refusal(sql).rewrite == refusal(sql).rewrite


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM flights LIMIT 10", NamesPersons),
        ("SELECT origin, dest FROM flights ORDER BY dep_delay LIMIT 3", NotAnAggregate),
        ("SELECT origin FROM flights OFFSET 3", NotAnAggregate),
    ],
)
def test_that_rows_were_asked_for_comes_before_how_many(
    sql: str, reason: type[QueryRefused]
) -> None:
    assert isinstance(refusal(sql), reason)


def test_the_place_is_marked_under_its_line() -> None:
    found = refusal("SELECT origin, COUNT(*)\nFROM flights\n\tWHERE mnth = 1\nGROUP BY origin")
    assert found.excerpt == "\tWHERE mnth = 1\n\t      ^"


def test_a_refusal_of_the_whole_has_no_excerpt() -> None:
    assert refusal("").excerpt is None


def test_a_long_line_is_cut_around_its_place() -> None:
    text = "SELECT COUNT(*) FROM flights WHERE " + "month = 1 AND " * 40 + "mnth = 1"
    shown, caret = (refusal(text).excerpt or "").split("\n")
    assert len(shown) <= offering.WIDEST
    assert shown[len(caret) - 1 :].startswith("mnth = 1")


def test_a_place_outside_of_the_text_is_no_failure() -> None:
    found = UnknownColumn("There is none.", position=Position(9, 99))
    assert offering.excerpt("SELECT 1", found) is not None


def without_range(column: str) -> View:
    """The flights with a column whose range the curator has not declared."""
    view = bench().view
    tables = []
    for table in view.manifest.tables:
        columns = [
            replace(one, lower=None, upper=None) if one.name == column else one
            for one in table.columns
        ]
        tables.append(replace(table, columns=tuple(columns)))
    return replace(view, manifest=replace(view.manifest, tables=tuple(tables)))


def test_a_column_without_a_range_is_named_with_its_line_of_the_manifest() -> None:
    with pytest.raises(UnboundedColumn) as caught:
        sql = "SELECT SUM(dep_delay) FROM flights"
        plan(sql, without_range("dep_delay"), bench(), PRICE, Options())
    assert caught.value.hint == (
        "Ask the curator to declare its range in the manifest: "
        "`tables: {flights: {columns: {dep_delay: {type: integer, lower: ..., upper: ...}}}}`"
    )


def test_text_has_no_range_to_declare() -> None:
    found = refusal("SELECT SUM(CAST(c_comment AS BIGINT)) FROM customer", "tpch")
    assert "LEAST" in (found.hint or "")

"""Parsing: garbage of any kind is a query or a refusal, within a second."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from queries.language.parse import parse
from queries.language.refusals import QueryRefused
from tests.plan.benches import bench

WORDS = re.split(
    r"\s+",
    """SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET DISTINCT AS ON USING JOIN LEFT CROSS
    UNION ALL EXCEPT WITH CASE WHEN THEN ELSE END AND OR NOT IN IS NULL EXISTS BETWEEN LIKE CAST
    COUNT SUM AVG MIN FILTER OVER PARTITION INTERVAL DAY DATE TIMESTAMP EXTRACT YEAR QUALIFY
    VALUES TRUE origin dest month dep_delay tailnum time_hour flights airports faa f g n ( ) ( )
    , . * + - / % // = <> < <= :: [ ] { } ; || 1 2 0 1.5 1e3 'EWR' '2013-01-01' "x" $1 ? @ ->""",
)
GARBAGE = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
TAILS = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)
SECONDS = 1.0


def outcome(text: str) -> str:
    """What planning makes of a text; anything but a plan or a refusal is an error of ours."""
    begun = time.process_time()
    try:
        bench().plan(text)
        found = "answered"
    except QueryRefused as refused:
        found = refused.code
    assert time.process_time() - begun < SECONDS
    return found


@given(text=GARBAGE | st.text(max_size=200))
def test_garbage_is_refused_or_a_query(text: str) -> None:
    try:
        assert isinstance(parse(text), exp.Query)
    except QueryRefused as refused:
        assert refused.hint


@given(tail=TAILS)
def test_what_begins_well_is_answered_or_refused(tail: str) -> None:
    outcome(f"SELECT COUNT(*) FROM flights {tail}")


@given(item=TAILS)
def test_a_strange_item_is_answered_or_refused(item: str) -> None:
    outcome(f"SELECT {item} , COUNT(*) FROM flights GROUP BY origin")


@given(condition=TAILS)
def test_a_strange_condition_is_answered_or_refused(condition: str) -> None:
    outcome(f"SELECT COUNT(*) FROM flights f WHERE {condition}")


@pytest.mark.parametrize(
    "item", ["MEDIAN(x)[2]", "[1, 2, 3][2]", "x[-1]", "(SELECT [1, 2])[1]", "f(x)[3]", "m['a']"]
)
def test_places_in_lists_stay_as_they_are_written(item: str) -> None:
    """Whatever the list is made of afterwards."""
    found = parse(f"SELECT {item} FROM t").find(exp.Bracket)
    assert found is not None
    written = found.expressions[0].sql(dialect="duckdb")
    assert f"[{written}]" in item
    found.set("this", exp.Array(expressions=[exp.Literal.number(7)]))
    assert found.sql(dialect="duckdb") == f"[7][{written}]"

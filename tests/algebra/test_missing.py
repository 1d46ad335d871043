"""What is said of a row whose sources are missing is what DuckDB makes of its NULLs."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from queries.algebra.measures import Measure
from queries.algebra.missing import UNKNOWN, without
from queries.bind.binder import Binder
from queries.bind.expressions import Expressions
from queries.bind.inputs import Drafted
from queries.bind.publics import Publics
from queries.bind.scans import scanned
from queries.bind.scope import Scope, Visible
from queries.bind.subqueries import InScope
from queries.language.parse import parse
from queries.language.refusals import QueryRefused
from tests.parity import Bench, same
from tests.properties.clinic import clinic
from tests.properties.grammar import Words
from tests.properties.worlds import CLINIC, v


@cache
def bench() -> Bench:
    return Bench(clinic())


def undrafted(measure: Measure) -> Drafted:
    raise AssertionError(f"no expression here measures: {measure}")


def said(text: str) -> object:
    """What is said of an expression over visits where there is no visit."""
    binder = Binder(bench().view, Publics(bench().view, bench()), undrafted)
    table = bench().view.manifest.table("visits")
    assert table is not None
    _, columns = scanned(table, 0, bench().view.manifest, {})
    scope = Scope((Visible("v", columns),))
    found = Expressions(scope, InScope(binder, {})).bind(parse(f"SELECT {text}").expressions[0])
    return without(found, frozenset({0}))


def duckdb(text: str) -> object:
    """DuckDB's value of it."""
    joined = "(SELECT 1) AS one LEFT JOIN visits v ON FALSE"
    rows = bench().plain.execute(f"SELECT {text} FROM {joined}").fetchall()
    return rows[0][0]


@st.composite
def expressions(draw: st.DrawFn) -> str:
    words = Words(draw, CLINIC, (v,))
    forms = (
        words.truth, words.truth, words.words, lambda depth: words.number(depth, ranged=False)
    )  # fmt: skip
    return words.pick(forms)(3)


@pytest.mark.slow
def test_what_is_said_is_what_duckdb_makes_of_nulls() -> None:
    known: set[str] = set()

    @seed(11)
    @settings(
        max_examples=1_500, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(text=expressions())
    def each(text: str) -> None:
        try:
            found = said(text)
        except QueryRefused:
            return
        if found is UNKNOWN:
            return
        expected = duckdb(text)
        assert (found is None) == (expected is None), (text, found, expected)
        if isinstance(found, bool) or expected is None:
            assert found == expected, text
        known.add(text)

    each()
    assert len(known) >= 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v.score", None),
        ("v.score + 1 > 3", None),
        ("v.score IS NULL", True),
        ("v.score IS NOT NULL", False),
        ("NOT (v.score > 1)", None),
        ("v.score > 1 AND FALSE", False),
        ("v.score > 1 OR TRUE", True),
        ("v.score > 1 OR FALSE", None),
        ("COALESCE(v.score, 7)", 7),
        ("CASE WHEN v.urgent THEN 1 ELSE 0 END", 0),
        ("CASE WHEN v.urgent THEN 1 END", None),
        ("CASE WHEN v.urgent IS NULL THEN v.score ELSE 3 END", None),
        ("v.kind IN ('a', 'b')", None),
        ("NULLIF(v.score, 1)", None),
        ("GREATEST(v.score, 3)", UNKNOWN),
        ("v.urgent IS NOT DISTINCT FROM NULL", UNKNOWN),
    ],
)
def test_each_case(text: str, expected: object) -> None:
    found = said(text)
    assert type(found) is type(expected)
    assert same(found, expected) or found is expected

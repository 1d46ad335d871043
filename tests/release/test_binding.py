"""Queries are bound on empty tables that are kept, and that nothing else sees."""

from __future__ import annotations

import duckdb
import pytest

from queries.catalog.view import Tables
from queries.release.binding import MOST_HELD, Signatures
from queries.release.engine import Connections

VISITS: Tables = (("visits", (("cost", "BIGINT"), ("kind", "ENUM ('a', 'b')"))),)


@pytest.fixture
def signatures(connections: Connections) -> Signatures:
    return connections.signatures("d1")


def test_names_and_types_are_those_of_the_engine(signatures: Signatures) -> None:
    sql = "SELECT kind, SUM(residents), 1.5 AS x, COUNT(*) AS x FROM visits, areas GROUP BY kind"
    assert signatures.of(VISITS, sql) == (
        ("kind", "ENUM('a', 'b')"),
        ("sum(residents)", "HUGEINT"),
        ("x", "DECIMAL(2,1)"),
        ("x", "BIGINT"),
    )


def test_what_is_bound_is_never_run(signatures: Signatures) -> None:
    """Not even what the engine takes for one SELECT, and what would write if it were run."""
    sql = "WITH made AS (INSERT INTO visits VALUES (1, 'a') RETURNING cost) SELECT cost FROM made"
    assert signatures.of(VISITS, sql) == (("cost", "BIGINT"),)
    for place in signatures._places:
        if "visits" in place.held:
            assert place.connection.execute("SELECT count(*) FROM visits").fetchall() == [(0,)]


def test_a_table_that_is_given_otherwise_is_made_anew(signatures: Signatures) -> None:
    for kind in ("BIGINT", "VARCHAR", "BIGINT"):
        given: Tables = (("visits", (("cost", kind),)),)
        assert signatures.of(given, "SELECT cost FROM Visits") == (("cost", kind),)


def test_a_table_that_is_given_no_more_is_unknown(signatures: Signatures) -> None:
    signatures.of(VISITS, "SELECT cost FROM visits")
    signatures.of((), "SELECT 1 AS one")
    with pytest.raises(duckdb.CatalogException):
        signatures.of((), "SELECT cost FROM VISITS")


def test_a_name_with_quotes_is_found_and_forgotten(signatures: Signatures) -> None:
    given: Tables = (('the "old" ones', (("cost", "BIGINT"),)),)
    sql = 'SELECT cost FROM "The ""old"" ones"'
    assert signatures.of(given, sql) == (("cost", "BIGINT"),)
    with pytest.raises(duckdb.CatalogException):
        signatures.of((), sql)


def test_an_empty_table_hides_a_public_one_from_what_is_bound_alone(
    connections: Connections, signatures: Signatures
) -> None:
    given: Tables = (("areas", (("hidden", "INTEGER"),)),)
    assert signatures.of(given, "SELECT * FROM areas") == (("hidden", "INTEGER"),)
    assert connections.public("d1").execute("SELECT count(*) FROM areas").fetchall() == [(3,)]
    assert signatures.of((), "SELECT * FROM areas") != (("hidden", "INTEGER"),)


def test_tables_are_not_kept_without_end(signatures: Signatures) -> None:
    for number in range(MOST_HELD + 50):
        given: Tables = ((f"t{number}_", (("a", "INTEGER"),)),)
        signatures.of(given, f"SELECT a FROM t{number}_")
    assert all(len(place.held) <= MOST_HELD + 1 for place in signatures._places)


def test_tables_given_in_two_ways_by_turns_are_made_once_each(signatures: Signatures) -> None:
    declared: Tables = (("visits", (("cost", "DECIMAL(18, 2)"), ("kind", "VARCHAR"))),)
    for given, kind in ((VISITS, "BIGINT"), (declared, "DECIMAL(18,2)")) * 2:
        assert signatures.of(given, "SELECT cost FROM visits") == (("cost", kind),)
    assert {place.held["visits"] for place in signatures._places} == {VISITS[0][1], declared[0][1]}

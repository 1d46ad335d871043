"""Rows leave in DuckDB's order: by name, position, ALL, and cut by LIMIT or FETCH."""

from __future__ import annotations

import pytest

from queries.language.refusals import NotBound, QueryRefused
from tests.parity import same
from tests.plan.benches import bench

COUNTED = "SELECT origin, month, COUNT(*) AS n FROM flights GROUP BY origin, month"
ORDERED = [
    f"{COUNTED} ORDER BY ALL",
    f"{COUNTED} ORDER BY ALL DESC",
    f"{COUNTED} ORDER BY 3 DESC, 1, 2",
    f"{COUNTED} ORDER BY n, 1, 2 FETCH FIRST 5 ROWS ONLY",
    f"{COUNTED} ORDER BY n, 1, 2 OFFSET 2 ROWS FETCH NEXT ROW ONLY",
    f"SELECT n, origin FROM ({COUNTED}) ORDER BY 1 DESC, 2 LIMIT 3",
    f"SELECT origin, n FROM ({COUNTED}) ORDER BY 2 DESC, 1",
    f"SELECT origin, n * 2 AS m FROM ({COUNTED}) ORDER BY ALL",
    f"SELECT * FROM ({COUNTED}) ORDER BY ALL DESC",
    f"SELECT * FROM ({COUNTED}) ORDER BY 3, 2",
    f"SELECT t.* FROM ({COUNTED}) AS t(a, b) ORDER BY 3 DESC, 1, 2 LIMIT 4",
    f"WITH t AS ({COUNTED}) SELECT n, month FROM (SELECT * FROM t ORDER BY 3) ORDER BY 1, 2",
    "SELECT * FROM airlines ORDER BY ALL DESC FETCH FIRST 4 ROWS ONLY",
    "SELECT carrier, name FROM airlines UNION ALL SELECT faa, name FROM airports ORDER BY 2, 1",
]


@pytest.mark.parametrize("sql", ORDERED)
def test_rows_leave_in_the_order_of_duckdb(sql: str) -> None:
    _, expected = bench().expected(sql)
    _, got = bench().answer(sql)
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert all(map(same, mine, theirs)), (mine, theirs)


@pytest.mark.parametrize("place", ["0", "4"])
def test_a_place_that_is_not_there_is_refused(place: str) -> None:
    """Least of all it is the row's own number, which stands before the first column."""
    with pytest.raises(NotBound):
        bench().plan(f"SELECT * FROM ({COUNTED}) ORDER BY {place}")


@pytest.mark.parametrize("cut", ["10 PERCENT ROWS ONLY", "5 ROWS WITH TIES"])
def test_fetch_that_means_more_than_a_number_is_refused(cut: str) -> None:
    with pytest.raises(QueryRefused) as caught:
        bench().plan(f"{COUNTED} ORDER BY n FETCH FIRST {cut}")
    assert caught.value.code == "unsupported-sql"

"""Values of groups that something is compared with: those of groups in which somebody is."""

from __future__ import annotations

import pytest

from tests.parity import missing
from tests.plan.benches import bench

CLINIC = bench("clinic")
MEANS = "SELECT AVG(height) FROM people GROUP BY area"
COMPARED = (
    f"SELECT COUNT(*) FROM people WHERE height >= ALL ({MEANS})",
    f"SELECT COUNT(*) FROM people WHERE height NOT IN ({MEANS})",
    f"SELECT COUNT(*) FROM people WHERE height < ANY ({MEANS})",
    f"SELECT COUNT(*) FROM people WHERE height IN ({MEANS} HAVING COUNT(*) > 5 OR COUNT(*) < 2)",
    "SELECT COUNT(*) FROM people WHERE wage > ALL (SELECT SUM(height) FROM people GROUP BY area)",
    f"SELECT area, COUNT(*) FROM people GROUP BY area HAVING AVG(height) >= ALL ({MEANS})",
    f"SELECT area, COUNT(*) AS n FROM people GROUP BY area HAVING n > 0 AND 150 > ANY ({MEANS})",
    "SELECT COUNT(*) FROM people WHERE area IN (SELECT area FROM people GROUP BY area)",
)


@pytest.mark.parametrize("sql", COMPARED)
def test_an_empty_public_group_is_no_member(sql: str) -> None:
    """The area e has nobody: its mean is NULL, its sum 0, and DuckDB has no such group."""
    got, expected = CLINIC.answer(sql)[1], CLINIC.expected(sql)[1]
    assert not missing(expected, got)
    assert len(got) == len(expected)


def test_a_group_of_everybody_stays_a_member() -> None:
    """It is there without any row: of ROLLUP, and of no key at all."""
    for tail in ("GROUP BY ROLLUP (area)", "GROUP BY ALL", ""):
        asked = f"SELECT COUNT(wage) FROM people WHERE height > 1000 {tail}"
        sql = f"SELECT COUNT(*) FROM visits WHERE score > ALL ({asked})"
        assert CLINIC.answer(sql)[1] == CLINIC.expected(sql)[1], tail


def test_nothing_more_is_paid_where_rows_are_counted_already() -> None:
    """A mean of what is never missing counts all rows itself."""
    for item, columns in (("AVG(score)", 2), ("COUNT(*)", 1), ("SUM(score)", 2)):
        listed = f"SELECT {item} FROM visits GROUP BY kind"
        first = CLINIC.plan(f"SELECT COUNT(*) FROM visits WHERE score > ALL ({listed})").stages[0]
        assert len(first.columns) == columns, item

"""Inputs: what is stated of a released table before its rows are known."""

from __future__ import annotations

import pytest

from queries.algebra.inputs import Input
from tests.plan.benches import bench

MONTHS = "SELECT month, COUNT(*) AS n FROM flights GROUP BY 1"
KEPT = "WITH a AS ({}) SELECT COUNT(*) FROM flights f, a"


def reads(sql: str) -> Input:
    """The one input of the last stage of a query."""
    (found,) = bench().plan(sql).stages[-1].inputs
    return found


@pytest.mark.parametrize(
    ("released", "unique"),
    [
        ("SELECT AVG(distance) AS d FROM flights", ()),
        (MONTHS, ("c0",)),
        ("SELECT COUNT(*) AS n, month FROM flights GROUP BY 2 HAVING COUNT(*) > 1", ("c1",)),
        (f"SELECT n, month FROM ({MONTHS})", ("c1",)),
        ("SELECT month, origin, COUNT(*) AS n FROM flights GROUP BY 1, 2 LIMIT 5", ("c1", "c0")),
        ("SELECT month + 1 AS m, COUNT(*) AS n FROM flights GROUP BY month", None),
        ("SELECT COUNT(*) AS n FROM flights GROUP BY month", None),
        (f"SELECT DISTINCT n > 5 AS many FROM ({MONTHS}) LIMIT 5", ("c0",)),
        (f"SELECT DISTINCT ON (n > 5) n, month FROM ({MONTHS}) LIMIT 5", None),
        (f"SELECT MAX(n) AS n FROM ({MONTHS})", ()),
    ],
)
def test_which_columns_no_two_rows_share(released: str, unique: tuple[str, ...] | None) -> None:
    found = reads(KEPT.format(released))
    assert (None if found.unique is None else set(found.unique)) == (
        None if unique is None else set(unique)
    )


def test_how_many_rows_there_are_at_most() -> None:
    assert reads(KEPT.format(MONTHS)).most_rows == 12
    assert reads(KEPT.format(f"{MONTHS} ORDER BY n LIMIT 3")).most_rows == 3
    assert reads(KEPT.format("SELECT COUNT(*) AS n FROM flights")).most_rows == 1


def test_a_row_that_meets_several_is_counted_several_times() -> None:
    """Every row meets the twelve of the months: twelve times the sensitivity (P4)."""
    plain, crossed = (
        bench().plan(sql).stages[-1].columns[0].noise.l1
        for sql in ("SELECT COUNT(*) FROM flights", KEPT.format(MONTHS))
    )
    joined = bench().plan(KEPT.format(MONTHS) + " WHERE a.month = f.month").stages[-1]
    assert crossed == 12 * plain
    assert joined.columns[0].noise.l1 == plain


def test_a_mean_keeps_its_range_and_a_count_has_none_to_sum() -> None:
    found = reads(KEPT.format("SELECT AVG(distance) AS d, COUNT(*) AS n FROM flights"))
    mean, count = found.columns
    assert (mean.lower, mean.upper) == (0, 5000)
    assert (count.lower, count.upper) == (1 - 2**63, 2**63 - 1)


def test_the_name_is_that_of_the_meaning() -> None:
    one = reads("SELECT COUNT(*) FROM flights WHERE distance > (SELECT AVG(distance) FROM flights)")
    other = reads(
        """WITH m AS (SELECT AVG(g.distance) AS x FROM flights AS g) SELECT month, COUNT(*)
           FROM flights WHERE 2 * distance > (SELECT AVG(distance) FROM flights) GROUP BY month"""
    )
    assert one.name == other.name

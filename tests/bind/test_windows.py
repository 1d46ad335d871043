"""Shapes within the unit: they mean what DuckDB means by them, and M follows row numbers."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import missing
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

FIRST = "ROW_NUMBER() OVER (PARTITION BY person ORDER BY day, visit)"
NUMBERED = "SELECT COUNT(*) FROM (SELECT {} AS n FROM visits) WHERE {}"
ROWS = (
    (f"SELECT COUNT(*) FROM (SELECT * FROM visits QUALIFY {FIRST} = 1)", 1),
    (f"SELECT COUNT(*) FROM (SELECT * FROM visits QUALIFY {FIRST} <= 3)", 3),
    (f"SELECT COUNT(*) FROM (SELECT * FROM visits QUALIFY {FIRST} BETWEEN 2 AND 3)", 2),
    (NUMBERED.format(FIRST, "2 > n"), 1),
    (NUMBERED.format(FIRST, "n IN (1, 2)"), 2),
    (NUMBERED.format(FIRST, "n <> 1"), 8),
    (NUMBERED.format(FIRST, "n = 1 OR n = 2"), 8),
    (NUMBERED.format(FIRST.replace("ROW_NUMBER", "RANK"), "n = 1"), 8),
    (NUMBERED.format("ROW_NUMBER() OVER (PARTITION BY person, kind)", "n = 1"), 3),
    (NUMBERED.format("ROW_NUMBER() OVER (PARTITION BY person, note)", "n = 1"), 8),
    (
        f"""SELECT COUNT(*) FROM people p JOIN (SELECT person, {FIRST} AS n FROM visits) v
        ON v.person = p.person AND v.n = 1""",
        1,
    ),
    (
        """SELECT COUNT(*) FROM (SELECT v.person, w.person FROM visits v LEFT JOIN visits w ON
        v.person = w.person AND w.score > v.score GROUP BY v.person, w.person)""",
        2,
    ),
)


@pytest.mark.parametrize("case", cases("within"), ids=str)
def test_a_shape_within_the_unit_means_what_duckdb_means(case: Case) -> None:
    clinic = bench("clinic")
    names, expected = clinic.expected(case.sql)
    got_names, got = clinic.answer(case.sql)
    assert got_names == names
    assert missing(expected, got) == []


@pytest.mark.parametrize(("sql", "rows"), ROWS)
def test_a_row_number_bounds_the_rows_of_a_unit(sql: str, rows: int) -> None:
    (stage,) = bench("clinic").plan(sql).stages
    assert stage.columns[0].noise.l1 == rows


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
def test_a_row_number_bounds_its_own_rows_and_not_what_they_are_joined_with(join: str) -> None:
    """The one first visit meets each of the four codes."""
    numbered = f"(SELECT person, {FIRST} AS n FROM visits) v JOIN codes c ON TRUE"
    inner = f"(SELECT v.person, v.n FROM {numbered}) t"
    sql = f"SELECT COUNT(*) FROM people p {join} {inner} ON t.person = p.person AND t.n = 1"
    (stage,) = bench("clinic").plan(sql).stages
    assert stage.columns[0].noise.l1 >= 4


def test_a_window_over_persons_is_told_which_key_it_lacks() -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("clinic").plan(
            "SELECT COUNT(*) FROM (SELECT RANK() OVER (ORDER BY v.cost) FROM visits v)"
        )
    assert "v.person to PARTITION BY" in str(refused.value.hint)

"""Which stages move twice as far where a unit loses its rows of one block alone."""

from __future__ import annotations

import pytest

from queries.plan.price import Options
from tests.parity import Bench
from tests.plan.benches import bench
from tests.properties.claims import PRICE
from tests.properties.growing import whole_clinic

NONE = Options()
ADDED = [
    "SELECT kind, COUNT(*), SUM(cost), AVG(cost), COUNT(DISTINCT person) FROM visits GROUP BY kind",
    "SELECT block, kind, SUM(score) FROM visits WHERE cost > 0 GROUP BY ALL",
    "SELECT p.sex, COUNT(*) FROM people p JOIN visits v USING (person) GROUP BY 1",
    (
        "SELECT a.province, COUNT(*) FROM visits v JOIN people p USING (person) "
        "JOIN areas a USING (area) GROUP BY 1"
    ),
    (
        "SELECT k, COUNT(*) FROM (SELECT person, kind AS k FROM visits UNION ALL "
        "SELECT person, kind FROM visits WHERE urgent) t GROUP BY k"
    ),
    "SELECT kind, COUNT(*) FROM visits GROUP BY ROLLUP (kind)",
    "SELECT b.band, COUNT(*) FROM visits v LEFT JOIN bands b ON v.score = b.score GROUP BY 1",
    (
        "SELECT a.area, COUNT(v.visit) FROM areas a LEFT JOIN (SELECT p.area, v.visit "
        "FROM people p JOIN visits v USING (person)) v ON v.area = a.area GROUP BY a.area"
    ),
    "SELECT note, COUNT(*) FROM visits GROUP BY note",
]
COMPETING = [
    ("SELECT kind, COUNT(*) FROM visits GROUP BY kind", Options(groups_per_unit=1)),
    ("SELECT kind, SUM(score) FROM visits GROUP BY kind", Options(rows_per_group=1)),
    ("SELECT MEDIAN(score) FROM visits", NONE),
    ("SELECT COUNT(DISTINCT score) FROM visits", NONE),
    ("SELECT n, COUNT(*) FROM (SELECT person, COUNT(*) AS n FROM visits GROUP BY 1) t GROUP BY n",
     NONE),
    ("SELECT COUNT(*) FROM people p LEFT JOIN visits v USING (person) WHERE v.visit IS NULL", NONE),
    (("SELECT COUNT(*) FROM visits v WHERE NOT EXISTS (SELECT 1 FROM visits w "
     "WHERE w.person = v.person AND w.score > v.score)"), NONE),
    ("SELECT SUM((SELECT COUNT(*) FROM visits w WHERE w.person = p.person)) FROM people p", NONE),
    (("SELECT COUNT(*) FROM (SELECT person, kind FROM visits EXCEPT SELECT person, kind "
     "FROM visits WHERE urgent) t"), NONE),
    (("SELECT SUM(r) FROM (SELECT row_number() OVER (PARTITION BY person ORDER BY day) AS r "
     "FROM visits) t"), NONE),
]  # fmt: skip


def partial(one: Bench, sql: str, options: Options) -> bool:
    plan = one.plan(sql, options, PRICE)
    found = {stage.partial for stage in plan.stages}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("sql", ADDED)
def test_what_adds_row_by_row_is_whole(sql: str) -> None:
    assert not partial(whole_clinic(), sql, NONE)


@pytest.mark.parametrize(("sql", "options"), COMPETING)
def test_what_competes_is_partial(sql: str, options: Options) -> None:
    assert partial(whole_clinic(), sql, options)
    plan = whole_clinic().plan(sql, options, PRICE)
    assert any("four times the rho" in note for note in plan.notes)


@pytest.mark.parametrize(("sql", "options"), COMPETING)
def test_nothing_is_partial_of_a_dataset_without_blocks(sql: str, options: Options) -> None:
    assert not partial(bench("clinic"), sql, options)

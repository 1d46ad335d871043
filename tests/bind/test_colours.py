"""Nothing private stands above the stages, and only stages read private tables."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from queries.language.refusals import QueryRefused
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

MIXED = [
    "SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin HAVING COUNT(*) > 5 ORDER BY n",
    "SELECT t.n FROM (SELECT dest, COUNT(*) n FROM flights GROUP BY 1) t JOIN airports ON faa=dest",
    "SELECT (SELECT COUNT(*) FROM flights) + (SELECT COUNT(*) FROM airports) AS n",
    "SELECT MAX(n) FROM (SELECT month, SUM(dep_delay) AS n FROM flights GROUP BY month)",
    "SELECT faa FROM airports WHERE alt > (SELECT AVG(dep_delay) FROM flights)",
    "SELECT 0 AS m, COUNT(*) FROM flights UNION ALL SELECT month, COUNT(*) FROM flights GROUP BY 1",
    "SELECT faa FROM airports",
]


def tables(sql: str) -> set[str]:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return {table.name for table in tree.find_all(exp.Table)}


@pytest.mark.parametrize("sql", MIXED)
def test_above_the_stages_stand_stages_and_public_tables(sql: str) -> None:
    found = bench().plan(sql)
    public = {table.name for table in bench().view.manifest.tables if table.public}
    stages = {stage.name for stage in found.stages}
    assert tables(found.post.sql) <= stages | public
    assert found.post.public == bool(tables(found.post.sql) & public)
    assert found.post.rowwise is None or found.post.rowwise in stages


@pytest.mark.parametrize("case", cases("plans"), ids=str)
def test_the_rest_of_a_query_reads_its_stages_alone(case: Case) -> None:
    found = bench(case.dataset).plan(case.sql.split(";\n")[0], case.options)
    parts = {member for one in found.hierarchies for member in one.members}
    whole = {one.name for one in found.hierarchies}
    assert tables(found.post.sql) == {stage.name for stage in found.stages} - parts | whole


@pytest.mark.parametrize("name", ["_stage0", "_STAGE0", "main._stage0"])
def test_a_stage_has_no_name_of_its_own(name: str) -> None:
    with pytest.raises(QueryRefused):
        bench().plan(f"SELECT * FROM (SELECT COUNT(*) AS n FROM flights) t, {name}")

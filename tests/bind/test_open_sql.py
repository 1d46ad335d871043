"""What runs over released tables fails on no value of theirs."""

from __future__ import annotations

import duckdb
import pytest
from sqlglot import exp

from queries.bind import open_sql
from queries.language.parse import parse
from queries.language.trees import nodes

FAILING = (
    "1 // CAST(k AS INT)",
    "7 % CAST(k AS INT)",
    "7 % (n // CAST(k AS INT))",
    "CAST(7 % (n % n) AS TINYINT)",
    "7 // (7 // (7 // CAST(n AS TINYINT)))",
    "CAST(CAST(n // 0 AS VARCHAR) || k AS DATE)",
)


@pytest.mark.parametrize("shown", FAILING)
def test_casts_and_divisions_are_total_however_nested(shown: str) -> None:
    made = open_sql.total(parse(f"SELECT {shown} AS x FROM t"))
    assert not [cast for cast in nodes(made, exp.Cast) if type(cast) is exp.Cast]
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE t AS SELECT * FROM (VALUES (0, 'a'), (999, '0')) AS v(n, k)")
        assert len(engine.execute(open_sql.text(made)).fetchall()) == 2

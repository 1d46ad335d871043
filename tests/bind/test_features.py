"""Whatever SQL can be written is answered or refused: nothing else ever comes out of planning.

A statement a line, in `features/`, by the dataset that it is asked of.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from queries.language.refusals import QueryRefused
from tests.plan.benches import bench

STATEMENTS = [
    (path.stem, sql)
    for path in sorted((Path(__file__).parent / "features").glob("*.sql"))
    for sql in path.read_text(encoding="utf-8").splitlines()
]


def test_there_are_many() -> None:
    assert len(STATEMENTS) > 500


@pytest.mark.parametrize(("dataset", "sql"), STATEMENTS)
def test_a_statement_is_answered_or_refused(dataset: str, sql: str) -> None:
    try:
        found = bench(dataset).plan(sql)
    except QueryRefused as refused:
        assert refused.message
        assert refused.hint
    else:
        for table in ("flights", "hi", "lineitem", "orders", "customer", "visits", "people"):
            assert f'"{table}"' not in found.post.sql, "a private table outside of its stage"

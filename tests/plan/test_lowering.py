"""Pairs of what the analyst wrote and what the engine is given, stage by stage."""

from __future__ import annotations

import pytest

from tests.plan.benches import bench
from tests.plan.cases import Case, cases


@pytest.mark.parametrize("case", cases("plans"), ids=str)
def test_a_statement_is_lowered(case: Case) -> None:
    given, *expected = (line.removesuffix(";") for line in case.sql.split(";\n"))
    found = bench(case.dataset).plan(given, case.options, case.price)
    texts = [sql for s in found.stages for sql in (s.sql, *(d.sql for d in s.distributions))]
    assert [sql for sql in texts if sql] == [line for line in expected if line.strip()]
    assert expected

"""What a public table says about a group is a key of it, exact and free."""

from __future__ import annotations

import pytest

from tests.parity import missing
from tests.plan.benches import bench

DETERMINED = (
    "SELECT area, MAX(a.province), COUNT(*) FROM people p JOIN areas a USING (area) GROUP BY area",
    (
        "SELECT p.area, ANY_VALUE(a.province) AS where, COUNT(*) FROM people p JOIN areas a "
        "ON p.area = a.area WHERE p.area IS NOT NULL GROUP BY p.area HAVING MIN(a.province) <> 'x'"
    ),
    (
        "SELECT a.area, COUNT(DISTINCT p.person) / LENGTH(MAX(a.province)), COUNT(*) FROM areas a "
        "LEFT JOIN people p ON p.area = a.area GROUP BY a.area ORDER BY MIN(a.province), a.area"
    ),
    (
        "WITH c AS (SELECT area, MAX(a.province) AS r, COUNT(*) AS n FROM people p "
        "JOIN areas a USING (area) GROUP BY area) "
        "SELECT COUNT(*) FROM people p JOIN c USING (area) WHERE n > 5 AND r <> 'x'"
    ),
)


@pytest.mark.parametrize("sql", DETERMINED)
def test_it_is_answered_as_the_engine_answers(sql: str) -> None:
    clinic = bench("clinic")
    (_, got), (_, expected) = clinic.answer(sql), clinic.expected(sql)
    assert expected
    assert not missing(expected, got)


def test_nothing_is_paid_for_it() -> None:
    mobility = bench("mobility")
    for shown in ("MAX(a.residents)", "ANY_VALUE(a.province), MIN(a.residents * 2)"):
        joined = f"SELECT p.area, COUNT(*), {shown} FROM pings p JOIN areas a USING (area)"
        (stage,) = mobility.plan(f"{joined} GROUP BY p.area").stages
        assert len(stage.parts) == 1


@pytest.mark.parametrize(
    "sql",
    [
        (
            "SELECT province, MAX(a.residents), COUNT(*) FROM pings JOIN areas a USING (area) "
            "GROUP BY province"
        ),
        (
            "SELECT area, MAX(a.residents + fee), COUNT(*) FROM pings JOIN areas a USING (area) "
            "GROUP BY area"
        ),
        (
            "SELECT area, MAX(b.residents), COUNT(*) FROM pings JOIN areas a USING (area) "
            "JOIN areas b USING (province) GROUP BY area"
        ),
    ],
)
def test_what_may_differ_within_a_group_is_measured(sql: str) -> None:
    mobility = bench("mobility")
    (stage,) = mobility.plan(sql).stages
    assert len(stage.keys) == 1
    assert len(stage.parts) > 1

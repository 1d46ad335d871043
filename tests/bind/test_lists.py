"""Elements of lists and what they hold: released ones, constants, and constants beside rows."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from tests.parity import same
from tests.plan.benches import bench

CLINIC = bench("clinic")
QUARTILES = "QUANTILE_CONT(cost, [0.25, 0.5, 0.75])"
ANSWERED = (
    f"SELECT {QUARTILES}[2], ({QUARTILES})[-1], {QUARTILES}[4], {QUARTILES}[0] FROM visits",
    f"SELECT list_extract({QUARTILES}, 3), list_element({QUARTILES}, -3) FROM visits",
    "SELECT array_extract([10, 20], 2), ['a', 'b'][1], list_extract([1, 2], 5)",
    "SELECT q[1] + q[3] FROM (SELECT QUANTILE_DISC(score, [0.1, 0.5, 0.9]) AS q FROM visits)",
    f"SELECT list_contains(q, 0), array_has(q, -77) FROM (SELECT {QUARTILES} AS q FROM visits)",
    f"SELECT list_contains(q, m) FROM (SELECT {QUARTILES} AS q, MODE(score) AS m FROM visits)",
    "SELECT list_has([1, NULL, 3], 3), list_contains([1, NULL], 2), array_has(['x'], 'x')",
    "SELECT list_contains([1, 2, NULL], score) AS a, COUNT(*) FROM visits GROUP BY 1",
    "SELECT COUNT(*) FROM visits WHERE list_contains(['a', 'b'], kind)",
    "SELECT COUNT(*) FROM visits WHERE NOT list_contains([-1, 0], score)",
)  # fmt: skip


@pytest.mark.parametrize("sql", ANSWERED)
def test_lists_are_read_as_duckdb_reads_them(sql: str) -> None:
    names, got = CLINIC.answer(sql)
    expected_names, expected = CLINIC.expected(sql)
    assert names == expected_names
    assert sorted(map(len, got)) == sorted(map(len, expected))
    pairs = zip(sorted(got, key=repr), sorted(expected, key=repr), strict=True)
    assert all(
        same(one, two) for left, right in pairs for one, two in zip(left, right, strict=True)
    )


@pytest.mark.parametrize(
    "item",
    [
        "list_contains(q, 'a')",
        "list_contains(q, COALESCE('a', 'b'))",
        "list_extract(q, n)",
        "list_extract(q, '1')",
    ],
)
def test_what_could_fail_on_a_value_is_refused(item: str) -> None:
    """It would fail once the answer is paid for."""
    inner = f"SELECT COUNT(*) AS n, {QUARTILES} AS q FROM visits"
    with pytest.raises(QueryRefused):
        CLINIC.plan(f"SELECT {item} FROM ({inner})")

"""A mode and the values that may be it: scalars where values have an order, else lists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from queries.plan.bins import Bins, equal
from queries.plan.model import Distribution, Plan, Target
from queries.plan.price import Options, Price
from queries.release import engine as release
from queries.release.answer import Answer
from queries.release.quantiles import Part, found
from tests.enclave.stages import gaussian
from tests.parity import Bench
from tests.plan.benches import bench

CLINIC = bench("clinic")
SURE = Price(10**15, 0)
"""So high that no value but one may be the mode."""


def counted(values: Bins, kind: str, *rows: tuple[int, ...], scale: int = 0) -> Distribution:
    target = Target("q0_mode", 0, 0, 0, descending=False, sql_type=kind)
    return Distribution("d0", "", values, (target,), gaussian(2.0), values.count, 1, scale)


def ends(values: Bins, kind: str, row: tuple[int, ...], scale: int = 0) -> tuple[object, object]:
    (one,) = found([Part(counted(values, kind, scale=scale), (row,))], 0.95)
    assert one.ends[0] is not None
    return one.ends[0]


NUMBERS = Bins(4, equal(-1, 2, 64), -1, 2, 1, 2)


@pytest.mark.parametrize(
    ("row", "expected"),
    [((0, 900, 40, 0), (0.0, 0.0)), ((0, 900, 40, 898), (0.0, 1.0)), ((9, 8, 7, 9), (-0.5, 1.0))],
)
def test_of_numbers_the_ends_are_the_least_and_the_greatest(
    row: tuple[int, ...], expected: tuple[float, float]
) -> None:
    assert ends(NUMBERS, "DOUBLE", row) == expected


def test_of_texts_the_ends_are_what_is_certain_and_what_may_be() -> None:
    texts = Bins(3, listed=("a", "b", "c"))
    assert ends(texts, "VARCHAR", (0, 900, 40)) == (("b",), ("b",))
    assert ends(texts, "VARCHAR", (899, 900, 40)) == ((), ("a", "b"))
    assert ends(Bins(2, listed=(False, True)), "BOOLEAN", (5, 6)) == ((), (False, True))


def test_listed_numbers_and_moments_lie_between_their_ends() -> None:
    days = Bins(3, listed=("2020-01-01", "2020-02-01", "2021-01-01"))
    assert ends(days, "DATE", (900, 0, 899)) == ("2020-01-01", "2021-01-01")
    assert ends(Bins(2, listed=(150, 325)), "DECIMAL(38, 2)", (8, 9), scale=2) == (1.5, 3.25)
    assert ends(Bins(2, listed=(150, 325)), "BIGINT", (8, 9)) == (150, 325)


def test_so_many_texts_that_may_be_it_are_not_listed() -> None:
    texts = Bins(101, listed=tuple(f"t{n:03}" for n in range(101)))
    (one,) = found([Part(counted(texts, "VARCHAR"), ((5,) * 101,))], 0.95)
    assert one.ends == (None,)
    assert one.values == ("t000",)


def answered(people: Bench, sql: str, price: Price, given: Options = Options()) -> Answer:
    plan: Plan = people.plan(sql, given, price)
    return release.composed(people.open, plan, people.exact(plan), 0.95)


def test_an_answer_holds_the_mode_between_its_ends() -> None:
    sql = "SELECT urgent, MODE(kind) AS k, MODE(score) AS s, MODE(day) AS d FROM visits GROUP BY 1"
    for answer in (answered(CLINIC, sql, SURE), answered(CLINIC, sql, Price(10**11, 0))):
        for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
            assert row[1] in high[1]  # type: ignore[operator]
            assert set(low[1]) <= {row[1]}  # type: ignore[arg-type]
            assert low[2] <= row[2] <= high[2]  # type: ignore[operator]
            assert low[3] <= row[3] <= high[3]  # type: ignore[operator]
        assert "may be the most frequent one" in str(answer.columns[1].reason)
    sure = answered(CLINIC, sql, SURE)
    expected = CLINIC.expected("SELECT urgent, MODE(kind) FROM visits GROUP BY 1 ORDER BY 1")[1]
    assert [(row[0], row[1]) for row in sure.rows] == expected
    assert [high[1] for high in sure.upper] == [(row[1],) for row in expected]


def test_a_mode_of_grouping_sets_is_read_off_its_own_counts() -> None:
    sql = "SELECT urgent, MODE(kind) AS k FROM visits GROUP BY ROLLUP (urgent)"
    answer = answered(CLINIC, sql, SURE)
    assert all(upper[1] == (row[1],) for row, upper in zip(answer.rows, answer.upper, strict=True))


def test_counts_of_a_mode_and_of_a_histogram_are_two_stages() -> None:
    """What is stored of one is not read as the other."""
    plans = [CLINIC.plan(f"SELECT {call}(kind) AS k FROM visits") for call in ("MODE", "HISTOGRAM")]
    first, second = (plan.stages[0] for plan in plans)
    assert first.distributions[0].sql == second.distributions[0].sql
    assert first.distributions[0].noise == second.distributions[0].noise
    assert first.digest != second.digest
    assert replace(first.distributions[0], targets=()) == replace(
        second.distributions[0], targets=()
    )

"""At 95 %, between 93 and 97 % of intervals hold the exact value, through both real workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from queries.enclave.client import Enclave
from queries.plan.model import Key, Mechanism, NoisyColumn, Plan
from queries.plan.post import Output, Post, Role
from queries.release.answer import Answer
from queries.release.client import ReleaseEngine
from tests.enclave.stages import MEMORY, NOISES, column, gaussian, laplace, plan, stage

pytestmark = pytest.mark.slow

ROWS = 2000
COUNTS = 400
SUMS = 250_000
MAKE = {Mechanism.GAUSSIAN: gaussian, Mechanism.LAPLACE: laplace}
MEAN = "50 + s0.m1 / s0.m0"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseEngine]:
    home: Path = tmp_path_factory.mktemp("home")
    (home / "deliveries").mkdir()
    made = ReleaseEngine(home / "deliveries", workers=1, memory=MEMORY, seconds=60)
    yield made
    made.close()


def asked(mechanism: Mechanism, count_scale: float, sum_scale: float, shift: int = 0) -> Plan:
    """Two thousand rows of the same count, sum (in hundredths) and mean around 50."""
    sql = f"SELECT range AS k0, {COUNTS} AS m0, {SUMS} >> {shift} AS m1 FROM range({ROWS})"
    make = MAKE[mechanism]
    total = NoisyColumn("m1", make(sum_scale), shift, 1, 100, "DECIMAL(38,2)")
    one = stage(
        sql,
        [column("m0", make(count_scale)), total],
        [Key("k0", "BIGINT")],
        [(key,) for key in range(ROWS)],
        most_rows=ROWS,
    )
    outputs = (
        Output("n", Role.MEASURE, "m0"),
        Output("total", Role.MEASURE, "m1"),
        Output("mean", Role.DERIVED, expression=MEAN),
    )
    post = Post(f"SELECT s0._row, s0.m0, s0.m1, {MEAN} FROM s0", outputs, rowwise="s0")
    return plan(one, post=post)


def covered(answer: Answer, place: int, truth: float) -> float:
    held = [
        low[place] <= truth <= high[place]  # type: ignore[operator]
        for low, high in zip(answer.lower, answer.upper, strict=True)
    ]
    return sum(held) / len(held)


@pytest.mark.parametrize("mechanism", NOISES)
def test_counts_sums_and_means_are_covered(
    enclave: Enclave, engine: ReleaseEngine, mechanism: Mechanism
) -> None:
    """Scales of some tens of steps, so that whole steps do not force more."""
    rounds = [_composed(enclave, engine, asked(mechanism, 12.0, 900.0)) for _ in range(4)]
    for place, truth in ((0, COUNTS), (1, SUMS / 100), (2, 50 + SUMS / 100 / COUNTS)):
        share = sum(covered(answer, place, truth) for answer in rounds) / len(rounds)
        assert 0.93 <= share <= 0.97


@pytest.mark.parametrize("mechanism", NOISES)
def test_tiny_scales_and_shifted_totals_are_covered_at_least(
    enclave: Enclave, engine: ReleaseEngine, mechanism: Mechanism
) -> None:
    answer = _composed(enclave, engine, asked(mechanism, 0.6, 2.0, shift=6))
    for place, truth in ((0, COUNTS), (1, SUMS / 100), (2, 50 + SUMS / 100 / COUNTS)):
        assert covered(answer, place, truth) >= 0.93


def _composed(enclave: Enclave, engine: ReleaseEngine, asked_plan: Plan) -> Answer:
    (noisy,) = enclave.run(asked_plan, 120)
    return engine.compose(asked_plan, {"s0": noisy}, 0.95)

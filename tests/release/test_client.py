"""The release engine over its socket: rows of public tables, answers, refusals that explain."""

from __future__ import annotations

import dataclasses
import time

import pytest

from queries.catalog.view import TooMany
from queries.faults import Fault, WorkersUnavailable
from queries.plan.post import Output, Post, Role
from queries.release.client import PublicReader, ReleaseEngine
from queries.release.refusals import NotComputable, QueryTooExpensive
from tests.enclave.stages import plan
from tests.release.test_engine import NOISY, STAGE
from tests.workers.conftest import ENDLESS


def test_public_rows_are_read(engine: ReleaseEngine) -> None:
    reader = PublicReader(engine, "d1")
    sql = 'SELECT "area", "residents", "fee", "since" FROM "areas" ORDER BY 2'
    assert reader.rows(sql, 3) == [
        ("north", 10, 1.25, "2020-01-31"),
        ("south", 20, None, None),
        ("east", 30, 2.5, "2021-12-01"),
    ]
    with pytest.raises(TooMany):
        reader.rows(sql, 2)


def test_private_tables_do_not_exist_here(engine: ReleaseEngine) -> None:
    with pytest.raises(NotComputable):
        engine.rows("d1", "SELECT * FROM hidden", 5)


def test_an_answer_is_composed(engine: ReleaseEngine) -> None:
    answer = engine.compose(plan(STAGE), NOISY, 0.95)
    assert [row[2] for row in answer.rows] == [100, 50, -1]
    assert answer == engine.compose(plan(STAGE), NOISY, 0.95)


def test_a_stored_table_may_have_had_another_name(engine: ReleaseEngine) -> None:
    stored = {"s0": dataclasses.replace(NOISY["s0"], name="s7")}
    assert engine.compose(plan(STAGE), stored, 0.95).rows[0][2] == 100


def test_a_plan_without_stages_is_public_sql(engine: ReleaseEngine) -> None:
    post = Post("SELECT sum(residents) AS r FROM areas", (Output("r", Role.DERIVED),), public=True)
    public = dataclasses.replace(plan(STAGE, post=post), stages=())
    assert engine.compose(public, {}, 0.95).rows == ((60,),)


@pytest.mark.parametrize("sql", ["SELECT area::INTEGER FROM areas", "SELECT error('x')", "SELEC"])
def test_a_failing_expression_is_refused_without_the_engines_words(
    engine: ReleaseEngine, sql: str
) -> None:
    with pytest.raises(NotComputable) as refused:
        engine.rows("d1", sql, 5)
    assert str(refused.value) == str(NotComputable())
    assert refused.value.hint


@pytest.mark.slow
def test_too_much_time_or_memory_is_refused(engine: ReleaseEngine) -> None:
    for sql in (ENDLESS, "SELECT len(range(1000000000))", "SELECT * FROM range(300000)"):
        post = Post(sql, (Output("x", Role.DERIVED),))
        start = time.monotonic()
        with pytest.raises(QueryTooExpensive) as refused:
            engine.compose(plan(STAGE, post=post), NOISY, 0.95)
        assert time.monotonic() - start < 20
        assert refused.value.hint
    assert engine.compose(plan(STAGE), NOISY, 0.95).rows[0][2] == 100


def test_what_is_no_select_or_no_delivery_is_a_fault(engine: ReleaseEngine) -> None:
    for delivery, sql in (
        ("d1", "COPY areas TO 'x.csv'"),
        ("../d1", "SELECT 1"),
        ("d2", "SELECT 1"),
    ):
        with pytest.raises(WorkersUnavailable):
            engine.rows(delivery, sql, 5)
    post = Post("SELECT 1; SELECT 2", (Output("x", Role.DERIVED),))
    with pytest.raises(Fault):
        engine.compose(plan(STAGE, post=post), NOISY, 0.95)

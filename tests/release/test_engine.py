"""Answers are composed of released values, with their intervals, types and reasons."""

from __future__ import annotations

import dataclasses
import math
from datetime import date

import duckdb
import pytest

from queries.plan.model import Key, Mechanism, NoisyColumn, Plan
from queries.plan.noisy import NoisyStage
from queries.plan.post import Output, Post, Role
from queries.release.answer import Answer
from queries.release.engine import Connections, TooManyRows, composed, rows_of
from queries.release.law import half_width
from queries.release.margins import NO_EXPRESSION, NOT_SIMULATED, SEVERAL_ROWS
from tests.enclave.stages import column, gaussian, laplace, plan, stage

COUNT = column("m0", gaussian(3.0))
TOTAL = NoisyColumn("m1", laplace(40.0, 4, 16), 2, 1, 100, "DECIMAL(38,2)")
STAGE = stage("", [COUNT, TOTAL], [Key("k0", "VARCHAR"), Key("k1", "DATE")])
NOISY = {
    "s0": NoisyStage(
        "s0",
        (("north", "2026-03-01"), ("south", "2026-03-01"), (None, None)),
        ((100, 2500), (50, 1000), (-1, 7)),
    )
}
MEAN = Output("mean", Role.DERIVED, expression="10 + s0.m1 / s0.m0")


def answered(
    bare: duckdb.DuckDBPyConnection, select: str, *outputs: Output, rowwise: bool = True
) -> Answer:
    head = "s0._row, " if rowwise else ""
    post = Post(f"SELECT {head}{select}", outputs, rowwise="s0" if rowwise else None)
    return composed(bare, plan(STAGE, post=post), NOISY, 0.95)


def test_measures_carry_scale_and_interval_in_their_own_unit(
    bare: duckdb.DuckDBPyConnection,
) -> None:
    answer = composed(bare, plan(STAGE), NOISY, 0.95)
    assert answer.rows == (
        ("north", "2026-03-01", 100, 100.0),
        ("south", "2026-03-01", 50, 40.0),
        (None, None, -1, 0.28),
    )
    assert [(c.name, c.type, c.role.value) for c in answer.columns] == [
        ("k0", "text", "key"), ("k1", "date", "key"), ("m0", "integer", "measure"),
        ("m1", "decimal", "measure"),
    ]  # fmt: skip
    assert answer.columns[2].mechanism is Mechanism.GAUSSIAN
    assert (answer.columns[2].scale, answer.columns[3].scale) == (3.0, 1.6)
    wide = half_width(TOTAL.noise, 0.95)
    assert answer.lower[0] == (None, None, 94, (2500 - wide) * 4 / 100)
    assert answer.upper[0] == (None, None, 106, ((2500 + wide) * 4 + 3) / 100)
    assert [c.reason for c in answer.columns] == [None] * 4


def test_rows_follow_the_analysts_order_and_intervals_follow_the_rows(
    bare: duckdb.DuckDBPyConnection,
) -> None:
    answer = answered(
        bare, "m0 AS n FROM s0 WHERE m0 > 0 ORDER BY m0 LIMIT 1", Output("n", Role.MEASURE, "m0")
    )
    assert (answer.rows, answer.lower, answer.upper) == (((50,),), ((44,),), ((56,),))


def test_an_expression_over_one_row_is_simulated(bare: duckdb.DuckDBPyConnection) -> None:
    answer = answered(bare, "10 + m1 / m0 FROM s0 WHERE m0 > 0 ORDER BY 1", MEAN)
    for row in range(2):
        value, low, high = answer.rows[row][0], answer.lower[row][0], answer.upper[row][0]
        assert low < value < high  # type: ignore[operator]
        spread = math.hypot(3.0 * (value - 10), 1.6 * math.sqrt(2)) / [100, 50][row]  # type: ignore[operator]
        assert 3.4 * spread < high - low < 4.6 * spread  # type: ignore[operator]


def test_the_same_release_shows_the_same_intervals(bare: duckdb.DuckDBPyConnection) -> None:
    answers = [answered(bare, "10 + m1 / m0 FROM s0", MEAN) for _ in range(2)]
    assert answers[0] == answers[1]


def test_an_expression_may_read_keys(bare: duckdb.DuckDBPyConnection) -> None:
    sql = "CASE WHEN s0.k0 = 'north' THEN s0.m0 ELSE -s0.m0 END"
    answer = answered(bare, f"{sql} FROM s0 ORDER BY _row", Output("x", Role.DERIVED, None, sql))
    assert [low < 0 for (low,) in answer.lower] == [False, True, True]  # type: ignore[operator]


@pytest.mark.parametrize(
    "sql",
    ["s0.m1 / NULLIF(s0.m0 - s0.m0, 0)", "CAST('x' AS INTEGER) + s0.m0", "s0.nothing + s0.m0"],
)
def test_an_expression_without_values_has_no_interval_but_a_reason(
    bare: duckdb.DuckDBPyConnection, sql: str
) -> None:
    answer = answered(bare, "1 FROM s0", Output("x", Role.DERIVED, None, sql))
    assert answer.lower == answer.upper == ((None,),) * 3
    assert answer.columns[0].reason == NOT_SIMULATED


def test_columns_without_interval_say_why(bare: duckdb.DuckDBPyConnection) -> None:
    told = Output("x", Role.DERIVED, reason="It is a window.")
    untold = Output("y", Role.DERIVED)
    answer = answered(bare, "m0, m0 FROM s0", told, untold)
    assert [c.reason for c in answer.columns] == ["It is a window.", NO_EXPRESSION]
    several = answered(bare, "sum(m0) FROM s0", untold, rowwise=False)
    assert several.columns[0].reason == SEVERAL_ROWS
    assert (several.rows, several.lower) == (((149,),), ((None,),))


def test_a_row_that_shows_no_row_of_the_stage_has_no_interval(
    bare: duckdb.DuckDBPyConnection,
) -> None:
    sql = "m0 FROM (VALUES ('north'), ('west')) v(a) LEFT JOIN s0 ON a = k0 ORDER BY a"
    answer = answered(bare, sql, Output("n", Role.MEASURE, "m0"))
    assert (answer.rows, answer.lower) == (((100,), (None,)), ((94,), (None,)))


def test_other_confidences_give_other_widths(bare: duckdb.DuckDBPyConnection) -> None:
    half = composed(bare, plan(STAGE), NOISY, 0.5)
    wide = composed(bare, plan(STAGE), NOISY, 0.999)
    assert half.lower[0][2] > 97 > 91 > wide.lower[0][2]  # type: ignore[operator]


def test_several_stages_meet(bare: duckdb.DuckDBPyConnection) -> None:
    other = stage("", [COUNT], name="s1")
    post = Post(
        "SELECT s0._row, s0.k0, s0.m0 / s1.m0 FROM s0, s1 ORDER BY 1 LIMIT 1",
        (Output("k0", Role.KEY), Output("share", Role.DERIVED)),
        rowwise="s0",
    )
    noisy = {**NOISY, "s1": NoisyStage("s1", ((),), ((200,),))}
    assert composed(bare, plan(STAGE, other, post=post), noisy, 0.95).rows == (("north", 0.5),)


def test_public_tables_are_there_only_when_the_plan_says_so(connections: Connections) -> None:
    post = Post(
        'SELECT a."residents", s0.m0 FROM s0 JOIN "areas" a ON a.area = s0.k0 ORDER BY 1',
        (Output("residents", Role.KEY), Output("n", Role.DERIVED)),
        public=True,
    )
    joined = plan(STAGE, post=post)
    assert composed(connections.public("d1"), joined, NOISY, 0.95).rows == ((10, 100), (20, 50))
    with pytest.raises(duckdb.CatalogException):
        composed(connections.bare(), joined, NOISY, 0.95)


def test_nothing_stays_behind(connections: Connections) -> None:
    for connection in (connections.bare(), connections.public("d1")):
        composed(connection, plan(STAGE), NOISY, 0.95)
        with pytest.raises(duckdb.Error):
            composed(connection, _broken(), NOISY, 0.95)
        names = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
        assert not names & {"s0", "_incoming"}


def _broken() -> Plan:
    return plan(STAGE, post=Post("SELECT nothing FROM s0", (Output("x", Role.KEY),)))


def test_values_are_json(bare: duckdb.DuckDBPyConnection) -> None:
    found = rows_of(
        bare,
        """SELECT 1::UTINYINT, 2::HUGEINT, 1.5, 'a', true, DATE '2026-03-01', 'nan'::DOUBLE,
        TIMESTAMP '2026-03-01 10:00:00', NULL, INTERVAL 3 DAY, TIME '10:00', '-inf'::FLOAT""",
        1,
    )
    assert found == (
        (1, 2, 1.5, "a", True, str(date(2026, 3, 1)), None, "2026-03-01T10:00:00", None,
         "3 days, 0:00:00", "10:00:00", None),
    )  # fmt: skip


def test_more_rows_than_asked_for_are_too_many(bare: duckdb.DuckDBPyConnection) -> None:
    assert len(rows_of(bare, "SELECT * FROM range(5)", 5)) == 5
    with pytest.raises(TooManyRows):
        rows_of(bare, "SELECT * FROM range(6)", 5)


def test_a_result_of_another_width_is_an_error(bare: duckdb.DuckDBPyConnection) -> None:
    wrong = plan(STAGE, post=Post("SELECT 1, 2", (Output("x", Role.KEY),)))
    with pytest.raises(ValueError):
        composed(bare, wrong, NOISY, 0.95)
    with pytest.raises(KeyError):
        composed(bare, plan(STAGE), {}, 0.95)
    assert dataclasses.is_dataclass(wrong)

"""The row of what a threshold held back: its meaning, its price, and what it leaves as it was."""

from __future__ import annotations

from dataclasses import replace
from operator import add

import pytest

from queries import codec
from queries.plan.model import Plan, Stage
from queries.plan.noisy import NoisyStage
from queries.plan.price import Options, Price
from queries.release import engine as release
from queries.release.answer import OtherRow
from tests.parity import PRICE, Bench, same
from tests.plan.benches import bench
from tests.properties.neighbours import OTHERS, register

OTHER = Options(other=True)
MEASURES = "COUNT(*), SUM(distance), COUNT(dep_delay), COUNT(DISTINCT tailnum)"
KEYS = ["flight", "dep_time", "time_hour"]
TYPED = [
    "note",
    "upper(note) || '!', score",
    "loose",
    "loose * 1.5",
    "ratio",
    "loose > 3, far",
    "huge, note",
    "CAST(far AS TIMESTAMP)",
    "loose, cost",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Few rows of every type, some of them NULL, out of range or twice."""
    return Bench(register(tmp_path_factory.mktemp("shop"), OTHERS))


def planned(sql: str, options: Options = OTHER) -> Plan:
    return bench().plan(sql, options)


@pytest.mark.parametrize("key", KEYS)
def test_the_row_is_all_groups_but_those_that_left(key: str) -> None:
    """Half of the groups left: DuckDB's own answer over all other rows."""
    found = planned(f"SELECT {key}, {MEASURES} FROM flights GROUP BY ALL")
    (stage,) = found.stages
    kept = sorted(bench().answers(found)[stage.name].keys, key=repr)[::2]
    got = bench().others(stage, kept)
    order = [int(out.column[1:]) for out in found.post.outputs if out.column is not None]
    rows = f"SELECT {key} AS k FROM flights LIMIT 0"
    plain = bench().plain
    plain.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {rows}")
    plain.execute("INSERT INTO kept SELECT UNNEST(?)", [[value for (value,) in kept]])
    on = f"kept.k IS NOT DISTINCT FROM flights.{key}"
    expected = plain.execute(f"SELECT {MEASURES} FROM flights ANTI JOIN kept ON {on}").fetchall()
    assert [tuple(got[n] for n in order)] == expected


@pytest.mark.parametrize("key", TYPED)
def test_a_group_is_in_the_row_or_left(shop: Bench, key: str) -> None:
    """Keys of every type, as they are handed out and back: all but one add up with that one."""
    sql = f"SELECT {key}, COUNT(*), SUM(huge), COUNT(score) FROM visits GROUP BY ALL"
    found = shop.plan(sql, OTHER, Price(rho=10**16, delta=10**12))
    (stage,) = found.stages
    answer = shop.answers(found)[stage.name]
    assert len(answer.keys) > 1
    every = shop.others(stage, [])
    assert shop.others(stage, answer.keys) == (0, 0, 0)
    for kept, values in zip(answer.keys, answer.values, strict=True):
        rest = shop.others(stage, [kept])
        assert tuple(map(add, rest, values)) == every


def test_keys_that_the_engine_drops_are_in_it() -> None:
    """Those under the floor are no candidates, and are held back all the same."""
    found = planned("SELECT flight, COUNT(*), SUM(distance) FROM flights GROUP BY flight")
    (stage,) = found.stages
    assert "HAVING" in stage.sql
    candidates = bench().answers(found)[stage.name].keys
    every = bench().expected("SELECT COUNT(*), SUM(distance) FROM flights")[1][0]
    assert bench().others(stage, []) == every
    left = bench().others(stage, candidates)
    assert 0 < left[0] < every[0]


def test_null_may_be_a_key_that_left() -> None:
    found = planned("SELECT dep_time, COUNT(*) FROM flights GROUP BY dep_time")
    (stage,) = found.stages
    every, null = bench().others(stage, []), bench().others(stage, [(None,)])
    missing = bench().expected("SELECT COUNT(*) FROM flights WHERE dep_time IS NULL")[1][0][0]
    assert every[0] - null[0] == missing > 0


def test_what_is_asked_without_it_is_the_same_stage() -> None:
    sql = "SELECT flight, COUNT(*) FROM flights GROUP BY flight"
    (plain,), (more,) = planned(sql, Options()).stages, planned(sql).stages
    assert (plain.digest, plain.sql) == (more.digest, more.sql)
    assert more.other is not None
    assert plain.other is None


@pytest.mark.parametrize("price", [PRICE, Price(rho=10**12, epsilon=10**12, delta=10**12)])
def test_it_is_paid_from_the_one_price(price: Price) -> None:
    """Three columns of groups, the count of units among them, and two of the row."""
    sql = "SELECT flight, COUNT(*), SUM(distance) FROM flights GROUP BY flight"
    if price.epsilon is not None:
        with pytest.raises(Exception, match="no delta"):
            bench().plan(sql, OTHER, price)
        return
    (stage,) = bench().plan(sql, OTHER, price).stages
    assert stage.other is not None
    assert [c.noise.rho for c in (*stage.columns, *stage.other.columns)] == [price.rho // 5] * 5
    assert stage.rho == sum(noise.rho for noise in stage.noises) <= price.rho


def test_a_plan_round_trips() -> None:
    found = planned("SELECT flight, COUNT(*) FROM flights GROUP BY flight")
    assert codec.loads(Plan, codec.dumps(found)) == found


def composed(found: Plan, other: tuple[int, ...], keys: int = 3) -> OtherRow | None:
    """The row of an answer in which a few groups left."""
    (stage,) = found.stages
    width = len(stage.columns)
    noisy = NoisyStage(
        stage.name,
        tuple((n,) for n in range(keys)),
        tuple(tuple(range(n, n + width)) for n in range(keys)),
        other=other,
    )
    return release.composed(bench().open, found, {stage.name: noisy}, 0.95).other


def margin(stage: Stage, place: int) -> float:
    assert stage.other is not None
    return 1.96 * stage.other.columns[place].noise.scale


def test_measures_and_what_follows_from_them_have_margins() -> None:
    sql = """SELECT flight, flight + 1, COUNT(*) AS n, SUM(distance) AS d,
        SUM(distance) / COUNT(*) AS mean, flight * COUNT(*) AS none
        FROM flights GROUP BY flight HAVING COUNT(*) > 10 ORDER BY n DESC LIMIT 1"""
    found = planned(sql)
    row = composed(found, (10**8, 5 * 10**8))
    assert row is not None
    assert row.values[:4] == (None, None, 10**8, 5 * 10**8)
    assert same(row.values[4], 5.0)
    assert row.values[5] is None
    assert row.lower[:2] == row.upper[:2] == (None, None)
    for place in (2, 3):
        low, value, high = (float(str(ends[place])) for ends in (row.lower, row.values, row.upper))
        assert value - low == high - value
        assert value - low == pytest.approx(margin(found.stages[0], place - 2), rel=0.01)
    assert row.lower[4] < 5.0 < row.upper[4]  # type: ignore[operator]


def test_a_value_that_cannot_be_computed_is_none() -> None:
    found = planned("SELECT flight, SUM(distance) / COUNT(*) FROM flights GROUP BY flight")
    row = composed(found, (0, 0))
    assert row is not None
    assert row.values[1] is None


def test_counts_are_kept_at_zero_where_that_is_asked() -> None:
    sql = "SELECT flight, COUNT(*) FROM flights GROUP BY flight"
    free, kept = planned(sql), planned(sql, replace(OTHER, non_negative=True))
    shown = [composed(each, (-40,)) for each in (free, kept)]
    assert [None if row is None else row.values[1] for row in shown] == [-40, 0]


@pytest.mark.parametrize("units", [99, 100])
def test_the_row_itself_follows_the_least_frequency(units: int) -> None:
    sql = "SELECT flight, COUNT(*) FROM flights GROUP BY flight"
    found = planned(sql, replace(OTHER, minimum_frequency=100))
    assert (composed(found, (10**6, units)) is None) == (units < 100)


def test_only_what_was_asked_for_shows_a_row() -> None:
    sql = "SELECT flight, COUNT(*) FROM flights GROUP BY flight"
    assert composed(planned(sql, Options()), ()) is None


def test_a_stage_that_reads_an_earlier_one_has_its_row_too() -> None:
    sql = """SELECT flight, COUNT(*) AS n FROM flights
        WHERE distance > (SELECT AVG(distance) FROM flights) GROUP BY flight"""
    found = planned(sql)
    assert [stage.other is not None for stage in found.stages] == [False, True]
    assert found.stages[1].needs
    tables = bench().exact(found)
    row = release.composed(bench().open, found, tables, 0.95).other
    every, far = (
        bench().expected(f"SELECT COUNT(*) FROM flights {where}")[1][0][0]
        for where in ("", "WHERE distance > (SELECT AVG(distance) FROM flights)")
    )
    assert row is not None
    left = sum(values[0] for values in tables[found.stages[1].name].values)
    assert left + int(str(row.values[1])) == far < every

"""Grouping sets: what each of them is charged and shows, and the answer that they make together."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from queries import codec
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.noisy import NoisyStage
from queries.plan.price import Options, Price
from queries.release import engine as release
from queries.release.answer import Answer
from queries.release.law import draws
from tests.parity import Bench
from tests.plan.benches import bench

PRICE = Price(rho=10**10, delta=10**12)
FINE = Price(rho=10**12, delta=10**12)
ROLLUP = "SELECT origin, month, {} FROM flights GROUP BY ROLLUP (origin, month)"
CUBE = "SELECT origin, month, {} FROM flights GROUP BY CUBE (origin, month)"
MANY = ", ".join(f"{share / 40}" for share in range(1, 40))


def noised(one: Bench, plan: Plan, seed: int) -> dict[str, NoisyStage]:
    """The exact tables with noise of the plan's own law, drawn by the test."""
    generator = np.random.default_rng(seed)
    found = {}
    for stage in plan.stages:
        exact = one.exact(plan)[stage.name]
        columns = [
            draws(column.noise, generator, (1, len(exact.keys)))[0] for column in stage.columns
        ]
        values = tuple(
            tuple(v + int(columns[n][row]) for n, v in enumerate(values))
            for row, values in enumerate(exact.values)
        )
        found[stage.name] = NoisyStage(stage.name, exact.keys, values, exact.found)
    return found


def answered(sql: str, seed: int, options: Options = Options(), price: Price = PRICE) -> Answer:
    one = bench()
    plan = one.plan(sql, options, price)
    return release.composed(one.open, plan, noised(one, plan, seed), 0.95)


def by_level(answer: Answer, place: int) -> dict[tuple[object, ...], int]:
    return {row[:2]: int(row[place]) for row in answer.rows}  # type: ignore[arg-type]


@pytest.mark.parametrize("price", [PRICE, Price(rho=10**10, epsilon=10**11)], ids=["rho", "pure"])
@pytest.mark.parametrize("sql", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_sets_share_one_price(sql: str, price: Price) -> None:
    plan = bench().plan(sql.format("COUNT(*), SUM(distance), COUNT(DISTINCT tailnum)"), price=price)
    rho = sum(stage.rho for stage in plan.stages)
    if price.epsilon is None:
        assert 0.999 * price.rho < rho <= price.rho
    else:
        epsilon = sum(stage.epsilon or 0 for stage in plan.stages)
        assert 0.999 * price.epsilon < epsilon <= price.epsilon
    assert codec.loads(Plan, codec.dumps(plan)) == plan


@pytest.mark.parametrize("price", [PRICE, Price(rho=10**10, epsilon=10**11)], ids=["rho", "pure"])
@pytest.mark.parametrize("shares", ["0.5", MANY], ids=["selected", "tree"])
def test_sets_share_the_price_of_a_quantile(shares: str, price: Price) -> None:
    """Two columns, each half of the price, whatever the number of sets."""
    asked = f"COUNT(*), QUANTILE_DISC(distance, [{shares}])"
    plan = bench().plan(CUBE.format(asked), price=price)
    counts = [stage.columns[0].noise for stage in plan.stages]
    found = [stage.distributions[0].noise for stage in plan.stages]
    beside = [stage.distributions[0].around for stage in plan.stages]
    for own in (counts, [*found, *(noise for noise in beside if noise is not None)]):
        loss = sum(noise.rho if price.epsilon is None else noise.epsilon or 0 for noise in own)
        assert 0.499 * (price.epsilon or price.rho) < loss <= (price.epsilon or price.rho) / 2
    finest = next(stage for stage in plan.stages if len(stage.keys) == 2)
    (total,) = (stage for stage in plan.stages if not stage.keys)
    assert finest.distributions[0].noise.scale < total.distributions[0].noise.scale


@pytest.mark.parametrize("asked", [f"QUANTILE_DISC(distance, [{MANY}])", "MEDIAN(distance)"])
def test_trees_of_sets_stand_on_one_grid(asked: str) -> None:
    plan = bench().plan(ROLLUP.format(asked))
    assert len({stage.distributions[0].bins for stage in plan.stages}) == 1


def test_a_quantile_of_each_set_is_that_of_its_rows() -> None:
    sql = CUBE.format("QUANTILE_DISC(hour, 0.5) AS q, MODE(carrier) AS m, GROUPING(origin, month)")
    names, got = bench().answer(sql)
    _, expected = bench().expected(sql)
    assert names[2:4] == ["q", "m"]
    assert sorted(map(repr, got)) == sorted(map(repr, expected))


def test_an_extreme_of_several_sets_says_that_its_rank_is_the_widest() -> None:
    answer = answered("SELECT origin, MAX(distance) FROM flights GROUP BY ROLLUP (origin)", 1)
    (told,) = (column.reason for column in answer.columns if column.role == "measure")
    assert told is not None
    assert "or one nearer to the end in sets with less noise" in told


def test_a_least_frequency_holds_back_quantiles_of_small_groups() -> None:
    sql = "SELECT dest, MEDIAN(distance) FROM flights GROUP BY ROLLUP (dest)"
    one = bench()
    plan = one.plan(sql, Options(minimum_frequency=1_000))
    _, got = one.answered(plan)
    counts = one.plain.execute("SELECT dest, COUNT(DISTINCT tailnum) FROM flights GROUP BY 1")
    many = {dest for dest, units in counts.fetchall() if units >= 1_000}
    assert {row[0] for row in got} == {None, *many}
    _, every = one.answer(sql)
    assert set(got) < set(every)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sql", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_parts_add_up_to_totals(sql: str, seed: int) -> None:
    answer = answered(sql.format("COUNT(*), SUM(distance)"), seed)
    for place in (2, 3):
        found = by_level(answer, place)
        origins = {origin for origin, _ in found} - {None}
        for origin in origins:
            months = [found[origin, month] for month in range(1, 13)]
            assert found[origin, None] == sum(months)
        assert found[None, None] == sum(found[origin, None] for origin in origins)
        if sql is CUBE:
            months = [found[None, month] for month in range(1, 13)]
            assert found[None, None] == sum(months)


@pytest.mark.parametrize("options", [Options(), Options(non_negative=True)], ids=["", "positive"])
@pytest.mark.parametrize("sql", [ROLLUP, CUBE], ids=["rollup", "cube"])
def test_distinct_counts_lie_between_the_largest_part_and_all_of_them(
    sql: str, options: Options
) -> None:
    asked = sql.format("COUNT(DISTINCT tailnum), COUNT(DISTINCT dest), SUM(DISTINCT hour)")
    measured = bench().plan(asked, options, PRICE)
    assert measured.hierarchies[0].covered == ("m0", "m1", "m2")
    for seed in range(3):
        answer = answered(asked, seed, options)
        for place in (2, 3, 4):
            found = by_level(answer, place)
            for key, whole in found.items():
                for n in (0, 1):
                    parts = _parts(found, key, n)
                    assert not parts or max(parts) <= whole <= sum(parts)
                    assert not options.non_negative or whole >= 0
        for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
            for place in (2, 3, 4):
                assert low[place] <= row[place] <= high[place]  # type: ignore[operator]


def _parts(found: dict[tuple[object, ...], int], key: tuple[object, ...], place: int) -> list[int]:
    """What the cells next below a cell hold, that have a value of the key at a place."""
    if key[place] is not None:
        return []
    return [
        value
        for other, value in found.items()
        if other[place] is not None and other[1 - place] == key[1 - place]
    ]


def test_units_of_one_row_each_add_up() -> None:
    sql = "SELECT race, region, COUNT(DISTINCT respondent) FROM hi GROUP BY CUBE (race, region)"
    one = bench("hi")
    plan = one.plan(sql, price=PRICE)
    (hierarchy,) = plan.hierarchies
    assert hierarchy.additive == ("m0",)
    found = by_level(release.composed(one.open, plan, noised(one, plan, 3), 0.95), 2)
    for race in {race for race, _ in found} - {None}:
        regions = [value for key, value in found.items() if key[0] == race and key[1] is not None]
        assert found[race, None] == sum(regions)
    assert found[None, None] == sum(v for k, v in found.items() if k[1] is None and k[0])


def test_a_least_frequency_reads_the_fitted_count_of_units() -> None:
    """It is shown here, so that every row can be seen to have it."""
    sql = "SELECT race, region, COUNT(DISTINCT respondent) FROM hi GROUP BY CUBE (race, region)"
    one = bench("hi")
    for seed in range(3):
        plan = one.plan(sql, Options(minimum_frequency=1_500), PRICE)
        noisy = noised(one, plan, seed)
        kept = release.composed(one.open, plan, noisy, 0.95).rows
        every = release.composed(one.open, replace(plan, frequencies=()), noisy, 0.95).rows
        assert kept == tuple(row for row in every if int(row[2]) >= 1_500)  # type: ignore[arg-type]
        assert 0 < len(kept) < len(every)


@pytest.mark.slow
def test_margins_hold_the_exact_value_and_are_narrower_than_those_of_one_set() -> None:
    sql = CUBE.format("COUNT(*) AS n, AVG(distance) AS d, COUNT(DISTINCT tailnum) AS u")
    _, exact = bench().answered(bench().plan(sql))
    truth = {row[:2]: row for row in exact}
    held: list[list[bool]] = [[], [], []]
    for seed in range(15):
        answer = answered(sql, seed, price=FINE)
        for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
            for place in (2, 3, 4):
                inside = low[place] <= truth[row[:2]][place] <= high[place]  # type: ignore[operator]
                held[place - 2].append(bool(inside))
    assert all(0.92 < sum(some) / len(some) < 0.985 for some in held)
    alone = bench().plan(sql, price=FINE)
    fitted = answered(sql, 1, price=FINE)
    widest = {stage.keys: stage.columns[0].noise.scale for stage in alone.stages}
    total = next(n for n, row in enumerate(fitted.rows) if row[:2] == (None, None))
    width = float(fitted.upper[total][2]) - float(fitted.lower[total][2])  # type: ignore[arg-type]
    assert width < 2 * 1.96 * widest[()]


def test_counts_are_kept_from_being_negative_when_asked() -> None:
    sql = "SELECT dest, origin, COUNT(*) FROM flights GROUP BY ROLLUP (dest, origin)"
    below = answered(sql, 2)
    assert min(int(row[2]) for row in below.rows) < 0  # type: ignore[arg-type]
    answer = answered(sql, 2, Options(non_negative=True))
    found = by_level(answer, 2)
    assert min(found.values()) == 0
    for dest in {dest for dest, _ in found}:
        parts = [found[key] for key in found if key[0] == dest and key[1] is not None]
        assert dest is None or found[dest, None] == sum(parts)
    for row, low, high in zip(answer.rows, answer.lower, answer.upper, strict=True):
        assert low[2] <= row[2] <= high[2]  # type: ignore[operator]


def test_a_plain_count_is_kept_from_being_negative_when_asked() -> None:
    sql = "SELECT dest, COUNT(*), SUM(dep_delay) FROM flights GROUP BY dest"
    below = answered(sql, 2)
    answer = answered(sql, 2, Options(non_negative=True))
    assert min(int(row[1]) for row in answer.rows) == 0  # type: ignore[arg-type]
    assert [max(0, int(row[1])) for row in below.rows] == [row[1] for row in answer.rows]  # type: ignore[arg-type]
    assert [row[2] for row in below.rows] == [row[2] for row in answer.rows]
    assert min(float(row[2]) for row in answer.rows) < 0  # type: ignore[arg-type]


def test_each_set_of_keys_that_are_not_public_has_its_own_threshold() -> None:
    sql = "SELECT origin, flight, COUNT(*) FROM flights GROUP BY CUBE (origin, flight)"
    plan = bench().plan(sql, price=PRICE)
    held = [stage.threshold for stage in plan.stages if stage.threshold is not None]
    assert len(held) == 2
    assert {found.delta for found in held} == {PRICE.delta // 2}
    assert plan.held_back == "possible"
    (hierarchy,) = plan.hierarchies
    assert len(hierarchy.together) == 2


def test_bounds_hold_for_groups_of_all_keys() -> None:
    """A total's claim follows from how many of a unit's groups it can hold."""
    given = Options(groups_per_unit=6, rows_per_group=2)
    plan = bench().plan(ROLLUP.format("COUNT(*)"), given, PRICE)
    claims = {
        tuple(key.name for key in stage.keys): stage.columns[0].noise for stage in plan.stages
    }
    norms = sorted((noise.l1, noise.l2_squared) for noise in claims.values())
    assert norms == [(12, 6 * 2**2), (12, 12**2), (12, 12**2)]
    sets = "GROUPING SETS ((origin, month), month)"
    wide = bench().plan(f"SELECT month, COUNT(*) FROM flights GROUP BY {sets}", given, PRICE)
    spread = sorted(stage.columns[0].noise.l2_squared for stage in wide.stages)
    assert spread == [6 * 2**2, 2 * (3 * 2) ** 2]


@pytest.mark.parametrize(
    ("groups", "norms"), [(6, (6, 6**2)), (4, (4, 4**2)), (13, (13, 11**2 + 2**2))]
)
def test_the_fullest_cells_are_those_that_a_unit_is_claimed_to_fill(
    groups: int, norms: tuple[int, int]
) -> None:
    """Kind a holds eleven scores, each other kind five: a unit's groups may all lie in kind a."""
    sql = (
        "SELECT v.kind, v.score, COUNT(*) FROM visits v JOIN items i ON v.visit = i.visit "
        "WHERE v.score > 0 OR v.kind = 'a' GROUP BY GROUPING SETS ((v.kind, v.score), v.kind)"
    )
    plan = bench("clinic").plan(sql, Options(groups_per_unit=groups, rows_per_group=1), PRICE)
    (coarse,) = (stage for stage in plan.stages if len(stage.keys) == 1)
    noise = coarse.columns[0].noise
    assert (noise.l1, noise.l2_squared) == norms


def test_rows_stand_below_what_they_add_up_to_in_the_order_written() -> None:
    answer = answered(
        "SELECT origin, month, COUNT(*) FROM flights GROUP BY ROLLUP (origin, month)", 0
    )
    keys = [row[:2] for row in answer.rows]
    months = [*range(1, 13), None]
    assert keys == [*itertools.product(["EWR", "JFK", "LGA"], months), (None, None)]


def test_sets_with_none_that_holds_all_others_stand_alone_where_no_rounding_is_sure() -> None:
    plan = bench().plan(
        "SELECT origin, month, hour, COUNT(*) FROM flights "
        "GROUP BY GROUPING SETS ((origin, month), (month, hour), (origin, hour), origin, month)"
    )
    (hierarchy,) = plan.hierarchies
    assert hierarchy.together == ()
    assert any("need not add up" in note for note in plan.notes)


def test_an_equal_set_is_one_stage_and_its_rows_stand_twice() -> None:
    sql = "SELECT origin, COUNT(*) FROM flights GROUP BY origin, ROLLUP (origin)"
    plan = bench().plan(sql)
    assert len(plan.stages) == 1
    assert len(bench().answered(plan)[1]) == 6


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT COUNT(*) FROM flights GROUP BY ROLLUP (tailnum)", "unsupported-sql"),
        ("SELECT GROUPING(month) FROM flights GROUP BY ROLLUP (origin)", "not-grouped"),
        (
            "SELECT COUNT(*) FROM flights GROUP BY CUBE (year, month, day, hour, origin, carrier)",
            "too-many-groups",
        ),
        ("SELECT origin FROM flights GROUP BY origin WITH ROLLUP", "unsupported-sql"),
        (
            "SELECT 1 FROM flights GROUP BY GROUPING SETS (((origin, month), day))",
            "unsupported-sql",
        ),
    ],
)
def test_what_is_refused(sql: str, code: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench().plan(sql)
    assert refused.value.code == code


def test_the_plan_does_not_depend_on_the_order_of_sets() -> None:
    one = bench().plan(ROLLUP.format("COUNT(*)"))
    two = bench().plan(
        "SELECT origin, month, COUNT(*) FROM flights "
        "GROUP BY GROUPING SETS ((), (origin), (month, origin))"
    )
    assert one.stages == two.stages
    assert replace(one, post=two.post) == two

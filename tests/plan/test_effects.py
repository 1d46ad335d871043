"""The effect of bounding: shares beside DuckDB's own, what is measured, and at what price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from queries import codec
from queries.plan.left_out import MEASURED, NOTHING, UNRANGED
from queries.plan.model import Plan
from queries.plan.price import ColumnBound, Options, Price
from queries.release import engine as release
from queries.release.answer import Share
from tests.parity import PRICE, Bench
from tests.plan.benches import bench
from tests.properties.neighbours import OTHERS, register

ROWS = Options(rows_per_group=20, effects=True)
GROUPS = Options(groups_per_unit=2, effects=True)
BOTH = Options(groups_per_unit=2, rows_per_group=20, effects=True)
NEAR = (ColumnBound("distance", Fraction(500), Fraction(1000)),)
RANGE = Options(columns=NEAR, effects=True)
BY = "SELECT origin, COUNT(*) AS n, SUM(distance) AS d FROM flights GROUP BY origin"


def shares(found: Plan, on: Bench | None = None) -> dict[tuple[str, tuple[str, ...]], Share]:
    """The shares of a plan with noise off, by what they are of and the answer's columns."""
    one = on or bench()
    answer = release.composed(one.open, found, one.exact(found), 0.95)
    return {(share.of, share.columns): share for share in answer.effects}


def expected(sql: str) -> float:
    """DuckDB's own share, from its own text."""
    ((value,),) = bench().expected(sql)[1]
    return float(value)


def close(share: Share, sql: str) -> None:
    assert share.share == pytest.approx(expected(sql), rel=1e-12)
    assert share.lower is not None
    assert share.upper is not None
    assert share.lower <= share.share <= share.upper


def test_a_cap_on_rows_leaves_out_what_duckdb_says() -> None:
    """Counts above the cap, and of sums what lies above so many rows of the largest value."""
    found = shares(bench().plan(BY, ROWS))
    assert found.keys() == {("units", ()), ("rows", ("n",)), ("total", ("d",))}
    groups = "SELECT tailnum, origin, COUNT(*) n, SUM(distance) d FROM flights GROUP BY ALL"
    close(found["rows", ("n",)], f"SELECT 1 - SUM(least(n, 20)) / SUM(n) FROM ({groups})")
    most = 20 * 5000
    close(found["total", ("d",)], f"SELECT 1 - SUM(least(d, {most})) / SUM(d) FROM ({groups})")
    cut = f"SELECT MAX(n) > 20 AS cut FROM ({groups}) GROUP BY tailnum"
    close(found["units", ()], f"SELECT COUNT_IF(cut) / COUNT(*) FROM ({cut})")


def test_a_cap_on_groups_leaves_out_whole_groups() -> None:
    """Which ones is drawn: so many pairs of unit and group are kept, and their rows."""
    sql = BY.replace("SUM(distance) AS d", "COUNT(DISTINCT tailnum) AS c")
    options = replace(GROUPS, groups_per_unit=1)
    found = shares(bench().plan(sql, options))
    assert found.keys() == {("units", ()), ("rows", ("n",)), ("units-in-groups", ("c",))}
    pairs = (
        "SELECT tailnum, COUNT(DISTINCT origin) AS g FROM flights WHERE tailnum <> '' GROUP BY 1"
    )
    close(found["units", ()], f"SELECT COUNT_IF(g > 1) / COUNT(*) FROM ({pairs})")
    close(found["units-in-groups", ("c",)], f"SELECT 1 - SUM(least(g, 1)) / SUM(g) FROM ({pairs})")
    rows = found["rows", ("n",)]
    assert rows.share is not None
    assert 0.3 < rows.share < 0.7


def test_a_range_is_compared_with_the_query_without_it() -> None:
    """Values below the range are raised: a share may be below zero, and rows come and go."""
    found = shares(bench().plan(BY, RANGE))
    assert found.keys() == {("total", ("d",))}
    moved = "greatest(least(distance, 1000), 500)"
    close(found["total", ("d",)], f"SELECT 1 - SUM({moved}) / SUM(distance) FROM flights")
    upward = Options(
        columns=(ColumnBound("distance", Fraction(2000), Fraction(5000)),), effects=True
    )
    raised = shares(bench().plan(BY, upward))["total", ("d",)]
    close(raised, "SELECT 1 - SUM(greatest(distance, 2000)) / SUM(distance) FROM flights")
    assert raised.share is not None
    assert raised.share < 0
    chosen = BY.replace("GROUP BY", "WHERE distance < 1000 GROUP BY").replace("distance)", "hour)")
    wide = replace(RANGE, columns=(ColumnBound("distance", Fraction(0), Fraction(900)),))
    rows = shares(bench().plan(chosen, wide))["rows", ("n",)]
    far = "SELECT 1 - COUNT(*) / COUNT(*) FILTER (WHERE distance < 1000) FROM flights"
    close(rows, far)


def test_ranges_and_caps_are_told_together() -> None:
    found = shares(bench().plan(BY, replace(ROWS, columns=NEAR)))
    moved = "SUM(greatest(least(distance, 1000), 500))"
    groups = f"SELECT {moved} AS d, SUM(distance) AS e FROM flights GROUP BY tailnum, origin"
    close(found["total", ("d",)], f"SELECT 1 - SUM(least(d, 20 * 1000)) / SUM(e) FROM ({groups})")


STATISTICS = {
    "AVG(air_time)": {"rows"},
    "COUNT(air_time)": {"rows"},
    "MEDIAN(air_time)": {"rows"},
    "COUNT(DISTINCT dest)": {"distinct values, counted in each group"},
    "SUM(DISTINCT distance)": {"the total of distinct values of distance"},
    "SUM(distance) FILTER (WHERE month = 1)": {"the total of distance"},
    "SUM(distance * hour)": {"the total of distance, hour"},
    "STDDEV(air_time)": {"rows"},
}


@pytest.mark.parametrize("measured", STATISTICS)
def test_every_statistic_has_its_shares(measured: str) -> None:
    found = bench().plan(f"SELECT origin, {measured} AS x FROM flights GROUP BY origin", BOTH)
    told = release.composed(bench().open, found, bench().exact(found), 0.95).effects
    first, *rest = told
    assert (first.of, first.about) == ("units", "aircraft units that have more than was kept")
    assert {one.about for one in rest} == STATISTICS[measured]
    assert all(one.columns == ("x",) for one in rest)
    assert all(one.share is not None and 0 <= one.share <= 1 for one in told)


def test_of_a_mean_the_total_is_told_where_no_rows_are_capped() -> None:
    sql = "SELECT origin, AVG(distance) AS x FROM flights GROUP BY origin"
    ranged = bench().plan(sql, RANGE)
    assert ranged.effects is not None
    assert ranged.effects.note == MEASURED
    assert [one.about for one in ranged.effects.shares] == ["the total of distance"]
    both = bench().plan(sql, replace(ROWS, columns=NEAR))
    assert both.effects is not None
    assert both.effects.note == f"{MEASURED} {UNRANGED}"
    assert [one.of for one in both.effects.shares] == ["units", "rows"]


UNTOUCHED = [
    (BY, Options(effects=True)),
    ("SELECT COUNT(*) FROM flights", GROUPS),
    ("SELECT origin, COUNT(DISTINCT tailnum) FROM flights GROUP BY origin", ROWS),
    ("SELECT origin, COUNT(*) FROM flights GROUP BY origin", RANGE),
    ("SELECT COUNT(DISTINCT origin) FROM flights", ROWS),
    ("SELECT COUNT(*) FROM airports", BOTH),
]


@pytest.mark.parametrize(("sql", "options"), UNTOUCHED)
def test_what_bounds_nothing_is_told_so_for_nothing(sql: str, options: Options) -> None:
    found, plain = (bench().plan(sql, one) for one in (options, replace(options, effects=False)))
    assert found.effects is not None
    assert (found.effects.note, found.effects.shares) == (NOTHING, ())
    assert found.stages == plain.stages
    assert plain.effects is None


def test_the_answer_is_the_same_stage_with_or_without() -> None:
    more, plain = (bench().plan(BY, replace(BOTH, effects=one)) for one in (True, False))
    first, effect = more.stages
    assert (first.digest, first.sql) == (plain.stages[0].digest, plain.stages[0].sql)
    assert more.effects is not None
    assert more.effects.note == MEASURED
    assert {one.stage for one in more.effects.shares} == {effect.name}


def test_the_effect_is_the_same_stage_at_any_price() -> None:
    low, high = (bench().plan(BY, BOTH, Price(rho=rho)).stages[1] for rho in (10**9, 10**11))
    assert low.digest == high.digest
    others = [replace(BOTH, rows_per_group=21), replace(BOTH, columns=NEAR)]
    assert low.digest not in {bench().plan(BY, one).stages[1].digest for one in others}


@pytest.mark.parametrize("price", [PRICE, Price(rho=10**12, epsilon=10**12)])
def test_it_is_paid_as_one_column_more(price: Price) -> None:
    """Each share has as much of it, whatever its noise; the larger number of two has more."""
    first, effect = bench().plan(BY, BOTH, price).stages
    assert [column.noise.rho for column in first.columns] == [first.columns[0].noise.rho] * 2
    whole = price.rho // 3 if price.epsilon is None else None
    spent = [column.noise.rho for column in effect.columns]
    if whole is not None:
        assert first.columns[0].noise.rho == whole
        assert whole - 20 <= sum(spent) <= whole
        pairs = [sum(spent[n : n + 2]) for n in range(0, 6, 2)]
        assert max(pairs) - min(pairs) <= 4
    assert first.epsilon is None or effect.epsilon is not None
    total = sum(stage.epsilon or 0 for stage in (first, effect))
    assert total <= (price.epsilon or 0)
    before, counted = effect.columns[2:4]
    assert before.noise.l1 > counted.noise.l1
    assert before.noise.rho > counted.noise.rho


MOVES = [
    (BOTH, [1, 1, 600, 2 * 20, 600 * 5000, 2 * 20 * 5000]),
    (ROWS, [1, 1, 600, 3 * 20, 600 * 5000, 3 * 20 * 5000]),
    (GROUPS, [1, 1, 600, 600, 600 * 5000, 600 * 5000]),
    (RANGE, [600 * 5000, 600 * 1000]),
]
"""Bounds, and how far one aircraft moves each number: 600 flights, 3 airports, 5,000 miles."""


@pytest.mark.parametrize(("options", "moves"), MOVES)
def test_each_number_moves_by_all_that_one_unit_has(options: Options, moves: list[int]) -> None:
    """Without bounds by R b, as they count by min(R, C m) b, as one number: L2 is L1 (P6)."""
    *_, effect = bench().plan(BY, options).stages
    assert [column.noise.l1 for column in effect.columns] == moves
    assert [column.noise.l2_squared for column in effect.columns] == [one**2 for one in moves]


BANDS = "SELECT distance // 500 AS b, COUNT(DISTINCT tailnum) AS n FROM flights GROUP BY b"


@pytest.mark.parametrize("options", [BOTH, RANGE, replace(BOTH, columns=NEAR)])
def test_without_ranges_a_unit_is_in_more_groups_than_a_range_leaves(options: Options) -> None:
    """Of eleven bands a range leaves two: they are not the keys of what there was without it."""
    answer, effect = bench().plan(BANDS, options).stages
    assert len(answer.listed or ()) == (2 if options.columns else 11)
    assert effect.columns[-2].noise.l1 >= 11


def test_grouping_sets_leave_out_as_much_as_their_finest_groups_hold() -> None:
    sql = "SELECT origin, month, COUNT(DISTINCT tailnum) AS n FROM flights GROUP BY ROLLUP (1, 2)"
    *_, effect = bench().plan(sql, replace(GROUPS, groups_per_unit=2)).stages
    assert effect.columns[-2].noise.l1 >= 36


@pytest.mark.parametrize(
    "sets", ["ROLLUP (1, 2)", "CUBE (1, 2)", "GROUPING SETS ((), (1, 2))", "GROUPING SETS (1, 2)"]
)
def test_each_number_moves_as_far_whichever_sets_are_asked_and_first(sets: str) -> None:
    """Bounds hold for the groups of all keys: a total is one cell of as many groups as are kept."""
    sql = f"SELECT origin, month, COUNT(*), COUNT(DISTINCT tailnum) FROM flights GROUP BY {sets}"
    *_, effect = bench().plan(sql, replace(BOTH, groups_per_unit=3)).stages
    assert [column.noise.l1 for column in effect.columns] == [1, 1, 600, 3 * 20, 600, 3]


def test_groups_are_sampled_whatever_is_counted_in_them() -> None:
    """The values of a column are few in a group, and no more than these in those that are kept."""
    sql = "SELECT origin, COUNT(DISTINCT month) AS n FROM flights GROUP BY origin"
    *_, effect = bench().plan(sql, replace(GROUPS, groups_per_unit=1)).stages
    assert [column.noise.l1 for column in effect.columns] == [1, 1, 36, 12]
    assert "$seed" in effect.sql


def test_units_that_a_range_lets_come_are_counted_once() -> None:
    sql = "SELECT COUNT(*) AS n, COUNT(DISTINCT tailnum) AS c FROM flights WHERE distance < 500"
    near = (ColumnBound("distance", Fraction(0), Fraction(400)),)
    *_, effect = bench().plan(sql, replace(RANGE, columns=near)).stages
    assert [column.noise.l1 for column in effect.columns] == [600, 600, 1, 1]
    (row,) = bench().private.sql(effect.sql).fetchall()
    units = "SELECT COUNT(DISTINCT tailnum) FROM flights"
    assert row[2:] == (expected(f"{units} WHERE distance < 500"), expected(units))


@pytest.mark.parametrize("options", [BOTH, ROWS, GROUPS, RANGE])
def test_each_number_fits_64_bits_whatever_was_summed(options: Options) -> None:
    """A sum over groups is saturated as those of the groups are, so that none can fail (P8)."""
    *_, effect = bench().plan(BY, options).stages
    found = bench().private.sql(effect.sql.replace("$seed", "1"))
    assert found.columns == [column.name for column in effect.columns]
    assert {str(one) for one in found.types} == {"BIGINT"}


def test_ranges_that_the_query_needs_are_not_measured(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A column without a declared range is summed in the analyst's own: nothing to compare with."""
    shop = Bench(register(tmp_path_factory.mktemp("shop"), OTHERS))
    sql = "SELECT kind, SUM(loose) FROM visits GROUP BY kind"
    columns = (ColumnBound("loose", Fraction(0), Fraction(10)),)
    alone = shop.plan(sql, Options(columns=columns, effects=True))
    assert alone.effects is not None
    assert (alone.effects.note, alone.effects.shares) == (UNRANGED, ())
    assert len(alone.stages) == 1
    capped = shop.plan(sql, Options(columns=columns, rows_per_group=1, effects=True))
    assert capped.effects is not None
    assert capped.effects.note == f"{MEASURED} {UNRANGED}"
    assert [one.of for one in capped.effects.shares] == ["units", "total"]


def test_released_inputs_are_those_of_the_answer() -> None:
    """A range would change what is released first: it is compared with under the same one."""
    sql = BY.replace("GROUP", "WHERE distance > (SELECT AVG(distance) FROM flights) GROUP")
    found = bench().plan(sql, replace(ROWS, columns=NEAR))
    assert found.effects is not None
    assert UNRANGED in found.effects.note
    later = [stage for stage in found.stages if stage.needs]
    assert [stage.needs for stage in later] == [{"_stage0"}, {"_stage0"}]
    assert shares(found)


def test_rows_of_several_stages_have_no_columns() -> None:
    sql = f"SELECT MAX(n), SUM(d) FROM ({BY}) t"
    found = bench().plan(sql, BOTH)
    told = shares(found)
    assert {columns for _, columns in told} == {()}
    assert bench().answered(found)[1] == bench().answer(sql, replace(BOTH, effects=False))[1]


def test_a_least_frequency_holds_for_shares_too() -> None:
    """Units are counted for it where no cap is given, and under it nothing is told."""
    few = BY.replace("GROUP", "WHERE dest = 'SBN' GROUP")
    for options in (BOTH, RANGE):
        found = bench().plan(few, replace(options, minimum_frequency=100))
        told = shares(found)
        assert len(told) > 1
        assert {one.share for one in told.values()} == {None}
        every = shares(bench().plan(BY, replace(options, minimum_frequency=100)))
        assert None not in {one.share for one in every.values()}


def test_grouping_sets_are_bounded_once() -> None:
    """In the groups of all keys, and measured in these."""
    sql = "SELECT origin, month, COUNT(*) AS n FROM flights GROUP BY ROLLUP (origin, month)"
    found = shares(bench().plan(sql, replace(ROWS, rows_per_group=2)))
    groups = "SELECT COUNT(*) n FROM flights GROUP BY tailnum, origin, month"
    close(found["rows", ("n",)], f"SELECT 1 - SUM(least(n, 2)) / SUM(n) FROM ({groups})")


def test_a_plan_round_trips() -> None:
    found = bench().plan(BY, BOTH)
    assert codec.loads(Plan, codec.dumps(found)) == found

"""With noise off a quantile is DuckDB's own to within a bin.

Values, conditions and keys are drawn from the grammar of the accepted language. MIN and MAX are
compared with the value at the rank that their answer is labelled with.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.release.quantiles import steps
from tests.parity import Bench
from tests.properties.grammar import Words
from tests.properties.test_parity import bench
from tests.properties.worlds import CLINIC, HI, NYC, World

SHARES = ("0.5", "0.1", "0.25", "0.9", "0.05", "0.333", "0.999")


@st.composite
def asked(draw: object, world: World) -> tuple[str, str, str, str]:
    """A value, a share, a key or none, and the rest of the statement, now and then rolled up."""
    start = Words(draw, world, ())  # type: ignore[arg-type]
    way = start.pick(world.ways)
    to = Words(draw, world, way.members)  # type: ignore[arg-type]
    value = to.number(to.pick((0, 1, 1)), ranged=True)
    parts = [way.where] if way.where else []
    parts += [to.condition()] if to.maybe(2) else []
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    key = to.key() if to.maybe(2) else ""
    rest = f"FROM {way.text}{where}"
    if key:
        rest += f" GROUP BY {to.pick((key, f'ROLLUP ({key})', f'GROUPING SETS (({key}), ())'))}"
    return value, to.pick(SHARES), key, rest


def statement(value: str, share: str, key: str, rest: str) -> str:
    """The quantile from below and from above, and between which values the continuous one is."""
    shown = f"{key} AS k, GROUPING({key}) AS b, " if key else ""
    return (
        f"SELECT {shown}QUANTILE_DISC({value}, {share}) AS q, "
        f"PERCENTILE_DISC({share}) WITHIN GROUP (ORDER BY {value} DESC) AS d, "
        f"QUANTILE_CONT({value}, {share}) AS c, COUNT({value}) AS n {rest}"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "number", "examples", "least"),
    [(CLINIC, 1, 150, 70), (HI, 2, 80, 40), (NYC, 3, 30, 10)],
    ids=["clinic", "hi", "nycflights13"],
)
def test_quantiles_are_those_of_duckdb(
    world: World, number: int, examples: int, least: int
) -> None:
    place = bench(world.name)
    seen: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(query=asked(world))
    def each(query: tuple[str, str, str, str]) -> None:
        sql = statement(*query)
        try:
            plan = place.plan(sql)
        except QueryRefused as refusal:
            seen[refusal.code] += 1
            return
        if any(s.threshold is not None for s in plan.stages):
            seen["thresholded"] += 1
            return
        try:
            _, expected = place.expected(sql)
        except duckdb.Error:
            return
        seen["answered"] += compared(place, plan, expected)

    each()
    assert seen["answered"] >= least, seen


def compared(place: Bench, plan: Plan, expected: list[tuple[object, ...]]) -> int:
    """How many groups were compared: those that hold values."""
    _, got = place.answered(plan)
    width = 2 if plan.stages[-1].keys else 0
    found = {row[:width]: row[width:] for row in got}
    count = 0
    for row in expected:
        values = row[width:]
        if values[-1] == 0 or row[:width] not in found:
            continue
        count += 1
        for name, own, theirs in zip("qd", found[row[:width]], values, strict=False):
            apart = _bin(plan, float(theirs))  # type: ignore[arg-type]
            assert abs(float(own) - float(theirs)) <= apart, (name, own, theirs, apart)  # type: ignore[arg-type]
    return count


def _bin(plan: Plan, value: float) -> float:
    """The width of the bin that a value is in, in its own unit, where bins are widest."""
    several = (stage.distributions[0].bins for stage in plan.stages)
    bins = min(several, key=lambda one: one.count)
    step = bins.numerator / bins.denominator
    held = (steps(bins, place) for place in range(bins.count))
    at = value / step
    widths = [last - first for first, last in held if first - 1 <= at <= last + 1]
    return (max(widths, default=0) + 1e-6 + 1e-9 * abs(at)) * step + step * _real(plan)


def _real(plan: Plan) -> float:
    """A value that is rounded to its grid may be a step off."""
    return 1.0 if plan.stages[0].distributions[0].targets[0].sql_type == "DOUBLE" else 0.0


@pytest.mark.parametrize(("call", "way"), [("MIN", "ASC"), ("MAX", "DESC")])
@pytest.mark.parametrize("column", ["score", "cost", "visit"])
def test_an_extreme_is_the_value_at_the_rank_it_is_labelled_with(
    call: str, way: str, column: str
) -> None:
    place = bench("clinic")
    plan = place.plan(f"SELECT {call}({column}) AS x FROM visits")
    rank = plan.stages[0].distributions[0].targets[0].rows
    assert rank > 1
    held = place.plain.execute(f"SELECT COUNT({column}) FROM visits").fetchall()[0][0]
    rank = min(rank, (held + 1) // 2)
    ranked = f"SELECT {column} FROM visits WHERE {column} IS NOT NULL ORDER BY 1 {way}"
    rows = place.plain.execute(f"{ranked} LIMIT 1 OFFSET {rank - 1}").fetchall()
    _, got = place.answered(plan)
    assert float(got[0][0]) == float(rows[0][0])


@pytest.mark.parametrize("column", ["kind", "score", "urgent", "kind || '!'"])
def test_a_mode_is_as_frequent_as_duckdbs(column: str) -> None:
    place = bench("clinic")
    _, got = place.answer(f"SELECT MODE({column}) AS x FROM visits")
    counted = f"SELECT {column} AS v, COUNT(*) AS n FROM visits GROUP BY v"
    counts = dict(place.plain.execute(counted).fetchall())
    assert counts[got[0][0]] == max(counts.values())

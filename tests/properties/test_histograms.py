"""With noise off a histogram is DuckDB's own: the same bins, the same counts.

Values, conditions and keys are drawn from the grammar of the accepted language. Known differences:
a value that no row has is a bin with count 0, and so is what is above all bins where nothing is; no
row at all is a map of zeros, where DuckDB says NULL.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from queries.language.refusals import QueryRefused
from tests.properties.grammar import Words
from tests.properties.test_parity import bench
from tests.properties.worlds import CLINIC, HI, NYC, World

BINS = {
    "number": ("0", "-3", "5", "2", "10", "100", "7"),
    "real": ("0", "1.5", "-2.25", "1e2", "0.1", "19.9"),
    "text": ("'a'", "'m'", "'n'", "'white'", "'A'", "'b'"),
    "date": ("DATE '2019-12-01'", "'2020-01-01'", "DATE '1999-05-05'"),
    "time": ("TIMESTAMP '2020-01-01 10:00'", "DATE '2013-03-01'", "'2013-07-01 00:00:00'"),
}


@st.composite
def asked(draw: object, world: World) -> str:
    """A histogram of a value or of a column, with bins or without, by a key or not."""
    start = Words(draw, world, ())  # type: ignore[arg-type]
    way = start.pick(world.ways)
    to = Words(draw, world, way.members)  # type: ignore[arg-type]
    kind = to.pick(("number", "number", "real", "text", "date", "time"))
    value = to.column("number" if kind == "real" else kind)[0]
    if kind == "real":
        value = f"({value} / {to.pick(('3', '7'))})"
    name = to.pick(("HISTOGRAM", "HISTOGRAM", "HISTOGRAM_EXACT"))
    if name == "HISTOGRAM" and to.maybe(3):
        value = to.pick((to.column("text", listed=True)[0], to.truth(0), value))
        call = f"HISTOGRAM({value})"
    else:
        bins = [to.pick(BINS[kind]) for _ in range(to.pick((1, 2, 3, 4)))]
        call = f"{name}({value}, [{', '.join(bins)}])"
    if to.maybe(3):
        call += f" FILTER (WHERE {to.truth(1)})"
    parts = [way.where] if way.where else []
    parts += [to.condition()] if to.maybe(2) else []
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    if to.maybe(2):
        key = to.key()
        return f"SELECT {key} AS k, {call} AS h FROM {way.text}{where} GROUP BY {key}"
    return f"SELECT {call} AS h FROM {way.text}{where}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "number", "examples", "least"),
    [(CLINIC, 1, 400, 120), (HI, 2, 120, 35), (NYC, 3, 30, 8)],
    ids=["clinic", "hi", "nycflights13"],
)
def test_histograms_are_those_of_duckdb(
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
    @given(sql=asked(world))
    def each(sql: str) -> None:
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
        _, got = place.answered(plan)
        found = {row[:-1]: filled(row[-1]) for row in got}
        for row in expected:
            assert found.pop(row[:-1]) == filled(row[-1]), sql
        assert not any(found.values()), sql
        seen["answered"] += 1

    each()
    assert seen["answered"] >= least, seen


def filled(entries: tuple[tuple[object, object], ...] | None) -> dict[object, object]:
    """The bins that hold rows."""
    return {key: count for key, count in entries or () if count}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT HISTOGRAM(score, [-3, 0, 2]) AS h FROM visits",
        "SELECT HISTOGRAM(score, [2, 0, 2, -3]) AS h FROM visits",
        "SELECT HISTOGRAM(visit, [5, 100]) AS h FROM visits",
        "SELECT HISTOGRAM(cost, [0, 10.5, 100]) AS h FROM visits WHERE cost > 0.05",
        "SELECT HISTOGRAM(ratio, [0, 1.5, 1e3]) AS h FROM visits",
        "SELECT HISTOGRAM(day, [DATE '2019-12-31', '2020-01-31']) AS h FROM visits",
        "SELECT HISTOGRAM(note, ['b', 'n']) AS h FROM visits",
        "SELECT HISTOGRAM(loose, []) AS h FROM visits",
        "SELECT HISTOGRAM_EXACT(score, [5, 1]) AS h FROM visits",
        (
            "SELECT HISTOGRAM(n, [1, 2, 4]) AS h FROM "
            "(SELECT person, COUNT(*) AS n FROM visits GROUP BY person)"
        ),
    ],
)
def test_keys_and_their_order_are_duckdbs(sql: str) -> None:
    place = bench("clinic")
    assert place.answer(sql) == place.expected(sql)


@pytest.mark.parametrize(
    "shown",
    ["h[5]", "h[-3]", "h[7]", "h['5']", "map_keys(h)", "map_values(h)", "cardinality(h)",
     "h[5] * 1.0 / n"],
)  # fmt: skip
def test_a_map_is_read_as_duckdb_reads_it(shown: str) -> None:
    place = bench("clinic")
    inner = "SELECT HISTOGRAM(score, [-3, 0, 5]) AS h, COUNT(*) AS n FROM visits"
    for sql in (f"SELECT {shown} AS x FROM ({inner})", direct(shown)):
        assert place.answer(sql) == place.expected(sql)


def direct(shown: str) -> str:
    """The same, the map written out where it is read."""
    written = shown.replace("(h)", "(HISTOGRAM(score, [-3, 0, 5]))")
    written = written.replace("h[", "HISTOGRAM(score, [-3, 0, 5])[").replace("/ n", "/ COUNT(*)")
    return f"SELECT {written} AS x FROM visits"


def test_the_price_is_that_of_one_count() -> None:
    plan = bench("clinic").plan("SELECT HISTOGRAM(score, [-3, 0, 2]), COUNT(*) FROM visits")
    (stage,) = plan.stages
    assert stage.distributions[0].noise == stage.columns[0].noise

"""Names alone are selected where that takes less noise, and with noise off they are DuckDB's own.

Keys, aggregates and conditions are drawn from the grammar of the accepted language. Among equals
DuckDB leaves open which it takes, so what is compared is the values of the names that left.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from queries.language.refusals import QueryRefused
from queries.plan.price import Options
from tests.parity import Bench, same
from tests.properties.grammar import Words
from tests.properties.test_parity import bench
from tests.properties.worlds import CLINIC, World

ONE_ROW = Options(rows_per_group=1)


@st.composite
def asked(draw: object, world: World) -> tuple[str, str, str]:
    """A key, what it is ordered by, and the rest of the statement without its order."""
    start = Words(draw, world, ())  # type: ignore[arg-type]
    way = start.pick([way for way in world.ways if way.members[0].unit is not None])
    to = Words(draw, world, way.members)  # type: ignore[arg-type]
    member = to.members[0]
    units = f"{member.alias}.{member.unit}"
    only = f" FILTER (WHERE {to.truth(1)})" if to.maybe(3) else ""
    call = to.pick((f"COUNT(DISTINCT {units})", f"COUNT(DISTINCT {units})",
                    f"COUNT(DISTINCT {to.column('text', listed=True)[0]})"))  # fmt: skip
    parts = [way.where] if way.where else []
    parts += [to.condition()] if to.maybe(2) else []
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    key = to.key()
    return key, call + only, f"FROM {way.text}{where} GROUP BY {key}"


@pytest.mark.slow
def test_names_are_those_of_duckdb() -> None:
    place = bench("clinic")
    seen: Counter[str] = Counter()

    @seed(1)
    @settings(
        max_examples=300,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(query=asked(CLINIC), most=st.integers(1, 3))
    def each(query: tuple[str, str, str], most: int) -> None:
        key, call, rest = query
        sql = f"SELECT {key} AS k {rest} ORDER BY {call} DESC LIMIT {most}"
        try:
            plan = place.plan(sql)
            _, values = place.expected(f"SELECT {key} AS k, {call} AS v {rest}")
        except (QueryRefused, duckdb.Error) as error:
            seen[type(error).__name__] += 1
            return
        if plan.stages[0].top is None:
            seen["counted"] += 1
            return
        _, got = place.answered(plan)
        known = dict(values)
        best = sorted(known.values(), reverse=True)[:most]
        found = [known.get(name, 0) for (name,) in got]
        assert all(map(same, found, best)), sql
        assert not any(found[len(best) :]), sql
        seen["selected"] += 1

    each()
    assert seen["selected"] >= 40, seen


NAMES = "SELECT score FROM visits GROUP BY score ORDER BY {} DESC LIMIT {}"


@pytest.mark.parametrize(
    ("call", "most"), [("COUNT(DISTINCT person)", 3), ("SUM(cost + 50)", 2), ("SUM(cost)", 2)]
)
def test_names_leave_in_their_order(call: str, most: int) -> None:
    place = bench("clinic")
    sql = NAMES.format(call, most)
    plan = place.plan(sql, ONE_ROW)
    (stage,) = plan.stages
    assert stage.top is not None
    assert (stage.top.most, stage.columns) == (most, ())
    assert f"{most} names selected one after the other" in " ".join(plan.notes)
    if "DISTINCT" in call:
        assert place.answered(plan)[1] == place.expected(sql)[1]


@pytest.mark.parametrize(
    ("sql", "options"),
    [
        (NAMES.format("COUNT(DISTINCT person)", 6), Options()),
        (NAMES.format("COUNT(*)", 1), Options()),
        (NAMES.format("COUNT(DISTINCT person)", 2).replace("DESC", "ASC"), Options()),
        (NAMES.format("COUNT(DISTINCT person)", 2).replace("DESC", "DESC, score"), Options()),
        (NAMES.format("COUNT(DISTINCT person)", 2).replace("DESC", "DESC NULLS FIRST"), Options()),
        (NAMES.format("COUNT(DISTINCT person)", "2 OFFSET 1"), Options()),
        (NAMES.format("COUNT(DISTINCT person) + 1", 2), Options()),
        (NAMES.format("AVG(cost)", 2), ONE_ROW),
        (NAMES.format("COUNT(DISTINCT person)", 2), Options(minimum_frequency=3)),
        (NAMES.format("COUNT(DISTINCT person)", 2).replace("score", "note"), Options()),
        (("SELECT score, COUNT(DISTINCT person) AS n FROM visits GROUP BY score "
         "ORDER BY n DESC LIMIT 2"), Options()),
        (("SELECT score FROM visits GROUP BY score HAVING COUNT(DISTINCT person) > 2 "
         "ORDER BY COUNT(DISTINCT person) DESC LIMIT 2"), Options()),
        (("SELECT score, RANK() OVER (ORDER BY COUNT(DISTINCT person) DESC) FROM visits "
         "GROUP BY score ORDER BY COUNT(DISTINCT person) DESC LIMIT 2"), Options()),
    ],
)  # fmt: skip
def test_all_are_measured_where_more_is_asked_or_it_takes_no_more_noise(
    sql: str, options: Options
) -> None:
    plan = bench("clinic").plan(sql, options)
    assert all(stage.top is None and stage.columns for stage in plan.stages)


def test_names_are_no_part_of_a_stage_that_counts() -> None:
    place = bench("clinic")
    shown = "SELECT score, COUNT(DISTINCT person) FROM visits GROUP BY score"
    one, other, counted = (
        digest(place, sql)
        for sql in (*(NAMES.format("COUNT(DISTINCT person)", k) for k in (2, 3)), shown)
    )
    assert len({one, other, counted}) == 3
    many = NAMES.format("COUNT(DISTINCT person)", 7)
    assert digest(place, many) == counted, "what is counted anyway serves for names too"


def digest(place: Bench, sql: str) -> str:
    return place.plan(sql).stages[0].digest


def test_names_may_be_read_by_what_is_asked_around_them() -> None:
    place = bench("clinic")
    names = NAMES.format("COUNT(DISTINCT person)", 3)
    for sql in (
        f"SELECT COUNT(*) AS n FROM visits WHERE score IN ({names})",
        f"SELECT COUNT(*) AS n FROM visits JOIN ({names}) AS t USING (score)",
        f"SELECT score * 2 AS s FROM ({names}) AS t ORDER BY s",
    ):
        plan = place.plan(sql)
        assert any(stage.top is not None for stage in plan.stages)
        assert place.answered(plan) == place.expected(sql)

"""Released rows that are kept beside private ones: each is answered, by keys of its own table."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from queries.catalog.past import Past
from queries.enclave.engine import EngineFailed
from queries.language.refusals import QueryRefused, TooManyGroups
from queries.plan.model import Plan
from queries.plan.noisy import NoisyStage
from queries.plan.planner import plan
from queries.plan.price import Options
from tests.parity import PRICE, Bench
from tests.properties.clinic import clinic

AREAS = (
    "WITH t AS (SELECT area, COUNT(*) AS n, AVG(height) AS h FROM people GROUP BY area "
    "HAVING COUNT(*) > 0) "
)
COUNTED = "SELECT t.area, t.n, COUNT(p.person) AS c FROM t LEFT JOIN people p USING (area) "


@cache
def bench() -> Bench:
    return Bench(clinic())


ANSWERED = """
SELECT t.area, t.n, COUNT(p.person) FROM t LEFT JOIN people p ON p.area = t.area GROUP BY 1, 2;
SELECT t.area, COUNT(*) FROM t LEFT JOIN people p ON p.area = t.area AND p.height > 170 GROUP BY 1;
SELECT t.area, COUNT(p.person) / t.n FROM t LEFT JOIN people p ON p.area = t.area AND p.active
  GROUP BY t.area, t.n;
SELECT t.n, t.area, COUNT(*) FROM people p RIGHT JOIN t ON p.area = t.area AND FALSE GROUP BY ALL;
SELECT area, t.h, COUNT(p.sex) FROM people p NATURAL RIGHT JOIN t WHERE t.n > 3 GROUP BY ALL;
SELECT t.n > 13 AS g, COUNT(v.visit), SUM(v.cost) FROM t LEFT JOIN people p ON p.area = t.area
  LEFT JOIN visits v ON v.person = p.person GROUP BY g;
SELECT t.area, a.province, COUNT(*) FROM t JOIN areas a USING (area)
  LEFT JOIN people p ON p.area = a.area AND p.height > 170 GROUP BY 1, 2;
SELECT COUNT(p.person), SUM(p.height) FROM t LEFT JOIN people p ON p.area = t.area;
SELECT s.area, COUNT(*) FROM (SELECT area FROM t ORDER BY n DESC, area LIMIT 2) s
  LEFT JOIN people p ON p.area = s.area GROUP BY 1;
SELECT s.n, COUNT(v.visit), COUNT(*) FROM (SELECT COUNT(*) AS n FROM people) s
  LEFT JOIN visits v ON v.score > s.n GROUP BY s.n;
SELECT t.area, t.n, COUNT(p.person), AVG(p.height) FROM t FULL JOIN people p
  ON p.area = t.area AND p.height > 170 GROUP BY ALL;
SELECT t.area, COUNT(p.person) FROM people p FULL JOIN t ON p.area = t.area AND p.active
  WHERE t.n > 13 GROUP BY ALL;
SELECT t.area, COUNT(v.visit) FROM t FULL JOIN people p USING (area)
  LEFT JOIN visits v ON v.person = p.person GROUP BY t.area;
SELECT a.area, COUNT(p.person) FROM areas a FULL JOIN people p ON p.area = a.area AND p.active
  GROUP BY a.area;
SELECT area, COUNT(p.person) FROM areas a FULL JOIN people p USING (area) GROUP BY area;
SELECT area, COUNT(p.person) FROM people p NATURAL FULL JOIN areas a GROUP BY area
"""


@pytest.mark.parametrize("sql", ANSWERED.split(";\n"))
def test_every_released_row_is_answered_and_no_other(sql: str) -> None:
    sql = AREAS + sql
    assert sorted(bench().answer(sql)[1], key=repr) == sorted(bench().expected(sql)[1], key=repr)


def test_both_sides_of_a_full_join_are_answered_by_their_one_name() -> None:
    """Groups in which nobody is may stand besides, as they do of any public key."""
    for sides in ("t FULL JOIN people p", "people p FULL JOIN t"):
        sql = f"{AREAS}SELECT area, t.n, COUNT(p.person) FROM {sides} USING (area) GROUP BY ALL"
        got, expected = bench().answer(sql)[1], bench().expected(sql)[1]
        assert set(expected) <= set(got)
        assert {row[2] for row in set(got) - set(expected)} == {0}


def handed(*rows: tuple[str | None, int]) -> dict[str, NoisyStage]:
    """A first stage whose numbers are these, whatever they were."""
    keys = tuple((area,) for area, _ in rows)
    return {"_stage0": NoisyStage("_stage0", keys, tuple((n,) for _, n in rows))}


def test_the_groups_are_those_of_what_was_released() -> None:
    """Noisy numbers and all: the list follows what is handed in, not the rows."""
    sql = AREAS.replace(", AVG(height) AS h", "") + COUNTED + "GROUP BY 1, 2"
    found = bench().plan(sql)
    first, last = found.stages
    assert (first.listed is None, last.listed, last.threshold) == (False, None, None)
    assert last.listing is not None
    assert "people" not in last.listing
    drawn = handed(("n", 10**6), ("s", -4), ("nowhere", 3), (None, 8))
    answer = bench().answers(found, handed=bench().handed(found, drawn))[last.name]
    assert answer.keys == [("n", 10**6), ("nowhere", 3), (None, 8)]
    assert [row[0] for row in answer.values] == [13, 0, 0]


def test_no_delta_is_paid_for_groups_that_are_released_already() -> None:
    found = bench().plan(AREAS + COUNTED + "GROUP BY 1, 2")
    assert [stage.delta for stage in found.stages] == [0, 0]
    assert found.held_back == "none"
    assert any("released before, at most 5: all are answered" in note for note in found.notes)
    assert found.stages[-1].about == "1 noisy number in each group of a released table, from people"


def test_more_groups_than_were_planned_end_the_job() -> None:
    found = bench().plan(AREAS + COUNTED + "GROUP BY 1, 2")
    first, last = found.stages
    narrow = replace(found, stages=(first, replace(last, most_rows=3)))
    with pytest.raises(EngineFailed):
        bench().answers(narrow)


def test_the_text_of_a_later_question_names_its_list() -> None:
    """Another list is another stage, even where the engine is given the same rows."""
    sql = AREAS + "SELECT t.area, COUNT(p.sex) FROM t LEFT JOIN people p ON t.area = p.area {}"
    whole = bench().plan(sql.format("GROUP BY 1"))
    fewer = bench().plan(sql.format("AND t.n > 13 GROUP BY 1"))
    least = bench().plan(sql.format("WHERE t.n > 13 GROUP BY 1"))
    assert len({found.stages[-1].digest for found in (whole, fewer, least)}) == 3


def test_groups_by_the_hundred_thousand_are_refused() -> None:
    sql = (
        "WITH t AS (SELECT note, COUNT(*) AS n FROM visits GROUP BY 1) SELECT a.note, b.note AS o, "
        "COUNT(v.visit) FROM t a CROSS JOIN t b LEFT JOIN visits v ON v.note = a.note "
        "AND v.note = b.note GROUP BY 1, 2"
    )
    with pytest.raises(TooManyGroups) as caught:
        bench().plan(sql)
    assert "at most 200,000" in str(caught.value)
    assert caught.value.hint


def test_rows_of_a_past_release_are_kept_too() -> None:
    past = Past("one", (("area", "VARCHAR"), ("n", "BIGINT")), (("n", "12"), ("gone", "3")))
    view = replace(bench().view, releases={"one": past}.get)
    sql = (
        'SELECT r.area, r.n, COUNT(*), COUNT(p.person) FROM release."one" r '
        "LEFT JOIN people p ON p.area = r.area GROUP BY 1, 2"
    )
    found: Plan = plan(sql, view, bench(), PRICE, Options())
    assert found.stages[0].listed == (("gone", 3), ("n", 12))
    assert sorted(bench().answered(found)[1]) == [("gone", 3, 1, 0), ("n", 12, 13, 13)]


REFUSED = (
    "SELECT p.sex, COUNT(p.person) FROM t LEFT JOIN people p USING (area) GROUP BY 1",
    "SELECT t.area, COUNT(sex) FROM t LEFT JOIN people USING (area) WHERE sex IS NULL GROUP BY 1",
    "SELECT t.area FROM t LEFT JOIN people p USING (area) GROUP BY 1",
    "SELECT t.area, p.sex FROM t LEFT JOIN people p USING (area)",
    "SELECT t.area, COUNT(*) FROM t FULL JOIN people p USING (area) GROUP BY 1",
    "SELECT p.person, COUNT(p.sex) FROM t FULL JOIN people p USING (area) GROUP BY 1",
    "SELECT t.area, AVG(COALESCE(p.height, t.h)) FROM t LEFT JOIN people p USING (area) GROUP BY 1",
    "SELECT t.area, COUNT(*) FROM t, codes c LEFT JOIN people p ON p.area = c.code GROUP BY 1",
    "SELECT t.area, COUNT(*) FROM t CROSS JOIN codes LEFT JOIN people p USING (area) GROUP BY 1",
)


@pytest.mark.parametrize("sql", REFUSED)
def test_what_a_released_row_alone_would_add_to_is_refused(sql: str) -> None:
    with pytest.raises(QueryRefused) as caught:
        bench().plan(AREAS + sql)
    assert caught.value.code in ("public-rows-kept", "names-persons")
    assert caught.value.hint

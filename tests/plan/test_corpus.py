"""Questions as policy teams ask them: each has the outcome that its fixture expects.

`expect` is `answered` (with noise, charged), `exact` (public tables alone, free) or `refused` with
a code. What is answered is compared with DuckDB's own answer, with noise off and bounds slack: each
of its rows is there, and what is there besides is a group that nobody is in. `compare` says where
the two may differ and why: `fewer` (every row is one of DuckDB's) or `none`.
"""

from __future__ import annotations

from collections import Counter

import pytest

from queries import codec
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.post import Role
from tests.parity import Bench, Row, missing
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

CORPUS = cases("corpus")
ASKED = ("nycflights13", "hi", "mobility", "breaches")
SLACK = {"mobility": "slack mobility", "breaches": "slack breaches"}
ANSWERED = [case for case in CORPUS if case.marks["expect"] in ("answered", "exact")]
COMPARED = [case for case in ANSWERED if not case.marks.get("compare", "").startswith("none, ")]


def outcome(case: Case) -> str:
    try:
        found = bench(case.dataset).plan(case.sql, case.options, case.price)
    except QueryRefused as refused:
        return f"refused {refused.code}"
    return "answered" if found.stages else "exact"


def test_there_are_many_questions_of_each_dataset() -> None:
    asked = Counter(case.dataset for case in CORPUS)
    assert set(asked) == set(ASKED)
    assert min(asked.values()) >= 30
    assert len([case for case in CORPUS if not case.marks["expect"].startswith("refused ")]) >= 200


def test_no_question_is_asked_twice() -> None:
    assert not [title for title, n in Counter(str(case) for case in CORPUS).items() if n > 1]


@pytest.mark.parametrize("case", CORPUS, ids=str)
def test_a_question_has_its_outcome(case: Case) -> None:
    assert outcome(case) == case.marks["expect"]


@pytest.mark.parametrize("case", ANSWERED, ids=str)
def test_a_plan_survives_its_json(case: Case) -> None:
    found = bench(case.dataset).plan(case.sql)
    assert codec.loads(Plan, codec.dumps(found)) == found


@pytest.mark.slow
@pytest.mark.parametrize("case", COMPARED, ids=str)
def test_an_answer_is_that_of_duckdb(case: Case) -> None:
    asked = bench(SLACK.get(case.dataset, case.dataset))
    found = asked.plan(case.sql)
    names, expected = asked.expected(case.sql)
    got_names, got = asked.answered(found)
    assert got_names == names
    if case.marks.get("compare", "").startswith("fewer, "):
        assert got
        assert not missing(got, _unlimited(asked, case.sql))
    else:
        assert not missing(expected, got)
        assert not [row for row in missing(got, expected) if not _empty(found, row)]


def _unlimited(asked: Bench, sql: str) -> list[Row]:
    """DuckDB's rows before LIMIT: a group held back makes room for another."""
    text, _, _ = sql.partition("\nLIMIT ")
    return asked.expected(text)[1]


def _empty(found: Plan, row: Row) -> bool:
    """Whether all that was measured of a row is nothing."""
    outputs = zip(found.post.outputs, row, strict=True)
    return all(value in (None, 0) for output, value in outputs if output.role is not Role.KEY)

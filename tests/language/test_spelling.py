"""Suggestions for names that are nearly right."""

from __future__ import annotations

import pytest

from queries.language.refusals import QueryRefused
from queries.language.spelling import suggestion
from tests.plan.benches import bench


def test_the_nearest_name_is_suggested_whatever_its_case() -> None:
    assert suggestion("REGON", ["Region", "reason"]) == "Did you mean Region?"


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert suggestion("income", ["region", "age"]) is None


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT COUNT(*) FROM flight", "flights"),
        ("SELECT carier, COUNT(*) FROM flights GROUP BY 1", "carrier"),
        ("WITH busy AS (SELECT tailnum FROM flights) SELECT COUNT(*) FROM bussy", "busy"),
    ],
)
def test_a_refusal_of_a_name_says_what_was_meant(sql: str, name: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        bench("nycflights13").plan(sql)
    assert refused.value.hint == f"Did you mean {name}?"

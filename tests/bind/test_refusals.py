"""Each statement of a refusal's fixture is refused with exactly that code, place and way out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from queries.language.refusals import QueryRefused
from queries.plan.planner import plan
from queries.plan.price import Options
from queries.release.client import PublicReader, ReleaseEngine
from tests.parity import PRICE
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

EXPENSIVE = "query-too-expensive"
CASES = cases("refusals")
PLANNED = [case for case in CASES if case.code != EXPENSIVE]


def refusal(case: Case) -> QueryRefused:
    with pytest.raises(QueryRefused) as caught:
        bench(case.dataset).plan(case.sql, case.options, case.price)
    return caught.value


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_statement_is_refused_with_its_code(case: Case) -> None:
    found = refusal(case)
    assert found.code == case.code, found.message
    assert found.message.strip()
    assert found.message[-1] == "."
    assert (found.hint or "").strip(), "no way out"


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_place_lies_in_the_text(case: Case) -> None:
    found = refusal(case).position
    if found is not None:
        lines = case.sql.split("\n")
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
    if case.at is not None:
        assert found is not None
        assert (found.line, found.column) == case.at


def test_places_are_tried_for_several_refusals() -> None:
    assert len({case.code for case in CASES if case.at}) >= 8


@pytest.fixture
def engine() -> Iterator[ReleaseEngine]:
    made = ReleaseEngine(bench().dataset.deliveries, seconds=1.0)
    yield made
    made.close()


@pytest.mark.parametrize("case", [c for c in CASES if c.code == EXPENSIVE], ids=str)
def test_public_work_without_end_is_refused(engine: ReleaseEngine, case: Case) -> None:
    view = bench(case.dataset).view
    with pytest.raises(QueryRefused) as caught:
        plan(case.sql, view, PublicReader(engine, view.delivery), PRICE, Options())
    assert caught.value.code == case.code
    assert caught.value.hint

"""Ends as entries tell them: what was charged after one, or returned before, is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from budgets.account import Amounts
from budgets.ends import Ends
from budgets.storage.columns import Moment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROJECT = ("project", "mobility", "areas")
REPORT = ("earmark", "areas", "report")
NOTHING = Amounts()


def ending(until: datetime | None = NOON + HOUR) -> Ends:
    """Entries up to noon, and a project whose allocation ends an hour later."""
    ends = Ends()
    ends.passes(Moment.written(NOON))
    ends.note(PROJECT, {"until": None if until is None else until.isoformat()})
    return ends


def test_an_allocation_is_over_from_its_end_on() -> None:
    ends = ending()
    for late, over in ((HOUR - timedelta(microseconds=1), False), (HOUR, True)):
        ends.passes(Moment.written(NOON + late))
        assert ends.over(PROJECT) is over
    assert not ends.over(("project", "mobility", "other"))


def test_a_clock_that_is_set_back_revives_nothing() -> None:
    ends = ending()
    ends.passes(Moment.written(NOON + HOUR))
    ends.passes(Moment.written(NOON))
    assert ends.over(PROJECT)


def test_an_end_is_moved_or_taken_away_by_the_entry_that_says_so() -> None:
    ends = ending()
    ends.passes(Moment.written(NOON + HOUR))
    ends.note(PROJECT, {"reason": "more"})
    assert ends.over(PROJECT)
    ends.note(PROJECT, {"until": (NOON + 2 * HOUR).isoformat()})
    assert not ends.over(PROJECT)
    ends.note(PROJECT, {"until": NOON.isoformat()})
    assert ends.over(PROJECT)
    ends.note(PROJECT, {"until": None})
    assert not ends.over(PROJECT)


@pytest.mark.parametrize("account", [PROJECT, REPORT])
@pytest.mark.parametrize(
    ("late", "left", "returnable"),
    [
        (HOUR, NOTHING, True),
        (HOUR, Amounts(rho=1), False),
        (HOUR, Amounts(delta=-1), False),
        (timedelta(), NOTHING, False),
        (timedelta(), Amounts(rho=1), False),
    ],
)
def test_what_has_ended_returns_all_that_it_did_not_take(
    account: tuple[str, ...], late: timedelta, left: Amounts, returnable: bool
) -> None:
    ends = ending()
    ends.passes(Moment.written(NOON + late))
    assert ends.returnable("mobility", account, left) is returnable
    assert not ends.returnable("mobility", (account[0], "other", "other"), left)

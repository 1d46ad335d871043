"""Every point of every step, twenty times: killed there, nothing is lost, given back or half done.

`test_crash.py` looks at each point once, on fresh books. Here one ledger lives through all of them,
as a real one would, so that what an earlier crash left stands beside what a later one does. Each
child is a fork of a parent that has done the step once, so that everything is loaded and every
statement written; that parent has nothing else in memory, and no connection of the ledger's. What
administrators do is in `test_act_points.py`.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from sqlalchemy import text

from budgets.charge import QueryState
from budgets.ledger import Ledger
from tests.budgets import invariants
from tests.budgets.books import (
    DATASET,
    LATE,
    PROJECT,
    asked,
    capped,
    claim,
    document,
    opened,
    reserved,
    stage,
    tables,
)
from tests.budgets.dying import AFTER, BEFORE_COMMIT, Inherited, Step, apart, dies
from tests.budgets.places import Place, looking
from tests.budgets.test_crash import LOST, NOTHING, QUEUED, RELEASED, RUNNING, Arm, Left

pytestmark = pytest.mark.slow

TIMES = 20
POINTS = (AFTER, BEFORE_COMMIT, *range(60))
"""No step has as many statements."""


NEWEST = """
SELECT q.state, c.rho, (SELECT COUNT(*) FROM release r WHERE r.query = q.number) AS releases
FROM query q LEFT JOIN charge c ON c.query = q.number AND c.state <> 'void'
ORDER BY q.number DESC LIMIT :most
"""


def newest(place: Place, most: int) -> list[Left]:
    """What stands of the latest queries."""
    with looking(place) as tx:
        rows = tx.execute(text(NEWEST), {"most": most}).all()
    return [Left(QueryState(row.state), row.rho or 0, row.releases == 1) for row in rows]


def count(place: Place, table: str) -> int:
    with looking(place) as tx:
        return int(tx.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() or 0)


def reserve(ledger: Ledger, arm: Arm) -> None:
    query = asked(ledger)
    wanted = claim(query, stage(query.id))
    arm()
    ledger.reserve(wanted)


def accept(ledger: Ledger, arm: Arm) -> None:
    arm()
    asked(ledger)


def settle(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger)
    ledger.started(charge)
    arm()
    ledger.settle(charge, document(charge), tables(charge))


def void(ledger: Ledger, arm: Arm) -> None:
    charge = reserved(ledger)
    arm()
    ledger.void(charge)


def fault(ledger: Ledger, arm: Arm) -> None:
    ledger.thaw(PROJECT, "ada", "it was us")
    charge = reserved(ledger)
    ledger.started(charge)
    arm()
    ledger.fault(charge, "incident")


def recover(ledger: Ledger, arm: Arm) -> None:
    ledger.recover(LATE)
    ledger.thaw(PROJECT, "ada", "it was us")
    ledger.started(reserved(ledger))
    arm()
    ledger.recover(LATE)


STEPS = {
    "accept": (accept, NOTHING, NOTHING, QUEUED, QUEUED),
    "reserve": (reserve, QUEUED, QUEUED, RUNNING, LOST),
    "settle": (settle, RUNNING, LOST, RELEASED, RELEASED),
    "void": (void, RUNNING, LOST, QUEUED, QUEUED),
    "fault": (fault, RUNNING, LOST, LOST, LOST),
    "recover": (recover, RUNNING, LOST, LOST, LOST),
}
"""The step; what is left and what recovery makes of it, killed before and after its commit."""


def books(place: Place) -> None:
    """One project that affords all charges of a test, and another beside it."""
    ledger = capped(place, 4000)
    ledger.raise_ceiling(DATASET, Fraction(850), Fraction(1, 10**7), "ada", "room")
    ledger.open_project("other", DATASET)
    ledger.allocate("other", Fraction(1), Fraction(1, 10**8), "ada", "first")


def at(place: Place, step: Step, point: int, left: Left, then: Left, inherited: Inherited) -> bool:
    """Kill the step there, twenty times, and look at what is left each time, and after recovery;
    whether it has such a point."""
    known, before = count(place, "query"), invariants.taken(place)
    for _ in range(TIMES):
        if not dies(place, step, point, inherited):
            return False
        if left != NOTHING:
            assert newest(place, 1) == [left]
    added = TIMES if left != NOTHING else 0
    assert count(place, "query") == known + added
    ledger = opened(place)
    ledger.recover(LATE)
    ledger.thaw(PROJECT, "ada", "it was us")
    assert newest(place, added) == [then] * added
    assert invariants.taken(place) == before + added * then.charged
    invariants.hold(place)
    return True


@pytest.mark.parametrize("name", STEPS)
def test_each_point_of_a_step(name: str, place: Place) -> None:
    apart(each_point, name, place)


def each_point(name: str, place: Place) -> None:
    """Every point of a step of a charge, until it has no more."""
    step, left, then, after, at_last = STEPS[name]
    books(place)
    points = 0
    inherited = Inherited(place)
    step(inherited.ledger, lambda: None)
    inherited.rest()
    for point in POINTS:
        ends = (after, at_last) if point == AFTER else (left, then)
        if not at(place, step, point, *ends, inherited):
            break
        points += 1
    assert 5 <= points < len(POINTS)
    assert opened(place).verify(DATASET).intact

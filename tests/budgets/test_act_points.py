"""Every point of every act of an administrator, twenty times: it is whole or absent.

As in `test_points.py`, one ledger lives through all of it. What an act needs before it (a failed
charge to redeem, an end that has come) is done by the child before the act is armed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import pytest

from budgets.account import grant
from budgets.administration import Administration
from budgets.earmarking import Part
from budgets.ledger import Ledger
from tests.budgets import invariants
from tests.budgets.books import DATASET, PROJECT, opened, reserved
from tests.budgets.dying import AFTER, Inherited, Step, apart, dies
from tests.budgets.places import Place
from tests.budgets.test_crash import Arm
from tests.budgets.test_points import POINTS, TIMES, books, count

pytestmark = pytest.mark.slow

LITTLE = Fraction(1, 100)
BY = ("ada", "decided")


@dataclass(frozen=True)
class Act:
    """An act at a place, and the rows that it adds."""

    at: Callable[[Place], Step]
    adds: str


def anywhere(do: Step) -> Callable[[Place], Step]:
    """An act that is the same at every place."""
    return lambda place: do


def told(event: str) -> str:
    return f"entry WHERE event = '{event}'"


def open_dataset(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.open_dataset(secrets.token_hex(8), Fraction(1), Fraction(1, 10**8))


def open_block(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.open_block(DATASET, secrets.token_hex(8), grant(Fraction(1), Fraction(1, 10**8)))


def open_project(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.open_project(secrets.token_hex(8), DATASET)


def raise_ceiling(ledger: Ledger, arm: Arm) -> None:
    higher = ledger.ceiling(DATASET).epsilon + Fraction(1, 10**3)
    arm()
    ledger.raise_ceiling(DATASET, higher, Fraction(1, 10**7), *BY)


def overcommit(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.overcommit(DATASET, 150, *BY)


def allocate(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.allocate(PROJECT, LITTLE, None, *BY)


def allocate_at_first(ledger: Ledger, arm: Arm) -> None:
    name = secrets.token_hex(8)
    ledger.open_project(name, DATASET)
    arm()
    ledger.allocate(name, LITTLE, None, *BY)


def term(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.term(PROJECT, None, *BY)


def expiring(place: Place) -> Step:
    """What is kept for later and what is free are returned, by a gateway whose clock is later."""

    def expire(ledger: Ledger, arm: Arm) -> None:
        end = invariants.latest(place) + timedelta(hours=1)
        ledger.allocate(PROJECT, LITTLE, None, *BY, until=end)
        ledger.earmark(PROJECT, "report", Part(epsilon=LITTLE / 2), *BY)
        late = opened(place, clock=lambda: end)
        arm()
        late.expire(DATASET)

    return expire


def earmark(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.earmark(PROJECT, "report", Part(epsilon=LITTLE), *BY)


def earmark_at_first(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.earmark(PROJECT, secrets.token_hex(8), Part(epsilon=LITTLE), *BY)


def lift(ledger: Ledger, arm: Arm) -> None:
    ledger.earmark(PROJECT, "report", Part(epsilon=LITTLE), *BY)
    arm()
    ledger.lift(PROJECT, "report", *BY)


def transfer(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.transfer(PROJECT, "other", LITTLE, *BY)


def limit(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.limit(PROJECT, secrets.token_hex(8), Fraction(1), *BY)


def change_a_limit(ledger: Ledger, arm: Arm) -> None:
    ledger.limit(PROJECT, "anna", Fraction(1), *BY)
    arm()
    ledger.limit(PROJECT, "anna", Fraction(2), *BY)


def freeze(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.freeze(PROJECT, *BY)


def thaw(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.thaw(PROJECT, *BY)


def freeze_dataset(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.freeze_dataset(DATASET, *BY)


def thaw_dataset(ledger: Ledger, arm: Arm) -> None:
    arm()
    ledger.thaw_dataset(DATASET, *BY)


def forfeit(ledger: Ledger, arm: Arm) -> None:
    raise_ceiling(ledger, lambda: None)
    arm()
    ledger.forfeit(DATASET, *BY)


def redeem(ledger: Ledger, arm: Arm) -> None:
    ledger.thaw(PROJECT, *BY)
    charge = reserved(ledger)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    arm()
    ledger.redeem(PROJECT, charge.query, *BY)


ACTS = {
    "open_dataset": Act(anywhere(open_dataset), told("open")),
    "open_block": Act(anywhere(open_block), told("open")),
    "open_project": Act(anywhere(open_project), "project"),
    "raise_ceiling": Act(anywhere(raise_ceiling), told("raise")),
    "overcommit": Act(anywhere(overcommit), told("overcommit")),
    "allocate": Act(anywhere(allocate), told("allocate")),
    "allocate, at first": Act(anywhere(allocate_at_first), told("allocate")),
    "term": Act(anywhere(term), told("term")),
    "expire": Act(expiring, told("return")),
    "earmark": Act(anywhere(earmark), told("earmark")),
    "earmark, at first": Act(anywhere(earmark_at_first), told("earmark")),
    "lift": Act(anywhere(lift), told("lift")),
    "transfer": Act(anywhere(transfer), told("transfer")),
    "limit": Act(anywhere(limit), told("open")),
    "limit, changed": Act(
        anywhere(change_a_limit), "entry WHERE event = 'limit' AND epsilon + rho > 0"
    ),
    "freeze": Act(anywhere(freeze), told("freeze")),
    "thaw": Act(anywhere(thaw), told("thaw")),
    "freeze_dataset": Act(anywhere(freeze_dataset), told("freeze")),
    "thaw_dataset": Act(anywhere(thaw_dataset), told("thaw")),
    "forfeit": Act(anywhere(forfeit), told("forfeit")),
    "redeem": Act(anywhere(redeem), told("redeem")),
}


def test_every_act_is_here() -> None:
    """An act that nobody listed fails here."""
    public = {name for name in vars(Administration) if not name.startswith("_")}
    assert public == {name.partition(",")[0] for name in ACTS}


@pytest.mark.parametrize("name", ACTS)
def test_each_point_of_an_act(name: str, place: Place) -> None:
    """Its entries are all there, or none of them; the ledger agrees with itself after each."""
    apart(each_point, name, place)


def each_point(name: str, place: Place) -> None:
    """Every point of an act, until it has no more."""
    books(place)
    act = ACTS[name]
    step = act.at(place)
    points = 0
    inherited = Inherited(place)
    step(inherited.ledger, lambda: None)
    before = count(place, act.adds)
    step(inherited.ledger, lambda: None)
    whole = count(place, act.adds) - before
    assert whole > 0
    inherited.rest()
    for point in POINTS:
        if not at(place, step, act.adds, point, whole, inherited):
            break
        points += 1
    assert 4 <= points < len(POINTS)
    assert opened(place).verify(DATASET).intact


def at(place: Place, step: Step, adds: str, point: int, whole: int, inherited: Inherited) -> bool:
    """Kill the act there, twenty times; whether it has such a point."""
    before = count(place, adds)
    for killed in range(1, TIMES + 1):
        if not dies(place, step, point, inherited):
            return False
        assert count(place, adds) == before + (killed * whole if point == AFTER else 0)
    invariants.hold(place)
    return True

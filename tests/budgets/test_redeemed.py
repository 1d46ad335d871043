"""What a redeemed charge pays for: its own stages, and no more than was charged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from budgets.ledger import Ledger
from budgets.refusals import NotRedeemable
from tests.budgets import invariants
from tests.budgets.books import PROJECT, STEP, answered, ready, stage, tables
from tests.budgets.places import Place
from tests.budgets.test_redeeming import COUNT, faulted, ledger, settled

__all__ = ["ledger"]


def test_what_another_query_paid_for_is_served_and_not_run_under_the_charge(
    ledger: Ledger, place: Place
) -> None:
    first = answered(ledger, stage("other"))
    wanted = faulted(ledger, COUNT, stage("other"))
    ledger.redeem(PROJECT, wanted.query, "ada", "why")
    charge = ledger.reserve(wanted)
    assert charge.stages == ("count",)
    assert (charge.served, charge.origins) == (
        {"other": tables(first)["other"]},
        {"other": first.query},
    )
    settled(ledger, charge)
    assert invariants.taken(place) == 2 * STEP
    invariants.hold(place)


def test_a_pure_charge_pays_for_no_more_epsilon_at_less_rho(place: Place) -> None:
    """Squares of unequal parts weigh more than those of equal ones: 3 and 1 than 2.2 and 2.2."""
    ledger = ready(place, epsilon="1", delta="0")
    wanted = faulted(ledger, stage("count", rho=5 * 10**8, epsilon=4 * 10**10))
    ledger.redeem(PROJECT, wanted.query, "ada", "why")
    dearer = stage("count", rho=484 * 10**6, epsilon=44 * 10**9)
    with pytest.raises(NotRedeemable):
        ledger.reserve(replace(wanted, stages=(dearer,)))

"""A charge whose run failed pays for one more run, once, when an operator releases it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from budgets.charge import Charge, Claim, Ground, QueryState
from budgets.ledger import Ledger
from budgets.loss import NONE, PrivacyLoss
from budgets.mechanisms import Drawn
from budgets.refusals import (
    AlreadyAnswered,
    ChargeClosed,
    InFlight,
    NotRedeemable,
    ProjectFrozen,
    UnknownQuery,
)
from tests.budgets import invariants
from tests.budgets.books import (
    BLOCKS,
    DATASET,
    LATE,
    PROJECT,
    STEP,
    answered,
    asked,
    claim,
    document,
    opened,
    ready,
    stage,
    tables,
)
from tests.budgets.conftest import Places
from tests.budgets.dying import AFTER, BEFORE_COMMIT, dies
from tests.budgets.places import Place, edit
from tests.budgets.test_crash import Arm
from tests.budgets.test_races import together

COUNT = stage("count")
BODY = "d" * 64


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return ready(place)


def faulted(ledger: Ledger, *stages: object, key: str | None = "key") -> Claim:
    """The claim of a query whose run failed."""
    wanted = claim(asked(ledger, key), *(stages or (COUNT,)))  # type: ignore[arg-type]
    charge = ledger.reserve(wanted)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    return wanted


def redeemed(ledger: Ledger) -> Claim:
    wanted = faulted(ledger)
    ledger.redeem(PROJECT, wanted.query, "ada", "a disk was full")
    return wanted


def settled(ledger: Ledger, charge: Charge) -> None:
    ledger.started(charge)
    ledger.settle(charge, document(charge), tables(charge))


def test_a_failed_run_is_run_once_more_under_its_charge(ledger: Ledger, place: Place) -> None:
    wanted = redeemed(ledger)
    assert ledger.query(PROJECT, wanted.query).state is QueryState.QUEUED
    before = ledger.budget(PROJECT).remaining
    charge = ledger.reserve(wanted)
    assert (charge.stages, charge.loss) == (("count",), PrivacyLoss(STEP))
    assert ledger.budget(PROJECT).reserved.rho == STEP
    settled(ledger, charge)
    assert ledger.document(PROJECT, wanted.query) == document(charge)
    assert ledger.budget(PROJECT).remaining == before
    assert ledger.budget(PROJECT).spent.rho == invariants.taken(place) == STEP
    assert ledger.ceiling(DATASET).spent.rho == STEP
    assert answered(ledger, COUNT).loss == NONE
    told = [(one.event, json.loads(one.note)) for one, _ in ledger.entries(DATASET)]
    noted = dict(told)
    assert (noted["redeem"]["by"], noted["redeem"]["reason"]) == ("ada", "a disk was full")
    assert [event for event, _ in told].count("resume") == 1
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_it_is_told_on_what_it_was_planned(ledger: Ledger) -> None:
    """While it waits, and to nobody else: not to another body, nor to a fresh draw of the same."""
    query = asked(ledger, "key")
    wanted = replace(claim(query, COUNT), terms='{"price": 5}')
    charge = ledger.reserve(wanted)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    assert ledger.ground_of(PROJECT, "key", query.digest) is None
    ground = Ground(query.id, None, '{"price": 5}')
    assert ledger.redeem(PROJECT, query.id, "ada", "why") == ground
    assert ledger.ground_of(PROJECT, "key", query.digest) == ground
    assert ledger.ground_of(PROJECT, None, query.digest) == ground
    assert ledger.ground_of(PROJECT, None, query.digest, fresh=True) is None
    assert ledger.ground_of(PROJECT, None, "e" * 64) is None
    ledger.reserve(wanted)
    assert ledger.ground_of(PROJECT, "key", query.digest) is None
    assert ledger.ground_of(PROJECT, None, query.digest) is None


def test_it_is_redeemed_once(ledger: Ledger, place: Place) -> None:
    wanted = redeemed(ledger)
    with pytest.raises(NotRedeemable):
        ledger.redeem(PROJECT, wanted.query, "ada", "again")
    charge = ledger.reserve(wanted)
    ledger.started(charge)
    ledger.fault(charge, "another incident")
    assert ledger.budget(PROJECT).faults == 2
    with pytest.raises(NotRedeemable):
        ledger.redeem(PROJECT, wanted.query, "ada", "again")
    with pytest.raises(AlreadyAnswered):
        ledger.reserve(wanted)
    assert ledger.query(PROJECT, wanted.query).incident == "another incident"
    assert invariants.taken(place) == STEP
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_what_did_not_fail_is_not_redeemed(ledger: Ledger) -> None:
    waiting, done = asked(ledger), answered(ledger)
    running = ledger.reserve(claim(asked(ledger), COUNT))
    for query in (waiting.id, done.query, running.query):
        with pytest.raises(NotRedeemable):
            ledger.redeem(PROJECT, query, "ada", "why")
    with pytest.raises(UnknownQuery):
        ledger.redeem(PROJECT, "f" * 32, "ada", "why")


def test_a_faulted_query_that_paid_for_nothing_is_not_redeemed(ledger: Ledger) -> None:
    answered(ledger, COUNT)
    free = ledger.reserve(claim(asked(ledger), COUNT))
    ledger.fault(free, "incident")
    with pytest.raises(NotRedeemable):
        ledger.redeem(PROJECT, free.query, "ada", "why")


def test_the_same_body_finds_the_query_that_waits(ledger: Ledger) -> None:
    wanted = redeemed(ledger)
    for key in ("key", "other", None):
        assert ledger.accept(PROJECT, "anna", key, BODY, b"").id == wanted.query
    fresh = ledger.accept(PROJECT, "anna", "drawn anew", BODY, b"", fresh=True)
    assert fresh.id != wanted.query
    ledger.open_project("other", DATASET)
    assert asked(ledger, "key", project="other").id != wanted.query


def test_its_quote_is_its_debit(ledger: Ledger) -> None:
    wanted = redeemed(ledger)
    before = ledger.budget(PROJECT).remaining
    assert ledger.quote(PROJECT, wanted.stages, BODY) == NONE
    assert ledger.quote(PROJECT, wanted.stages) == PrivacyLoss(STEP)
    settled(ledger, ledger.reserve(wanted))
    assert ledger.budget(PROJECT).remaining == before


@pytest.mark.parametrize(
    "otherwise",
    [
        [stage("count", rho=STEP + 1)],
        [stage("count", delta=1)],
        [stage("another")],
        [stage("count"), stage("another")],
        [replace(COUNT, family="discrete-laplace")],
    ],
    ids=["dearer", "a delta", "another stage", "one stage more", "another mechanism"],
)
def test_what_is_planned_otherwise_is_not_run_under_the_charge(
    ledger: Ledger, place: Place, otherwise: list[object]
) -> None:
    """And the redemption has lapsed: the next question is charged as any other."""
    wanted = redeemed(ledger)
    with pytest.raises(NotRedeemable):
        ledger.reserve(replace(wanted, stages=tuple(otherwise)))
    assert ledger.query(PROJECT, wanted.query).state is QueryState.FAULTED
    with pytest.raises(NotRedeemable):
        ledger.redeem(PROJECT, wanted.query, "ada", "again")
    assert ledger.reserve(claim(asked(ledger), COUNT)).loss.rho == STEP
    assert invariants.taken(place) == 2 * STEP
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_it_may_cost_less_than_was_charged_and_gives_nothing_back(
    ledger: Ledger, place: Place
) -> None:
    wanted = faulted(ledger, stage("count", delta=5))
    ledger.redeem(PROJECT, wanted.query, "ada", "why")
    planned = stage("count", rho=STEP - 1, delta=4, scale=11.0)
    drawn = (Drawn("discrete-gaussian", 1, 1, 11.0, STEP - 1),)
    settled(ledger, ledger.reserve(replace(wanted, stages=(replace(planned, drawn=drawn),))))
    assert ledger.verify(DATASET).intact
    assert ledger.budget(PROJECT).spent == PrivacyLoss(STEP, 5)
    assert ledger.quote(PROJECT, [stage("count", delta=4, scale=10.5)]) == PrivacyLoss(STEP, 4)
    assert ledger.quote(PROJECT, [stage("count", delta=4, scale=11.0)]) == NONE
    invariants.hold(place)
    edit(place, "UPDATE stage SET mechanisms = '[]' WHERE digest = 'count'")
    assert "drew" in " ".join(ledger.verify(DATASET).disagreements)


def test_before_the_start_it_may_be_deferred_and_stays_charged(
    ledger: Ledger, place: Place
) -> None:
    wanted = redeemed(ledger)
    for _ in range(2):
        charge = ledger.reserve(wanted)
        ledger.void(charge)
        assert ledger.query(PROJECT, wanted.query).state is QueryState.QUEUED
        assert invariants.taken(place) == STEP
        assert ledger.budget(PROJECT).reserved.rho == 0
    with pytest.raises(ChargeClosed):
        ledger.void(charge)
    settled(ledger, ledger.reserve(wanted))
    assert ledger.verify(DATASET).intact
    invariants.hold(place)


def test_the_run_that_was_lost_cannot_end_the_next_one(ledger: Ledger, place: Place) -> None:
    """It comes late, when its charge is reserved anew: by somebody else."""
    wanted = claim(asked(ledger, "key"), COUNT)
    slow = ledger.reserve(wanted)
    ledger.started(slow)
    other = opened(place)
    assert other.recover(LATE) == (slow.query,)
    other.redeem(PROJECT, slow.query, "ada", "why")
    charge = other.reserve(wanted)
    other.started(charge)
    for late in (
        lambda: ledger.settle(slow, b"late", tables(slow)),
        lambda: ledger.fault(slow, "late"),
    ):
        with pytest.raises(ChargeClosed):
            late()
    other.settle(charge, document(charge), tables(charge))
    assert ledger.document(PROJECT, slow.query) == document(charge)
    invariants.hold(place)


def test_a_frozen_project_redeems_nothing(ledger: Ledger) -> None:
    wanted = redeemed(ledger)
    ledger.freeze(PROJECT, "ada", "an incident")
    with pytest.raises(ProjectFrozen):
        ledger.reserve(wanted)
    ledger.thaw(PROJECT, "ada", "looked")
    settled(ledger, ledger.reserve(wanted))


def test_operators_at_once_redeem_once(ledger: Ledger) -> None:
    wanted = faulted(ledger)
    acts = [lambda: ledger.redeem(PROJECT, wanted.query, "ada", "race").query] * 6
    assert Counter(together(*acts)) == {wanted.query: 1, NotRedeemable: 5}


def test_callers_at_once_run_it_once(place: Place) -> None:
    ledger = ready(place)
    wanted = redeemed(ledger)

    def run(own: Ledger) -> str:
        settled(own, own.reserve(wanted))
        return "released"

    ledgers = [opened(place) for _ in range(6)]
    found = Counter(together(*[lambda own=own: run(own) for own in ledgers]))
    assert found["released"] == 1
    assert found["released"] + found[InFlight] + found[AlreadyAnswered] == 6
    assert invariants.taken(place) == STEP
    invariants.hold(place)


def redeem(ledger: Ledger, arm: Arm) -> None:
    wanted = faulted(ledger)
    arm()
    ledger.redeem(PROJECT, wanted.query, "ada", "why")


def resume(ledger: Ledger, arm: Arm) -> None:
    wanted = redeemed(ledger)
    arm()
    ledger.reserve(wanted)


def defer(ledger: Ledger, arm: Arm) -> None:
    charge = ledger.reserve(redeemed(ledger))
    arm()
    ledger.void(charge)


def settle(ledger: Ledger, arm: Arm) -> None:
    charge = ledger.reserve(redeemed(ledger))
    ledger.started(charge)
    arm()
    ledger.settle(charge, document(charge), tables(charge))


F, Q, R, D = QueryState.FAULTED, QueryState.QUEUED, QueryState.RUNNING, QueryState.RELEASED
STEPS = {
    "redeem": (redeem, (F, F), (Q, Q)),
    "resume": (resume, (Q, Q), (R, F)),
    "defer": (defer, (R, F), (Q, Q)),
    "settle": (settle, (R, F), (D, D)),
}
"""What is left, and what recovery makes of it, killed before and after the commit."""


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_killed_at_each_step_it_is_charged_once_and_run_at_most_once(
    name: str, places: Places
) -> None:
    step, before, after = STEPS[name]
    for moment in [AFTER, BEFORE_COMMIT, *range(60)]:
        place = places()
        ready(place)
        if not dies(place, step, moment):
            break
        left, then = after if moment == AFTER else before
        ledger = opened(place)
        (query,) = ledger.queries(PROJECT)
        assert query.state is left, f"at moment {moment}"
        ledger.recover(LATE)
        assert ledger.query(PROJECT, query.id).state is then
        assert invariants.taken(place) == STEP
        assert ledger.budget(PROJECT).reserved.rho == 0
        assert ledger.verify(DATASET).intact
        invariants.hold(place)
    assert moment > 3


def test_a_block_that_the_charge_did_not_pay_for_is_not_read_under_it(ledger: Ledger) -> None:
    wanted = replace(claim(asked(ledger, "key"), COUNT), blocks=BLOCKS[:1])
    charge = ledger.reserve(wanted)
    ledger.started(charge)
    ledger.fault(charge, "incident")
    ledger.redeem(PROJECT, wanted.query, "ada", "why")
    with pytest.raises(NotRedeemable):
        ledger.reserve(replace(wanted, blocks=BLOCKS))

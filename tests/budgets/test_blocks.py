"""Charges of a growing dataset: each block that is read pays, and there is no refill."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from budgets.account import Kind, grant
from budgets.admission import Policy
from budgets.charge import Charge, StageClaim
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.refusals import (
    AboveCeiling,
    BudgetRefused,
    CeilingDiffers,
    CeilingReached,
    PureBudget,
    UnknownBlock,
)
from budgets.statements import from_ledger, statements
from budgets.storage.schema import delivery
from tests.budgets import invariants
from tests.budgets.books import (
    BLOCKS,
    DATASET,
    PROJECT,
    STEP,
    asked,
    blank,
    claim,
    document,
    opened,
    ready,
    reserved,
    stage,
    tables,
)
from tests.budgets.places import Place, edit, looking

NARROW = Fraction(1)
PART = Fraction(1, 10**8)
WIDE = Fraction(4)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    """A dataset with one narrow block and a wide one."""
    ledger = opened(blank(place), Policy())
    ledger.open_dataset(DATASET, Fraction(8), Fraction(1, 10**7))
    for block, epsilon in zip(BLOCKS, (NARROW, WIDE), strict=True):
        ledger.open_block(DATASET, block, grant(epsilon, Fraction(1, 10**8)))
    ledger.open_project(PROJECT, DATASET)
    ledger.allocate(PROJECT, Fraction(4), Fraction(1, 10**8), "ada", "first")
    return ledger


def taken(ledger: Ledger) -> list[int]:
    return [one.reserved.rho + one.spent.rho for one in ledger.blocks(DATASET)]


def test_a_block_pays_for_what_reads_it_and_no_other(ledger: Ledger, place: Place) -> None:
    reserved(ledger, blocks=BLOCKS[:1])
    reserved(ledger, blocks=BLOCKS[1:])
    reserved(ledger, blocks=BLOCKS)
    assert taken(ledger) == [2 * STEP, 2 * STEP]
    assert invariants.taken(place, "dataset") == invariants.taken(place) == 3 * STEP
    invariants.hold(place)
    assert ledger.verify(DATASET).intact


def test_the_fullest_block_decides_and_nothing_is_posted(ledger: Ledger) -> None:
    left = ledger.blocks(DATASET)[0].remaining.rho
    too_much = stage("both", rho=left + 1)
    query = asked(ledger)
    with pytest.raises(CeilingReached) as refused:
        ledger.reserve(claim(query, too_much, blocks=BLOCKS))
    assert refused.value.budget.kind is Kind.PROJECT
    assert refused.value.remaining == ledger.budget(PROJECT).remaining
    assert taken(ledger) == [0, 0]
    ledger.reserve(claim(query, too_much, blocks=BLOCKS[1:]))
    ledger.reserve(claim(asked(ledger), stage("rest", rho=left), blocks=BLOCKS))
    assert ledger.blocks(DATASET)[0].remaining.rho == 0


def test_a_block_pays_four_times_for_what_is_partial(ledger: Ledger, place: Place) -> None:
    """Twice the sensitivity at the same noise; the ceiling over all and the project pay once."""
    some = replace(stage("some", rho=STEP), partial=True)
    charge = reserved(ledger, some, stage("whole", rho=STEP))
    assert taken(ledger) == [5 * STEP, 5 * STEP]
    assert charge.loss.rho == ledger.budget(PROJECT).reserved.rho == 2 * STEP
    assert ledger.ceiling(DATASET).reserved.rho == 2 * STEP
    invariants.hold(place)
    assert ledger.verify(DATASET).intact
    with ledger._storage.read() as tx:
        found = statements(from_ledger(tx), DATASET)
    told = {(one.kind, one.name): one.charged for one in found}
    for name in BLOCKS:
        assert told["block", name].loss.rho == 5 * STEP
    assert told["project", PROJECT].loss.rho == 2 * STEP
    ledger.void(charge)
    assert taken(ledger) == [0, 0]


def test_a_narrow_block_stops_what_is_partial_first(ledger: Ledger) -> None:
    left = ledger.blocks(DATASET)[0].remaining.rho
    for rho, fits in ((left // 4, True), (left // 4 + 1, False)):
        some = replace(stage(f"some {rho}", rho=rho), partial=True)
        query = asked(ledger)
        if fits:
            ledger.void(ledger.reserve(claim(query, some)))
            continue
        with pytest.raises(CeilingReached):
            ledger.reserve(claim(query, some))
    assert taken(ledger) == [0, 0]


def test_in_pure_accounts_a_block_pays_twice(place: Place) -> None:
    ledger = opened(blank(place), Policy(floor=0))
    ledger.open_dataset(DATASET, Fraction(8), Fraction(0))
    ledger.open_block(DATASET, BLOCKS[0], grant(WIDE, Fraction(0)))
    ledger.open_project(PROJECT, DATASET)
    ledger.allocate(PROJECT, Fraction(4), Fraction(0), "ada", "first")
    some = StageClaim("some", PrivacyLoss(STEP, 0, STEP), (1.0,), "discrete-laplace", (), True)
    reserved(ledger, some, blocks=BLOCKS[:1])
    assert [one.reserved.epsilon for one in ledger.blocks(DATASET)] == [2 * STEP]
    assert ledger.ceiling(DATASET).reserved.epsilon == STEP


def test_every_delivery_that_is_read_is_kept(ledger: Ledger, place: Place) -> None:
    """A delivery that was replaced goes when nothing is reserved on it."""
    with looking(place) as tx:
        for number, name in enumerate(("older", "newer", "unread"), 1):
            row = {"id": name, "number": number, "dataset": DATASET, "directory": name,
                   "manifest_hash": "h" * 64, "registered_at": datetime.now(UTC), "active": True,
                   "block": name}  # fmt: skip
            tx.execute(delivery.insert().values(**row))
    one = claim(asked(ledger), stage("both"))
    charge = ledger.reserve(replace(one, delivery="newer", others=("older",)))
    assert [ledger.in_use(name) for name in ("older", "newer", "unread")] == [True, True, False]
    ledger.fault(charge, "x")
    assert not ledger.in_use("older")
    ground = ledger.redeem(PROJECT, charge.query, "ada", "the disk was full")
    assert (ground.delivery, ground.others) == ("newer", ("older",))
    assert [ledger.in_use(name) for name in ("older", "newer", "unread")] == [True, True, False]


def test_all_blocks_together_stay_below_the_ceiling(place: Place) -> None:
    ledger = ready(place, ceiling=("2", "1e-8"))
    whole = ledger.ceiling(DATASET).remaining.rho
    reserved(ledger, stage("one", rho=whole), blocks=BLOCKS[:1])
    with pytest.raises(BudgetRefused):
        reserved(ledger, stage("two", rho=STEP), blocks=BLOCKS[1:])
    assert taken(ledger) == [whole, 0]


def test_a_void_gives_back_to_every_block(ledger: Ledger, place: Place) -> None:
    charge = reserved(ledger)
    ledger.void(charge)
    assert taken(ledger) == [0, 0]
    invariants.hold(place)


def test_who_names_no_block_reads_nothing(ledger: Ledger) -> None:
    for blocks in ((), ("2027-H1",), (BLOCKS[0], "2027-H1")):
        with pytest.raises(UnknownBlock):
            reserved(ledger, blocks=blocks)
    assert taken(ledger) == [0, 0]
    with pytest.raises(ValueError, match="once"):
        claim(asked(ledger), stage("x"), blocks=(BLOCKS[0], BLOCKS[0]))


def test_a_dataset_without_blocks_has_none_to_name(place: Place) -> None:
    ledger = opened(blank(place))
    ledger.open_dataset(DATASET, Fraction(8), Fraction(1, 10**7))
    ledger.open_project(PROJECT, DATASET)
    ledger.allocate(PROJECT, Fraction(1), None, "ada", "first")
    reserved(ledger, blocks=())
    with pytest.raises(UnknownBlock):
        reserved(ledger, blocks=BLOCKS)


def test_a_block_opened_again_keeps_what_was_charged_to_it(ledger: Ledger) -> None:
    reserved(ledger)
    ledger.open_block(DATASET, BLOCKS[0], grant(NARROW, Fraction(1, 10**8)))
    assert taken(ledger) == [STEP, STEP]
    for epsilon in (WIDE, NARROW / 2):
        with pytest.raises(CeilingDiffers, match="Block 2026-H1 of dataset mobility"):
            ledger.open_block(DATASET, BLOCKS[0], grant(epsilon, Fraction(1, 10**8)))


def test_a_block_is_raised_on_the_record_and_forgets_nothing(ledger: Ledger, place: Place) -> None:
    """P17: what was charged stays charged; the ceiling over all still bounds whoever is in many."""
    left = ledger.blocks(DATASET)[0].remaining.rho
    reserved(ledger, stage("all", rho=left), blocks=BLOCKS[:1])
    with pytest.raises(CeilingReached):
        reserved(ledger, blocks=BLOCKS[:1])
    ledger.raise_ceiling(DATASET, Fraction(2), PART, "ada", "agreed", block=BLOCKS[0])
    first, second = ledger.blocks(DATASET)
    assert (first.epsilon, first.reserved.rho, second.epsilon) == (2, left, WIDE)
    assert first.allocated.rho == grant(Fraction(2), PART).capacity.rho
    reserved(ledger, blocks=BLOCKS[:1])
    assert taken(ledger) == [left + STEP, 0]
    assert ledger.ceiling(DATASET).epsilon == 8
    last = [entry for entry, _ in ledger.entries(DATASET) if entry.event == "raise"]
    assert [entry.account for entry in last] == [("block", DATASET, BLOCKS[0])]
    assert '"reason":"agreed"' in last[0].note
    invariants.hold(place)
    assert ledger.verify(DATASET).intact


@pytest.mark.parametrize(
    ("epsilon", "delta", "block", "refused"),
    [
        ("1/2", "1e-8", BLOCKS[0], CeilingDiffers),
        ("1", "1e-9", BLOCKS[0], CeilingDiffers),
        ("2", "0", BLOCKS[0], CeilingDiffers),
        ("8.1", "1e-8", BLOCKS[0], AboveCeiling),
        ("2", "2e-7", BLOCKS[0], AboveCeiling),
        ("2", "1e-8", "2027-H1", UnknownBlock),
    ],
)
def test_a_block_is_raised_within_the_whole_and_never_lowered(
    ledger: Ledger, epsilon: str, delta: str, block: str, refused: type[BudgetRefused]
) -> None:
    before = ledger.blocks(DATASET)
    with pytest.raises(refused):
        ledger.raise_ceiling(DATASET, Fraction(epsilon), Fraction(delta), "ada", "why", block=block)
    assert ledger.blocks(DATASET) == before


def test_a_ceiling_raised_after_a_forfeit_opens_no_block_again(ledger: Ledger) -> None:
    """What a restore has forgotten was charged to blocks too."""
    reserved(ledger)
    ledger.forfeit(DATASET, "ada", "restored")
    ledger.raise_ceiling(DATASET, Fraction(16), Fraction(1, 10**7), "ada", "told everybody")
    for blocks in (BLOCKS[:1], BLOCKS[1:]):
        with pytest.raises(CeilingReached):
            reserved(ledger, blocks=blocks)
    ledger.open_block(DATASET, "2027-H1", grant(NARROW, Fraction(1, 10**8)))
    reserved(ledger, blocks=("2027-H1",))
    assert ledger.verify(DATASET).intact


def test_a_block_counts_as_the_whole_does(ledger: Ledger) -> None:
    with pytest.raises(PureBudget):
        ledger.open_block(DATASET, "2027-H1", grant(NARROW, Fraction(0)))


def test_threads_in_different_blocks_spend_each_exactly(ledger: Ledger, place: Place) -> None:
    """Charges over one block, the other and both, at once: each cap is reached, none passed."""
    cap = ledger.blocks(DATASET)[0].remaining.rho
    cost = cap // 6
    made: list[Charge] = []

    def spend(blocks: tuple[str, ...]) -> None:
        for _ in range(4):
            try:
                query = asked(ledger)
                charge = ledger.reserve(claim(query, stage(query.id, rho=cost), blocks=blocks))
                ledger.started(charge)
                ledger.settle(charge, document(charge), tables(charge))
                made.append(charge)
            except CeilingReached:
                continue

    wanted = [BLOCKS, BLOCKS[:1], BLOCKS[1:], BLOCKS[::-1]]
    threads = [threading.Thread(target=spend, args=(blocks,)) for blocks in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    narrow, wide = taken(ledger)
    assert narrow == 6 * cost
    assert invariants.taken(place, "dataset") == len(made) * cost
    assert wide >= 4 * cost
    invariants.hold(place)
    assert ledger.verify(DATASET).intact


def test_a_moved_block_is_found_by_verify(ledger: Ledger, place: Place) -> None:
    reserved(ledger)
    edit(place, "UPDATE account SET reserved_rho = 0 WHERE kind = 'block' AND name = '2026-H1'")
    assert "The block account 2026-H1 differs" in " ".join(ledger.verify(DATASET).disagreements)

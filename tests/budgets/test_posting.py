"""Postings are conditional: whatever admission has found, an account is never posted too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import Connection

from budgets.account import Account, Amounts, Kind
from budgets.ledger import Ledger
from budgets.storage import Storage, accounts, posting
from budgets.storage.conditions import Overdrawn
from budgets.storage.prepared import answered
from tests.budgets.books import BLOCKS, DATASET, LATE, PROJECT, STEP, capped
from tests.budgets.places import Place

Change = Callable[[Connection, Mapping[int, Amounts]], None]
FIVE, TWO = Amounts(rho=5 * STEP), Amounts(rho=2 * STEP)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return capped(place, 10)


def changed(place: Place, change: Change, amounts: Amounts, *more: int) -> None:
    """One act of posting to the project and to one block, and to accounts that there are not."""
    storage = Storage.open(place)
    try:
        with storage.begin() as tx, answered(tx):
            change(tx, dict.fromkeys((*_ids(tx), *more), amounts))
    finally:
        storage.close()


def _ids(tx: Connection) -> tuple[int, ...]:
    found = (
        accounts.find(tx, Kind.PROJECT, DATASET, PROJECT),
        accounts.find(tx, Kind.BLOCK, DATASET, BLOCKS[0]),
    )
    return tuple(one.id for one in found if one is not None)


def standing(ledger: Ledger) -> list[tuple[int, int]]:
    """What the project, both blocks and the ceiling have reserved and spent, in steps."""
    found = [ledger.budget(PROJECT), *ledger.blocks(DATASET), ledger.ceiling(DATASET)]
    return [(one.reserved.rho // STEP, one.spent.rho // STEP) for one in found]


def test_those_that_are_named_are_changed_and_no_others(ledger: Ledger, place: Place) -> None:
    both = [0, 1]

    def stands(reserved: int, spent: int) -> None:
        wanted = [(reserved, spent) if place in both else (0, 0) for place in range(4)]
        assert standing(ledger) == wanted

    changed(place, posting.reserve, FIVE)
    stands(5, 0)
    changed(place, posting.spend, TWO)
    stands(3, 2)
    changed(place, posting.give_back, TWO)
    stands(1, 2)
    changed(place, posting.resume, TWO)
    stands(3, 0)


@pytest.mark.parametrize(
    ("change", "most"),
    [(posting.reserve, 6), (posting.spend, 3), (posting.give_back, 3), (posting.resume, 1)],
)
def test_more_than_there_is_is_posted_nowhere(
    change: Change, most: int, ledger: Ledger, place: Place
) -> None:
    """Of ten steps three are reserved and one is spent; the block has more than the project."""
    changed(place, posting.reserve, Amounts(rho=4 * STEP))
    changed(place, posting.spend, Amounts(rho=STEP))
    before = standing(ledger)
    with pytest.raises(Overdrawn):
        changed(place, change, Amounts(rho=(most + 1) * STEP))
    with pytest.raises(Overdrawn):
        changed(place, change, Amounts(rho=STEP, epsilon=1))
    assert standing(ledger) == before
    changed(place, change, Amounts(rho=most * STEP))
    assert standing(ledger) != before


def test_an_account_that_is_not_there_undoes_the_others(ledger: Ledger, place: Place) -> None:
    with pytest.raises(Overdrawn):
        changed(place, posting.reserve, FIVE, 10**6)
    assert standing(ledger) == [(0, 0)] * 4


def advancing(tx: Connection, found: Account, amounts: Amounts) -> None:
    """Post to the ceiling, by whose statement its chain advances to one entry more."""
    after = found.advanced("e" * 64, found.length + 1, LATE)
    with answered(tx):
        posting.reserve(tx, {found.id: amounts}, posting.Chain(found, after))


def test_a_chain_advances_with_its_ceiling_or_nothing_is_posted(
    ledger: Ledger, place: Place
) -> None:
    """Once it has grown since it was read, what would follow forks it: both are undone."""
    storage = Storage.open(place)
    try:
        with storage.begin() as tx:
            found = accounts.root(tx, DATASET)
            assert found is not None
            advancing(tx, found, FIVE)
            root = accounts.root(tx, DATASET)
            assert root is not None
            assert (root.head, root.length, root.latest) == ("e" * 64, found.length + 1, LATE)
        assert standing(ledger)[-1] == (5, 0)
        with pytest.raises(Overdrawn), storage.begin() as tx:
            advancing(tx, found, TWO)
        assert standing(ledger)[-1] == (5, 0)
        with storage.begin() as tx:
            assert accounts.root(tx, DATASET) == root
    finally:
        storage.close()


def test_no_chain_advances_without_its_ceiling(ledger: Ledger, place: Place) -> None:
    storage = Storage.open(place)
    try:
        with storage.begin() as tx:
            root = accounts.root(tx, DATASET)
            assert root is not None
            chain = posting.Chain(root, root.advanced("e" * 64, root.length + 1, LATE))
            with pytest.raises(ValueError, match="chain"):
                posting.reserve(tx, dict.fromkeys(_ids(tx), TWO), chain)
    finally:
        storage.close()
    assert standing(ledger) == [(0, 0)] * 4

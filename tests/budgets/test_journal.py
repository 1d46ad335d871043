"""A chain is added to where it ends and read back whole, whatever other chains there are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest
from sqlalchemy import Connection

from budgets.account import Account
from budgets.chain import GENESIS, Event, link
from budgets.ledger import Ledger
from budgets.storage import Storage, accounts, journal
from tests.budgets.books import DATASET, NOON, blank, opened
from tests.budgets.places import Place

OTHER = "census"
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    ledger = opened(blank(place))
    for dataset in (OTHER, DATASET):
        ledger.open_dataset(dataset, Fraction(8), Fraction(1, 10**7))
    return ledger


@pytest.fixture
def tx(ledger: Ledger, place: Place) -> Iterator[Connection]:
    storage = Storage.open(place)
    try:
        with storage.begin() as tx:
            yield tx
    finally:
        storage.close()


def _root(tx: Connection, dataset: str = DATASET) -> Account:
    root = accounts.root(tx, dataset)
    assert root is not None
    return root


def grown(tx: Connection, root: Account, count: int, after: timedelta = HOUR) -> Account:
    """The chain of a root, so many entries longer."""
    items = [journal.Item(Event.THAW, root, note={"number": one}) for one in range(count)]
    return journal.append(tx, root, items, NOON + after)


@pytest.mark.slow
def test_a_chain_longer_than_any_batch_is_read_whole(tx: Connection) -> None:
    """In order and each entry once, from any number on, and no other chain's."""
    before = _root(tx, OTHER)
    grown(tx, before, 9)
    root = _root(tx)
    while root.length <= 2 * journal.BATCH:
        root = grown(tx, root, 1100)
    told = list(journal.entries(tx, DATASET))
    assert [one.number for one, _ in told] == list(range(1, root.length + 1))
    head = GENESIS
    for one, stored in told:
        head = link(head, one)
        assert stored == head
    assert journal.head(tx, root.id) == (root.head, root.length) == (head, len(told))
    assert list(journal.entries(tx, DATASET, 100)) == told[100:]
    some = [row[0] for rows in journal.batches(tx, DATASET, 7, 2500) for row in rows]
    assert some == list(range(8, 2501))
    firsts = [rows[0][0] for rows in journal.batches(tx, DATASET)]
    assert firsts == list(range(1, root.length + 1, journal.BATCH))
    assert len(list(journal.entries(tx, OTHER))) == before.length + 9


def test_each_chain_has_its_own_end(tx: Connection) -> None:
    for dataset, count in ((DATASET, 3), (OTHER, 7)):
        grown(tx, _root(tx, dataset), count)
    for dataset in (DATASET, OTHER):
        root = _root(tx, dataset)
        assert journal.longest(tx, dataset) == root.length
        assert journal.ended(tx, dataset, root.length) == (root.head, None)
        assert journal.ended(tx, dataset, root.length + 1) is None
    assert journal.longest(tx, "nothing") == 0


def test_a_chain_is_added_to_where_its_root_is_alone(tx: Connection) -> None:
    """What was read before it grew, or says that it is longer, adds nothing to it."""
    other, found = _root(tx, OTHER), _root(tx)
    assert other.length == found.length
    root = grown(tx, found, 1)
    assert _root(tx) == root
    assert _root(tx, OTHER) == other
    ahead = root.advanced("e" * 64, root.length + 1, NOON)
    with pytest.raises(journal.Forked):
        grown(tx, ahead, 1)
    assert _root(tx) == root


def test_the_latest_time_of_a_chain_never_falls(tx: Connection) -> None:
    """A clock that is set back does not open again what had ended."""
    for after, latest in ((HOUR, HOUR), (-HOUR, HOUR), (2 * HOUR, 2 * HOUR)):
        root = grown(tx, _root(tx), 1, after)
        assert root.latest == _root(tx).latest == NOON + latest

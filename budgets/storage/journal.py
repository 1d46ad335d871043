"""The journal: entries are added to a ceiling's chain and read back, never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sqlalchemy import BigInteger, Connection, bindparam, func, insert, select, update

from budgets.account import Account, Amounts
from budgets.chain import GENESIS, Entry, Event, canonical, link
from budgets.storage import accounts
from budgets.storage.columns import Moment
from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import account, entry

_THIS = account.c.id == bindparam("root")
_HEAD = Prepared(select(account.c.head, account.c.length).where(_THIS))
_ADVANCE = Prepared(
    update(account)
    .where(_THIS, account.c.length == bindparam("before"))
    .values(head=bindparam("digest"), length=bindparam("after"), latest=bindparam("last"))
)
_COLUMNS = (
    *("dataset", "number", "event", "account", "charge"),
    *("rho", "delta", "epsilon", "note", "at", "hash"),
)
"""The columns of an entry, in the order of `_row`."""


@cache
def _enter(count: int) -> Prepared:
    """The statement that enters so many entries, given by `_row` one after another."""
    kinds = {name: BigInteger() if name == "at" else entry.c[name].type for name in _COLUMNS}
    rows = [
        {name: bindparam(f"{name}_{place}", type_=kind) for name, kind in kinds.items()}
        for place in range(count)
    ]
    placed = [f"{name}_{place}" for place in range(count) for name in _COLUMNS]
    return Prepared(insert(entry).values(rows).inline(), placed=placed)


_ENTRIES = Prepared(
    select(
        *(entry.c[name] for name in ("number", "event", "account", "charge")),
        *(entry.c[name] for name in ("rho", "delta", "epsilon", "note", "at", "hash")),
    )
    .where(
        entry.c.dataset == bindparam("of"),
        entry.c.number > bindparam("after"),
        entry.c.number <= bindparam("last"),
    )
    .order_by(entry.c.number)
    .limit(bindparam("most", type_=BigInteger))
)
_LAST = 2**63 - 1
BATCH = 2_000
"""How many entries are read at a time."""

Row = tuple[int, str, int, int | None, int, int, int, str, int, str]
"""Number, event, account, charge, rho, delta, epsilon, note, time and hash of an entry."""

_LONGEST = Prepared(select(func.max(entry.c.number)).where(entry.c.dataset == bindparam("of")))
_CHARGED = Prepared(
    select(entry.c.account, entry.c.rho, entry.c.delta, entry.c.epsilon)
    .where(entry.c.charge == bindparam("of"), entry.c.event == Event.RESERVE.value)
    .order_by(entry.c.number)
)


@dataclass(frozen=True, slots=True)
class Item:
    """What is about to be entered; the chain gives it its number."""

    event: Event
    account: Account
    amounts: Amounts = Amounts()
    charge: int | None = None
    note: Mapping[str, object] = field(default_factory=dict)


class Forked(Exception):
    """The chain is not where the caller's view of its root says; nothing was written."""


def append(tx: Connection, root: Account, items: Sequence[Item], at: datetime) -> Account:
    """Add entries at the end of the chain of a locked root; the root as it stands then."""
    after = enter(tx, root, items, at)
    ends = {"digest": after.head, "after": after.length, "last": after.latest}
    _ADVANCE.write(tx, {"root": root.id, "before": root.length} | ends, Forked())
    return after


def enter(tx: Connection, root: Account, items: Sequence[Item], at: datetime) -> Account:
    """Add entries as `append` does, but for the row of the root itself: the root as it is to stand.

    The caller posts to that row, and lets it advance by the same statement.
    """
    digest, moment = root.head or GENESIS, Moment.written(at)
    values: list[object] = []
    for number, item in enumerate(items, root.length + 1):
        made = _entry(item, number, moment)
        digest = link(digest, made)
        values += _row(made, item.account.id, digest)
    after = root.length + len(items)
    _enter(len(items)).run(tx, values)
    last = at if root.latest is None else max(at, root.latest)
    return root.advanced(digest, after, last)


def head(tx: Connection, root: int) -> tuple[str, int]:
    """The last hash of a chain, and how many entries it has. The caller has locked the root."""
    row = _HEAD.rows(tx, {"root": root})[0]
    return row.head, row.length


def entries(tx: Connection, dataset: str, after: int = 0) -> Iterator[tuple[Entry, str]]:
    """Every entry after number `after`, in order, each with its stored hash."""
    addresses = {one.id: one.address for one in accounts.of_dataset(tx, dataset)}
    seen: dict[tuple[int, int, int], Amounts] = {}
    for rows in batches(tx, dataset, after):
        for number, event, which, charge, rho, delta, epsilon, note, at, digest in rows:
            posted = (rho, delta, epsilon)
            if (amounts := seen.get(posted)) is None:
                amounts = seen[posted] = Amounts(*posted)
            address = addresses[which]
            yield Entry(dataset, number, event, address, charge, amounts, note, at), digest


def batches(tx: Connection, dataset: str, after: int = 0, last: int = _LAST) -> Iterator[list[Row]]:
    """The entries after number `after` and up to `last`, in order, some thousand at a time."""
    while rows := asked(tx, dataset, after, last).plain():
        yield rows
        after = rows[-1][0]


def asked(tx: Connection, dataset: str, after: int, last: int) -> Answer:
    """Ask for the entries after number `after` and up to `last`, in order: the first thousands."""
    return _ENTRIES.send(tx, {"of": dataset, "after": after, "last": last, "most": BATCH})


def longest(tx: Connection, dataset: str) -> int:
    """The largest number of an entry, 0 without one."""
    return _LONGEST.send(tx, {"of": dataset}).scalar() or 0


def ended(tx: Connection, dataset: str, number: int) -> tuple[str, int | None] | None:
    """The stored hash of one entry, and its charge, or None if there is no such entry."""
    which = (entry.c.dataset == dataset) & (entry.c.number == number)
    row = tx.execute(select(entry.c.hash, entry.c.charge).where(which)).first()
    return None if row is None else (row.hash, row.charge)


def charged_by(tx: Connection, charge: int) -> dict[int, Amounts]:
    """What a charge posted when it was reserved: the amounts by account."""
    return charged(tx, charge)()


def charged(tx: Connection, charge: int) -> Callable[[], dict[int, Amounts]]:
    """Ask what a charge posted when it was reserved; the amounts by account, later."""
    sent = _CHARGED.send(tx, {"of": charge})
    return lambda: {
        which: Amounts(rho, delta, epsilon) for which, rho, delta, epsilon in sent.plain()
    }


def _entry(item: Item, number: int, at: int) -> Entry:
    return Entry(
        dataset=item.account.dataset,
        number=number,
        event=item.event.value,
        account=item.account.address,
        charge=item.charge,
        amounts=item.amounts,
        note=canonical(dict(item.note)) if item.note else "{}",
        at=at,
    )


def _row(made: Entry, account_id: int, digest: str) -> tuple[object, ...]:
    dataset, number, event, _, charge, amounts, note, at = made
    posted = (amounts.rho, amounts.delta, amounts.epsilon)
    return (dataset, number, event, account_id, charge, *posted, note, at, digest)

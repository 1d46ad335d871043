"""The hash chain of a ceiling: each entry vouches for all entries before it.

The hash of an entry is SHA-256 over the hash before it, a newline and the entry's canonical JSON.
The head stands on the dataset's own account, the row that every charge locks anyway, so the chain
costs no further lock and cannot fork. Whoever keeps a head can tell whether anything before it was
edited, dropped or put in another order; who can write the database can write a whole new chain, so
heads are worth keeping elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from budgets.account import Amounts

GENESIS = "0" * 64
"""What the first entry of a chain follows."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


quoted: Callable[[str], str] = encode_basestring_ascii
"""A text as JSON, in ASCII."""


class Event(StrEnum):
    """What an entry records: capacity (`CAPACITY`), loss (`reserve`, `void`), or an act alone."""

    OPEN = "open"
    ALLOCATE = "allocate"
    RAISE = "raise"
    TRANSFER = "transfer"
    LIMIT = "limit"
    TERM = "term"
    RETURN = "return"
    EARMARK = "earmark"
    LIFT = "lift"
    OVERCOMMIT = "overcommit"
    RESERVE = "reserve"
    SETTLE = "settle"
    VOID = "void"
    FAULT = "fault"
    LOST = "lost"
    FORFEIT = "forfeit"
    REDEEM = "redeem"
    RESUME = "resume"
    DEFER = "defer"
    LAPSE = "lapse"
    FREEZE = "freeze"
    THAW = "thaw"


CAPACITY = frozenset(
    {Event.OPEN, Event.ALLOCATE, Event.RAISE, Event.TRANSFER, Event.LIMIT, Event.RETURN,
     Event.EARMARK, Event.LIFT}
)  # fmt: skip
"""Events whose amounts are added to an account's capacity; some take away."""


class Entry(NamedTuple):
    """One line of the ledger. `account` is (kind, owner, name); `at` informs, it orders nothing."""

    dataset: str
    number: int
    event: str
    account: tuple[str, str, str]
    charge: int | None
    amounts: Amounts
    note: str
    at: int

    def canonical(self) -> bytes:
        """The one text of this entry that is hashed: `canonical` of a mapping of its columns."""
        amounts = self.amounts
        words = text(
            listed(self.account), self.at, self.charge, quoted(self.dataset), amounts.delta,
            amounts.epsilon, quoted(self.event), self.note, self.number, amounts.rho,
        )  # fmt: skip
        return words.encode("ascii")


def text(
    account: str,
    at: int,
    charge: int | None,
    dataset: str,
    delta: int,
    epsilon: int,
    event: str,
    note: str,
    number: int,
    rho: int,
) -> str:
    """The canonical text of an entry of which account, dataset and event are JSON already.

    It is put together here, since verifying a long chain does little else.
    """
    paid = "null" if charge is None else charge
    return (
        f'{{"account":{account},"at":{at},"charge":{paid},"dataset":{dataset},"delta":{delta},'
        f'"epsilon":{epsilon},"event":{event},"note":{quoted(note)},"number":{number},"rho":{rho}}}'
    )


@lru_cache(maxsize=10_000)
def listed(account: tuple[str, str, str]) -> str:
    """Kind, owner and name of an account as JSON."""
    return canonical(list(account))


def canonical(value: object) -> str:
    """JSON with sorted keys, no blanks, ASCII only: one text for one value."""
    return _ENCODER.encode(value)


def settlement(query: str, document: str, stages: Mapping[str, str]) -> str:
    """The note of a settlement, of hashes and a query's id: `canonical` of what it maps."""
    listed = ",".join(f"{quoted(name)}:{quoted(stages[name])}" for name in sorted(stages))
    return f'{{"document":{quoted(document)},"query":{quoted(query)},"stages":{{{listed}}}}}'


def link(previous: str, entry: Entry) -> str:
    """The hash of an entry that follows `previous`."""
    return hashlib.sha256(previous.encode("ascii") + b"\n" + entry.canonical()).hexdigest()


def first_break(entries: Iterable[tuple[Entry, str]], head: str, length: int) -> int | None:
    """The number of the first entry that does not follow from those before it, or None.

    A chain that ends before `length`, or elsewhere than in `head`, breaks after its last entry.
    """
    broken, last, expected = unbroken(entries, GENESIS, 1)
    return None if not broken and (last, expected - 1) == (head, length) else expected


def unbroken(
    entries: Iterable[tuple[Entry, str]], previous: str, expected: int
) -> tuple[bool, str, int]:
    """How far entries follow `previous`, the first of them numbered `expected`.

    Whether one does not; the hash of the last that does; the number after it.
    """
    for entry, stored in entries:
        if entry.number != expected or link(previous, entry) != stored:
            return True, previous, expected
        previous, expected = stored, expected + 1
    return False, previous, expected

"""One reading of a part of a chain: whether it holds, what it comes to, what it released.

An entry follows from the hash before it, which is stored: so whether entries 501 to 1,000 follow
from one another and from the 500th can be told without having read the first 500, and whether what
they settled is what is stored. What they come to is told as few entries that say the same: between
two acts of any other kind, charges that were reserved and settled are added up by account.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, select

from budgets import drawn
from budgets.account import Amounts
from budgets.chain import GENESIS, Entry, Event, listed, quoted, text
from budgets.storage import accounts, journal
from budgets.storage.prepared import Prepared
from budgets.storage.schema import charge, entry, query, release, stage

Note = Mapping[str, Any]
_RESERVE, _SETTLE, _RESUME = Event.RESERVE.value, Event.SETTLE.value, Event.RESUME.value
_SETTLED = (
    entry.c.dataset == bindparam("of"),
    entry.c.event == _SETTLE,
    entry.c.number > bindparam("after", type_=BigInteger),
    entry.c.number <= bindparam("last", type_=BigInteger),
)
_RELEASES = Prepared(
    select(entry.c.number, query.c.id, release.c.document)
    .select_from(entry)
    .join(charge, charge.c.id == entry.c.charge)
    .join(query, query.c.number == charge.c.query)
    .join(release, release.c.query == query.c.number)
    .where(*_SETTLED)
)
_STAGES = Prepared(
    select(entry.c.number, stage.c.digest, stage.c.document)
    .select_from(entry)
    .join(stage, stage.c.charge == entry.c.charge)
    .where(stage.c.document.is_not(None), *_SETTLED)
)
_DREW = Prepared(
    select(entry.c.number, stage.c.digest, stage.c.mechanisms)
    .select_from(entry)
    .join(stage, stage.c.charge == entry.c.charge)
    .where(
        entry.c.dataset == bindparam("of"),
        (entry.c.event == _RESERVE) | (entry.c.event == _RESUME),
        entry.c.note != "{}",
        entry.c.number > bindparam("after", type_=BigInteger),
        entry.c.number <= bindparam("last", type_=BigInteger),
    )
)
_LATER = Prepared(
    select(entry.c.number).where(
        entry.c.charge == bindparam("paid"),
        entry.c.event == _RESUME,
        entry.c.number > bindparam("after", type_=BigInteger),
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a part of a chain says.

    `broken_at` is its first entry that does not follow from those before it; nothing after it was
    read. `head` is the hash of the last entry that was, `entries` how many were. `told` says in
    few entries what they come to. `releases` and `tables` count what was settled and is stored;
    `wrong` names what is not.
    """

    broken_at: int | None
    head: str
    entries: int
    told: tuple[Entry, ...]
    releases: int
    tables: int
    wrong: tuple[str, ...]


def read(tx: Connection, dataset: str, after: int, last: int) -> Found:
    """Read the entries of a dataset after number `after`, up to `last`."""
    before = journal.ended(tx, dataset, after) if after else (GENESIS, None)
    if before is None:
        return Found(after, "", 0, (), 0, 0, ())
    reading = _Reading(tx, dataset, after, *before)
    for rows in journal.batches(tx, dataset, after, last):
        if not reading.follows(rows):
            break
    return reading.found(last)


class _Reading:
    """Entries of one dataset as they are read in order."""

    def __init__(
        self, tx: Connection, dataset: str, after: int, previous: str, split: int | None
    ) -> None:
        self._tx, self._dataset = tx, dataset
        self._began, self._expected, self._previous = after, after + 1, previous
        addresses = {one.id: one.address for one in accounts.of_dataset(tx, dataset)}
        self._listed = {which: listed(address) for which, address in addresses.items()}
        self._sum = _Sum(dataset, addresses, split)
        self._releases = self._tables = 0
        self._wrong: list[str] = []

    def follows(self, rows: Sequence[journal.Row]) -> bool:
        """Whether these entries follow from those before; as far as they do, they are read."""
        first = self._expected
        following = rows[: self._linked(rows)]
        settled: dict[int, tuple[Any, Note]] = {}
        told: dict[int, tuple[Any, str]] = {}
        for row in following:
            self._sum.read(row)
            if row[1] == _SETTLE:
                settled[row[0]] = row[3], json.loads(row[7])
            elif (digest := drawn.told(row[7])) is not None:
                told[row[0]] = row[3], digest
        if settled:
            self._compare(first - 1, settled)
        if told:
            self._drew(first - 1, told)
        return len(following) == len(rows)

    def found(self, last: int) -> Found:
        """What was found, if the entries were to go on to `last`."""
        read = self._expected - 1
        return Found(
            None if read == last else self._expected,
            self._previous,
            read - self._began,
            tuple(self._sum.told()),
            self._releases,
            self._tables,
            tuple(self._wrong),
        )

    def _linked(self, rows: Sequence[journal.Row]) -> int:
        """How many entries follow, each from the one before it."""
        previous, expected, dataset = self._previous, self._expected, quoted(self._dataset)
        for number, event, which, paid, rho, delta, epsilon, note, at, stored in rows:
            account = self._listed.get(which)
            if number != expected or account is None:
                break
            words = text(
                account, at, paid, dataset, delta, epsilon, quoted(event), note, number, rho
            )
            digest = hashlib.sha256(previous.encode("ascii") + b"\n" + words).hexdigest()
            if digest != stored:
                break
            previous, expected = digest, number + 1
        linked = expected - self._expected
        self._previous, self._expected = previous, expected
        return linked

    def _compare(self, after: int, settled: Mapping[int, tuple[Any, Note]]) -> None:
        """Whether what these entries settled is what is stored, to the byte."""
        where = {"of": self._dataset, "after": after, "last": self._expected - 1}
        stored = {
            number: (name, hashlib.sha256(document).hexdigest())
            for number, name, document in _RELEASES.send(self._tx, where).plain()
        }
        tables: dict[int, dict[str, str]] = {number: {} for number in settled}
        for number, digest, table in _STAGES.send(self._tx, where).plain():
            tables[number][digest] = hashlib.sha256(table).hexdigest()
        for number, (paid, note) in settled.items():
            if "document" not in note:
                continue
            self._releases += number in stored
            self._tables += len(tables[number])
            if stored.get(number) != (note["query"], note["document"]):
                name = f"The release of query {note['query']}"
                self._wrong.append(f"{name} is not the one that was settled.")
            if tables[number] != note["stages"]:
                self._wrong.append(
                    f"A stored stage of charge {paid} is not the one that was settled."
                )

    def _drew(self, after: int, told: Mapping[int, tuple[Any, str]]) -> None:
        """Whether what these entries say was drawn is what is stored, unless it was told anew."""
        where = {"of": self._dataset, "after": after, "last": self._expected - 1}
        stored: dict[int, list[tuple[str, str]]] = {number: [] for number in told}
        for number, digest, mechanisms in _DREW.send(self._tx, where).plain():
            if number in stored:
                stored[number].append((digest, mechanisms))
        for number, (paid, digest) in told.items():
            if digest == drawn.digest(stored[number]):
                continue
            if not _LATER.send(self._tx, {"paid": paid, "after": number}).plain():
                self._wrong.append(f"What charge {paid} drew is not what was charged.")


class _Sum:
    """Entries told shorter: charges reserved and settled between two other acts, as one.

    `split` is the charge of the entry before the first one: part of it may stand there.
    """

    def __init__(
        self, dataset: str, addresses: Mapping[int, tuple[str, str, str]], split: int | None
    ) -> None:
        self._dataset, self._addresses, self._split = dataset, addresses, split
        self._told: list[Entry] = []
        self._open: dict[int | None, list[tuple[journal.Row, int]]] = {}
        self._settled: dict[int, list[int]] = {}
        self._charge: int | None = None
        self._latest = self._number = 0

    def read(self, row: journal.Row) -> None:
        """The entry after those that were read before."""
        number, event, _, paid, _, _, _, _, at, _ = row
        self._number = number
        if at > self._latest:
            self._latest = at
        if event == _RESERVE and paid != self._split:
            self._open.setdefault(paid, []).append((row, self._latest))
        elif event == _SETTLE and paid in self._open:
            self._settle(paid)
        else:
            self._flush()
            self._tell(row)

    def told(self) -> list[Entry]:
        """All that was read, told shorter."""
        self._flush()
        return self._told

    def _settle(self, paid: int | None) -> None:
        for (number, _, which, _, rho, delta, epsilon, _, _, _), at in self._open.pop(paid):
            of = self._settled.setdefault(which, [0, 0, 0, 0, 0])
            of[0] += rho
            of[1] += delta
            of[2] += epsilon
            if number > of[3]:
                of[3:] = number, at
        self._charge = paid

    def _flush(self) -> None:
        """Tell what was reserved so far, by the last of each account, in order."""
        sums = [
            (number, _RESERVE, which, self._charge, rho, delta, epsilon, "{}", at, "")
            for which, (rho, delta, epsilon, number, at) in self._settled.items()
        ]
        standing = [(*row[:8], at, "") for rows in self._open.values() for row, at in rows]
        for row in sorted([*sums, *standing]):
            self._tell(row)
        if sums:
            ended = (self._number, _SETTLE, sums[0][2], self._charge, 0, 0, 0, "{}")
            self._tell((*ended, self._latest, ""))
        self._settled, self._open = {}, {}

    def _tell(self, row: journal.Row) -> None:
        number, event, which, paid, rho, delta, epsilon, note, at, _ = row
        amounts, account = Amounts(rho, delta, epsilon), self._addresses[which]
        self._told.append(Entry(self._dataset, number, event, account, paid, amounts, note, at))


def written(found: Found) -> str:
    """What was found as text, for another process."""
    told = [
        [*one[:5], [one.amounts.rho, one.amounts.delta, one.amounts.epsilon], *one[6:]]
        for one in found.told
    ]
    return json.dumps(
        [found.broken_at, found.head, found.entries, told, found.releases, found.tables,
         found.wrong]
    )  # fmt: skip


def understood(words: str) -> Found:
    """What another process has found."""
    broken, head, entries, told, releases, tables, wrong = json.loads(words)
    shorter = tuple(
        Entry(dataset, number, event, tuple(account), paid, Amounts(*amounts), note, at)
        for dataset, number, event, account, paid, amounts, note, at in told
    )
    return Found(broken, head, entries, shorter, releases, tables, tuple(wrong))

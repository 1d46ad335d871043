"""One reading of a part of a chain: whether it holds, what it comes to, what it released.

An entry follows from the hash before it, which is stored: so whether entries 501 to 1,000 follow
from one another and from the 500th can be told without having read the first 500, and whether what
they settled is what is stored. What they come to is told as few entries that say the same
(`summing.py`). Each table is read in the order of the chain, and what comes next is looked up by
the database while this process compares what came before.
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
from budgets.chain import GENESIS, Entry, Event, listed, quoted, settlement, text
from budgets.storage import accounts, journal, released
from budgets.storage.prepared import Prepared, answered, depart
from budgets.storage.schema import entry
from budgets.summing import Sum

_SETTLE, _RESUME = Event.SETTLE.value, Event.RESUME.value
_QUOTED = {one.value: quoted(one.value) for one in Event}
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
    with answered(tx):
        asked = journal.asked(tx, dataset, after, last)
        while rows := asked.plain():
            said = _Said(tx, rows)
            asked = journal.asked(tx, dataset, rows[-1][0], last)
            depart(tx)  # what comes next is looked up while these are read
            if not reading.follows(rows, said):
                break
    return reading.found(last)


class _Said:
    """What some entries say that was settled and drawn, and what is stored of it, asked for.

    `settled` are the notes of settlements, `drew` digests of draws, each with its charge, by entry.
    """

    def __init__(self, tx: Connection, rows: Sequence[journal.Row]) -> None:
        self.settled: dict[int, tuple[int | None, str]] = {}
        self.drew: dict[int, tuple[int | None, str]] = {}
        for number, event, _, paid, _, _, _, note, _, _ in rows:
            if event == _SETTLE:
                self.settled[number] = paid, note
            elif note != "{}" and (digest := drawn.told(note)) is not None:
                self.drew[number] = paid, digest
        settling, drawing = _charges(self.settled), _charges(self.drew)
        self._releases = released.releases(tx, settling)
        self._tables = released.tables(tx, settling)
        self._draws = released.draws(tx, drawing)

    def releases(self) -> Mapping[int, tuple[str, str]]:
        """By charge, the query that it released and the hash of its document."""
        return {
            paid: (query, hashlib.sha256(document).hexdigest())
            for paid, query, document in self._releases.plain()
        }

    def tables(self) -> Mapping[int, Mapping[str, str]]:
        """By charge, the hashes of the tables that it stored, by stage."""
        found: dict[int, dict[str, str]] = {}
        for paid, digest, table in self._tables.plain():
            found.setdefault(paid, {})[digest] = hashlib.sha256(table).hexdigest()
        return found

    def draws(self) -> Mapping[int, Sequence[tuple[str, str]]]:
        """By charge, its stages, each with the text of what it drew."""
        found: dict[int, list[tuple[str, str]]] = {}
        for paid, digest, mechanisms in self._draws.plain():
            found.setdefault(paid, []).append((digest, mechanisms))
        return found


def _charges(said: Mapping[int, tuple[int | None, str]]) -> Sequence[int]:
    return [paid for paid, _ in said.values() if paid is not None]


class _Reading:
    """Entries of one dataset as they are read in order."""

    def __init__(
        self, tx: Connection, dataset: str, after: int, previous: str, split: int | None
    ) -> None:
        self._tx, self._dataset = tx, dataset
        self._began, self._expected, self._previous = after, after + 1, previous
        addresses = {one.id: one.address for one in accounts.of_dataset(tx, dataset)}
        self._listed = {which: listed(address) for which, address in addresses.items()}
        self._sum = Sum(dataset, addresses, split)
        self._releases = self._tables = 0
        self._wrong: list[str] = []

    def follows(self, rows: Sequence[journal.Row], said: _Said) -> bool:
        """Whether these entries follow from those before; as far as they do, they are read."""
        following = rows[: self._linked(rows)]
        for row in following:
            self._sum.read(row)
        self._compare(said)
        self._drew(said)
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
            what = _QUOTED.get(event) or quoted(event)
            words = text(account, at, paid, dataset, delta, epsilon, what, note, number, rho)
            digest = hashlib.sha256(f"{previous}\n{words}".encode("ascii")).hexdigest()
            if digest != stored:
                break
            previous, expected = digest, number + 1
        found = expected - self._expected
        self._previous, self._expected = previous, expected
        return found

    def _compare(self, said: _Said) -> None:
        """Whether what these entries settled is what is stored, to the byte."""
        stored, tables = said.releases(), said.tables()
        for number, (paid, note) in said.settled.items():
            if number >= self._expected:
                break
            query, hashed = stored.get(paid or 0, (None, None))
            kept = tables.get(paid or 0, {})
            if paid and query and hashed and note == settlement(query, hashed, kept):
                self._releases += 1
                self._tables += len(kept)
            else:
                self._differs(paid, json.loads(note), (query, hashed), kept)

    def _differs(
        self,
        paid: int | None,
        note: Mapping[str, Any],
        stored: tuple[str | None, str | None],
        kept: Mapping[str, str],
    ) -> None:
        """Say in what a settlement is not what is stored; others may say more of themselves."""
        if "document" not in note:
            return
        self._releases += stored[0] is not None
        self._tables += len(kept)
        if stored != (note["query"], note["document"]):
            name = f"The release of query {note['query']}"
            self._wrong.append(f"{name} is not the one that was settled.")
        if kept != note["stages"]:
            self._wrong.append(f"A stored stage of charge {paid} is not the one that was settled.")

    def _drew(self, said: _Said) -> None:
        """Whether what these entries say was drawn is what is stored, unless it was told anew."""
        stored = said.draws()
        for number, (paid, digest) in said.drew.items():
            if number >= self._expected:
                break
            if digest == drawn.digest(stored.get(paid or 0, ())):
                continue
            if not _LATER.send(self._tx, {"paid": paid, "after": number}).plain():
                self._wrong.append(f"What charge {paid} drew is not what was charged.")


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

"""What the ledger tells: budgets as they stand, and whether the ledger agrees with itself."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, select

from budgets import verifying
from budgets.account import Account, Amounts, Kind, weight
from budgets.chain import CAPACITY, GENESIS, Entry, Event, first_break
from budgets.opening import ceiling_of, granted
from budgets.standing import BudgetStatus, status
from budgets.storage import Place, accounts, journal
from budgets.storage.columns import Moment
from budgets.storage.prepared import Prepared
from budgets.storage.schema import project, query, release, stage

_MOST = bindparam("most", type_=BigInteger)
_RELEASES = Prepared(
    select(query.c.number, query.c.id, release.c.document)
    .join(release, release.c.query == query.c.number)
    .join(project, project.c.name == query.c.project)
    .where(project.c.dataset == bindparam("of"), query.c.number > bindparam("after"))
    .order_by(query.c.number)
    .limit(_MOST)
)
_STAGES = Prepared(
    select(stage.c.id, stage.c.charge, stage.c.digest, stage.c.document)
    .join(project, project.c.name == stage.c.project)
    .where(
        project.c.dataset == bindparam("of"),
        stage.c.document.is_not(None),
        stage.c.id > bindparam("after"),
    )
    .order_by(stage.c.id)
    .limit(_MOST)
)


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a ceiling's ledger agrees with itself.

    `broken_at` is the first entry that does not follow from those before it: nothing after it was
    read. `disagreements` are sentences about accounts and releases that say something else than
    an unbroken chain does.
    """

    dataset: str
    entries: int
    head: str
    broken_at: int | None
    disagreements: tuple[str, ...]

    @property
    def intact(self) -> bool:
        return self.broken_at is None and not self.disagreements


def blocks(tx: Connection, dataset: str) -> tuple[BudgetStatus, ...]:
    """The ceilings of a dataset's blocks as they stand, by name."""
    return tuple(map(status, accounts.blocks(tx, ceiling_of(tx, dataset).dataset)))


def verify(
    tx: Connection, root: Account, head: str, length: int, place: Place | None = None
) -> Verification:
    """Recompute the chain, every account's figures, and the hash of everything released.

    `place` is where other processes find the same, committed, to read parts of a long chain.
    """
    told = _Told()
    if place is None or length < verifying.LONG:
        broken = first_break(told.reading(journal.entries(tx, root.dataset)), head, length)
    else:
        with verifying.parts(place, root.dataset, length) as parts:
            last = told.all(journal.entries(tx, root.dataset))
            found = [part.first_break() for part in parts]
        breaks = [number for number in found if number is not None]
        if (last, told.entries) != (head, length):
            breaks.append(told.entries + 1)
        broken = min(breaks, default=None)
    if broken is not None:
        return Verification(root.dataset, told.entries, head, broken, ())
    disagreements = (
        *told.wrong,
        *_about_accounts(accounts.of_dataset(tx, root.dataset), told),
        *_about_releases(tx, root.dataset, told),
        *_about_stages(tx, root.dataset, told),
    )
    return Verification(root.dataset, told.entries, head, None, disagreements)


class _Told:
    """What the entries of a chain, read in order, say of accounts and releases."""

    def __init__(self) -> None:
        self.entries = 0
        self.overcommit = 100
        self.latest = 0
        self.ends: dict[tuple[str, str, str], int] = {}
        self.grants: dict[tuple[str, str, str], dict[str, object]] = {}
        self.less: set[tuple[str, str, str]] = set()
        self.wrong: list[str] = []
        self.cap: dict[tuple[str, str, str], Amounts] = defaultdict(Amounts)
        self.taken: dict[tuple[str, str, str], Amounts] = defaultdict(Amounts)
        self.open: dict[int, dict[tuple[str, str, str], Amounts]] = defaultdict(dict)
        self.failed: dict[int, dict[tuple[str, str, str], Amounts]] = {}
        self.documents: dict[str, str] = {}
        self.stages: dict[tuple[int, str], str] = {}

    def reading(self, chain: Iterator[tuple[Entry, str]]) -> Iterator[tuple[Entry, str]]:
        """The same entries, each remembered as it passes."""
        for entry, digest in chain:
            self.entries += 1
            yield entry, digest
            self._read(entry)

    def all(self, chain: Iterator[tuple[Entry, str]]) -> str:
        """Read all entries, or as many as can be read at all; the hash of the last."""
        digest = GENESIS
        with suppress(ValueError, KeyError, TypeError):
            for _, stored in self.reading(chain):
                digest = stored
            return digest
        return ""

    def _read(self, entry: Entry) -> None:
        self.latest = max(self.latest, entry.at)
        match entry.event:
            case Event.RESERVE:
                if self._ended(entry.account):
                    self.wrong.append(f"Charge {entry.charge} was made after its allocation's end.")
                self.taken[entry.account] += entry.amounts
                self.open[entry.charge or 0][entry.account] = entry.amounts
            case event if event in CAPACITY:
                self.cap[entry.account] += entry.amounts
                self._changed(entry)
            case Event.TERM:
                self._changed(entry)
            case Event.OVERCOMMIT:
                self.overcommit = json.loads(entry.note)["per_cent"]
            case Event.FORFEIT:
                self.taken[entry.account] += entry.amounts
            case Event.VOID:
                self.taken[entry.account] += entry.amounts
                self.open[entry.charge or 0].pop(entry.account, None)
            case Event.SETTLE:
                self.open.pop(entry.charge or 0, None)
                self._released(entry)
            case Event.FAULT | Event.LOST | Event.DEFER:
                self.failed[entry.charge or 0] = self.open.pop(entry.charge or 0, {})
            case Event.RESUME:
                self.open[entry.charge or 0] = self.failed.pop(entry.charge or 0, {})

    def _changed(self, entry: Entry) -> None:
        """A grant or an end is set, or what is returned is all that was free at the end."""
        if entry.event == Event.RETURN:
            self.less.add(entry.account)
            free = self.cap[entry.account] - self.taken[entry.account]
            if not self._ended(self._project(entry)) or free != Amounts():
                self.wrong.append(f"Entry {entry.number} returns what had not ended.")
            return
        note = json.loads(entry.note)
        if "delta" in note:
            self.grants[entry.account] = {part: note[part] for part in ("delta", "epsilon")}
            self.less.discard(entry.account)
        if "until" in note:
            self.ends.pop(entry.account, None)
            if note["until"] is not None:
                self.ends[entry.account] = Moment.written(datetime.fromisoformat(note["until"]))

    def _ended(self, account: tuple[str, str, str]) -> bool:
        return account in self.ends and self.ends[account] <= self.latest

    def _project(self, entry: Entry) -> tuple[str, str, str]:
        """The account whose end is that of the account of an entry."""
        kind, owner, _ = entry.account
        if kind == Kind.EARMARK:
            return (Kind.PROJECT.value, entry.dataset, owner)
        return entry.account

    def _released(self, entry: Entry) -> None:
        note = json.loads(entry.note)
        if "document" in note:
            self.documents[note["query"]] = note["document"]
            for digest, table in note["stages"].items():
                self.stages[entry.charge or 0, digest] = table

    def reserved(self, account: tuple[str, str, str]) -> Amounts:
        held = (charge[account] for charge in self.open.values() if account in charge)
        return sum(held, start=Amounts())


def _about_accounts(standing: Sequence[Account], told: _Told) -> list[str]:
    wrong = []
    for account in standing:
        reserved = told.reserved(account.address)
        figures = (account.cap, account.reserved, account.spent)
        if figures != (
            told.cap[account.address],
            reserved,
            told.taken[account.address] - reserved,
        ):
            wrong.append(
                f"The {account.kind.value} account {account.name} differs from its entries."
            )
        if account.allocated != _promised(account, standing):
            wrong.append(
                f"The {account.kind.value} account {account.name} has promised something else."
            )
        if account.kind is Kind.DATASET and account.overcommit != told.overcommit:
            wrong.append(f"The dataset account {account.name} may not promise so much.")
        if account.kind is Kind.DATASET and _moment(account.latest) != told.latest:
            wrong.append(f"The dataset account {account.name} has another time than its entries.")
        if _moment(account.expires) != told.ends.get(account.address, 0):
            wrong.append(f"The {account.kind.value} account {account.name} ends at another time.")
        if not _as_granted(account, told):
            wrong.append(f"The {account.kind.value} account {account.name} exceeds its grant.")
    return wrong


def _promised(account: Account, standing: Sequence[Account]) -> Amounts:
    """What an account has set aside for those below it, as they stand."""
    if account.kind is Kind.DATASET:
        projects = [one for one in standing if one.kind is Kind.PROJECT]
        found = [weight(one.cap, one.accountant, account.accountant) for one in projects]
    elif account.kind is Kind.PROJECT:
        earmarks = [one for one in standing if one.kind is Kind.EARMARK]
        found = [one.remaining for one in earmarks if one.parent == account.id]
    else:
        found = []
    return sum(found, start=Amounts())


def _as_granted(account: Account, told: _Told) -> bool:
    """Whether an account has what it was granted, or less where a part is kept or was returned."""
    if told.grants.get(account.address) != granted(account.grant):
        return False
    if account.kind is Kind.EARMARK or account.address in told.less:
        return account.cap.within(account.grant.capacity)
    return account.cap == account.grant.capacity


def _moment(time: datetime | None) -> int:
    return 0 if time is None else Moment.written(time)


def _about_releases(tx: Connection, dataset: str, told: _Told) -> list[str]:
    settled, wrong = dict(told.documents), set()
    for _, name, document in _read(tx, _RELEASES, dataset):
        if settled.pop(name, None) != hashlib.sha256(document).hexdigest():
            wrong.add(name)
    return [
        f"The release of query {name} is not the one that was settled."
        for name in sorted(wrong | settled.keys())
    ]


def _about_stages(tx: Connection, dataset: str, told: _Told) -> list[str]:
    settled, wrong = dict(told.stages), set()
    for _, charge, digest, table in _read(tx, _STAGES, dataset):
        if settled.pop((charge, digest), None) != hashlib.sha256(table).hexdigest():
            wrong.add((charge, digest))
    return [
        f"A stored stage of charge {charge} is not the one that was settled."
        for charge, _ in sorted(wrong | settled.keys())
    ]


def _read(tx: Connection, statement: Prepared, dataset: str) -> Iterator[Sequence[Any]]:
    """All rows in the order of their first column, a few at a time: they may be large."""
    after = 0
    while rows := statement.send(tx, {"of": dataset, "after": after, "most": 500}).plain():
        yield from rows
        after = rows[-1][0]

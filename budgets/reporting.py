"""What the ledger tells: budgets as they stand, and whether the ledger agrees with itself."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from sqlalchemy import Connection, bindparam, func, select

from budgets import reading, verifying
from budgets.account import Account, Amounts, Kind, weight
from budgets.chain import CAPACITY, Entry, Event
from budgets.ends import Ends
from budgets.opening import ceiling_of, granted
from budgets.reading import Found
from budgets.standing import BudgetStatus, status
from budgets.storage import Place, accounts, journal
from budgets.storage.columns import Moment
from budgets.storage.schema import charge, entry, project, query, release, stage

_SETTLED = (
    select(entry.c.number)
    .where(entry.c.dataset == bindparam("of"), entry.c.event == Event.SETTLE.value)
    .correlate(query, stage)
)
_RELEASES = (
    select(func.count())
    .select_from(release)
    .join(query, query.c.number == release.c.query)
    .join(project, project.c.name == query.c.project)
    .where(project.c.dataset == bindparam("of"))
)
_STAGES = (
    select(func.count())
    .select_from(stage)
    .join(project, project.c.name == stage.c.project)
    .where(project.c.dataset == bindparam("of"), stage.c.document.is_not(None))
)
_NO_RELEASE = _RELEASES.with_only_columns(query.c.id).where(
    ~_SETTLED.join(charge, charge.c.id == entry.c.charge)
    .where(charge.c.query == query.c.number)
    .exists()
)
_NO_STAGE = _STAGES.with_only_columns(stage.c.charge).where(
    ~_SETTLED.where(entry.c.charge == stage.c.charge).exists()
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
    last = journal.longest(tx, root.dataset)
    if place is None or last < verifying.LONG:
        found, stored = [reading.read(tx, root.dataset, 0, last)], _stored(tx, root.dataset)
    else:
        with verifying.parts(place, root.dataset, last) as parts:
            stored = _stored(tx, root.dataset)
            found = [part.found(lambda: tx.execute(select(1))) for part in parts]
    broken = min((one.broken_at for one in found if one.broken_at is not None), default=None)
    if broken is None and (found[-1].head, last) != (head, length):
        broken = last + 1
    if broken is not None:
        return Verification(root.dataset, sum(one.entries for one in found), head, broken, ())
    told = _Told(entry for one in found for entry in one.told)
    disagreements = (
        *told.wrong,
        *_about_accounts(accounts.of_dataset(tx, root.dataset), told),
        *chain.from_iterable(one.wrong for one in found),
        *_never_settled(tx, root.dataset, found, stored),
    )
    return Verification(root.dataset, last, head, None, disagreements)


class _Told:
    """What the entries of a chain, in order, say of accounts."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.overcommit = 100
        self.ends = Ends()
        self.grants: dict[tuple[str, str, str], dict[str, object]] = {}
        self.less: set[tuple[str, str, str]] = set()
        self.wrong: list[str] = []
        self.cap: dict[tuple[str, str, str], Amounts] = defaultdict(Amounts)
        self.taken: dict[tuple[str, str, str], Amounts] = defaultdict(Amounts)
        self.open: dict[int, dict[tuple[str, str, str], Amounts]] = defaultdict(dict)
        self.failed: dict[int, dict[tuple[str, str, str], Amounts]] = {}
        for one in entries:
            self._read(one)

    def _read(self, entry: Entry) -> None:
        self.ends.passes(entry.at)
        match entry.event:
            case Event.RESERVE:
                if self.ends.over(entry.account):
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
            case Event.FAULT | Event.LOST | Event.DEFER:
                self.failed[entry.charge or 0] = self.open.pop(entry.charge or 0, {})
            case Event.RESUME:
                self.open[entry.charge or 0] = self.failed.pop(entry.charge or 0, {})

    def _changed(self, entry: Entry) -> None:
        """A grant or an end is set, or what is returned is all that was free at the end."""
        if entry.event == Event.RETURN:
            self.less.add(entry.account)
            free = self.cap[entry.account] - self.taken[entry.account]
            if not self.ends.returnable(entry.dataset, entry.account, free):
                self.wrong.append(f"Entry {entry.number} returns what had not ended.")
            return
        note = json.loads(entry.note)
        if "delta" in note:
            self.grants[entry.account] = {part: note[part] for part in ("delta", "epsilon")}
            self.less.discard(entry.account)
        self.ends.note(entry.account, note)

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
        if account.kind is Kind.DATASET and _moment(account.latest) != told.ends.latest:
            wrong.append(f"The dataset account {account.name} has another time than its entries.")
        if _moment(account.expires) != told.ends.of.get(account.address, 0):
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


def _stored(tx: Connection, dataset: str) -> tuple[int, int]:
    """How many releases and how many tables of stages are stored."""
    of = {"of": dataset}
    return tx.execute(_RELEASES, of).scalar_one(), tx.execute(_STAGES, of).scalar_one()


def _never_settled(
    tx: Connection, dataset: str, found: Sequence[Found], stored: tuple[int, int]
) -> list[str]:
    """What is stored beside what was settled, which is all there is if there is as much."""
    wrong = []
    if stored[0] != sum(one.releases for one in found):
        wrong.append("There are not as many releases as were settled.")
        for name in tx.execute(_NO_RELEASE, {"of": dataset}).scalars():
            wrong.append(f"The release of query {name} is not the one that was settled.")
    if stored[1] != sum(one.tables for one in found):
        wrong.append("There are not as many stored stages as were settled.")
        for which in tx.execute(_NO_STAGE, {"of": dataset}).scalars():
            wrong.append(f"A stored stage of charge {which} is not the one that was settled.")
    return wrong

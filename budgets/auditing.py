"""All chains of one database as an auditor takes them: their heads, and every line of each.

A ceiling's chain is called `dataset:NAME`, the record of acts `record`. The text of a question is
not in a chain: its hash is, so that it can be shown to some and left out for others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, Connection, select, type_coerce

from budgets.chain import GENESIS, Entry
from budgets.record import Line
from budgets.storage import accounts, acts, journal
from budgets.storage.schema import act, entry, query, stage

RECORD = "record"
OF_DATASET = "dataset:"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: how many entries it has, and the hash of the last."""

    length: int
    head: str


def heads(tx: Connection) -> Mapping[str, Head]:
    """The end of every chain, at one moment."""
    found = {RECORD: Head(*acts.last(tx))}
    for root in accounts.roots(tx):
        head, length = journal.head(tx, root.id)
        found[OF_DATASET + root.dataset] = Head(length, head)
    return found


def holds(tx: Connection, chain: str, head: Head) -> bool:
    """Whether a chain has, at that length, that hash."""
    if head.length == 0:
        return head.head == GENESIS
    if chain == RECORD:
        wanted = select(act.c.hash).where(act.c.number == head.length)
    else:
        of = entry.c.dataset == chain.removeprefix(OF_DATASET)
        wanted = select(entry.c.hash).where(of, entry.c.number == head.length)
    return bool(tx.execute(wanted).scalar() == head.head)


def entries(tx: Connection, chain: str, after: int = 0) -> Iterator[tuple[Entry | Line, str]]:
    """Every entry of a chain after number `after`, in order, with its stored hash."""
    if chain == RECORD:
        yield from acts.lines(tx, after)
    else:
        yield from journal.entries(tx, chain.removeprefix(OF_DATASET), after)


def questions(tx: Connection) -> Iterator[Mapping[str, Any]]:
    """Every question that was accepted, in order, with the bytes that its hash is of."""
    wanted = select(
        query.c.id, query.c.project, query.c.member, query.c.digest, query.c.request,
        type_coerce(query.c.created, BigInteger).label("at"),
    ).order_by(query.c.number)  # fmt: skip
    for row in tx.execution_options(yield_per=500).execute(wanted).mappings():
        yield dict(row)


def draws(tx: Connection) -> Iterator[tuple[int, list[tuple[str, int, str]]]]:
    """Of every charge, in order, its stages: each with its delta and the text of what it drew."""
    wanted = select(stage.c.charge, stage.c.digest, stage.c.delta, stage.c.mechanisms)
    rows = tx.execution_options(yield_per=500).execute(wanted.order_by(stage.c.charge, stage.c.id))
    for charge, found in groupby(rows, lambda row: int(row.charge)):
        yield charge, [(one.digest, one.delta, one.mechanisms) for one in found]

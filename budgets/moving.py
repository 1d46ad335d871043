"""Moving a ledger from a file to a server, in one act that proves that nothing was lost.

The source is sealed first: from then on nothing can be charged in it, whoever has it open. Then one
transaction of the target takes every row, compares every table by number and hash, and recomputes
every chain and account from what the target holds. It commits only if all of it agrees. A failure
before that opens the source again; a crash leaves it sealed, and the same command carries on.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       at no moment can both databases be charged, and no charge is left behind (P17).
    Requires    the operator starts gateways on the target only once the command has said so.
    Why         the seal is durable before the first row is read, and made of triggers that hold for
                connections that were open before; it is taken off only when the target's
                transaction has certainly been rolled back.
    Tried by    tests/budgets/test_moving.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from budgets.account import Kind
from budgets.reporting import verify
from budgets.storage import accounts, journal, rows
from budgets.storage.faults import NotMoved
from budgets.storage.rows import Content
from budgets.storage.store import Storage


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found to be the same on both sides: each table, and each chain's head."""

    tables: Mapping[str, Content]
    heads: Mapping[str, str]


def move(source: Storage, target: Storage) -> Proof:
    """Move everything to an empty target, or finish a move to it that was interrupted."""
    if not source.embedded:
        raise NotMoved("A server's database is moved by the server's own tools.")
    resumed = source.moved is not None
    source.seal(target.name)
    may_commit = False
    try:
        with source.read() as before, target.begin() as after:
            _filled(before, after, resumed)
            proof = _proved(before, after)
            may_commit = True
    except BaseException:
        if not (may_commit or resumed):
            source.unseal()
        raise
    return proof


def copy(source: Storage, target: Storage) -> Proof:
    """Take everything of one moment into an empty target, and prove that all of it is there.

    The source may be in use, and stays in use.
    """
    with source.read() as before, target.begin() as after:
        _filled(before, after, resumed=False)
        return _proved(before, after)


def _filled(before: Connection, after: Connection, resumed: bool) -> None:
    if rows.empty(after):
        for table in rows.TABLES:
            try:
                rows.copy(before, after, table)
            except DBAPIError as error:
                raise NotMoved(f"A row of table {table.name} does not fit the target.") from error
            rows.count_on(after, table)
    elif not resumed:
        raise NotMoved("The target is not empty.")


def _proved(before: Connection, after: Connection) -> Proof:
    tables = {}
    for table in rows.TABLES:
        here, there = rows.content(before, table), rows.content(after, table)
        if here != there:
            raise NotMoved(f"Table {table.name} of the target holds something else.")
        tables[table.name] = there
    return Proof(tables, {name: _intact(after, name) for name in _datasets(after)})


def _datasets(tx: Connection) -> list[str]:
    return [root.dataset for root in accounts.roots(tx)]


def _intact(tx: Connection, dataset: str) -> str:
    """The head of a chain that agrees with the accounts and the releases beside it."""
    root = accounts.find(tx, Kind.DATASET, "", dataset)
    if root is None:
        raise NotMoved(f"Dataset {dataset} has no account.")
    head, length = journal.head(tx, root.id)
    if not verify(tx, root, head, length).intact:
        raise NotMoved(f"The ledger of {dataset} does not agree with itself: run ledger verify.")
    return head

"""Postings: what a charge reserves, spends or gives back, changed in all of its accounts.

Accounts to which the same is posted are changed by one statement. Its condition repeats what
admission found, and it changes every one of them or the whole transaction is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import add, sub

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, update

from budgets.account import Amounts
from budgets.storage.conditions import Overdrawn, column, each, moved, values
from budgets.storage.prepared import Prepared
from budgets.storage.schema import account

Posting = Callable[[int], Prepared]
"""The statement that changes so many accounts alike."""


def _alike(rule: ColumnElement[bool], change: Mapping[str, ColumnElement[int]]) -> Posting:
    """What changes accounts for which a rule holds, several by one statement."""

    @cache
    def alike(count: int) -> Prepared:
        ids: list[BindParameter[int]] = [bindparam(f"which_{place}") for place in range(count)]
        return Prepared(update(account).where(account.c.id.in_(ids), rule).values(change))

    return alike


_RESERVE = _alike(
    each(
        lambda part, by: (
            column("reserved", part) + column("spent", part) + by <= column("cap", part)
        )
    ),
    moved("reserved", add),
)
_COVERED = each(lambda part, by: column("reserved", part) >= by)
_SPEND = _alike(_COVERED, moved("reserved", sub) | moved("spent", add))
_GIVE_BACK = _alike(_COVERED, moved("reserved", sub))
_RESUME = _alike(
    each(lambda part, by: column("spent", part) >= by), moved("reserved", add) | moved("spent", sub)
)


def reserve(tx: Connection, asked: Mapping[int, Amounts]) -> None:
    """Post a charge to its accounts, root first, if it fits all of them."""
    _posted(tx, _RESERVE, asked)


def spend(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Turn what a charge has reserved into what is spent for good, root first."""
    _posted(tx, _SPEND, charged)


def resume(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Turn what a charge has spent into what it has reserved, root first: it runs once more."""
    _posted(tx, _RESUME, charged)


def give_back(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Undo what a charge has reserved, root first."""
    _posted(tx, _GIVE_BACK, charged)


def _posted(tx: Connection, statement: Posting, amounts: Mapping[int, Amounts]) -> None:
    """Change each account, or raise Overdrawn before the commit: all is then undone.

    Accounts to which the same is posted are changed together.
    """
    alike: dict[Amounts, list[int]] = {}
    for which, asked in amounts.items():
        alike.setdefault(asked, []).append(which)
    for asked, ids in alike.items():
        statement(len(ids)).write(tx, _values(ids, asked), Overdrawn(), rows=len(ids))


def _values(which: Sequence[int], amounts: Amounts) -> dict[str, int]:
    """The parameters of a posting: accounts, and the amounts that are posted to each."""
    return values(0, amounts) | {f"which_{place}": one for place, one in enumerate(which)}

"""Postings: what a charge reserves, spends or gives back, changed in all of its accounts.

Accounts to which the same is posted are changed by one statement. Its condition repeats what
admission found, and it changes every one of them or the whole transaction is undone. Where entries
were added for a posting, the row of the root advances by the same statement, if its chain is as
long as it was: a database checks all that a row must hold once for each statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import add, sub
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    case,
    not_,
    or_,
    update,
)

from budgets.account import Account, Amounts
from budgets.storage.conditions import Overdrawn, column, each, moved, values
from budgets.storage.prepared import Prepared
from budgets.storage.schema import account

Posting = Callable[[int, bool], Prepared]
"""The statement that changes so many accounts alike, the root's chain with them or not."""

_ROOT: ColumnElement[bool] = account.c.id == bindparam("root")
_ADVANCED = {
    name: case((_ROOT, bindparam(f"new_{name}", type_=account.c[name].type)), else_=account.c[name])
    for name in ("head", "length", "latest")
}
_AS_LONG = or_(not_(_ROOT), account.c.length == bindparam("before"))


@dataclass(frozen=True, slots=True)
class Chain:
    """The root as it was found, and as it stands once entries are added to its chain."""

    found: Account
    after: Account

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that let it advance."""
        after = self.after
        ends = {"new_head": after.head, "new_length": after.length, "new_latest": after.latest}
        return {"root": self.found.id, "before": self.found.length} | ends


def _alike(rule: ColumnElement[bool], change: Mapping[str, ColumnElement[int]]) -> Posting:
    """What changes accounts for which a rule holds, several by one statement."""

    @cache
    def alike(count: int, chained: bool) -> Prepared:
        ids: list[BindParameter[int]] = [bindparam(f"which_{place}") for place in range(count)]
        posted = update(account).where(account.c.id.in_(ids), rule)
        if chained:
            return Prepared(posted.where(_AS_LONG).values({**change, **_ADVANCED}))
        return Prepared(posted.values(change))

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


def reserve(tx: Connection, asked: Mapping[int, Amounts], chain: Chain | None = None) -> None:
    """Post a charge to its accounts, root first, if it fits all of them.

    The root advances with it, if a chain is given.
    """
    _posted(tx, _RESERVE, asked, chain)


def spend(tx: Connection, charged: Mapping[int, Amounts], chain: Chain | None = None) -> None:
    """Turn what a charge has reserved into what is spent for good, root first.

    The root advances with it, if a chain is given.
    """
    _posted(tx, _SPEND, charged, chain)


def resume(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Turn what a charge has spent into what it has reserved, root first: it runs once more."""
    _posted(tx, _RESUME, charged)


def give_back(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Undo what a charge has reserved, root first."""
    _posted(tx, _GIVE_BACK, charged)


def _posted(
    tx: Connection,
    statement: Posting,
    amounts: Mapping[int, Amounts],
    chain: Chain | None = None,
) -> None:
    """Change each account, or raise Overdrawn before the commit: all is then undone.

    Accounts to which the same is posted are changed together, and the chain with those of its root.
    """
    if chain is not None and chain.found.id not in amounts:
        raise ValueError("a chain advances with what is posted to its root")
    alike: dict[Amounts, list[int]] = {}
    for which, asked in amounts.items():
        alike.setdefault(asked, []).append(which)
    for asked, ids in alike.items():
        chained = chain is not None and chain.found.id in ids
        posted = _values(ids, asked) | (chain.values if chain is not None and chained else {})
        statement(len(ids), chained).write(tx, posted, Overdrawn(), rows=len(ids))


def _values(which: Sequence[int], amounts: Amounts) -> dict[str, Any]:
    """The parameters of a posting: accounts, and the amounts that are posted to each."""
    return values(0, amounts) | {f"which_{place}": one for place, one in enumerate(which)}

"""Rows of accounts: found, opened, and changed by conditional updates alone.

Every update repeats in its WHERE what admission found, and its row count is checked: should two
transactions ever meet here, one of them changes nothing and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, select, update

from budgets.account import Account, Amounts, Grant, Kind
from budgets.chain import GENESIS
from budgets.storage.schema import account

PARTS = ("rho", "delta", "epsilon")


class Overdrawn(Exception):
    """An account changed between being read and being posted to; nothing was written."""


def find(tx: Connection, kind: Kind, owner: str, name: str) -> Account | None:
    """The account of that address, or None."""
    row = tx.execute(_at(kind, owner, name)).one_or_none()
    return None if row is None else _read(row)


def path(tx: Connection, last: Account) -> tuple[Account, ...]:
    """The accounts from the root down to `last`, locked in that order.

    Parents are opened before their children and never change, so ids order every path.
    """
    ids, parent = [last.id], last.parent
    while parent is not None:
        ids.append(parent)
        parent = tx.execute(select(account.c.parent).where(account.c.id == parent)).scalar_one()
    rows = tx.execute(
        select(account).where(account.c.id.in_(ids)).order_by(account.c.id).with_for_update()
    )
    return tuple(_read(row) for row in rows)


def root(tx: Connection, dataset: str) -> Account | None:
    """The account of the dataset's ceiling, locked."""
    row = tx.execute(_at(Kind.DATASET, "", dataset).with_for_update()).one_or_none()
    return None if row is None else _read(row)


def opened(
    tx: Connection, kind: Kind, owner: str, name: str, grant: Grant, parent: Account | None
) -> Account:
    """A new account with its whole capacity free."""
    tx.execute(
        insert(account).values(
            kind=kind.value,
            owner=owner,
            name=name,
            dataset=parent.dataset if parent else name,
            parent=parent.id if parent else None,
            head=None if parent else GENESIS,
            epsilon=grant.epsilon,
            delta=grant.delta,
            **_values("cap", grant.capacity),
        )
    )
    made = find(tx, kind, owner, name)
    if made is None:
        raise Overdrawn
    return made


def regrant(tx: Connection, which: Account, grant: Grant) -> None:
    """Give an account the capacity of a larger grant."""
    _changed(
        tx,
        update(account)
        .where(account.c.id == which.id, account.c.epsilon == which.grant.epsilon)
        .values(epsilon=grant.epsilon, delta=grant.delta, **_values("cap", grant.capacity)),
    )


def promise(tx: Connection, which: Account, amounts: Amounts) -> None:
    """Set amounts aside for an account below; never beyond the capacity."""
    fits = [_column("allocated", p) + _of(amounts, p) <= _column("cap", p) for p in PARTS]
    _changed(
        tx,
        update(account)
        .where(account.c.id == which.id, *fits)
        .values(**_added("allocated", amounts)),
    )


def reserve(tx: Connection, which: int, amounts: Amounts) -> None:
    """Post a charge to an account, if it fits."""
    fits = [
        _column("reserved", p) + _column("spent", p) + _of(amounts, p) <= _column("cap", p)
        for p in PARTS
    ]
    _changed(
        tx,
        update(account)
        .where(account.c.id == which, and_(*fits))
        .values(**_added("reserved", amounts)),
    )


def spend(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Turn what a charge has reserved into what is spent for good, root first."""
    for which, amounts in charged.items():
        _changed(
            tx,
            update(account)
            .where(account.c.id == which, *_covers(amounts))
            .values(**_added("reserved", -amounts), **_added("spent", amounts)),
        )


def give_back(tx: Connection, charged: Mapping[int, Amounts]) -> None:
    """Undo what a charge has reserved, root first."""
    for which, amounts in charged.items():
        _changed(
            tx,
            update(account)
            .where(account.c.id == which, *_covers(amounts))
            .values(**_added("reserved", -amounts)),
        )


def of_dataset(tx: Connection, dataset: str) -> Sequence[Account]:
    """Every account under a ceiling, the ceiling first."""
    rows = tx.execute(select(account).where(account.c.dataset == dataset).order_by(account.c.id))
    return [_read(row) for row in rows]


def by_id(tx: Connection, which: int) -> Account:
    """The account with this id."""
    return _read(tx.execute(select(account).where(account.c.id == which)).one())


def _at(kind: Kind, owner: str, name: str) -> Select[tuple[object, ...]]:
    columns = account.c
    return select(account).where(
        columns.kind == kind.value, columns.owner == owner, columns.name == name
    )


def _changed(tx: Connection, statement: object) -> None:
    if tx.execute(statement).rowcount != 1:  # type: ignore[call-overload]
        raise Overdrawn


def _column(prefix: str, part: str) -> ColumnElement[int]:
    return account.c[f"{prefix}_{part}"]


def _of(amounts: Amounts, part: str) -> int:
    value: int = getattr(amounts, part)
    return value


def _covers(amounts: Amounts) -> list[ColumnElement[bool]]:
    return [_column("reserved", part) >= _of(amounts, part) for part in PARTS]


def _values(prefix: str, amounts: Amounts) -> dict[str, int]:
    return {f"{prefix}_{part}": _of(amounts, part) for part in PARTS}


def _added(prefix: str, amounts: Amounts) -> dict[str, ColumnElement[int]]:
    return {f"{prefix}_{p}": _column(prefix, p) + _of(amounts, p) for p in PARTS}


def _amounts(row: Row[tuple[object, ...]], prefix: str) -> Amounts:
    return Amounts(*(row._mapping[f"{prefix}_{part}"] for part in PARTS))


def _read(row: Row[tuple[object, ...]]) -> Account:
    return Account(
        id=row.id,
        kind=Kind(row.kind),
        owner=row.owner,
        name=row.name,
        dataset=row.dataset,
        parent=row.parent,
        grant=Grant(row.epsilon, row.delta),
        cap=_amounts(row, "cap"),
        allocated=_amounts(row, "allocated"),
        reserved=_amounts(row, "reserved"),
        spent=_amounts(row, "spent"),
    )

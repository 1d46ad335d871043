"""Rows of accounts: found, opened, and changed by conditional updates alone.

Every update repeats in its WHERE what admission found, and its row count is checked: should two
transactions ever meet here, one of them changes nothing and is refused. The statements are built
once; charging runs them many times a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from budgets.account import Account, Amounts, Grant, Kind
from budgets.chain import GENESIS
from budgets.storage.conditions import PARTS, Overdrawn, column, each, moved, values
from budgets.storage.prepared import Prepared
from budgets.storage.schema import account, project

_FIGURES = {
    prefix: attrgetter(*(f"{prefix}_{part}" for part in PARTS))
    for prefix in ("cap", "allocated", "reserved", "spent")
}


_THIS: ColumnElement[bool] = account.c.id == bindparam("which")
_CHANGE: Update = update(account).where(_THIS)

_AT = select(account).where(
    account.c.kind == bindparam("kind"),
    account.c.owner == bindparam("owner"),
    account.c.name == bindparam("name"),
)
_LOCKED = Prepared(_AT.with_for_update(key_share=True))
_PARENT = select(account.c.parent).where(_THIS)
_PATH = (
    select(account).where(account.c.id.in_(bindparam("ids", expanding=True))).order_by(account.c.id)
)
_BY_ID = Prepared(select(account).where(_THIS))
_CEILING = Prepared(
    select(account)
    .join(project, project.c.dataset == account.c.dataset)
    .where(project.c.name == bindparam("named"), account.c.parent.is_(None))
    .with_for_update(of=account, key_share=True)
)
_BELOW = Prepared(
    select(account, project.c.frozen.label("stopped"))
    .join(project, project.c.name == bindparam("named"))
    .where(
        or_(
            and_(
                account.c.kind == Kind.PROJECT.value,
                account.c.owner == project.c.dataset,
                account.c.name == project.c.name,
            ),
            and_(
                account.c.kind == Kind.ANALYST.value,
                account.c.owner == project.c.name,
                account.c.name == bindparam("analyst"),
            ),
        )
    )
    .order_by(account.c.id)
)
_OF_KIND = (
    select(account)
    .where(account.c.kind == bindparam("kind"), account.c.owner == bindparam("owner"))
    .order_by(account.c.name)
)
_BLOCKS = _OF_KIND.where(account.c.name.in_(bindparam("names", expanding=True)))
_ENDING = (
    select(account)
    .where(account.c.dataset == bindparam("dataset"), account.c.expires <= bindparam("now"))
    .order_by(account.c.id)
)
_ANY_BLOCK = Prepared(
    select(func.min(account.c.name)).where(
        account.c.kind == bindparam("kind"), account.c.owner == bindparam("owner")
    )
)
_PROMISE = _CHANGE.where(
    each(lambda part, by: column("allocated", part) + by <= bindparam(f"most_{part}"))
).values(moved("allocated", 1))
_RESERVE = Prepared(
    _CHANGE.where(
        each(
            lambda part, by: (
                column("reserved", part) + column("spent", part) + by <= column("cap", part)
            )
        )
    ).values(moved("reserved", 1))
)
_EMPTY = _CHANGE.where(
    each(lambda part, by: column("reserved", part) + column("spent", part) == by)
).values({f"cap_{part}": bindparam(f"by_{part}") for part in PARTS})
_KEEP = Prepared(
    _CHANGE.where(each(lambda part, by: column("allocated", part) + by >= 0)).values(
        moved("allocated", 1)
    )
)
_COVERED = _CHANGE.where(each(lambda part, by: column("reserved", part) >= by))
_SPEND = Prepared(_COVERED.values(moved("reserved", -1) | moved("spent", 1)))
_GIVE_BACK = Prepared(_COVERED.values(moved("reserved", -1)))
_RESUME = Prepared(
    _CHANGE.where(each(lambda part, by: column("spent", part) >= by)).values(
        moved("reserved", 1) | moved("spent", -1)
    )
)


def find(tx: Connection, kind: Kind, owner: str, name: str) -> Account | None:
    """The account of that address, or None."""
    row = tx.execute(_AT, {"kind": kind.value, "owner": owner, "name": name}).one_or_none()
    return None if row is None else _read(row)


def root(tx: Connection, dataset: str) -> Account | None:
    """The account of the dataset's ceiling, locked: whoever wants it next waits for this commit.

    Statements after this one see all that earlier holders of the lock have done.
    """
    named = {"kind": Kind.DATASET.value, "owner": "", "name": dataset}
    row = _LOCKED.first(tx, named)
    return None if row is None else _read(row)


def ceiling(tx: Connection, project: str) -> Account | None:
    """The account of the ceiling over a project, locked as `root` does."""
    row = _CEILING.first(tx, {"named": project})
    return None if row is None else _read(row)


def below(
    tx: Connection, root: Account, project: str, analyst: str | None
) -> tuple[tuple[Account, ...], bool]:
    """The accounts from the root down to the caller's, and whether the project is frozen.

    No account below the root: nothing has been allocated. One who has no limit pays as the project.
    """
    rows = _BELOW.rows(tx, {"named": project, "analyst": analyst or ""})
    found = [_read(row) for row in rows]
    if found and found[0].parent != root.id:
        return path(tx, found[-1]), rows[0].stopped
    return (root, *found), bool(rows and rows[0].stopped)


def blocks(tx: Connection, dataset: str, names: Sequence[str] | None = None) -> tuple[Account, ...]:
    """The blocks of a dataset with these names, or all of them, by name."""
    if names is not None and not names:
        return ()
    of = {"kind": Kind.BLOCK.value, "owner": dataset}
    named = {} if names is None else {"names": list(names)}
    return tuple(map(_read, tx.execute(_OF_KIND if names is None else _BLOCKS, of | named)))


def divided(tx: Connection, dataset: str) -> bool:
    """Whether a dataset has blocks."""
    of = {"kind": Kind.BLOCK.value, "owner": dataset}
    return _ANY_BLOCK.send(tx, of).scalar() is not None


def earmarks(tx: Connection, project: str) -> tuple[Account, ...]:
    """What a project keeps for later, by name."""
    of = {"kind": Kind.EARMARK.value, "owner": project}
    return tuple(map(_read, tx.execute(_OF_KIND, of)))


def ending(tx: Connection, dataset: str, now: datetime) -> tuple[Account, ...]:
    """The projects of a dataset whose allocation has ended by then."""
    return tuple(map(_read, tx.execute(_ENDING, {"dataset": dataset, "now": now})))


def path(tx: Connection, last: Account) -> tuple[Account, ...]:
    """The accounts from the root down to `last`.

    Parents are opened before their children and never change, so ids order every path.
    """
    ids, parent = [last.id], last.parent
    while parent is not None:
        ids.append(parent)
        parent = tx.execute(_PARENT, {"which": parent}).scalar_one()
    return tuple(_read(row) for row in tx.execute(_PATH, {"ids": ids}))


def by_id(tx: Connection, which: int) -> Account:
    """The account with this id."""
    return _read(_BY_ID.rows(tx, {"which": which})[0])


def roots(tx: Connection) -> Sequence[Account]:
    """The ceilings of all datasets."""
    wanted = select(account).where(account.c.parent.is_(None)).order_by(account.c.id)
    return [_read(row) for row in tx.execute(wanted)]


def of_dataset(tx: Connection, dataset: str) -> Sequence[Account]:
    """Every account under a ceiling, the ceiling first."""
    rows = tx.execute(select(account).where(account.c.dataset == dataset).order_by(account.c.id))
    return [_read(row) for row in rows]


def opened(
    tx: Connection,
    kind: Kind,
    owner: str,
    name: str,
    grant: Grant,
    parent: Account | None,
    cap: Amounts | None = None,
) -> Account:
    """A new account with its whole capacity free: its grant's, or a smaller one."""
    which: int = tx.execute(
        insert(account)
        .values(
            kind=kind.value,
            owner=owner,
            name=name,
            dataset=parent.dataset if parent else name,
            parent=parent.id if parent else None,
            head=None if parent else GENESIS,
            **_granted(grant, cap),
        )
        .returning(account.c.id)
    ).scalar_one()
    return by_id(tx, which)


def regrant(tx: Connection, which: Account, grant: Grant, cap: Amounts | None = None) -> None:
    """Give an account the capacity of another grant, or a smaller one; it holds what was taken."""
    statement = _CHANGE.where(account.c.epsilon == which.grant.epsilon)
    _changed(tx, statement.values(_granted(grant, cap)), {"which": which.id})


def end(tx: Connection, which: Account, until: datetime | None) -> None:
    """Let a project's allocation end then, or not at all."""
    _changed(tx, _CHANGE.values(expires=until), {"which": which.id})


def empty(tx: Connection, which: Account) -> None:
    """Leave an account what it has taken, and nothing free."""
    _changed(tx, _EMPTY, values(which.id, which.taken))


def keep(tx: Connection, project: int, amounts: Amounts) -> None:
    """Set amounts of a project aside for its earmarks, or take them back."""
    _KEEP.write(tx, values(project, amounts), Overdrawn())


def promise(tx: Connection, which: Account, amounts: Amounts) -> None:
    """Set amounts aside for accounts below, or take them back, within what may be promised."""
    most = {f"most_{part}": getattr(which.promisable, part) for part in PARTS}
    _changed(tx, _PROMISE, values(which.id, amounts) | most)


def overcommit(tx: Connection, which: Account, percent: int) -> None:
    """Let a ceiling promise so much of its capacity."""
    statement = _CHANGE.where(account.c.overcommit == which.overcommit)
    _changed(tx, statement.values(overcommit=percent), {"which": which.id})


def freeze(tx: Connection, which: Account, frozen: bool) -> None:
    """Freeze a ceiling, or thaw it."""
    _changed(tx, _CHANGE.values(frozen=frozen), {"which": which.id})


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


def _posted(tx: Connection, statement: Prepared, amounts: Mapping[int, Amounts]) -> None:
    """Change each account, or raise Overdrawn before the commit: all is then undone."""
    for which, asked in amounts.items():
        statement.write(tx, values(which, asked), Overdrawn())


def _changed(tx: Connection, statement: Update, values: Mapping[str, int]) -> None:
    if tx.execute(statement, values).rowcount != 1:
        raise Overdrawn


def _granted(grant: Grant, cap: Amounts | None = None) -> dict[str, int]:
    cap = cap or grant.capacity
    figures = {"epsilon": grant.epsilon, "delta": grant.delta}
    return figures | {"cap_rho": cap.rho, "cap_delta": cap.delta, "cap_epsilon": cap.epsilon}


def _amounts(row: Any, prefix: str) -> Amounts:
    return Amounts(*_FIGURES[prefix](row))


def _read(row: Any) -> Account:
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
        head=row.head,
        length=row.length,
        frozen=row.frozen,
        overcommit=row.overcommit,
        expires=row.expires,
        latest=row.latest,
    )

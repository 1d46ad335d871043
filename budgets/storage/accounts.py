"""Rows of accounts: found, opened, and changed by conditional updates alone.

Every update repeats in its WHERE what admission found, and its row count is checked: should two
transactions ever meet here, one of them changes nothing and is refused. The statements are built
once; charging runs them many times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import add, attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    bindparam,
    insert,
    select,
    update,
)

from budgets.account import Account, Amounts, Grant, Kind
from budgets.chain import GENESIS
from budgets.storage.conditions import (
    PARTS,
    Overdrawn,
    column,
    each,
    moved,
    values,
)
from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import account

_KINDS = {kind.value: kind for kind in Kind}
_NAMED = attrgetter("id", "kind", "owner", "name", "dataset", "parent", "epsilon", "delta")
_CAP, _ALLOCATED, _RESERVED, _SPENT = (
    attrgetter(*(f"{prefix}_{part}" for part in PARTS))
    for prefix in ("cap", "allocated", "reserved", "spent")
)
_CHAINED = attrgetter("head", "length", "frozen", "overcommit", "expires", "latest")

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
_OF_KIND = (
    select(account)
    .where(account.c.kind == bindparam("kind"), account.c.owner == bindparam("owner"))
    .order_by(account.c.name)
)
_ENDING = (
    select(account)
    .where(account.c.dataset == bindparam("dataset"), account.c.expires <= bindparam("now"))
    .order_by(account.c.id)
)
_PROMISE = _CHANGE.where(
    each(lambda part, by: column("allocated", part) + by <= bindparam(f"most_{part}"))
).values(moved("allocated", add))
_EMPTY = _CHANGE.where(
    each(lambda part, by: column("reserved", part) + column("spent", part) == by)
).values({f"cap_{part}": bindparam(f"by_{part}") for part in PARTS})
_KEEP = Prepared(
    _CHANGE.where(each(lambda part, by: column("allocated", part) + by >= 0)).values(
        moved("allocated", add)
    )
)


def find(tx: Connection, kind: Kind, owner: str, name: str) -> Account | None:
    """The account of that address, or None."""
    row = tx.execute(_AT, {"kind": kind.value, "owner": owner, "name": name}).one_or_none()
    return None if row is None else read(row)


def root(tx: Connection, dataset: str) -> Account | None:
    """The account of the dataset's ceiling, locked: whoever wants it next waits for this commit.

    Statements after this one see all that earlier holders of the lock have done.
    """
    return locked(tx, dataset)()


def locked(tx: Connection, dataset: str) -> Callable[[], Account | None]:
    """Ask for the account of the dataset's ceiling, locked as `root` does; its answer, later."""
    sent = _LOCKED.send(tx, {"kind": Kind.DATASET.value, "owner": "", "name": dataset})
    return lambda: first(sent)


def blocks(tx: Connection, dataset: str) -> tuple[Account, ...]:
    """The blocks of a dataset, by name."""
    return tuple(map(read, tx.execute(_OF_KIND, {"kind": Kind.BLOCK.value, "owner": dataset})))


def earmarks(tx: Connection, project: str) -> tuple[Account, ...]:
    """What a project keeps for later, by name."""
    of = {"kind": Kind.EARMARK.value, "owner": project}
    return tuple(map(read, tx.execute(_OF_KIND, of)))


def ending(tx: Connection, dataset: str, now: datetime) -> tuple[Account, ...]:
    """The projects of a dataset whose allocation has ended by then."""
    return tuple(map(read, tx.execute(_ENDING, {"dataset": dataset, "now": now})))


def path(tx: Connection, last: Account) -> tuple[Account, ...]:
    """The accounts from the root down to `last`.

    Parents are opened before their children and never change, so ids order every path.
    """
    ids, parent = [last.id], last.parent
    while parent is not None:
        ids.append(parent)
        parent = tx.execute(_PARENT, {"which": parent}).scalar_one()
    return tuple(read(row) for row in tx.execute(_PATH, {"ids": ids}))


def by_id(tx: Connection, which: int) -> Account:
    """The account with this id."""
    return read(_BY_ID.rows(tx, {"which": which})[0])


def roots(tx: Connection) -> Sequence[Account]:
    """The ceilings of all datasets."""
    wanted = select(account).where(account.c.parent.is_(None)).order_by(account.c.id)
    return [read(row) for row in tx.execute(wanted)]


def of_dataset(tx: Connection, dataset: str) -> Sequence[Account]:
    """Every account under a ceiling, the ceiling first."""
    rows = tx.execute(select(account).where(account.c.dataset == dataset).order_by(account.c.id))
    return [read(row) for row in rows]


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


def _changed(tx: Connection, statement: Update, values: Mapping[str, int]) -> None:
    if tx.execute(statement, values).rowcount != 1:
        raise Overdrawn


def _granted(grant: Grant, cap: Amounts | None = None) -> dict[str, int]:
    cap = cap or grant.capacity
    figures = {"epsilon": grant.epsilon, "delta": grant.delta}
    return figures | {"cap_rho": cap.rho, "cap_delta": cap.delta, "cap_epsilon": cap.epsilon}


def first(sent: Answer) -> Account | None:
    """The account that was asked for, or None."""
    row = sent.first()
    return None if row is None else read(row)


def read(row: Any) -> Account:
    """The account that a row of all its columns tells."""
    which, kind, owner, name, dataset, parent, epsilon, delta = _NAMED(row)
    return Account(
        which,
        _KINDS[kind],
        owner,
        name,
        dataset,
        parent,
        Grant(epsilon, delta),
        Amounts(*_CAP(row)),
        Amounts(*_ALLOCATED(row)),
        Amounts(*_RESERVED(row)),
        Amounts(*_SPENT(row)),
        *_CHAINED(row),
    )

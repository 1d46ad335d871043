"""Paths: the accounts that a charge may be posted to, found by the name of its project.

Each account is asked for by its whole address, so that a database finds it by one look into an
index, whatever it knows about its tables and however many accounts there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    exists,
    literal_column,
    or_,
    select,
)

from budgets.account import Account, Kind
from budgets.storage import accounts
from budgets.storage.columns import fixed
from budgets.storage.prepared import Prepared
from budgets.storage.schema import account, project

_NOBODY: ColumnElement[str] = literal_column("''", String)


def _addressed(
    kind: Kind, owner: ColumnElement[str], name: ColumnElement[str]
) -> ColumnElement[bool]:
    return and_(account.c.kind == fixed(kind), account.c.owner == owner, account.c.name == name)


_DATASET = select(project.c.dataset).where(project.c.name == bindparam("named")).scalar_subquery()
_CEILING = Prepared(
    select(account)
    .where(_addressed(Kind.DATASET, _NOBODY, _DATASET))
    .with_for_update(key_share=True)
)
STOPPED = (
    select(account.c.frozen)
    .where(_addressed(Kind.DATASET, _NOBODY, project.c.dataset))
    .correlate(project)
    .scalar_subquery()
)
"""Whether the ceiling over a project is frozen."""


@cache
def _below(blocks: int) -> Prepared:
    """The accounts under a ceiling that a project's charge may be posted to, so many blocks too.

    Each stands under its whole address, so that it is found by one look into an index.
    """
    names = [bindparam(f"block_{place}", type_=String) for place in range(blocks)]
    named: ColumnElement[str] = bindparam("named", type_=String)
    stopped = select(project.c.frozen).where(project.c.name == named).scalar_subquery()
    divided = exists().where(account.c.kind == fixed(Kind.BLOCK), account.c.owner == _DATASET)
    return Prepared(
        select(account, stopped.label("stopped"), divided.label("divided"))
        .where(
            or_(
                _addressed(Kind.PROJECT, _DATASET, named),
                _addressed(Kind.ANALYST, named, bindparam("analyst", type_=String)),
                *(_addressed(Kind.BLOCK, _DATASET, name) for name in names),
            )
        )
        .order_by(account.c.id)
    )


@dataclass(frozen=True, slots=True)
class Below:
    """The accounts under a ceiling that a charge may be posted to.

    `path` are those from the project down to the caller's: none, if nothing has been allocated. Who
    has no limit pays as the project. `blocks` are those that were named, by name. `stopped` says
    whether the project is frozen, `divided` whether the dataset has blocks at all.
    """

    path: tuple[Account, ...]
    blocks: tuple[Account, ...]
    stopped: bool
    divided: bool


class Path:
    """The accounts that a charge may be posted to: asked for at once, the ceiling's row locked
    first, and told when they are looked at."""

    def __init__(
        self, tx: Connection, project: str, analyst: str | None, blocks: Sequence[str]
    ) -> None:
        self._root = _CEILING.send(tx, {"named": project})
        names = {f"block_{place}": name for place, name in enumerate(blocks)}
        of = {"named": project, "analyst": analyst or ""} | names
        self._below = _below(len(blocks)).send(tx, of)

    def root(self) -> Account | None:
        """The ceiling over the project, or None: there is no such project."""
        return accounts.first(self._root)

    def below(self) -> Below:
        """The accounts under the root, in the order of their ids: parents are opened first."""
        rows = self._below.rows()
        if not rows:
            return Below((), (), stopped=False, divided=False)
        found = [accounts.read(row) for row in rows]
        blocks = sorted((one for one in found if one.kind is Kind.BLOCK), key=attrgetter("name"))
        path = tuple(one for one in found if one.kind is not Kind.BLOCK)
        return Below(path, tuple(blocks), rows[0].stopped, bool(rows[0].divided))


def ceiling(tx: Connection, project: str) -> Account | None:
    """The account of the ceiling over a project, locked as `root` does."""
    return accounts.first(_CEILING.send(tx, {"named": project}))

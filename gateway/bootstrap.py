"""The first administrator: a secret that a terminal shows once, and that opens the door once.

A house without administrators is entered with it and never again: it makes the first key, and from
then on keys are made by those who hold one. Only its hash is kept, for a day.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import Any

from budgets.storage import Storage
from budgets.storage.schema import bootstrap, member, membership
from gateway import keys
from gateway.access import Role
from gateway.keyring import ApiKey, Wanted, now
from gateway.record import Actor, Deed, Record, acts_as
from gateway.refusals import Conflict, NotAuthenticated
from gateway.registry import checked_name

SCHEME = "once_"
LASTS = timedelta(days=1)
_FORM = re.compile(SCHEME + r"[A-Za-z0-9_-]{43}", re.ASCII)


class Bootstrap:
    """The way in, on the ledger's own database."""

    def __init__(self, storage: Storage, record: Record) -> None:
        self._storage, self._record = storage, record

    def needed(self) -> bool:
        """Whether nobody administers this house."""
        administers = membership.c.role == Role.ADMINISTRATOR.value
        with self._storage.read() as tx:
            return tx.execute(membership.select().where(administers)).first() is None

    def make(self) -> str:
        """A secret in the place of an earlier one; Conflict once somebody administers the house."""
        text = SCHEME + secrets.token_urlsafe(32)
        values = {"hash": keys.digest(text), "created": now()}
        if not self.needed():
            raise _administered()
        with self._record.act(Deed.BOOTSTRAP_MADE) as tx:
            stands = tx.execute(bootstrap.select()).first()
            if stands is None:
                tx.execute(bootstrap.insert().values(id=1, **values))
            elif not tx.execute(bootstrap.update().where(_unused()).values(**values)).rowcount:
                raise _administered()
        return text

    def use(self, text: str, name: str) -> tuple[ApiKey, str]:
        """The first administrator and its key; NotAuthenticated for every secret but a fresh one.

        Of two callers with the same secret one gets in.
        """
        checked_name(name)
        if _FORM.fullmatch(text) is None or not self._is_fresh(text) or not self.needed():
            raise NotAuthenticated()
        acts_as(Actor(name))
        wanted = Wanted(name, Role.ADMINISTRATOR, None, None)
        mine = _unused() & (bootstrap.c.hash == keys.digest(text))
        with self._record.act(Deed.BOOTSTRAP_USED, member=name, new=wanted.id) as tx:
            if not tx.execute(bootstrap.update().where(mine).values(used=now())).rowcount:
                raise NotAuthenticated()
            if tx.execute(member.select().where(member.c.id == name)).first() is None:
                tx.execute(member.insert().values(id=name, name=name, created=now()))
            role = {"member": name, "project": None, "role": Role.ADMINISTRATOR.value}
            tx.execute(membership.insert().values(created=now(), **role))
            return wanted.made(tx)

    def _is_fresh(self, text: str) -> bool:
        with self._storage.read() as tx:
            row = tx.execute(bootstrap.select().where(_unused())).first()
        if row is None or now() - row.created > LASTS:
            return False
        return keys.matches(text, row.hash)


def _unused() -> Any:
    return bootstrap.c.used.is_(None)


def _administered() -> Conflict:
    return Conflict(
        "This house has had an administrator, so nobody enters it by a secret.",
        hint="`sluis key create NAME --role administrator` makes a key where the database is.",
    )

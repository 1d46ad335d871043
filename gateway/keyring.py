"""Keys of members: made, rotated, ended, and looked up anew on each request.

A key carries what its member may do at this moment, no more, and less where it is held to a
project, a role or scopes. So expiry, revocation and a role taken away count from the next request
on, on every gateway. Of a key only a prefix and a hash are kept.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from budgets.storage import Storage
from budgets.storage.schema import api_key, membership
from gateway import keys
from gateway.access import Caller, Role, Scope, allowed, narrowed
from gateway.record import Deed, Record
from gateway.refusals import Conflict, Invalid, NotAuthenticated, NotFound

USE_TOLD_EVERY = timedelta(minutes=5)
"""A key's last use is written this often at most."""

LONGEST_OVERLAP = timedelta(days=30)

Roles = frozenset[tuple[str | None, Role]]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key after it was shown once.

    `scopes` are what it is held to, None: nothing; `used` is when it was last used, told a few
    minutes late; `follows` is the key that it replaces. `rate` is how many requests a minute it
    may send (None: as the house has it), counted with those of the key `bucket` (None: alone).
    """

    id: str
    member: str
    prefix: str
    project: str | None
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    scopes: tuple[Scope, ...] | None = None
    used: datetime | None = None
    follows: str | None = None
    rate: int | None = None
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose keys a caller may see: its own key, those of a member, and those of some projects.

    The database leaves out all others, so that nothing is done for them.
    """

    key: str
    member: str | None
    projects: frozenset[str]


def _within(keys: Any, sight: Sight | None) -> Any:
    """The keys within sight; all of them where nothing bounds it."""
    if sight is None:
        return keys
    mine = (api_key.c.id == sight.key) | api_key.c.project.in_(sorted(sight.projects))
    return keys.where(mine if sight.member is None else mine | (api_key.c.member == sight.member))


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


class Keyring:
    """All keys, on the ledger's own database."""

    def __init__(self, storage: Storage, record: Record | None = None) -> None:
        self._storage = storage
        self._record = record or Record(storage)
        self._used: dict[str, datetime] = {}
        self._told: dict[str, datetime] = {}
        self._guard = threading.Lock()

    def authenticated(self, text: str) -> Caller:
        """Who holds this key at this moment, or NotAuthenticated."""
        if not keys.is_key(text):
            raise NotAuthenticated()
        with self._storage.read() as connection:
            found = connection.execute(
                api_key.select().where(api_key.c.prefix == keys.prefix(text))
            ).all()
            row = next((row for row in found if keys.matches(text, row.hash)), None)
            if row is None or row.revoked is not None or _is_over(row.expires):
                raise NotAuthenticated()
            roles = held_roles(connection, row.member)
        self._used[row.id] = now()
        return _caller(_key(row), roles)

    def create_key(
        self,
        of: str,
        role: Role,
        in_project: str | None,
        expires: datetime | None = None,
        scopes: Sequence[Scope] | None = None,
        rate: int | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is told this once; the member has to hold the role."""
        if expires is not None and _is_over(expires):
            raise Invalid("The key would have expired already.")
        held = None if scopes is None else tuple(scopes)
        asked = Wanted(of, role, in_project, expires, held, rate=rate)
        told = {"member": of, "role": role.value} | ({} if rate is None else {"rate": rate})
        with self._record.act(Deed.KEY_MADE, in_project, new=asked.id, **told) as tx:
            return asked.made(tx)

    def rotate_key(
        self, id: str, overlap: timedelta, expires: datetime | None
    ) -> tuple[ApiKey, str]:
        """A key in the place of another, which ends after the overlap; Conflict if that has ended.

        Whatever the old one carries the new one carries, until `expires`; both are one bucket.
        """
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise Invalid(f"An overlap is at most {LONGEST_OVERLAP.days} days.")
        old = self.key(id)
        if old.revoked is not None or _is_over(old.expires):
            raise Conflict("The key has ended, so it cannot be rotated.", hint="Make a new one.")
        held, bucket = (old.role, old.project, expires, old.scopes), old.bucket or id
        asked = Wanted(old.member, *held, follows=id, rate=old.rate, bucket=bucket)
        ends = min(now() + overlap, old.expires or datetime.max.replace(tzinfo=UTC))
        told = {"old": id, "new": asked.id, "member": old.member}
        with self._record.act(Deed.KEY_ROTATED, old.project, **told) as tx:
            if tx.execute(api_key.select().where(api_key.c.follows == id)).first() is not None:
                raise Conflict("The key was rotated before.", hint="Rotate the one that follows.")
            alive = (api_key.c.id == id) & api_key.c.revoked.is_(None)
            if not tx.execute(api_key.update().where(alive).values(expires=ends)).rowcount:
                raise Conflict("The key has ended, so it cannot be rotated.")
            return asked.made(tx)

    def revoke_key(self, id: str) -> None:
        """The key is refused from the next request on; NotFound for an unknown one."""
        found = self.key(id)
        told = {"old": id, "member": found.member}
        with self._record.act(Deed.KEY_REVOKED, found.project, **told) as connection:
            revoke(connection, api_key.c.id == id)

    def set_rate(self, id: str, rate: int | None) -> None:
        """How many requests a minute the key may send from the next one on; None: as the house has.

        It holds for the keys that it replaced as well, while they work. Conflict if it has ended.
        """
        found = self.key(id)
        if found.revoked is not None or _is_over(found.expires):
            raise Conflict("The key has ended, so it has no rate.", hint="Make a new one.")
        told = {"old": id, "member": found.member, "rate": rate}
        first = found.bucket or id
        shared = (api_key.c.id == first) | (api_key.c.bucket == first)
        with self._record.act(Deed.KEY_RATED, found.project, **told) as tx:
            tx.execute(api_key.update().where(shared).values(rate=rate))

    def key(self, id: str, sight: Sight | None = None) -> ApiKey:
        """One key, or NotFound: it is not there, or not within sight."""
        wanted = _within(api_key.select().where(api_key.c.id == id), sight)
        with self._storage.read() as connection:
            row = connection.execute(wanted).first()
        if row is None:
            raise NotFound()
        return _key(row)

    def all_keys(self, sight: Sight | None = None) -> list[ApiKey]:
        """All keys that are within sight, oldest first."""
        wanted = _within(api_key.select().order_by(api_key.c.created), sight)
        with self._storage.read() as connection:
            rows = connection.execute(wanted).all()
        return [_key(row) for row in rows]

    def write_use(self) -> None:
        """Write when keys were last used: one step for all, each key now and then."""
        with self._guard:
            used, self._used = self._used, {}
            due = {
                id: moment
                for id, moment in used.items()
                if id not in self._told or moment - self._told[id] >= USE_TOLD_EVERY
            }
            self._told |= due
        if due:
            self._storage.act("", lambda tx: _use(tx, due), lambda _tx: None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is to be made."""

    member: str
    role: Role
    project: str | None
    expires: datetime | None
    scopes: tuple[Scope, ...] | None = None
    follows: str | None = None
    rate: int | None = None
    bucket: str | None = None
    id: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", secrets.token_hex(8))

    def made(self, tx: Any) -> tuple[ApiKey, str]:
        """The key, once the transaction is committed; Conflict where its member lacks the role."""
        if not _carries(held_roles(tx, self.member), self.role, self.project):
            raise Conflict("The member does not have that role, so no key can carry it.")
        fresh = keys.fresh()
        scopes = None if self.scopes is None else ",".join(self.scopes)
        values: dict[str, Any] = {
            "id": self.id, "member": self.member, "prefix": fresh.prefix, "project": self.project,
            "role": self.role.value, "created": now(), "expires": self.expires, "scopes": scopes,
            "follows": self.follows, "rate": self.rate, "bucket": self.bucket,
        }  # fmt: skip
        tx.execute(api_key.insert().values(hash=fresh.digest, **values))
        row = tx.execute(api_key.select().where(api_key.c.id == self.id)).one()
        return _key(row), fresh.text


def revoke(tx: Any, which: Any) -> int:
    """End keys at once; how many were alive."""
    alive = which & api_key.c.revoked.is_(None)
    return int(tx.execute(api_key.update().where(alive).values(revoked=now())).rowcount)


def held_roles(tx: Any, of: str) -> Roles:
    """The roles of a member as they stand: project (None: overall) and role."""
    rows = tx.execute(membership.select().where(membership.c.member == of)).all()
    return frozenset((row.project, Role(row.role)) for row in rows)


def _use(tx: Any, used: dict[str, datetime]) -> bool:
    for id, moment in sorted(used.items()):
        before = api_key.c.used.is_(None) | (api_key.c.used < moment)
        mine = (api_key.c.id == id) & before
        tx.execute(api_key.update().where(mine).values(used=moment))
    return True


def _is_over(expires: datetime | None) -> bool:
    return expires is not None and expires <= now()


def _carries(roles: Roles, role: Role, in_project: str | None) -> bool:
    """Whether the member's roles cover, somewhere the key would work, what it is to carry."""
    places = {where for where, _ in roles} if in_project is None else {None, in_project}
    return any(
        narrowed(frozenset(held for where, held in roles if where == place), role)
        for place in places
    )


def _caller(key: ApiKey, roles: Roles) -> Caller:
    """What the key carries at this moment: its role where the member has as much, no more."""
    role, only = key.role, key.project
    overall = narrowed(frozenset(r for where, r in roles if where is None), role)
    within = {
        where: carried
        for where in {where for where, _ in roles if where is not None}
        if only in (None, where)
        and (carried := narrowed(frozenset(r for w, r in roles if w == where), role))
    }
    if only is not None and overall:
        overall, within = frozenset(), {only: overall}
    scope = None if key.scopes is None else allowed(key.scopes)
    bucket = key.bucket or key.id
    return Caller(key.member, key.id, overall, within, scope, key.expires, key.rate, bucket)


def _key(row: Any) -> ApiKey:
    scopes = None if row.scopes is None else tuple(Scope(one) for one in row.scopes.split(","))
    return ApiKey(
        row.id, row.member, row.prefix, row.project, Role(row.role), row.created, row.expires,
        row.revoked, scopes, row.used, row.follows, row.rate, row.bucket,
    )  # fmt: skip

"""The registry: members, their roles, their keys, and the present delivery of each dataset.

A key is looked up anew on each request, so that expiry, revocation and a role taken away count from
the next request on. Of a key only a prefix and a hash are kept.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from budgets.refusals import BudgetRefused, DatasetFrozen, ProjectFrozen
from budgets.storage import Storage
from budgets.storage.projects import STANDING
from budgets.storage.schema import (
    api_key,
    member,
    membership,
    project,
)
from gateway import keys
from gateway.access import Caller, Role, narrowed
from gateway.delivered import Delivered
from gateway.record import Deed, Record
from gateway.refusals import Conflict, Invalid, NotAuthenticated, NotFound

_NAME = re.compile(r"[a-z0-9][a-z0-9_.@-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Project:
    """A project: one dataset, and whether three faults or an administrator froze it.

    `shut` is the refusal that meets its members at everything, if an administrator froze it or
    its dataset.
    """

    name: str
    dataset: str
    title: str
    frozen: bool
    created: datetime
    shut: BudgetRefused | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member, with its roles: by project, None for a role overall."""

    id: str
    name: str
    roles: tuple[tuple[str | None, Role], ...]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key after it was shown once."""

    id: str
    member: str
    prefix: str
    project: str | None
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


class Registry(Delivered):
    """Members, keys, projects and deliveries, on the ledger's own database."""

    def __init__(self, storage: Storage, record: Record | None = None) -> None:
        super().__init__(storage)
        self._record = record or Record(storage)

    # -- identity ---------------------------------------------------------------------------------

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
            roles = _roles(connection, row.member)
        return _caller(row, roles)

    # -- projects ---------------------------------------------------------------------------------

    def project(self, name: str) -> Project:
        """The project of that name, or NotFound."""
        with self._storage.read() as connection:
            row = connection.execute(STANDING.where(project.c.name == name)).first()
        if row is None:
            raise NotFound()
        return _project(row)

    def projects(self) -> list[Project]:
        """All projects, by name."""
        with self._storage.read() as connection:
            rows = connection.execute(STANDING.order_by(project.c.name)).all()
        return [_project(row) for row in rows]

    # -- members ----------------------------------------------------------------------------------

    def ensure_member(self, id: str, name: str | None = None) -> None:
        """A member of that id exists afterwards."""
        checked_name(id)
        known = member.select().where(member.c.id == id)
        with self._storage.read() as connection:
            if connection.execute(known).first() is not None:
                return
        with self._record.act(Deed.MEMBER_ADDED, member=id) as connection:
            if connection.execute(known).first() is None:
                values = {"id": id, "name": name or id, "created": now()}
                connection.execute(member.insert().values(**values))

    def give_role(self, id: str, role: Role, in_project: str | None) -> None:
        """The member has the role in the project, or overall, afterwards."""
        self.ensure_member(id)
        if in_project is not None:
            self.project(in_project)
        if (in_project, role) in self.roles(id):
            return
        told = {"member": id, "role": role.value}
        with self._record.act(Deed.ROLE_GIVEN, in_project, **told) as connection:
            if (in_project, role) not in _roles(connection, id):
                values = {"member": id, "project": in_project, "role": role, "created": now()}
                connection.execute(membership.insert().values(**values))

    def take_role(self, id: str, role: Role, in_project: str | None) -> None:
        """The member has that role no longer; NotFound if it had not."""
        mine = (membership.c.member == id) & (membership.c.role == role.value)
        where = mine & (membership.c.project.is_(None) if in_project is None else
                        membership.c.project == in_project)  # fmt: skip
        told = {"member": id, "role": role.value}
        with self._record.act(Deed.ROLE_TAKEN, in_project, **told) as connection:
            if not connection.execute(membership.delete().where(where)).rowcount:
                raise NotFound()

    def members(self, in_project: str | None = None) -> list[Member]:
        """All members, or those with a role in one project, with the roles that concern it."""
        with self._storage.read() as connection:
            names = connection.execute(member.select().order_by(member.c.id)).all()
            roles = connection.execute(membership.select()).all()
        held: dict[str, list[tuple[str | None, Role]]] = {}
        for row in roles:
            if in_project is None or row.project == in_project:
                held.setdefault(row.member, []).append((row.project, Role(row.role)))
        return [
            Member(row.id, row.name, tuple(held.get(row.id, ())))
            for row in names
            if in_project is None or row.id in held
        ]

    def roles(self, id: str) -> frozenset[tuple[str | None, Role]]:
        """The roles of a member as they stand: project (None: overall) and role."""
        with self._storage.read() as connection:
            return _roles(connection, id)

    # -- keys -------------------------------------------------------------------------------------

    def create_key(
        self, of: str, role: Role, in_project: str | None, expires: datetime | None = None
    ) -> tuple[ApiKey, str]:
        """A new key and its text, which is told this once; the member has to hold the role."""
        if expires is not None and _is_over(expires):
            raise Invalid("The key would have expired already.")
        fresh = keys.fresh()
        values: dict[str, Any] = {
            "id": secrets.token_hex(8), "member": of, "prefix": fresh.prefix,
            "project": in_project, "role": role.value, "created": now(), "expires": expires,
        }  # fmt: skip
        told = {"new": values["id"], "member": of, "role": role.value}
        with self._record.act(Deed.KEY_MADE, in_project, **told) as connection:
            if not _carries(_roles(connection, of), role, in_project):
                raise Conflict("The member does not have that role, so no key can carry it.")
            connection.execute(api_key.insert().values(hash=fresh.digest, **values))
        return ApiKey(**values | {"role": role}, revoked=None), fresh.text

    def revoke_key(self, id: str) -> None:
        """The key is refused from the next request on; NotFound for an unknown one."""
        found = self.key(id)
        mine = (api_key.c.id == id) & api_key.c.revoked.is_(None)
        told = {"old": id, "member": found.member}
        with self._record.act(Deed.KEY_REVOKED, found.project, **told) as connection:
            connection.execute(api_key.update().where(mine).values(revoked=now()))

    def key(self, id: str) -> ApiKey:
        """One key, or NotFound."""
        with self._storage.read() as connection:
            row = connection.execute(api_key.select().where(api_key.c.id == id)).first()
        if row is None:
            raise NotFound()
        return _key(row)

    def all_keys(self) -> list[ApiKey]:
        """All keys, oldest first."""
        with self._storage.read() as connection:
            rows = connection.execute(api_key.select().order_by(api_key.c.created)).all()
        return [_key(row) for row in rows]


def checked_name(text: str) -> str:
    """The text, if it can name a member or a project."""
    if _NAME.fullmatch(text) is None:
        raise Invalid(
            "A name is 1 to 63 of a-z, 0-9, `.`, `_`, `-` and `@`; it begins with a-z or 0-9."
        )
    return text


def _is_over(expires: datetime | None) -> bool:
    return expires is not None and expires <= now()


def _roles(connection: Any, of: str) -> frozenset[tuple[str | None, Role]]:
    rows = connection.execute(membership.select().where(membership.c.member == of)).all()
    return frozenset((row.project, Role(row.role)) for row in rows)


def _carries(roles: frozenset[tuple[str | None, Role]], role: Role, in_project: str | None) -> bool:
    """Whether the member's roles cover, somewhere the key would work, what it is to carry."""
    places = {where for where, _ in roles} if in_project is None else {None, in_project}
    return any(
        narrowed(frozenset(held for where, held in roles if where == place), role)
        for place in places
    )


def _caller(row: Any, roles: frozenset[tuple[str | None, Role]]) -> Caller:
    """What the key carries at this moment: its role where the member has as much, no more."""
    role, only = Role(row.role), row.project
    overall = narrowed(frozenset(r for where, r in roles if where is None), role)
    within = {
        where: carried
        for where in {where for where, _ in roles if where is not None}
        if only in (None, where)
        and (carried := narrowed(frozenset(r for w, r in roles if w == where), role))
    }
    if only is not None and overall:
        overall, within = frozenset(), {only: overall}
    return Caller(row.member, row.id, overall, within)


def _project(row: Any) -> Project:
    shut: BudgetRefused | None = ProjectFrozen(row.name) if row.locked else None
    shut = DatasetFrozen(row.dataset) if row.stopped else shut
    frozen = bool(row.frozen or row.stopped)
    return Project(row.name, row.dataset, row.title, frozen, row.created, shut)


def _key(row: Any) -> ApiKey:
    return ApiKey(
        row.id, row.member, row.prefix, row.project, Role(row.role), row.created, row.expires,
        row.revoked,
    )  # fmt: skip

"""The registry: members, their roles, their keys, and the present delivery of each dataset."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from budgets.refusals import BudgetRefused, DatasetFrozen, ProjectFrozen
from budgets.storage.projects import STANDING
from budgets.storage.schema import (
    api_key,
    member,
    membership,
    project,
)
from gateway import presets
from gateway.access import Role
from gateway.delivered import Delivered, Delivery
from gateway.keyring import ApiKey, Keyring, Roles, held_roles, now, revoke
from gateway.record import Deed
from gateway.refusals import Invalid, NotFound

__all__ = ["ApiKey", "Delivery", "Member", "Project", "Registry", "checked_name", "now"]

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
    presets: presets.Presets = presets.Presets()


@dataclass(frozen=True, slots=True)
class Member:
    """A member, with its roles: by project, None for a role overall."""

    id: str
    name: str
    roles: tuple[tuple[str | None, Role], ...]


class Registry(Keyring, Delivered):
    """Members, keys, projects and deliveries, on the ledger's own database."""

    # -- projects ---------------------------------------------------------------------------------

    def project(self, name: str) -> Project:
        """The project of that name, or NotFound."""
        with self._storage.read() as connection:
            row = connection.execute(STANDING.where(project.c.name == name)).first()
        if row is None:
            raise NotFound()
        return _project(row)

    def projects(self, only: Collection[str] | None = None) -> list[Project]:
        """All projects, or those of these names, by name."""
        wanted = STANDING.order_by(project.c.name)
        if only is not None:
            wanted = wanted.where(project.c.name.in_(sorted(only)))
        with self._storage.read() as connection:
            rows = connection.execute(wanted).all()
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
            if (in_project, role) not in held_roles(connection, id):
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
            ended = _left_empty(id, in_project, held_roles(connection, id))
            if ended is not None:
                revoke(connection, ended)

    def end_member(self, id: str) -> None:
        """All roles of a member are gone and all of its keys ended; NotFound if it had none.

        What it did stays; a role given later brings none of the keys back.
        """
        mine = membership.c.member == id
        with self._record.act(Deed.MEMBER_ENDED, member=id) as connection:
            taken = connection.execute(membership.delete().where(mine)).rowcount
            ended = revoke(connection, api_key.c.member == id)
            if not taken and not ended:
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
            return held_roles(connection, id)


def checked_name(text: str) -> str:
    """The text, if it can name a member or a project."""
    if _NAME.fullmatch(text) is None:
        raise Invalid(
            "A name is 1 to 63 of a-z, 0-9, `.`, `_`, `-` and `@`; it begins with a-z or 0-9."
        )
    return text


def _left_empty(of: str, lost: str | None, left: Roles) -> Any:
    """The keys that end with a role: those that nothing is left for; None: not one."""
    mine = api_key.c.member == of
    if not left:
        return mine
    places = {where for where, _ in left}
    kept = lost is None or places & {None, lost}
    return None if kept else mine & (api_key.c.project == lost)


def _project(row: Any) -> Project:
    shut: BudgetRefused | None = ProjectFrozen(row.name) if row.locked else None
    shut = DatasetFrozen(row.dataset) if row.stopped else shut
    frozen = bool(row.frozen or row.stopped)
    found = presets.read(row.presets)
    return Project(row.name, row.dataset, row.title, frozen, row.created, shut, found)

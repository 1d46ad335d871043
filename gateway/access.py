"""Who may do what: members, roles and what a key carries.

A member has a role overall or in projects; a key belongs to a member and may be narrowed to one
project, to a lesser role and to scopes, never widened. What a caller may not see does not exist for
it: the refusal is the one of a thing that is not there, in status and in body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.refusals import NotFound, NotPermitted, OutOfScope


class Role(StrEnum):
    """The roles a member may have."""

    ANALYST = "analyst"
    LEAD = "lead"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Act(StrEnum):
    """What can be done with a project, or with the whole house."""

    ASK = "ask"  # queries, charged
    DRAW = "draw"  # queries that are charged to what a project keeps for later
    QUOTE = "quote"  # quotes and rehearsals, free
    READ = "read"  # budget, history and dataset of a project
    OVERSEE = "oversee"  # what other members have asked, before it has ended
    MANAGE = "manage"  # members and keys of a project
    SURVEY = "survey"  # ceilings, which no project sees (P24)
    ADMINISTER = "administer"  # projects, allocations, overall members and keys
    AUDIT = "audit"  # the record of all that was done


ACTS: Mapping[Role, frozenset[Act]] = {
    Role.ANALYST: frozenset({Act.ASK, Act.QUOTE, Act.READ}),
    Role.LEAD: frozenset({Act.ASK, Act.DRAW, Act.QUOTE, Act.READ, Act.OVERSEE, Act.MANAGE}),
    Role.REVIEWER: frozenset({Act.READ}),
    Role.ADMINISTRATOR: frozenset({Act.READ, Act.OVERSEE, Act.MANAGE, Act.SURVEY, Act.ADMINISTER}),
    Role.AUDITOR: frozenset({Act.READ, Act.OVERSEE, Act.SURVEY, Act.AUDIT}),
}

NEEDED: Mapping[Act, str] = {
    Act.ASK: "analyst or project lead",
    Act.DRAW: "project lead",
    Act.QUOTE: "analyst or project lead",
    Act.READ: "a member of the project",
    Act.OVERSEE: "project lead, auditor or administrator",
    Act.MANAGE: "project lead or administrator",
    Act.SURVEY: "administrator or auditor",
    Act.ADMINISTER: "administrator",
    Act.AUDIT: "auditor",
}


class Scope(StrEnum):
    """What a key may be held to, whatever its role may do besides."""

    QUERY = "query"
    QUOTE = "quote"
    READ = "read"
    ADMINISTER = "administer"
    AUDIT = "audit"


SCOPES: Mapping[Scope, frozenset[Act]] = {
    Scope.QUERY: frozenset({Act.ASK, Act.DRAW, Act.QUOTE}),
    Scope.QUOTE: frozenset({Act.QUOTE}),
    Scope.READ: frozenset({Act.READ, Act.OVERSEE, Act.SURVEY}),
    Scope.ADMINISTER: frozenset({Act.MANAGE, Act.ADMINISTER}),
    Scope.AUDIT: frozenset({Act.AUDIT}),
}


def allowed(scopes: Iterable[Scope]) -> frozenset[Act]:
    """All acts of some scopes."""
    return frozenset(act for scope in scopes for act in SCOPES[scope])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a member, through one key, with the roles that both carry.

    `overall` holds the roles in every project, `within` those in single ones. `scope` is what the
    key is held to (None: nothing), `until` when it ends. `rate` is how often the key may ask in a
    minute (None: as often as the house lets any), counted in `bucket`.
    """

    member: str
    key: str
    overall: frozenset[Role] = frozenset()
    within: Mapping[str, frozenset[Role]] | None = None
    scope: frozenset[Act] | None = None
    until: datetime | None = None
    rate: int | None = None
    bucket: str = ""

    def roles(self, project: str) -> frozenset[Role]:
        """All roles that this caller has in a project."""
        return self.overall | (self.within or {}).get(project, frozenset())

    def acts(self, project: str | None = None) -> frozenset[Act]:
        """All that this caller may do in a project, or in the whole house."""
        roles = self.overall if project is None else self.roles(project)
        owned = frozenset(act for role in roles for act in ACTS[role])
        return owned if self.scope is None else owned & self.scope

    def may(self, act: Act, project: str) -> bool:
        return act in self.acts(project)

    def require(self, act: Act, project: str) -> None:
        """NotFound for somebody else's project; NotPermitted for an act beyond role or scope."""
        if not self.roles(project):
            raise NotFound()
        if not self.may(act, project):
            raise self._refused(act, self.roles(project))

    def require_overall(self, act: Act) -> None:
        """The act on the whole house, not on one project."""
        if act not in self.acts():
            raise self._refused(act, self.overall)

    def require_scope(self, act: Act) -> None:
        """The act is not one that the key is held from; roles decide what it is done to."""
        if self.scope is not None and act not in self.scope:
            raise OutOfScope(act.value)

    def _refused(self, act: Act, roles: frozenset[Role]) -> NotPermitted | OutOfScope:
        if any(act in ACTS[role] for role in roles):
            return OutOfScope(act.value)
        return NotPermitted(NEEDED[act])

    @property
    def sees_whole(self) -> bool:
        """Whether datasets are there for this caller beyond what any project was granted."""
        return bool(self.overall & {Role.ADMINISTRATOR, Role.AUDITOR})

    @property
    def sees(self) -> frozenset[str] | None:
        """The projects that are there for this caller; None: all of them."""
        if self.sees_all:
            return None
        return frozenset(name for name, roles in (self.within or {}).items() if roles)

    @property
    def sees_all(self) -> bool:
        """Whether every project is visible to this caller."""
        return bool(self.overall)


def narrowed(roles: frozenset[Role], limit: Role | None) -> frozenset[Role]:
    """What a key carries of its member's roles: all of them, or one that the member covers.

    A key narrowed to a role carries that role only while its member could do all of it.
    """
    if limit is None:
        return roles
    owned = frozenset(act for role in roles for act in ACTS[role])
    return frozenset({limit}) if ACTS[limit] <= owned else frozenset()

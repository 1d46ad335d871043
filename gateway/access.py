"""Who may do what: members, roles and what a key carries.

A member has a role overall or in projects; a key belongs to a member and may be narrowed to one
project and to a lesser role, never widened. What a caller may not see does not exist for it: the
refusal is the one of a thing that is not there, in status and in body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.refusals import NotFound, NotPermitted


class Role(StrEnum):
    """The roles a member may have."""

    ANALYST = "analyst"
    LEAD = "lead"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Act(StrEnum):
    """What can be done with a project, or with the whole house."""

    ASK = "ask"  # queries and quotes
    READ = "read"  # budget, history and dataset of a project
    OVERSEE = "oversee"  # what other members have asked, before it has ended
    MANAGE = "manage"  # members and keys of a project
    SURVEY = "survey"  # ceilings, which no project sees (P24)
    ADMINISTER = "administer"  # projects, allocations, overall members and keys
    AUDIT = "audit"  # the record of all that was done


ACTS: Mapping[Role, frozenset[Act]] = {
    Role.ANALYST: frozenset({Act.ASK, Act.READ}),
    Role.LEAD: frozenset({Act.ASK, Act.READ, Act.OVERSEE, Act.MANAGE}),
    Role.REVIEWER: frozenset({Act.READ}),
    Role.ADMINISTRATOR: frozenset({Act.READ, Act.OVERSEE, Act.MANAGE, Act.SURVEY, Act.ADMINISTER}),
    Role.AUDITOR: frozenset({Act.READ, Act.OVERSEE, Act.SURVEY, Act.AUDIT}),
}

NEEDED: Mapping[Act, str] = {
    Act.ASK: "analyst or project lead",
    Act.READ: "a member of the project",
    Act.OVERSEE: "project lead, auditor or administrator",
    Act.MANAGE: "project lead or administrator",
    Act.SURVEY: "administrator or auditor",
    Act.ADMINISTER: "administrator",
    Act.AUDIT: "auditor",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a member, through one key, with the roles that both carry.

    `overall` holds the roles in every project, `within` those in single ones.
    """

    member: str
    key: str
    overall: frozenset[Role] = frozenset()
    within: Mapping[str, frozenset[Role]] | None = None

    def roles(self, project: str) -> frozenset[Role]:
        """All roles that this caller has in a project."""
        return self.overall | (self.within or {}).get(project, frozenset())

    def may(self, act: Act, project: str) -> bool:
        return any(act in ACTS[role] for role in self.roles(project))

    def require(self, act: Act, project: str) -> None:
        """NotFound for somebody else's project; NotPermitted for an act beyond the role."""
        if not self.roles(project):
            raise NotFound()
        if not self.may(act, project):
            raise NotPermitted(NEEDED[act])

    def require_overall(self, act: Act) -> None:
        """The act on the whole house, not on one project."""
        if not any(act in ACTS[role] for role in self.overall):
            raise NotPermitted(NEEDED[act])

    @property
    def sees_whole(self) -> bool:
        """Whether datasets are there for this caller beyond what any project was granted."""
        return bool(self.overall & {Role.ADMINISTRATOR, Role.AUDITOR})

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

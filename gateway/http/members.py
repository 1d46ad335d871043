"""Members: who has which role in a project, or in the whole house."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Regexp

from gateway.access import Act, Role
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import Closed
from gateway.registry import Member as Held

blueprint = Blueprint("members", __name__, description="Who may do what.")

MEMBER_PATTERN = r"^[a-z0-9][a-z0-9_.@-]{0,62}$"
IN_PROJECT = (Role.ANALYST, Role.LEAD, Role.REVIEWER)


class NewRoleSchema(Closed):
    """A role to be given."""

    member = fields.String(
        required=True,
        validate=Regexp(MEMBER_PATTERN),
        metadata={"description": "the member, made if not there yet", "example": "a.jansen"},
    )
    role = fields.String(
        required=True,
        validate=OneOf([role.value for role in Role]),
        metadata={"description": "the role", "example": "analyst"},
    )


class RoleSchema(Schema):
    """A role, and where it holds."""

    role = fields.String(required=True, metadata={"description": "the role"})
    project = fields.String(
        required=True, allow_none=True, metadata={"description": "null: everywhere"}
    )


class MemberSchema(Schema):
    """A member with the roles that concern this list."""

    member = fields.String(required=True, metadata={"description": "the member's id"})
    name = fields.String(required=True, metadata={"description": "for people"})
    roles = fields.List(
        fields.Nested(RoleSchema), required=True, metadata={"description": "as they stand"}
    )


class MembersSchema(Schema):
    """A list of members."""

    members = fields.List(
        fields.Nested(MemberSchema), required=True, metadata={"description": "by id"}
    )


@blueprint.resource("/v1/projects/<project>/members")
class ProjectMembers(MethodView):
    """The members of a project."""

    @blueprint.named("listProjectMembers")
    @blueprint.gives(200, MembersSchema, "The members of the project.")
    def get(self, project: str) -> Response:
        """List the members of a project."""
        permitted(Act.READ, project)
        return jsonify(_listed(project))

    @blueprint.named("addProjectMember")
    @blueprint.takes(NewRoleSchema)
    @blueprint.gives(201, MembersSchema, "The members of the project.")
    def post(self, body: Body, project: str) -> Response:
        """Give a member a role in the project."""
        permitted(Act.MANAGE, project)
        role = Role(body["role"])
        if role not in IN_PROJECT:
            administrator()
        house().registry.give_role(body["member"], role, project)
        return created(_listed(project), f"/v1/projects/{project}/members")


@blueprint.resource("/v1/projects/<project>/members/<member>/<role>")
class ProjectMember(MethodView):
    """One member's role in a project."""

    @blueprint.named("removeProjectMember")
    @blueprint.gives(204, None, "The role is gone, from the next request on.")
    def delete(self, project: str, member: str, role: str) -> Response:
        """Take a role in the project from a member; its keys lose it at once."""
        permitted(Act.MANAGE, project)
        house().registry.take_role(member, _role(role), project)
        return Response(status=204)


@blueprint.resource("/v1/members")
class Members(MethodView):
    """The members of the house."""

    @blueprint.named("listMembers")
    @blueprint.gives(200, MembersSchema, "Everybody.")
    def get(self) -> Response:
        """List all members with all their roles."""
        administrator()
        return jsonify(_listed(None))

    @blueprint.named("addMember")
    @blueprint.takes(NewRoleSchema)
    @blueprint.gives(201, MembersSchema, "Everybody.")
    def post(self, body: Body) -> Response:
        """Give a member a role everywhere."""
        administrator()
        house().registry.give_role(body["member"], Role(body["role"]), None)
        return created(_listed(None), "/v1/members")


@blueprint.resource("/v1/members/<member>")
class Member(MethodView):
    """One member of the house."""

    @blueprint.named("endMember")
    @blueprint.gives(204, None, "Its roles are gone and its keys ended, from the next request on.")
    def delete(self, member: str) -> Response:
        """Take all roles from a member and end all of its keys; what it did stays."""
        administrator()
        house().registry.end_member(member)
        return Response(status=204)


def _role(text: str) -> Role:
    from gateway.refusals import NotFound

    if text not in {role.value for role in Role}:
        raise NotFound()
    return Role(text)


def _listed(project: str | None) -> dict[str, Any]:
    return {"members": [_shown(one) for one in house().registry.members(project)]}


def _shown(one: Held) -> dict[str, Any]:
    roles = [{"role": role.value, "project": where} for where, role in one.roles]
    return {"member": one.id, "name": one.name, "roles": roles}

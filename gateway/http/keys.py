"""Keys: made once, shown once, revoked at once. Only a prefix and a hash are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from gateway.access import Act, Caller, Role
from gateway.http import guard
from gateway.http.fields import Whole
from gateway.http.members import IN_PROJECT, MEMBER_PATTERN
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import Closed
from gateway.refusals import NotFound
from gateway.registry import ApiKey, now

blueprint = Blueprint("keys", __name__, description="API keys.")


class NewKeySchema(Closed):
    """A key to be made for a member who has the role already."""

    member = fields.String(
        required=True,
        validate=Regexp(MEMBER_PATTERN),
        metadata={"description": "whose key it is", "example": "a.jansen"},
    )
    role = fields.String(
        required=True,
        validate=OneOf([role.value for role in Role]),
        metadata={"description": "what it carries; the member has to have as much"},
    )
    project = fields.String(
        validate=Length(1, 63), metadata={"description": "where it works; everywhere without one"}
    )
    days = Whole(
        validate=Range(1, 3660), metadata={"description": "days until it expires; never without"}
    )


class KeySchema(Schema):
    """A key, without its text."""

    id = fields.String(required=True, metadata={"description": "names the key, gives no access"})
    member = fields.String(required=True, metadata={"description": "whose key it is"})
    prefix = fields.String(required=True, metadata={"description": "how its text begins"})
    project = fields.String(
        required=True, allow_none=True, metadata={"description": "where it works"}
    )
    role = fields.String(required=True, metadata={"description": "what it carries"})
    created_at = fields.String(required=True, metadata={"description": "in UTC"})
    expires_at = fields.String(required=True, allow_none=True, metadata={"description": "in UTC"})
    revoked_at = fields.String(required=True, allow_none=True, metadata={"description": "in UTC"})


class FreshKeySchema(KeySchema):
    """A new key with its text, which is shown this once."""

    key = fields.String(required=True, metadata={"description": "the key; keep it, it is not kept"})


class KeysSchema(Schema):
    """A list of keys."""

    keys = fields.List(
        fields.Nested(KeySchema), required=True, metadata={"description": "oldest first"}
    )


@blueprint.resource("/v1/keys")
class Keys(MethodView):
    """The keys that the caller may see: its own, those of its projects, or all."""

    @blueprint.named("listKeys")
    @blueprint.gives(200, KeysSchema, "Without their texts.")
    def get(self) -> Response:
        """List keys: one's own, those of projects one leads, or all for administrators."""
        caller = guard.caller()
        mine = [key for key in house().registry.all_keys() if _may_see(caller, key)]
        return jsonify({"keys": [_shown(key) for key in mine]})

    @blueprint.named("createKey")
    @blueprint.takes(NewKeySchema)
    @blueprint.gives(201, FreshKeySchema, "The key, shown this once.")
    def post(self, body: Body) -> Response:
        """Make a key for a member; a project lead may, within the project."""
        project = body.get("project")
        if project is None or Role(body["role"]) not in IN_PROJECT:
            administrator()
        else:
            permitted(Act.MANAGE, project)
        expires = now() + timedelta(days=body["days"]) if "days" in body else None
        made, text = house().registry.create_key(
            body["member"], Role(body["role"]), project, expires
        )
        return created(_shown(made) | {"key": text}, f"/v1/keys/{made.id}")


@blueprint.resource("/v1/keys/<id>")
class Key(MethodView):
    """One key."""

    @blueprint.named("getKey")
    @blueprint.gives(200, KeySchema, "Without its text.")
    def get(self, id: str) -> Response:
        """Read what is known of a key."""
        return jsonify(_shown(_visible(id)))

    @blueprint.named("revokeKey")
    @blueprint.gives(204, None, "The key is refused from the next request on.")
    def delete(self, id: str) -> Response:
        """Revoke a key; its holder may, and whoever could make it."""
        house().registry.revoke_key(_visible(id).id)
        return Response(status=204)


def _visible(id: str) -> ApiKey:
    found = house().registry.key(id)
    if not _may_see(guard.caller(), found):
        raise NotFound()
    return found


def _may_see(caller: Caller, key: ApiKey) -> bool:
    if caller.may(Act.ADMINISTER, key.project or ""):
        return True
    leads = key.project is not None and caller.may(Act.MANAGE, key.project)
    return leads or key.id == caller.key or (key.member == caller.member and caller.sees_all)


def _shown(key: ApiKey) -> dict[str, Any]:
    moments = {
        "created_at": key.created.isoformat(),
        "expires_at": key.expires.isoformat() if key.expires else None,
        "revoked_at": key.revoked.isoformat() if key.revoked else None,
    }
    return {
        "id": key.id, "member": key.member, "prefix": key.prefix, "project": key.project,
        "role": key.role.value,
    } | moments  # fmt: skip

"""Keys: made once, shown once, revoked at once. Only a prefix and a hash are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range, Regexp

from gateway.access import ACTS, NEEDED, Act, Caller, Role, Scope, allowed
from gateway.http import guard
from gateway.http.fields import Whole
from gateway.http.members import IN_PROJECT, MEMBER_PATTERN
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import Closed
from gateway.keyring import Sight
from gateway.refusals import KeyTooWide, NotPermitted
from gateway.registry import ApiKey, now

MOST_RATE = 1_000_000
"""Requests a minute."""

blueprint = Blueprint("keys", __name__, description="API keys.")


def granted_scopes() -> fields.List[str]:
    """What a key is held to."""
    one = fields.String(validate=OneOf([scope.value for scope in Scope]))
    return fields.List(
        one,
        validate=Length(1, len(Scope)),
        metadata={
            "description": "what it is held to, of all that its role may do; without: all of that",
            "example": ["quote", "read"],
        },
    )


def granted_rate(**more: Any) -> Whole:
    """How often a key may ask."""
    told = {"description": "requests a minute; without: as the house has it", "example": 300}
    return Whole(validate=Range(1, MOST_RATE), metadata=told, **more)


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
    scopes = granted_scopes()
    days = Whole(
        validate=Range(1, 3660), metadata={"description": "days until it expires; never without"}
    )
    rate = granted_rate()


class KeySchema(Schema):
    """A key, without its text."""

    id = fields.String(required=True, metadata={"description": "names the key, gives no access"})
    member = fields.String(required=True, metadata={"description": "whose key it is"})
    prefix = fields.String(required=True, metadata={"description": "how its text begins"})
    project = fields.String(
        required=True, allow_none=True, metadata={"description": "where it works"}
    )
    role = fields.String(required=True, metadata={"description": "what it carries"})
    scopes = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "what it is held to; null: nothing"},
    )
    follows = fields.String(
        required=True, allow_none=True, metadata={"description": "the key that it replaces"}
    )
    rate = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "requests a minute; null: as the house has it"},
    )
    used_at = fields.String(
        required=True, allow_none=True, metadata={"description": "in UTC, some minutes late"}
    )
    created_at = fields.String(required=True, metadata={"description": "in UTC"})
    expires_at = fields.String(required=True, allow_none=True, metadata={"description": "in UTC"})
    revoked_at = fields.String(required=True, allow_none=True, metadata={"description": "in UTC"})


class FreshKeySchema(KeySchema):
    """A new key with its text, which is shown this once."""

    key = fields.String(required=True, metadata={"description": "the key; keep it, it is not kept"})


class RotationSchema(Closed):
    """How a key is replaced."""

    overlap_hours = Whole(
        load_default=24,
        validate=Range(0, 720),
        metadata={"description": "hours for which the old key still works; 24 without"},
    )
    days = Whole(
        validate=Range(1, 3660),
        metadata={"description": "days until the new key expires; without: when the old one would"},
    )


class RateSchema(Closed):
    """How often a key may ask."""

    rate = granted_rate(required=True, allow_none=True)


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
        mine = house().registry.all_keys(_sight(guard.caller()))
        return jsonify({"keys": [shown(key) for key in mine]})

    @blueprint.named("createKey")
    @blueprint.takes(NewKeySchema)
    @blueprint.gives(201, FreshKeySchema, "The key, shown this once.")
    def post(self, body: Body) -> Response:
        """Make a key for a member; a project lead may, within the project and no wider than its
        own."""
        role, project = Role(body["role"]), body.get("project")
        scopes = None if "scopes" not in body else [Scope(one) for one in body["scopes"]]
        rate: int | None = body.get("rate")
        expires = _may_make(role, project, scopes, _end(body), rate)
        made, text = house().registry.create_key(
            body["member"], role, project, expires, scopes, rate
        )
        return created(shown(made) | {"key": text}, f"/v1/keys/{made.id}")


@blueprint.resource("/v1/keys/<id>")
class Key(MethodView):
    """One key."""

    @blueprint.named("getKey")
    @blueprint.gives(200, KeySchema, "Without its text.")
    def get(self, id: str) -> Response:
        """Read what is known of a key."""
        return jsonify(shown(_visible(id)))

    @blueprint.named("revokeKey")
    @blueprint.gives(204, None, "The key is refused from the next request on.")
    def delete(self, id: str) -> Response:
        """Revoke a key; its holder may, with that key, and whoever could make it."""
        found = _visible(id)
        if found.id != guard.caller().key and not _manages(guard.caller(), found.project):
            raise NotPermitted(NEEDED[Act.MANAGE])
        house().registry.revoke_key(found.id)
        return Response(status=204)


@blueprint.resource("/v1/keys/<id>/rotation")
class Rotation(MethodView):
    """A key in the place of another."""

    @blueprint.named("rotateKey")
    @blueprint.takes(RotationSchema)
    @blueprint.gives(201, FreshKeySchema, "The new key, shown this once.")
    def post(self, body: Body, id: str) -> Response:
        """Replace a key, which still works for a while; its holder may, with that key, and whoever
        could make it."""
        found = _visible(id)
        expires = _end(body) or found.expires
        if found.id != guard.caller().key or "days" in body:
            expires = _may_make(found.role, found.project, found.scopes, expires, found.rate)
        overlap = timedelta(hours=body["overlap_hours"])
        made, text = house().registry.rotate_key(found.id, overlap, expires)
        return created(shown(made) | {"key": text}, f"/v1/keys/{made.id}")


@blueprint.resource("/v1/keys/<id>/rate")
class KeyRate(MethodView):
    """How often a key may ask."""

    @blueprint.named("setKeyRate")
    @blueprint.takes(RateSchema)
    @blueprint.gives(200, KeySchema, "The key, with its rate from the next request on.")
    def put(self, body: Body, id: str) -> Response:
        """Say how many requests a minute a key may send; a project lead may say less than for any
        key, administrators more. null: as many as any key."""
        found = _visible(id)
        _may_pace(found.role, found.project, body["rate"])
        house().registry.set_rate(found.id, body["rate"])
        return jsonify(shown(house().registry.key(found.id)))


def _end(body: Body) -> datetime | None:
    return now() + timedelta(days=body["days"]) if "days" in body else None


def _may_make(
    role: Role,
    project: str | None,
    scopes: Sequence[Scope] | None,
    expires: datetime | None,
    rate: int | None,
) -> datetime | None:
    """When such a key ends, if the caller may make it; KeyTooWide where it would do or last more.

    Administrators are held to nothing: what they do not give they could give themselves.
    """
    caller = _may_pace(role, project, rate)
    if project is None or Act.ADMINISTER in caller.acts():
        return expires
    wanted = ACTS[role] if scopes is None else ACTS[role] & allowed(scopes)
    if not wanted <= caller.acts(project):
        raise KeyTooWide()
    if caller.until is not None and expires is not None and expires > caller.until:
        raise KeyTooWide()
    return expires or caller.until


def _may_pace(role: Role, project: str | None, rate: int | None) -> Caller:
    """The caller, if it may give such a key this rate: not above its own, or the house's."""
    if project is None or role not in IN_PROJECT:
        return administrator()
    caller = permitted(Act.MANAGE, project)
    any_key = house().rates.house
    most = min(any_key, any_key if caller.rate is None else caller.rate)
    wanted = any_key if rate is None else rate
    if Act.ADMINISTER not in caller.acts() and wanted > most:
        raise KeyTooWide()
    return caller


def _visible(id: str) -> ApiKey:
    return house().registry.key(id, _sight(guard.caller()))


def _sight(caller: Caller) -> Sight | None:
    """The keys that a caller may see; None: all of them."""
    if Act.ADMINISTER in caller.acts():
        return None
    managed = frozenset(name for name in caller.within or () if caller.may(Act.MANAGE, name))
    return Sight(caller.key, caller.member if caller.sees_all else None, managed)


def _manages(caller: Caller, project: str | None) -> bool:
    manages = project is not None and caller.may(Act.MANAGE, project)
    return manages or Act.ADMINISTER in caller.acts()


def shown(key: ApiKey) -> dict[str, Any]:
    """A key as JSON, without its text."""
    moments = {
        f"{name}_at": None if moment is None else moment.isoformat()
        for name, moment in (
            ("created", key.created), ("expires", key.expires), ("revoked", key.revoked),
            ("used", key.used),
        )
    }  # fmt: skip
    scopes = None if key.scopes is None else [scope.value for scope in key.scopes]
    return {
        "id": key.id, "member": key.member, "prefix": key.prefix, "project": key.project,
        "role": key.role.value, "scopes": scopes, "follows": key.follows, "rate": key.rate,
    } | moments  # fmt: skip

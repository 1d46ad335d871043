"""The first administrator's key, in exchange for the secret that `sluis bootstrap` shows."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView
from marshmallow import fields
from marshmallow.validate import Length, Regexp

from gateway.http import guard
from gateway.http.keys import FreshKeySchema, shown
from gateway.http.members import MEMBER_PATTERN
from gateway.http.resources import Blueprint, Body, created, house
from gateway.http.schemas import Closed

blueprint = Blueprint("bootstrap", __name__, description="The way in, once.")


class BootstrapSchema(Closed):
    """The secret, and who the first administrator is."""

    secret = fields.String(
        required=True,
        validate=Length(1, 100),
        metadata={"description": "as `sluis bootstrap` showed it", "example": "once_..."},
    )
    member = fields.String(
        required=True,
        validate=Regexp(MEMBER_PATTERN),
        metadata={"description": "the administrator, made here", "example": "a.jansen"},
    )


@blueprint.resource(guard.WAY_IN)
class Bootstrap(MethodView):
    """The door that opens once."""

    @blueprint.named("bootstrap")
    @blueprint.takes(BootstrapSchema)
    @blueprint.gives(201, FreshKeySchema, "The key, shown this once.")
    def post(self, body: Body) -> Response:
        """Make the first administrator and its key; the secret is of no use afterwards."""
        made, text = house().bootstrap.use(body["secret"], body["member"])
        return created(shown(made) | {"key": text}, f"/v1/keys/{made.id}")

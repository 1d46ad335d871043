"""Presets: what a question of a project costs at `rough`, `normal` and `precise`."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields

from gateway.access import Act
from gateway.http.fields import Share
from gateway.http.resources import Blueprint, Body, house, permitted
from gateway.http.schemas import ReasonSchema
from gateway.presets import Presets as Shares
from gateway.presets import checked

blueprint = Blueprint("presets", __name__, description="Prices in words.")


class NewPresetsSchema(ReasonSchema):
    """Shares of the project's whole allocation, ascending."""

    rough = Share(required=True, metadata={"description": "of a rough answer", "example": "0.2%"})
    normal = Share(required=True, metadata={"description": "of a normal one", "example": "1%"})
    precise = Share(required=True, metadata={"description": "of a precise one", "example": "5%"})


class PresetsSchema(Schema):
    """What a question costs at each preset, as a share of the project's whole allocation."""

    rough = fields.String(required=True, metadata={"description": "of a rough answer"})
    normal = fields.String(required=True, metadata={"description": "of a normal one"})
    precise = fields.String(required=True, metadata={"description": "of a precise one"})


@blueprint.resource("/v1/projects/<project>/presets")
class Presets(MethodView):
    """The presets of a project."""

    @blueprint.named("getPresets")
    @blueprint.gives(200, PresetsSchema, "The presets.")
    def get(self, project: str) -> Response:
        """Read what a question costs at each preset."""
        permitted(Act.READ, project)
        return jsonify(house().presets(project))

    @blueprint.named("setPresets")
    @blueprint.takes(NewPresetsSchema)
    @blueprint.gives(200, PresetsSchema, "The presets from now on.")
    def put(self, body: Body, project: str) -> Response:
        """Say what a question costs at each preset, from the next one on."""
        permitted(Act.MANAGE, project)
        shares = Shares(body["rough"], body["normal"], body["precise"])
        shares = checked(shares, house().policy.most)
        house().administration.set_presets(project, shares, body["reason"])
        return jsonify(house().presets(project))

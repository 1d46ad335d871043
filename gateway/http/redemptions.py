"""Redemptions: an operator lets a query whose run failed be asked once more, for nothing."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView
from marshmallow import Schema, fields

from gateway.access import Act
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import ReasonSchema

blueprint = Blueprint("redemptions", __name__, description="Failed runs that may be run again.")


class RedemptionSchema(Schema):
    """A query that waits to be asked once more."""

    id = fields.String(required=True, metadata={"description": "the query"})
    project = fields.String(required=True, metadata={"description": "its project"})
    state = fields.String(required=True, metadata={"description": "queued, until it is asked"})


@blueprint.resource("/v1/projects/<project>/queries/<id>/redemption")
class Redemption(MethodView):
    """One more run of a query, under the charge that stands."""

    @blueprint.named("redeemQuery")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(201, RedemptionSchema, "The query waits to be asked again, for nothing.")
    def post(self, body: Body, project: str, id: str) -> Response:
        """Let a query that faulted be run once more under its own charge.

        Whoever in the project sends the same body again, with the key it had or without one, gets
        that run. It happens once: should it fail too, the charge is gone.
        """
        caller = administrator()
        permitted(Act.READ, project)
        house().steward.redeem(project, id, caller.member, body["reason"])
        shown = {"id": id, "project": project, "state": "queued"}
        return created(shown, f"/v1/projects/{project}/queries/{id}")

"""Rehearsals: a question over synthetic rows, to see its shape before paying for it."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import fields
from marshmallow.validate import Equal

from gateway.access import Act
from gateway.http.answers import ReleaseSchema
from gateway.http.queries import question
from gateway.http.resources import Blueprint, Body, house, permitted
from gateway.http.schemas import SubmissionSchema

blueprint = Blueprint("rehearsals", __name__, description="Try a question on synthetic rows.")


class RehearsalSchema(ReleaseSchema):
    """An answer over synthetic rows: it says nothing of the data, and nothing was charged."""

    class Meta:
        exclude = ("budget", "receipt")

    synthetic = fields.Boolean(
        required=True,
        validate=Equal(True),
        metadata={"description": "always true: made from the manifest, not from the data"},
    )


@blueprint.resource("/v1/projects/<project>/rehearsals")
class Rehearsals(MethodView):
    """The rehearsals of a project; nothing is kept of them."""

    @blueprint.named("rehearseQuery")
    @blueprint.takes(SubmissionSchema)
    @blueprint.gives(200, RehearsalSchema, "The shape of the answer, over synthetic rows.")
    def post(self, body: Body, project: str) -> Response:
        """Ask a query of synthetic rows made from the manifest; free, and open without a budget.

        The same statements are refused as by a query. `privacy_loss` is what a fresh answer would
        be charged; a project without a budget is quoted as if it had its dataset's ceiling.
        """
        caller = permitted(Act.QUOTE, project)
        return jsonify(house().rehearse(question(project, body), caller.member))

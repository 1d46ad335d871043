"""Quotes: what an answer would cost and how far off it would be; free, reads no data (P23)."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView

from gateway.access import Act
from gateway.http.queries import question
from gateway.http.quoted import QuoteSchema
from gateway.http.resources import Blueprint, Body, house, permitted
from gateway.http.schemas import SubmissionSchema

blueprint = Blueprint("quotes", __name__, description="Know the price and the error beforehand.")


@blueprint.resource("/v1/projects/<project>/quotes")
class Quotes(MethodView):
    """The quotes of a project; nothing is kept of them."""

    @blueprint.named("quoteQuery")
    @blueprint.takes(SubmissionSchema)
    @blueprint.gives(200, QuoteSchema, "The price and the expected error.")
    def post(self, body: Body, project: str) -> Response:
        """Learn what a query would cost and how exact its answer would be; free."""
        caller = permitted(Act.QUOTE, project)
        return jsonify(house().quote(question(project, body), caller.member))

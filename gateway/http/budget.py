"""Budget: what a project was given, has spent, and has left, in amounts and in words."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView

from gateway.access import Act
from gateway.http.resources import Blueprint, house, permitted
from gateway.http.standing import BudgetSchema

blueprint = Blueprint("budget", __name__, description="The privacy budget of a project.")


@blueprint.resource("/v1/projects/<project>/budget")
class Budget(MethodView):
    """The budget of a project."""

    @blueprint.named("getBudget")
    @blueprint.gives(200, BudgetSchema, "The budget as it stands.")
    def get(self, project: str) -> Response:
        """Read the project's privacy budget: allocated, reserved, spent and remaining."""
        permitted(Act.READ, project)
        return jsonify(house().budget(project))

"""Terms and earmarks: when an allocation ends, and what a project keeps for later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Regexp

from budgets.earmarking import Part
from gateway.access import Act
from gateway.http.fields import NAME_PATTERN, Amount, Instant, Share
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import ReasonSchema
from gateway.http.standing import BudgetSchema, EarmarkSchema

blueprint = Blueprint("terms", __name__, description="Ends of budgets, and what is kept of them.")


class TermSchema(ReasonSchema):
    """When a project's allocation ends."""

    until = Instant(
        format="iso",
        required=True,
        allow_none=True,
        metadata={
            "description": "later than now; null: never. What was returned already stays returned",
            "example": "2027-01-01T00:00:00+00:00",
        },
    )


class NewEarmarkSchema(ReasonSchema):
    """A part of a project's budget to be kept: a share of the whole, or an epsilon."""

    name = fields.String(
        required=True,
        validate=Regexp(NAME_PATTERN),
        metadata={"description": "what it is kept for", "example": "final-report"},
    )
    share = Share(metadata={"description": "of the project's whole budget", "example": "30%"})
    epsilon = Amount(
        metadata={"description": "an answer at this epsilon is exactly affordable, once"}
    )

    @validates_schema
    def one_part(self, body: Mapping[str, Any], **_: Any) -> None:
        """Two ways to name a part contradict each other."""
        if ("share" in body) is ("epsilon" in body):
            raise ValidationError("Give exactly one of share and epsilon.")


class EarmarksSchema(Schema):
    """What a project keeps for later."""

    earmarks = fields.List(
        fields.Nested(EarmarkSchema), required=True, metadata={"description": "by name"}
    )


@blueprint.resource("/v1/projects/<project>/term")
class Term(MethodView):
    """The end of a project's allocation."""

    @blueprint.named("setTerm")
    @blueprint.takes(TermSchema)
    @blueprint.gives(200, BudgetSchema, "The budget as it stands afterwards.")
    def put(self, body: Body, project: str) -> Response:
        """Say when what a project has not spent goes back to its dataset."""
        caller = administrator()
        permitted(Act.ADMINISTER, project)
        house().steward.term(project, body["until"], caller.member, body["reason"])
        return jsonify(house().budget(project))


@blueprint.resource("/v1/projects/<project>/earmarks")
class Earmarks(MethodView):
    """What a project keeps for later."""

    @blueprint.named("listEarmarks")
    @blueprint.gives(200, EarmarksSchema, "What is kept, by name.")
    def get(self, project: str) -> Response:
        """Read what a project keeps for later; ordinary queries are never charged to it."""
        permitted(Act.READ, project)
        return jsonify({"earmarks": house().budget(project)["earmarks"]})

    @blueprint.named("createEarmark")
    @blueprint.takes(NewEarmarkSchema)
    @blueprint.gives(201, BudgetSchema, "The budget as it stands afterwards.")
    def post(self, body: Body, project: str) -> Response:
        """Keep a part of what a project has free for later; the same name again keeps more."""
        caller = permitted(Act.MANAGE, project)
        part = Part(body.get("share"), body.get("epsilon"))
        house().steward.earmark(project, body["name"], part, caller.member, body["reason"])
        return created(house().budget(project), f"/v1/projects/{project}/earmarks")


@blueprint.resource("/v1/projects/<project>/earmarks/<earmark>/lift")
class Lift(MethodView):
    """The end of an earmark."""

    @blueprint.named("liftEarmark")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(200, BudgetSchema, "The budget as it stands afterwards.")
    def post(self, body: Body, project: str, earmark: str) -> Response:
        """Give what is kept under a name back to the project, as far as it was not taken."""
        caller = permitted(Act.MANAGE, project)
        house().steward.lift(project, earmark, caller.member, body["reason"])
        return jsonify(house().budget(project))

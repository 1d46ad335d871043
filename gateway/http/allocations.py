"""Allocations: an administrator gives a project a part of its dataset's ceiling."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields

from gateway.access import Act
from gateway.http.fields import Amount, Delta, Instant
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import ReasonSchema
from gateway.http.standing import BudgetSchema

blueprint = Blueprint("allocations", __name__, description="Who was given what.")


class NewAllocationSchema(ReasonSchema):
    """A budget to be given: added to what the project has."""

    epsilon = Amount(
        required=True, metadata={"description": "epsilon to be spent in all", "example": "2"}
    )
    delta = Delta(
        metadata={
            "description": "delta of the guarantee; 0: pure epsilon; left out: the project's own, "
            "or at first the ceiling's in proportion to epsilon",
            "example": "1e-8",
        }
    )
    until = Instant(
        format="iso",
        metadata={
            "description": "when all that the project has ends; left out: as it stands. What is "
            "not spent by then goes back to the dataset",
            "example": "2027-01-01T00:00:00+00:00",
        },
    )


class AllocationSchema(Schema):
    """One allocation."""

    epsilon = fields.String(required=True, metadata={"description": "granted in all, from then on"})
    delta = fields.String(required=True, metadata={"description": "delta of the guarantee"})
    by = fields.String(required=True, metadata={"description": "who gave it"})
    reason = fields.String(required=True, metadata={"description": "why"})
    until = fields.String(metadata={"description": "the end that it named, where it named one"})
    at = fields.String(required=True, metadata={"description": "when, in UTC"})


class AllocationsSchema(Schema):
    """What a project was given."""

    allocations = fields.List(
        fields.Nested(AllocationSchema), required=True, metadata={"description": "oldest first"}
    )


@blueprint.resource("/v1/projects/<project>/allocations")
class Allocations(MethodView):
    """The allocations of a project."""

    @blueprint.named("listAllocations")
    @blueprint.gives(200, AllocationsSchema, "What the project was given.")
    def get(self, project: str) -> Response:
        """Read what the project was given."""
        permitted(Act.READ, project)
        return jsonify({"allocations": house().allocations(project)})

    @blueprint.named("createAllocation")
    @blueprint.takes(NewAllocationSchema)
    @blueprint.gives(201, BudgetSchema, "The budget as it stands afterwards.")
    def post(self, body: Body, project: str) -> Response:
        """Give a project a part of its dataset's ceiling, on top of what it has."""
        caller = administrator()
        permitted(Act.ADMINISTER, project)
        house().administration.allocate(
            project,
            body["epsilon"],
            body.get("delta"),
            caller.member,
            body["reason"],
            body.get("until"),
        )
        return created(house().budget(project), f"/v1/projects/{project}/budget")

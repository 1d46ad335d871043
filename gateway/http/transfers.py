"""Transfers and limits: an administrator moves a budget, or bounds what one member may spend."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Regexp

from gateway.access import Act
from gateway.http.fields import NAME_PATTERN, Amount
from gateway.http.members import MEMBER_PATTERN
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import ReasonSchema
from gateway.http.standing import BudgetSchema

blueprint = Blueprint("transfers", __name__, description="Budgets moved and limited.")


class NewTransferSchema(ReasonSchema):
    """A part of one project's budget, for another of the same dataset."""

    to = fields.String(
        required=True,
        validate=Regexp(NAME_PATTERN),
        metadata={"description": "the project that receives it", "example": "flows"},
    )
    epsilon = Amount(
        required=True,
        metadata={"description": "taken from the one's epsilon and added to the other's"},
    )


class NewLimitSchema(ReasonSchema):
    """The most that one member may spend of a project's budget."""

    member = fields.String(
        required=True,
        validate=Regexp(MEMBER_PATTERN),
        metadata={"description": "the member", "example": "a.jansen"},
    )
    epsilon = Amount(
        required=True,
        metadata={
            "description": "from the first limit on, at the project's delta; limits may overlap"
        },
    )


class LimitSchema(Schema):
    """One member's limit."""

    member = fields.String(required=True, metadata={"description": "the member"})
    epsilon = fields.String(required=True, metadata={"description": "to be spent in all"})
    left = fields.String(required=True, metadata={"description": "per cent of it that is left"})


class LimitsSchema(Schema):
    """The limits of a project's members."""

    limits = fields.List(
        fields.Nested(LimitSchema), required=True, metadata={"description": "oldest first"}
    )


@blueprint.resource("/v1/projects/<project>/transfers")
class Transfers(MethodView):
    """Transfers out of a project's budget."""

    @blueprint.named("createTransfer")
    @blueprint.takes(NewTransferSchema)
    @blueprint.gives(201, BudgetSchema, "The giving project's budget as it stands afterwards.")
    def post(self, body: Body, project: str) -> Response:
        """Give another project of the same dataset a part of what this one may still spend."""
        caller = administrator()
        permitted(Act.ADMINISTER, project)
        moved = (project, body["to"], body["epsilon"])
        house().steward.transfer(*moved, caller.member, body["reason"])
        return created(house().budget(project), f"/v1/projects/{project}/budget")


@blueprint.resource("/v1/projects/<project>/limits")
class Limits(MethodView):
    """What single members may spend."""

    @blueprint.named("listLimits")
    @blueprint.gives(200, LimitsSchema, "The limits as they stand.")
    def get(self, project: str) -> Response:
        """Read what single members may spend of the project's budget."""
        permitted(Act.OVERSEE, project)
        return jsonify({"limits": house().limits(project)})

    @blueprint.named("setLimit")
    @blueprint.takes(NewLimitSchema)
    @blueprint.gives(201, LimitsSchema, "The limits as they stand afterwards.")
    def post(self, body: Body, project: str) -> Response:
        """Limit what one member may spend, or change that limit."""
        caller = permitted(Act.ADMINISTER, project)
        limited = (project, body["member"], body["epsilon"])
        house().steward.limit(*limited, caller.member, body["reason"])
        limits = {"limits": house().limits(project)}
        return created(limits, f"/v1/projects/{project}/limits")

"""Grants: which tables and columns of its dataset a project may name."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length

from gateway.access import Act
from gateway.http.resources import (
    Blueprint,
    Body,
    administrator,
    created,
    house,
    permitted,
    surveyor,
)
from gateway.http.schemas import Closed

blueprint = Blueprint("grants", __name__, description="What a project may name.")

MOST_TABLES, MOST_COLUMNS = 500, 2_000


def granted_tables(**more: Any) -> fields.Dict:
    """Tables with the columns that may be named; null: all of them."""
    columns = fields.List(fields.String(validate=Length(1, 63)), validate=Length(1, MOST_COLUMNS))
    columns.allow_none = True
    return fields.Dict(
        keys=fields.String(validate=Length(1, 63)),
        values=columns,
        allow_none=True,
        validate=Length(1, MOST_TABLES),
        metadata={
            "description": "tables, each with its columns, null: all of them; null alone: all "
            "tables. What is left out does not exist for the project",
            "example": {"pings": ["area", "seen_at"], "areas": None},
        },
        **more,
    )


class NewGrantSchema(Closed):
    """What a project may name from the next question on."""

    tables = granted_tables(required=True)
    reason = fields.String(
        required=True,
        validate=Length(1, 500),
        metadata={"description": "why, for the record", "example": "as signed on 2 April"},
    )


class GrantSchema(Schema):
    """What a project may name, in the present delivery."""

    tables = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata={"description": "tables, each with its columns"},
    )


class GivenGrantSchema(Schema):
    """One grant, as it was given."""

    tables = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String(), allow_none=True),
        required=True,
        allow_none=True,
        metadata={"description": "tables, each with its columns; null: all"},
    )
    by = fields.String(required=True, metadata={"description": "who gave it"})
    reason = fields.String(required=True, metadata={"description": "why"})
    at = fields.String(required=True, metadata={"description": "when, in UTC"})


class GrantsSchema(Schema):
    """The grants of a project."""

    grants = fields.List(
        fields.Nested(GivenGrantSchema), required=True, metadata={"description": "oldest first"}
    )


@blueprint.resource("/v1/projects/<project>/grant")
class Grant(MethodView):
    """What there is for a project."""

    @blueprint.named("getGrant")
    @blueprint.gives(200, GrantSchema, "The tables and columns.")
    def get(self, project: str) -> Response:
        """Read which tables and columns the project may name."""
        permitted(Act.READ, project)
        return jsonify({"tables": house().catalog.grant(project)})


@blueprint.resource("/v1/projects/<project>/grants")
class Grants(MethodView):
    """The grants of a project, one after another."""

    @blueprint.named("listGrants")
    @blueprint.gives(200, GrantsSchema, "Each with who gave it and why.")
    def get(self, project: str) -> Response:
        """Read what the project was allowed to name, and why; for administrators and auditors."""
        surveyor()
        permitted(Act.SURVEY, project)
        return jsonify({"grants": house().catalog.grants(project)})

    @blueprint.named("createGrant")
    @blueprint.takes(NewGrantSchema)
    @blueprint.gives(201, GrantSchema, "The tables and columns, from the next question on.")
    def post(self, body: Body, project: str) -> Response:
        """Say which tables and columns the project may name; another column does not exist."""
        caller = administrator()
        permitted(Act.ADMINISTER, project)
        house().administration.give_grant(project, body["tables"], caller.member, body["reason"])
        return created({"tables": house().catalog.grant(project)}, f"/v1/projects/{project}/grant")

"""Projects: one dataset each, made, frozen and thawed by administrators."""

from __future__ import annotations

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import Schema, fields
from marshmallow.validate import Length, Regexp

from gateway.access import Act
from gateway.http import guard
from gateway.http.fields import NAME_PATTERN
from gateway.http.grants import granted_tables
from gateway.http.resources import Blueprint, Body, administrator, created, house, permitted
from gateway.http.schemas import Closed, ReasonSchema

blueprint = Blueprint("projects", __name__, description="Projects and who froze them.")


class NewProjectSchema(Closed):
    """A project to be made."""

    name = fields.String(
        required=True,
        validate=Regexp(NAME_PATTERN),
        metadata={"description": "its name, part of its address", "example": "presence"},
    )
    dataset = fields.String(
        required=True, validate=Length(1, 128), metadata={"description": "the dataset it may ask"}
    )
    tables = granted_tables()
    title = fields.String(
        load_default="", validate=Length(max=200), metadata={"description": "for people"}
    )


class ProjectSchema(Schema):
    """A project."""

    name = fields.String(required=True, metadata={"description": "its name"})
    dataset = fields.String(required=True, metadata={"description": "the dataset it may ask"})
    title = fields.String(required=True, metadata={"description": "for people"})
    frozen = fields.Boolean(
        required=True,
        metadata={"description": "true: it, or its dataset, is stopped"},
    )
    created_at = fields.String(required=True, metadata={"description": "in UTC"})


class ProjectsSchema(Schema):
    """The caller's projects."""

    projects = fields.List(
        fields.Nested(ProjectSchema), required=True, metadata={"description": "by name"}
    )


@blueprint.resource("/v1/projects")
class Projects(MethodView):
    """All projects."""

    @blueprint.named("listProjects")
    @blueprint.gives(200, ProjectsSchema, "Those that the caller may see.")
    def get(self) -> Response:
        """List the caller's projects."""
        caller = guard.caller()
        caller.require_scope(Act.READ)
        return jsonify({"projects": house().projects(caller)})

    @blueprint.named("createProject")
    @blueprint.takes(NewProjectSchema)
    @blueprint.gives(201, ProjectSchema, "The new project, with no budget yet.")
    def post(self, body: Body) -> Response:
        """Make a project; it has no budget until one is allocated."""
        caller = administrator()
        house().administration.create_project(
            body["name"], body["dataset"], body["title"], caller.member, body.get("tables")
        )
        return created(house().project(body["name"]), f"/v1/projects/{body['name']}")


@blueprint.resource("/v1/projects/<project>")
class Project(MethodView):
    """One project."""

    @blueprint.named("getProject")
    @blueprint.gives(200, ProjectSchema, "The project.")
    def get(self, project: str) -> Response:
        """Read one project."""
        permitted(Act.READ, project)
        return jsonify(house().project(project))


@blueprint.resource("/v1/projects/<project>/thaw")
class Thaw(MethodView):
    """Lifting a freeze."""

    @blueprint.named("thawProject")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(200, ProjectSchema, "The project, no longer frozen.")
    def post(self, body: Body, project: str) -> Response:
        """Let a frozen project ask again, after an administrator has looked into its faults."""
        caller = administrator()
        permitted(Act.READ, project)
        house().administration.thaw(project, caller.member, body["reason"])
        return jsonify(house().project(project))


@blueprint.resource("/v1/projects/<project>/freeze")
class Freeze(MethodView):
    """Stopping a project."""

    @blueprint.named("freezeProject")
    @blueprint.takes(ReasonSchema)
    @blueprint.gives(200, ProjectSchema, "The project, frozen.")
    def post(self, body: Body, project: str) -> Response:
        """Stop a project at once: nothing more is charged, and its members are let in no more.

        What runs keeps its charge; its release is stored, and sent to nobody until the thaw.
        """
        caller = administrator()
        permitted(Act.READ, project)
        house().steward.freeze(project, caller.member, body["reason"])
        return jsonify(house().project(project))

"""What all resources share: the blueprint with strict bodies, and the house behind it."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, cast

from flask import Response, current_app, jsonify
from flask_smorest import Blueprint as SmorestBlueprint  # type: ignore[import-untyped]
from marshmallow import Schema

from gateway.access import Act, Caller
from gateway.house import House
from gateway.http import guard
from gateway.http.bodies import StrictParser

Body = dict[str, Any]
Thing = TypeVar("Thing")


class Same(Protocol):
    """A decorator that gives back what it was given."""

    def __call__(self, thing: Thing, /) -> Thing:
        """The same thing, registered."""
        ...


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """Resources whose bodies are read strictly, with decorators that keep types."""

    ARGUMENTS_PARSER = StrictParser()

    def resource(self, rule: str) -> Same:
        """The class answers at this path."""
        return cast(Same, self.route(rule))

    def named(self, operation: str) -> Same:
        """The stable id of an operation."""
        return cast(Same, self.doc(operationId=operation))

    def takes(self, schema: type[Schema], location: str = "json") -> Same:
        """What the operation is given: the body, or the query's parameters."""
        return cast(Same, self.arguments(schema, location=location))

    def gives(self, status: int, schema: type[Schema] | None, description: str) -> Same:
        """What the operation answers; views make their own responses, this describes them."""
        return cast(Same, self.response(status, schema, description=description))

    def may_give(self, status: int, schema: type[Schema], description: str) -> Same:
        """What else the operation answers."""
        return cast(Same, self.alt_response(status, schema=schema, description=description))


def house() -> House:
    """The house of this server."""
    found: House = current_app.extensions["sluis"]
    return found


def permitted(act: Act, project: str) -> Caller:
    """The caller, if it may do this in this project, which is there and not frozen to members."""
    caller = guard.caller()
    caller.require(act, project)
    found = house().registry.project(project)
    if found.shut is not None and not caller.sees_whole:
        raise found.shut
    return caller


def surveyor() -> Caller:
    """The caller, if it looks after the house: an administrator or auditor overall."""
    caller = guard.caller()
    caller.require_overall(Act.SURVEY)
    return caller


def administrator() -> Caller:
    """The caller, if it administers the house."""
    caller = guard.caller()
    caller.require_overall(Act.ADMINISTER)
    return caller


def created(body: Body, location: str) -> Response:
    """A 201 that says where the new thing is."""
    response = jsonify(body)
    response.status_code = 201
    response.headers["Location"] = location
    return response

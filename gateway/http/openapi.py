"""openapi.yaml: the contract, generated from the resources and committed beside them.

`python -m gateway.http.openapi` prints it; a test fails where the committed text differs.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import yaml

from gateway.http import problems
from gateway.http.app import create
from gateway.http.schemas import PRICES
from gateway.settings import Settings

DESCRIPTION = """\
SQL in, a differentially private answer out, charged to a project's privacy budget.

Send `Authorization: Bearer sluis_...`. Errors are `application/problem+json` (RFC 9457): a refusal
explains itself, a fault after the charge says a constant sentence and an incident id.
"""
METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"


@cache
def text() -> str:
    """The whole document as YAML."""
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)


def document() -> dict[str, Any]:
    """The whole document."""
    app = create(Settings(), None)
    spec: dict[str, Any] = app.extensions["openapi"].spec.to_dict()
    spec["info"] = {
        "title": "Sluis",
        "version": "1",
        "description": DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    spec["servers"] = [{"url": "/", "description": "this gateway"}]
    spec["security"] = [{"key": []}]
    components = spec.setdefault("components", {})
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    components["schemas"]["Problem"] = _problem()
    components["schemas"].pop("Error", None)
    components["schemas"]["Submission"]["oneOf"] = [{"required": [name]} for name in PRICES]
    components["responses"] = {"Problem": _problem_response()}
    for path in spec["paths"].values():
        for method in METHODS:
            if method in path:
                _operation(path[method])
    _headers(spec["paths"])
    _formats(spec["paths"])
    spec["paths"] |= _open_paths()
    ordered = ("openapi", "info", "servers", "security", "tags", "paths", "components")
    return {name: _plain(spec[name]) for name in ordered if name in spec}


def _operation(operation: dict[str, Any]) -> None:
    """Every operation may end in a problem, whatever its status."""
    responses = {
        str(status): response
        for status, response in operation["responses"].items()
        if str(status).startswith("2")
    }
    responses["4XX"] = responses["5XX"] = {"$ref": "#/components/responses/Problem"}
    operation["responses"] = responses
    operation.pop("default", None)


def _headers(paths: dict[str, Any]) -> None:
    ask = paths["/v1/projects/{project}/queries"]["post"]
    ask["parameters"] = [
        _header("Idempotency-Key", "names this request among yours, so that a retry is charged "
                "once; the same key with another body is refused", "6f1b0c1e",
                "^[\\x21-\\x7e]{1,128}$"),
        _header("Prefer", "`respond-async`: 202 and a Location at once; `wait=10`: after ten "
                "seconds", "respond-async", None),
    ]  # fmt: skip
    location = {"description": "where it is", "schema": {"type": "string"}}
    applied = {"description": "the preferences that were honoured", "schema": {"type": "string"}}
    again = {"description": "seconds until the query may have ended: its slot's end",
             "schema": {"type": "integer", "minimum": 1}}  # fmt: skip
    told = {"Location": location, "Preference-Applied": applied}
    ask["responses"]["201"]["headers"] = told
    ask["responses"]["202"]["headers"] = told | {"Retry-After": again}
    read = paths["/v1/projects/{project}/queries/{id}"]["get"]
    read["responses"]["200"]["headers"] = {"Retry-After": again}


def _header(name: str, description: str, example: str, pattern: str | None) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": pattern} if pattern else {})
    return {
        "name": name, "in": "header", "required": False, "description": description,
        "schema": schema, "example": example,
    }  # fmt: skip


def _formats(paths: dict[str, Any]) -> None:
    """Releases come as CSV too."""
    table = {
        "schema": {"type": "string"},
        "example": "area,devices,devices_lower,devices_upper\r\nOosterdam,1204,1177,1231\r\n",
    }
    paths["/v1/projects/{project}/queries"]["post"]["responses"]["201"]["content"]["text/csv"] = (
        table
    )
    one = paths["/v1/projects/{project}/queries/{id}"]["get"]["responses"]["200"]
    one["content"]["text/csv"] = table


def _open_paths() -> dict[str, Any]:
    """What needs no key: health, readiness, this document, what a problem means."""

    def told(id: str, summary: str, media: str, schema: dict[str, Any], **more: Any) -> Any:
        content = {media: {"schema": schema}}
        problem = {"$ref": "#/components/responses/Problem"}
        responses = {"200": {"description": summary, "content": content}, "4XX": problem}
        return {"get": {
            "operationId": id, "summary": summary, "tags": ["operation"], "security": [],
            "responses": responses | more.pop("responses", {}), **more,
        }}  # fmt: skip

    status = {"type": "object", "properties": {"status": {"type": "string"}}}
    meaning = {
        "type": "object",
        "properties": {"code": {"type": "string"}, "meaning": {"type": "string"}},
    }
    code = {"name": "code", "in": "path", "required": True, "schema": {"type": "string"},
            "description": "code of a problem", "example": "budget-exceeded"}  # fmt: skip
    explained = told("problem", "What a problem's type means.", JSON, meaning, parameters=[code])
    page = {"schema": {"type": "string"}, "example": "# `budget-exceeded`"}
    explained["get"]["responses"]["200"]["content"] |= {"text/markdown": page, "text/plain": page}
    not_ready = {"503": {"description": "not ready", "content": {JSON: {"schema": status}}}}
    return {
        "/healthz": told("health", "The process is alive.", JSON, status),
        "/readyz": told("ready", "The server takes queries.", JSON, status, responses=not_ready),
        "/openapi.yaml": told("contract", "This document.", "application/yaml", {"type": "object"}),
        "/problems/{code}": explained,
    }


def _problem() -> dict[str, Any]:
    text = {"type": "string"}
    whole = {"type": "integer", "minimum": 1}
    position = {
        "type": "object",
        "description": "place in the SQL, counted from 1",
        "properties": {"line": whole, "column": whole},
        "required": ["line", "column"],
    }
    loss = {"type": "object", "additionalProperties": text}
    fault = {"type": "object", "properties": {"where": text, "what": text}}
    return {
        "type": "object",
        "description": "A problem document of RFC 9457.",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text | {"description": "stable URI", "example": "/problems/budget-exceeded"},
            "title": text | {"description": "the kind of problem, in a few words"},
            "status": {"type": "integer", "description": "the HTTP status"},
            "detail": text | {"description": "this problem, in a sentence"},
            "code": text | {"description": "stable code", "example": "budget-exceeded"},
            "position": position,
            "excerpt": text | {"description": "the line of the SQL, and a caret under the place"},
            "hint": text | {"description": "the way out"},
            "translation": text | {"description": "the text in which `position` lies, translated"},
            "rewrite": text | {"description": "a question near to this one that is answered"},
            "rule": text | {"description": "the rule of docs/privacy.md behind a refusal"},
            "requested": loss | {"description": "what was asked of the budget"},
            "remaining": loss | {"description": "what is left of it"},
            "incident": text | {"description": "random id of a fault, for the operator"},
            "cause": text | {"description": "code of what went wrong behind it"},
            "errors": {"type": "array", "items": fault, "description": "faults of the request"},
        },
    }


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "A refusal, a fault or another problem.",
        "content": {problems.MEDIA_TYPE: {"schema": schema}},
    }


def _plain(value: Any) -> Any:
    """Only what YAML writes plainly."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


if __name__ == "__main__":
    sys.stdout.write(text())

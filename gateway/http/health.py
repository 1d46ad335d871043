"""Health: is the process alive (`/healthz`), can it answer (`/readyz`), what does it offer."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is alive; nothing else is looked at."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """The ledger can commit and the server takes queries."""
    ready = current_app.extensions["sluis"].ready()
    response = jsonify({"status": "ready" if ready else "not ready"})
    response.status_code = 200 if ready else 503
    return response


@blueprint.get("/openapi.yaml")
def openapi() -> Response:
    """The full text of the contract."""
    from gateway.http.openapi import text

    return Response(text(), content_type="application/yaml")

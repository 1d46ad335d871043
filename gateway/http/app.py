"""The Flask application: resources, guards and problems put together around one house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from flask_smorest import Api  # type: ignore[import-untyped]
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.http import (
    allocations,
    audit,
    bootstrap,
    budget,
    ceilings,
    datasets,
    explained,
    fields,
    grants,
    guard,
    health,
    keys,
    members,
    plans,
    presets,
    problems,
    projects,
    queries,
    quotes,
    redemptions,
    rehearsals,
    terms,
    transfers,
)
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.house import House

VERSION = "1"
RESOURCES = (
    queries,
    quotes,
    rehearsals,
    budget,
    datasets,
    projects,
    grants,
    allocations,
    plans,
    presets,
    transfers,
    terms,
    redemptions,
    ceilings,
    members,
    keys,
    audit,
    bootstrap,
)


def create(settings: Settings, house: House | None) -> Flask:
    """The application. Without a house it can only describe itself (for openapi.yaml)."""
    app = Flask("gateway", static_folder=None)
    app.config.update(
        API_TITLE="Sluis",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False  # else it answers with a redirect, to whatever Host was sent
    app.extensions["sluis"] = house
    app.extensions["openapi"] = described(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(explained.blueprint)
    guard.install(app, settings)
    problems.install(app)
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops
        )
    return app


def described(app: Flask) -> Api:
    """The resources, registered and described."""
    api = Api(app)
    fields.described(api.ma_plugin)
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    return api

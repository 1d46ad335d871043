"""What happens to every request before and after its resource: size, identity, headers.

The order matters: the body's size first, so that nobody without a key can make the server hold
much; then the key, checked anew on each request; then the resource.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import cast

import structlog
from flask import Flask, Response, current_app, g, request

from gateway import metrics
from gateway.access import Caller
from gateway.http import recording
from gateway.refusals import NotAuthenticated, RateLimited
from gateway.settings import Settings

log = structlog.get_logger()

OPEN = "/v1/"
WAY_IN = "/v1/bootstrap"
"""The one address under it that needs no key, since nobody has one yet."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}


def install(app: Flask, settings: Settings) -> None:
    """Guard every request of the app."""
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit
    recording.install(app)
    app.before_request(_name)
    app.before_request(_limit)
    app.before_request(_identify)
    app.after_request(_finish)


def caller() -> Caller:
    """Who sent this request."""
    found: Caller = g.caller
    return found


def renewal() -> Callable[[], Caller]:
    """What tells who sent this request, at any later moment and from any thread.

    It raises NotAuthenticated once the credential has ended: while a request waits, a key may be
    revoked and a role taken.
    """
    identity = current_app.extensions["sluis"].identity
    _, _, text = request.headers.get("Authorization", "").partition(" ")
    return lambda: cast(Caller, identity.caller(text.strip()))


def _name() -> None:
    g.request_id = secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _limit() -> None:
    """Read the body now, up to the limit: larger ones end here, whoever sent them."""
    request.get_data(cache=True)


def _identify() -> None:
    """Everything under /v1/ needs a key, whether the resource exists or not, but the way in."""
    if not request.path.startswith(OPEN) or request.path == WAY_IN:
        return
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotAuthenticated()
    house = current_app.extensions["sluis"]
    try:
        g.caller = house.identity.caller(text.strip())
    except NotAuthenticated:
        house.failures.failed(request.remote_addr or "-")
        raise
    recording.identified(g.caller)
    structlog.contextvars.bind_contextvars(key=g.caller.key)
    try:
        g.standing = house.rates.take(g.caller.bucket, own=g.caller.rate)
    except RateLimited as refused:
        g.standing = refused.standing
        raise


def _finish(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if (standing := g.get("standing")) is not None:
        response.headers.update(standing.headers)
    response.headers["X-Request-Id"] = g.get("request_id", "-")
    response.headers["API-Version"] = "1"
    rule = request.url_rule.rule if request.url_rule is not None else None
    metrics.requested(rule, request.method, response.status_code)
    log.info("request", method=request.method, route=rule or "-", status=response.status_code)
    return response

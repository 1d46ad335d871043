"""Problems: the one table from error classes to statuses, and RFC 9457 documents for all of them.

A refusal explains itself. A fault and a failure of the server say a constant sentence and a random
incident id, which the log repeats; neither holds SQL, a value, a path or an engine's text.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from budgets import refusals as budgets
from budgets.loss import PrivacyLoss
from budgets.storage.faults import StorageBusy
from gateway import faults, metrics, refusals
from gateway.budgeting import exact_loss, loss_shown
from gateway.http import recording
from gateway.logs import places
from queries.faults import WorkersUnavailable
from queries.language.refusals import QueryRefused

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Row:
    """How a class of errors is told over HTTP."""

    status: int
    title: str
    headers: tuple[tuple[str, str], ...] = ()


TABLE: Mapping[type[Exception], Row] = {
    refusals.NotAuthenticated: Row(401, "Not authenticated", (("WWW-Authenticate", "Bearer"),)),
    refusals.NotPermitted: Row(403, "Not permitted"),
    refusals.OutOfScope: Row(403, "Out of scope"),
    refusals.KeyTooWide: Row(403, "Key too wide"),
    refusals.NotFound: Row(404, "Not found"),
    refusals.Invalid: Row(422, "Invalid request"),
    refusals.MalformedBody: Row(400, "Malformed body"),
    refusals.NotReleased: Row(422, "Not released"),
    refusals.PriceNotOffered: Row(422, "Price not offered"),
    refusals.ErrorNotOffered: Row(422, "Error not offered"),
    refusals.PriceUnderFloor: Row(422, "Price under the floor"),
    refusals.PriceTooLarge: Row(422, "Price too large"),
    refusals.IdempotencyKeyNeeded: Row(400, "Idempotency-Key needed"),
    refusals.BadIdempotencyKey: Row(400, "Bad Idempotency-Key"),
    refusals.NotAcceptable: Row(406, "Not acceptable"),
    refusals.Conflict: Row(409, "Conflict"),
    refusals.DeliveryGone: Row(409, "Delivery gone"),
    refusals.BlocksDiffer: Row(422, "Blocks differ"),
    refusals.NotComposed: Row(422, "Charged, not composed"),
    refusals.Busy: Row(503, "Busy"),
    refusals.IdentityUnavailable: Row(503, "Identity provider out of reach"),
    refusals.RateLimited: Row(429, "Rate limited"),
    refusals.Withdrawn: Row(503, "Withdrawn"),
    refusals.Stopping: Row(503, "Stopping", (("Retry-After", "60"),)),
    refusals.PlanUnsound: Row(500, "Plan not confirmed"),
    QueryRefused: Row(422, "Query refused"),
    budgets.BudgetRefused: Row(409, "Refused by the ledger"),
    budgets.BudgetExceeded: Row(403, "Budget exceeded"),
    budgets.AllocationExceeded: Row(403, "Allocation exceeded"),
    budgets.NotFree: Row(409, "Not free"),
    budgets.PureBudget: Row(422, "Pure budget"),
    budgets.NothingAllocated: Row(403, "No budget yet"),
    budgets.AllocationExpired: Row(403, "Allocation expired"),
    budgets.KeyReused: Row(422, "Idempotency-Key reused"),
    budgets.InFlight: Row(409, "In flight", (("Retry-After", "5"),)),
    budgets.ProjectFrozen: Row(403, "Project frozen"),
    budgets.DatasetFrozen: Row(403, "Dataset frozen"),
    budgets.UnknownProject: Row(404, "Not found"),
    budgets.UnknownDataset: Row(404, "Not found"),
    budgets.UnknownBlock: Row(422, "No such block"),
    budgets.UnknownEarmark: Row(422, "No such earmark"),
    budgets.UnknownQuery: Row(404, "Not found"),
    faults.QueryFaulted: Row(500, "The query faulted"),
    faults.AnswerLost: Row(500, "The answer is lost"),
    StorageBusy: Row(503, "Ledger out of reach", (("Retry-After", "5"),)),
    WorkersUnavailable: Row(503, "Busy", (("Retry-After", "30"),)),
}

HTTP_ROWS: Mapping[int, tuple[str, str, str]] = {
    400: ("bad-request", "Bad request", "The request cannot be read."),
    404: ("not-found", "Not found", "There is nothing here, or nothing that you may see."),
    405: ("method-not-allowed", "Method not allowed", "This resource does not take that method."),
    406: ("not-acceptable", "Not acceptable", "None of the accepted formats is offered."),
    411: ("length-required", "Length required", "The body needs a Content-Length."),
    413: ("body-too-large", "Body too large", "The body is larger than this server reads."),
    414: ("uri-too-long", "URI too long", "The address is longer than this server reads."),
    415: ("unsupported-media-type", "Unsupported media type", "Send application/json."),
    431: (
        "headers-too-large",
        "Headers too large",
        "The headers are larger than this reads.",
    ),
}


def row_of(kind: type[BaseException]) -> Row | None:
    """The row of an error class: its own, or its nearest ancestor's."""
    return next((TABLE[ancestor] for ancestor in kind.__mro__ if ancestor in TABLE), None)


def problem(code: str, status: int, title: str, detail: str, **members: object) -> dict[str, Any]:
    """A problem document; members that are None are left out."""
    document = {
        "type": f"/problems/{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return document | {name: value for name, value in members.items() if value is not None}


def told(error: BaseException) -> tuple[dict[str, Any], Row]:
    """The problem document of one of our own errors, for a response or a stored query."""
    row = row_of(type(error))
    if row is None:
        return failure(), Row(500, "Internal error")
    members = dict(getattr(error, "members", {}))
    members |= _amounts(error)
    position = getattr(error, "position", None)
    if position is not None:
        members["position"] = {"line": position.line, "column": position.column}
    detail = getattr(error, "message", None) or str(error)
    document = problem(
        getattr(error, "code", "refused"),
        row.status,
        row.title,
        detail,
        excerpt=getattr(error, "excerpt", None),
        hint=getattr(error, "hint", None),
        rewrite=getattr(error, "rewrite", None),
        translation=getattr(error, "translation", None),
        rule=getattr(error, "rule", None) or None,
        **members,
    )
    return document, row


def _amounts(error: BaseException) -> dict[str, object]:
    """What was requested of a budget and what remains; as shares of it where it is the caller's."""
    if isinstance(error, budgets.BudgetExceeded):
        return {
            "requested": loss_shown(error.requested, error.budget),
            "remaining": loss_shown(error.remaining, error.budget, up=False),
        }
    named = {name: getattr(error, name, None) for name in ("requested", "remaining")}
    return {n: exact_loss(loss) for n, loss in named.items() if isinstance(loss, PrivacyLoss)}


def failure() -> dict[str, Any]:
    """The problem of a failure of the server itself."""
    incident = secrets.token_hex(8)
    detail = "Something went wrong here. The log of the server knows more under this incident."
    return problem("internal-error", 500, "Internal error", detail, incident=incident)


def meanings() -> dict[str, str]:
    """Every code of the table with the first sentence of what it means."""
    found = {code: detail for code, _, detail in HTTP_ROWS.values()}
    waiting = list(TABLE)
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        code = getattr(kind, "code", None)
        if isinstance(code, str):
            found[code] = (kind.__doc__ or "").strip().partition("\n")[0]
    return found


def respond(document: dict[str, Any], headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """The HTTP response of a problem document; never cached."""
    recording.refused(str(document["code"]))
    metrics.refused(str(document["code"]))
    body = json.dumps(document, ensure_ascii=False)
    response = Response(body, status=int(document["status"]), content_type=MEDIA_TYPE)
    response.headers.extend(headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def install(app: Flask) -> None:
    """Make every error of the app a problem document."""
    for kind in TABLE:
        app.register_error_handler(kind, _refusal)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failure)


def _refusal(error: Exception) -> Response:
    document, row = told(error)
    log.info("refused", code=document["code"], incident=document.get("incident"))
    again = getattr(error, "again", None)
    waits = () if again is None else (("Retry-After", str(again)),)
    return respond(document, row.headers + waits)


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status not in HTTP_ROWS:
        return _failure(error)
    code, title, detail = HTTP_ROWS[status]
    kept = [(name, value) for name, value in error.get_headers() if name == "Allow"]
    return respond(problem(code, status, title, detail), tuple(kept))


def _failure(error: Exception) -> Response:
    """The log gets the class of the error and where it was raised, never its text."""
    document = failure()
    log.error(
        "failure",
        incident=document["incident"],
        kind=type(error).__name__,
        where=places(error),
    )
    return respond(document)

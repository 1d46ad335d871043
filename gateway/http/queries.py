"""Queries: ask one (POST), read those asked before (GET). A query is a resource with a state."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from flask import Response, jsonify, request
from flask.views import MethodView

from gateway.access import Act, Caller
from gateway.errors import Size, Wanted
from gateway.http import formats, guard, preferences
from gateway.http.answers import QueriesSchema, QuerySchema, ReceiptSchema, ReleaseSchema
from gateway.http.departure import departure
from gateway.http.resources import Blueprint, Body, house, permitted
from gateway.http.schemas import PRICES, PageSchema, SubmissionSchema
from gateway.presets import Preset
from gateway.prices import Asked, Unit
from gateway.refusals import BadIdempotencyKey, IdempotencyKeyNeeded, Invalid
from gateway.submission import CONFIDENCE, Question, Submission
from queries.plan.price import ColumnBound, Options

blueprint = Blueprint("queries", __name__, description="Ask, and read what was asked before.")

_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


@blueprint.resource("/v1/projects/<project>/queries")
class Queries(MethodView):
    """The queries of a project."""

    @blueprint.named("askQuery")
    @blueprint.takes(SubmissionSchema)
    @blueprint.gives(201, ReleaseSchema, "The release, as JSON or CSV.")
    @blueprint.may_give(202, QuerySchema, "Accepted; poll its Location.")
    def post(self, body: Body, project: str) -> Response:
        """Ask one SQL query and get its private answer, charging the project once.

        The budget is charged before any private row is read, and not given back afterwards. A
        question asked before is answered from what was released then, for nothing.
        """
        act = Act.DRAW if "from_earmark" in body else Act.ASK
        caller = permitted(act, project)
        kind = formats.wanted()
        renewed = guard.renewal()

        def still() -> None:
            renewed().require(act, project)

        words = (question(project, body), caller.member, _idempotency_key())
        asked = Submission(*words, _count(caller), still)
        if asked.question.fresh and asked.key is None:
            raise IdempotencyKeyNeeded()
        wishes = preferences.read(request.headers.get("Prefer", ""), body)
        outcome = house().submit(asked, wishes.patience, departure())
        still()  # whose key or role has ended in the meantime is sent nothing,
        permitted(act, project)  # nor is anybody of a project that was frozen: it is stored
        if outcome.document is None:
            response = _shown(project, outcome.id)
            response.status_code = 202
        else:
            response = formats.released(outcome.document, kind, 201)
        response.headers["Location"] = f"/v1/projects/{project}/queries/{outcome.id}"
        response.headers.extend(wishes.applied(outcome.document is None))
        return response

    @blueprint.named("listQueries")
    @blueprint.takes(PageSchema, location="query")
    @blueprint.gives(200, QueriesSchema, "A page of queries, newest first.")
    def get(self, page: Body, project: str) -> Response:
        """Read the project's past queries, newest first; free.

        What other members have asked appears when it has ended, to their lead at once.
        """
        caller = permitted(Act.READ, project)
        return jsonify(house().past.page(caller, project, page.get("cursor"), page["limit"]))


@blueprint.resource("/v1/projects/<project>/queries/<id>")
class OneQuery(MethodView):
    """One query."""

    @blueprint.named("getQuery")
    @blueprint.gives(200, QuerySchema, "The query; as CSV, its release alone.")
    def get(self, project: str, id: str) -> Response:
        """Read one query with its state and, once there is one, its release; free.

        Until it has ended it is there for the member who asked it, and for those who oversee.
        """
        permitted(Act.READ, project)
        kind = formats.wanted()
        response = _shown(project, id)
        ended = "Retry-After" not in response.headers
        released = house().past.released(project, id) if ended else None
        if released is None:  # this may change: what faulted is run once more when it is redeemed
            return response
        if kind == formats.CSV:
            return formats.released(released, kind, 200)
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept, Authorization"
        return response


@blueprint.resource("/v1/projects/<project>/queries/<id>/receipt")
class Receipt(MethodView):
    """The receipt of a release."""

    @blueprint.named("getReceipt")
    @blueprint.gives(200, ReceiptSchema, "The receipt, as the release has it.")
    def get(self, project: str, id: str) -> Response:
        """Read the signed receipt of a release; free."""
        permitted(Act.READ, project)
        return jsonify(house().receipt(project, id))


def question(project: str, body: Body) -> Question:
    """The question that a validated body asks."""
    options = body.get("options", {})
    return Question(
        project=project,
        sql=body["sql"],
        price=_price(body),
        confidence=Fraction(body["confidence"]) if "confidence" in body else CONFIDENCE,
        options=_options(options),
        fresh=not options.get("replay", True),
        source=body.get("from_release"),
        block=body.get("block"),
        earmark=body.get("from_earmark"),
        blocks=body.get("blocks"),
        spread=body.get("group_spread"),
    )


def _price(body: Body) -> Asked | Wanted | Preset | None:
    if "preset" in body:
        return Preset(body["preset"])
    if "from_release" in body:
        return None
    if "max_error" in body:
        return Wanted(body["max_error"], body.get("group_size", Size.DECLARED))
    unit = next(name for name in PRICES if name in body)
    return Asked(Unit(unit), body[unit])


def _options(options: Body) -> Options:
    bounds = options.get("bounds", {})
    return Options(
        groups_per_unit=bounds.get("groups_per_unit"),
        rows_per_group=bounds.get("rows_per_group"),
        columns=tuple(_column(name, given) for name, given in bounds.get("columns", {}).items()),
        minimum_frequency=options.get("minimum_frequency"),
        non_negative=options.get("non_negative", False),
        dialect=options.get("dialect"),
        other=options.get("other", False),
        effects=options.get("effects", False),
    )


def _column(name: str, given: Body) -> ColumnBound:
    if given["lower"] > given["upper"]:
        where = f"/options/bounds/columns/{name[:60]}"
        faults = [{"where": where, "what": "The lower bound is above the upper one."}]
        raise Invalid("The request does not have the form it should.", errors=faults)
    return ColumnBound(name, given["lower"], given["upper"])


def _count(caller: Caller) -> Callable[[], None]:
    """What is done once a query of this caller is charged: its key's rate takes its price."""
    rates = house().rates
    return lambda: rates.charged(caller.bucket, caller.rate)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and _KEY.fullmatch(key) is None:
        raise BadIdempotencyKey()
    return key


def _shown(project: str, id: str) -> Response:
    """One query as its caller may see it, and when to ask again if it has not ended."""
    shown, again = house().past.one(guard.caller(), project, id)
    response = jsonify(shown)
    if again is not None:
        response.headers["Retry-After"] = str(again)
    return response

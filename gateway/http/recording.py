"""What requests leave in the record beside what they change: questions, readings and refusals.

A request that changes something has its own line, written in the same transaction. Everything else
that matters to a supervisor is counted here, by caller, route and outcome.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request

from gateway.access import Caller
from gateway.record import NOBODY, Actor, Deed, Record, acts_as

_PROJECT = "/v1/projects/<project>/"
COUNTED = {
    ("POST", _PROJECT + "queries"): Deed.ASKED,
    ("GET", _PROJECT + "queries"): Deed.READ,
    ("GET", _PROJECT + "queries/<id>"): Deed.READ,
    ("POST", _PROJECT + "quotes"): Deed.QUOTED,
    ("POST", _PROJECT + "rehearsals"): Deed.REHEARSED,
    ("POST", "/v1/datasets/<dataset>/budget-plans"): Deed.PLANNED,
}
UNDER = "/v1/"


def install(app: Flask) -> None:
    """Count the requests of the app; what is asked without a key is nobody's."""
    app.before_request(_nobody)
    app.after_request(_count)


def identified(caller: Caller) -> None:
    """From now on in this request, this is who acts."""
    acts_as(Actor(caller.member, caller.key))


def refused(code: str) -> None:
    """Remember the code of the problem that answers this request."""
    g.refused = code


def _nobody() -> None:
    acts_as(NOBODY)


def _count(response: Response) -> Response:
    house = current_app.extensions["sluis"]
    if house is None or not request.path.startswith(UNDER):
        return response
    rule = request.url_rule.rule if request.url_rule is not None else "-"
    deed = COUNTED.get((request.method, rule))
    record: Record = house.record
    if response.status_code >= 400:
        signed_in = "caller" in g
        code = g.get("refused", "-")
        record.count(deed or Deed.REFUSED if signed_in else Deed.SIGNED_IN, code, _project())
    elif deed is not None:
        record.count(deed, project=_project())
    return response


def _project() -> str | None:
    """The project of the address, where this caller has something to do with it."""
    named = (request.view_args or {}).get("project")
    caller: Caller | None = g.get("caller")
    if named is None or caller is None or named not in (caller.within or {}):
        known = caller is not None and caller.sees_all and len(named or "") <= 63
        return named if known else None
    return str(named)

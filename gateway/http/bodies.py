"""Request bodies: strict JSON in UTF-8, with one value for each name and no NaN.

Numbers with a point are kept as they were written (Decimal), so that a price is what its author
meant. What is not plainly one JSON object is refused before any schema looks at it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from flask import Request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import UnsupportedMediaType

from gateway.refusals import Invalid, MalformedBody

_LONGEST_NUMBER = 64


class StrictParser(FlaskParser):
    """The webargs parser of every resource: JSON read by `strict_json`, faults as our refusals."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": "raise", "query": "raise"}  # noqa: RUF012

    def load_json(self, req: Request, schema: Any) -> Any:
        if req.mimetype != "application/json":
            raise UnsupportedMediaType("The body has to be application/json.")
        return strict_json(req.get_data(cache=True))

    def handle_error(self, error: Any, req: Any, schema: Any, **rest: Any) -> NoReturn:
        location = next(iter(error.messages), "json")
        faults = flattened(error.messages.get(location, error.messages))
        raise Invalid("The request does not have the form it should.", errors=faults) from None


def strict_json(body: bytes) -> dict[str, Any]:
    """The one object that the body holds; anything else is a MalformedBody."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    try:
        value = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_one_of_each,
        )
    except (ValueError, RecursionError):
        raise MalformedBody("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise MalformedBody("The body is not a JSON object.")
    return value


def flattened(messages: Any, path: str = "") -> list[dict[str, str]]:
    """Marshmallow's nested messages as a list of {where, what}."""
    if isinstance(messages, dict):
        return [
            fault
            for name, inner in messages.items()
            for fault in flattened(inner, path if name == "_schema" else f"{path}/{_shown(name)}")
        ]
    texts = messages if isinstance(messages, list) else [messages]
    return [{"where": path or "/", "what": str(text)} for text in texts]


def _shown(name: object) -> str:
    """A name as it may be repeated: short and printable."""
    return "".join(letter for letter in str(name)[:60] if letter.isprintable())


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise MalformedBody("A number is too long.")
    return Decimal(text)


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise MalformedBody("A number is too long.")
    return int(text)


def _no_constant(text: str) -> NoReturn:
    raise MalformedBody(f"{text} is not a JSON number.")


def _one_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedBody("A name occurs twice in one object.")
    for text in (*found, *(value for value in found.values() if isinstance(value, str))):
        _storable(text)
    return found


def _storable(text: str) -> None:
    """Text that can be stored and sent again: no NUL, no half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise MalformedBody("A text holds a character that cannot be stored.")

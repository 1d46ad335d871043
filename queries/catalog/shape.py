"""The shape of a manifest: which keys stand where, and what kind of value each one has.

One schema for each kind of mapping. Each is loaded by itself, so that a fault in one column hides
no fault of another; `shaped` turns marshmallow's messages into faults with their lines and goes on
with what is valid.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from queries.catalog.document import Document
from queries.catalog.faults import ManifestFault, Path
from queries.catalog.fields import (
    MISSING,
    WORDS,
    Scalar,
    Texts,
    day,
    duration,
    flag,
    line_of_text,
    number,
    one_of,
    positive,
    probability,
    whole,
)
from queries.catalog.manifest import Every, Type
from queries.catalog.names import dataset_name

MOST_UNITS = 10**10
MOST_ROWS = 2**31 - 1
MOST_CATEGORIES = 10_000


_WORDS = {"unknown": "unknown key", "type": "not a mapping: write key: value"}


class Shape(Schema):
    """A mapping with these keys and no others."""

    error_messages = _WORDS

    class Meta:
        unknown = RAISE


class Anything(fields.Raw):
    """A part with a shape of its own, looked at apart."""

    default_error_messages = WORDS


class UnitShape(Shape):
    name = Scalar(line_of_text(63), required=True)
    at_most = Scalar(whole(1, MOST_UNITS), required=True)
    most_per_person = Scalar(whole(1, 1000), load_default=1)


class CeilingShape(Shape):
    epsilon = Scalar(positive(1000), required=True)
    delta = Scalar(probability, required=True)


class BlocksShape(Shape):
    """A dataset that grows: how long a block is, and the ceiling of each."""

    every = Scalar(one_of(*Every), required=True)
    ceiling = Anything(required=True)


class TimingShape(Shape):
    slot = Scalar(duration, required=True)
    growth = Scalar(whole(2, 10), load_default=2)


class OnViolationShape(Shape):
    bounds = Scalar(one_of("clamp", "null", "drop"), load_default="clamp")
    category = Scalar(one_of("null", "drop"), load_default="null")
    rows = Scalar(one_of("drop"), load_default="drop")


class ColumnShape(Shape):
    """One column; what its type allows is checked afterwards."""

    type = Scalar(one_of(*(one for one in Type if one is not Type.INTERVAL)), required=True)
    nullable = Scalar(flag)
    lower = Scalar()
    upper = Scalar()
    step = Scalar(number)
    categories = Texts()
    references = Scalar()
    length = Scalar(whole(1, 100_000))


class TableShape(Shape):
    source = Scalar(line_of_text(1000), required=True)
    public = Scalar(flag, load_default=False)
    origin = Scalar(line_of_text(300))
    key = Texts()
    unit_key = Scalar()
    unit_via = Anything()
    rows_per_unit = Scalar(whole(1, MOST_ROWS))
    grain = Texts()
    block_column = Scalar()
    lasting = Scalar(flag, load_default=False)
    other_party = Scalar()
    on_violation = Anything()
    columns = Anything(required=True)


class DestroyShape(Shape):
    """Until when the data may be kept: a date, an event, or both."""

    by = Scalar(day)
    event = Scalar(line_of_text(300))


class RecordShape(Shape):
    """Who supplied the data, on which ground, and what becomes of it."""

    provider = Scalar(line_of_text(300))
    received = Scalar(day)
    ground_for_provision = Scalar(line_of_text(300))
    ground_for_processing = Scalar(line_of_text(300))
    categories = Texts(line_of_text(300))
    special = Scalar(flag)
    destroy = Anything()


class ManifestShape(Shape):
    dataset = Scalar(dataset_name, required=True)
    title = Scalar(line_of_text(300), required=True)
    unit = Anything(required=True)
    ceiling = Anything(required=True)
    blocks = Anything()
    time_zone = Scalar(load_default="UTC")
    timing = Anything()
    minimum_frequency = Scalar(whole(1, MOST_UNITS))
    tables = Anything(required=True)
    record = Anything()


class Faults:
    """Collects the faults of one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[ManifestFault] = []

    def add(self, path: Path, message: str, hint: str | None = None) -> None:
        self.found.append(
            ManifestFault(self.document.line(path), ".".join(map(str, path)), message, hint)
        )

    def under(self, path: Path) -> bool:
        """Whether a fault stands at `path` or below it."""
        name = ".".join(map(str, path))
        return any(f.path == name or f.path.startswith(name + ".") for f in self.found)


def shaped(kind: type[Shape], value: object, path: Path, faults: Faults) -> dict[str, Any]:
    """What is valid of the mapping at `path`; the rest is added to `faults`."""
    if value is None:
        faults.add(path, MISSING)
        return {}
    schema = _schema(kind)
    try:
        loaded: dict[str, Any] = schema.load(value)  # type: ignore[arg-type]
    except ValidationError as error:
        for place, message in _messages(error.messages):
            _add(schema, (*path, *place), message, faults)
        return _valid(schema, error.valid_data)
    return loaded


@cache
def _schema(kind: type[Shape]) -> Shape:
    """Making one copies all its fields, which takes longer than reading a column with it."""
    return kind()


def _valid(schema: Shape, data: Any) -> dict[str, Any]:
    """Valid values alone: a list with a fault in it is left out as a whole."""
    return dict(data) if isinstance(data, Mapping) else {}


def _add(schema: Shape, path: Path, message: str, faults: Faults) -> None:
    hint = None
    if message == "unknown key":
        near = difflib.get_close_matches(str(path[-1]), schema.fields, n=1)
        known = ", ".join(schema.fields)
        hint = f"did you mean {near[0]}?" if near else f"known here: {known}"
    if path and path[-1] == "_schema":
        path = path[:-1]
    faults.add(path, message, hint)


def _messages(messages: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _messages(inner, (*path, key))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield path, str(message)

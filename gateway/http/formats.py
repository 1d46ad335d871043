"""Formats of an answer: JSON as it is stored, or CSV with the bounds of every noisy column."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request

from gateway.others import labelled
from gateway.refusals import NotAcceptable

JSON = "application/json"
CSV = "text/csv"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


def wanted() -> str:
    """The format that this request accepts best; decided before anything is charged."""
    if not request.accept_mimetypes:
        return JSON
    best = request.accept_mimetypes.best_match([JSON, CSV])
    if best is None:
        raise NotAcceptable()
    return best


def released(document: bytes, kind: str, status: int) -> Response:
    """A release as a response, to the byte as it was stored, or as CSV."""
    body = document if kind == JSON else as_csv(json.loads(document)).encode()
    content = JSON if kind == JSON else f"{CSV}; charset=utf-8; header=present"
    response = Response(body, status=status, content_type=content)
    response.headers["Vary"] = "Accept, Authorization"
    return response


def as_csv(release: Mapping[str, Any]) -> str:
    """One line a row; a column with intervals is followed by its lower and its upper bound."""
    columns = release["columns"]
    lower, upper = release["intervals"]["lower"], release["intervals"]["upper"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in _header(columns)])
    for number, row in enumerate(release["rows"]):
        writer.writerow(_line(columns, row, lower[number], upper[number]))
    if (other := release["other"]) is not None:
        values = labelled(columns, other["values"])
        writer.writerow(_line(columns, values, other["lower"], other["upper"]))
    return out.getvalue()


def _header(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    names: list[str] = []
    for column in columns:
        name = str(column["name"])
        names.extend(
            [name] if column["role"] == "key" else [name, f"{name}_lower", f"{name}_upper"]
        )
    return names


def _line(
    columns: Sequence[Mapping[str, Any]], row: Sequence[Any], lower: Sequence[Any],
    upper: Sequence[Any],
) -> list[Any]:  # fmt: skip
    cells: list[Any] = []
    for place, column in enumerate(columns):
        both = [] if column["role"] == "key" else [lower[place], upper[place]]
        cells.extend(_safe(value) for value in [row[place], *both])
    return cells


def _safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(_RISKY):
        return f"'{value}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value

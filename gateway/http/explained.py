"""What a problem's `type` leads to: the page of its code, as the docs have it.

The wheel holds the pages beside this module; in the tree they are those of docs/refusals.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from gateway.http.formats import JSON
from gateway.http.problems import meanings
from gateway.refusals import NotFound

PACKED = Path(__file__).with_name("pages")
IN_TREE = Path(__file__).parents[2] / "docs" / "refusals"
TEXT = "text/plain"
MARKDOWN = "text/markdown"

blueprint = Blueprint("explained", __name__)


@blueprint.get("/problems/<code>")
def explained(code: str) -> Response:
    """The code's page for people, in Markdown; its first sentence for programs, in JSON."""
    meaning = meanings().get(code)
    if meaning is None:
        raise NotFound()
    kind = request.accept_mimetypes.best_match([JSON, MARKDOWN, TEXT, "text/html"], JSON)
    text = None if kind == JSON else page(code)
    if text is None:
        response = jsonify({"code": code, "meaning": meaning})
        response.content_type = JSON
    else:
        shown = MARKDOWN if kind == MARKDOWN else TEXT  # which every browser shows as it is
        response = Response(text, content_type=f"{shown}; charset=utf-8")
    response.headers["Vary"] = "Accept"
    return response


def page(code: str) -> str | None:
    """The page of a known code, or None where there is none."""
    folder = PACKED if PACKED.is_dir() else IN_TREE
    path = folder / f"{code}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else None

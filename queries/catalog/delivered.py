"""A delivery as a view: its sealed manifest and the public facts that registration wrote beside it.

Nothing here opens the delivery's tables. The manifest is the sealed copy and its hash is checked,
so what the planner believes is what registration enforced (P16). The caller keeps the view.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from queries.catalog.blocks import within
from queries.catalog.reading import parse
from queries.catalog.united import NotAlike, together
from queries.catalog.view import PublicColumn, PublicTable, View

MANIFEST = "manifest.yaml"
FACTS = "delivery.json"
PRIVATE = "private.duckdb"
PUBLIC = "public.duckdb"


class DeliveryDamaged(Exception):
    """A delivery's files do not belong together; it must be registered again."""


def load_view(directory: Path) -> View:
    """The view of a whole delivery; raises DeliveryDamaged where its files do not agree."""
    with _damaged():
        return _view(*_read(directory))


def load_together(directories: Sequence[Path]) -> View:
    """The view of one delivery of each of several blocks, oldest first, read as one.

    Raises DeliveryDamaged, or NotAlike where they do not say the same of tables and public rows.
    """
    with _damaged():
        read = [_read(directory) for directory in directories]
        views = [_view(*one) for one in read]
        manifest = parse(read[-1][0]).manifest
        public = [table.name for table in manifest.tables if table.public]
        hashes = [[facts["sources"][name] for name in public if name in facts["sources"]]
                  for _, facts in read]  # fmt: skip
        newest = views[-1]
    for view, found in zip(views, hashes, strict=True):
        if found != hashes[-1] or view.public != newest.public:
            block = view.manifest.block
            raise NotAlike("" if block is None else block.name)
    return together(manifest, views)


@contextmanager
def _damaged() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DeliveryDamaged("the delivery is damaged: register it again") from error


def _read(directory: Path) -> tuple[bytes, dict[str, Any]]:
    text = (directory / MANIFEST).read_bytes()
    return text, json.loads((directory / FACTS).read_bytes())


def _view(text: bytes, facts: dict[str, Any]) -> View:
    if hashlib.sha256(text).hexdigest() != facts["manifest_hash"]:
        raise ValueError("the sealed manifest was changed")
    manifest = within(parse(text).manifest, facts.get("block"))
    public = {name: _table(found) for name, found in facts["public"].items()}
    if public.keys() != {table.name for table in manifest.tables if table.public}:
        raise ValueError("the public tables are not those of the manifest")
    return View(manifest, facts["manifest_hash"], facts["delivery"], public)


def _table(found: dict[str, Any]) -> PublicTable:
    columns = {
        name: PublicColumn(column["nullable"], column["lower"], column["upper"])
        for name, column in found["columns"].items()
    }
    return PublicTable(found["rows"], columns)

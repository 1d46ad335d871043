"""Names and texts as SQL."""

from __future__ import annotations

from collections.abc import Iterable


def name(text: str) -> str:
    """An identifier, quoted."""
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


def listed(parts: Iterable[str]) -> str:
    """Parts with commas between them."""
    return ", ".join(parts)


def enum(categories: Iterable[str]) -> str:
    """The ENUM type of these categories, in this order."""
    return f"ENUM({listed(map(text, categories))})"

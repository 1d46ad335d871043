"""Names and texts as they are written in engine SQL: always quoted, never trusted."""

from __future__ import annotations


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'


def occurs(name: str, read: str) -> bool:
    """Whether SQL, `read` in lower case, can name what has this name, quoted or not."""
    return name.lower().replace('"', '""') in read


def text(value: str) -> str:
    """A string constant between single quotes."""
    return "'" + value.replace("'", "''") + "'"

"""Past releases as a question may read them: rows that were released, and so may be used freely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

SCHEMA = "release"
"""The schema of past releases: `FROM release."ID"`; by itself the one that a question is about."""


@dataclass(frozen=True, slots=True)
class Past:
    """A past release. `columns` are names and DuckDB types; values are texts, or None for NULL."""

    id: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str | None, ...], ...]


Releases = Callable[[str], Past | None]
"""The past releases that a caller may read, by id; None where there is none."""


def no_releases(_: str) -> Past | None:
    """Of a caller that has none."""
    return None


def typed(values: Sequence[object], kind: str) -> str | None:
    """The DuckDB type in which a column's values stand in a release; None where it has none."""
    match kind:
        case "integer":
            return "HUGEINT" if any(_wide(value) for value in values) else "BIGINT"
        case "real" | "decimal":
            return "DOUBLE"
        case "text" | "boolean" | "date" | "timestamp":
            return {"text": "VARCHAR"}.get(kind, kind.upper())
    return None


def _wide(value: object) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**63

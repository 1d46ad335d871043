"""Statements of other dialects: the translation is what is planned, shown and refused."""

from __future__ import annotations

from queries.catalog.manifest import Manifest, Type
from queries.language import dialects
from queries.plan.price import Options

KINDS = {Type.INTEGER: dialects.WHOLE, Type.DECIMAL: dialects.DECIMAL, Type.REAL: dialects.REAL}


def of(sql: str, given: Options, manifest: Manifest) -> str | None:
    """The text in DuckDB's SQL, None where it is that already; raises a QueryRefused."""
    if given.dialect is None or given.dialect == dialects.DIALECT:
        return None
    return dialects.translated(sql, given.dialect, kinds(manifest))


def kinds(manifest: Manifest) -> dict[str, str]:
    """The kinds of numbers by column, where all columns of a name agree."""
    found: dict[str, set[str | None]] = {}
    for table in manifest.tables:
        for column in table.columns:
            found.setdefault(column.name.lower(), set()).add(KINDS.get(column.type))
    single = {name: next(iter(types)) for name, types in found.items() if len(types) == 1}
    return {name: kind for name, kind in single.items() if kind is not None}

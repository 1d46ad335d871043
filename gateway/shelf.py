"""A project's past releases as its questions may read them: what has left may be used freely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from budgets.ledger import Ledger
from gateway import document
from queries.catalog.past import Past, Releases, typed


def shelf(ledger: Ledger, project: str) -> Releases:
    """The releases of one project by id; another's look like none."""

    def find(id: str) -> Past | None:
        stored = ledger.document(project, id)
        if stored is None or document.refusal_in(stored) is not None:
            return None
        return _past(document.read(stored))

    return find


def _past(release: dict[str, Any]) -> Past:
    """Its rows as text; lists and maps, which have no text of their own, are left out."""
    by_column: list[Sequence[Any]] = list(zip(*release["rows"], strict=True))
    by_column = by_column or [()] * len(release["columns"])
    kinds = [
        typed(values, column["type"])
        for column, values in zip(release["columns"], by_column, strict=True)
    ]
    names = _apart([column["name"] for column in release["columns"]])
    kept = [number for number, kind in enumerate(kinds) if kind is not None]
    columns = tuple((names[n], str(kinds[n])) for n in kept)
    rows = tuple(tuple(_text(row[n]) for n in kept) for row in release["rows"])
    return Past(release["id"], columns, rows)


def _apart(names: Sequence[str]) -> list[str]:
    """The names, a later one of the same letters with a number, as DuckDB names them in FROM."""
    found: dict[str, str] = {}
    for name in names:
        own, number = name, 0
        while own.lower() in found:
            number += 1
            own = f"{name}_{number}"
        found[own.lower()] = own
    return list(found.values())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(value)

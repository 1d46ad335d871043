"""The public facts that a plan rests on, gathered while it is made, so that it can be made again.

Planning asks of public tables what joins reach and which keys there are, of the engine how it names
and types a query, and of past releases their rows. All of that is public or was released; kept with
a receipt it lets anybody derive the same plan from the SQL and the manifest, with no engine and no
delivery. Whoever has the public tables as well can check the facts against them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from queries import codec
from queries.catalog.past import Past, Releases
from queries.catalog.view import PublicColumn, PublicRows, PublicTable, Tables, TooMany, Value
from queries.language.refusals import NotBound
from queries.release.refusals import NotComputable, QueryTooExpensive

T = TypeVar("T")

_FAILURES: Mapping[str, Callable[[], Exception]] = {
    "TooMany": lambda: TooMany("the query has more rows than were asked for"),
    "NotBound": NotBound,
    "QueryTooExpensive": QueryTooExpensive,
    "NotComputable": NotComputable,
}


class FactMissing(Exception):
    """The plan asks for something that was not asked when it was made."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan rests on beside its text, options, price and manifest."""

    facts: Mapping[str, Any] = field(repr=False)
    moment: datetime | None = None


class Gathering:
    """Reads public tables and past releases for one planning, and remembers what they said."""

    def __init__(self, public: PublicRows, releases: Releases) -> None:
        self._public, self._releases = public, releases
        self._told: dict[str, Any] = {}
        self._past: dict[str, Any] = {}

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        """As those it reads."""
        return self._asked(
            _named("rows", sql, limit),
            lambda: self._public.rows(sql, limit),
            lambda found: {"rows": [[_shown(value) for value in row] for row in found]},
        )

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        """As those it reads."""
        return self._asked(
            _named("describe", tables, sql),
            lambda: self._public.describe(tables, sql),
            lambda found: {"columns": [list(column) for column in found]},
        )

    def releases(self, id: str) -> Past | None:
        """As those it reads."""
        found = self._releases(id)
        self._past[id] = None if found is None else codec.plain(found)
        return found

    def facts(self, public: Mapping[str, PublicTable]) -> dict[str, Any]:
        """All of it, as JSON."""
        tables = {name: codec.plain(table) for name, table in public.items()}
        return {"tables": tables, "told": self._told, "past": self._past}

    def _asked(self, name: str, ask: Callable[[], T], show: Callable[[T], Any]) -> T:
        try:
            found = ask()
        except (TooMany, NotBound, QueryTooExpensive, NotComputable) as error:
            self._told[name] = {"failed": type(error).__name__}
            raise
        self._told[name] = show(found)
        return found


class Remembered:
    """Facts as they were gathered, in place of the tables and releases that they are of."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._told, self._past = facts["told"], facts["past"]

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        """The same rows as then; FactMissing if they were not asked for."""
        found = self._known(_named("rows", sql, limit))
        return [tuple(_value(value) for value in row) for row in found["rows"]]

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        """The same columns as then; FactMissing if they were not asked for."""
        found = self._known(_named("describe", tables, sql))
        return [(str(name), str(kind)) for name, kind in found["columns"]]

    def releases(self, id: str) -> Past | None:
        """The same release as then."""
        if id not in self._past:
            raise FactMissing
        found = self._past[id]
        return None if found is None else codec.loads(Past, codec.dumps(found))

    def _known(self, name: str) -> Any:
        if (found := self._told.get(name)) is None:
            raise FactMissing
        if (failed := found.get("failed")) is not None:
            raise _FAILURES[failed]()
        return found


def tables(facts: Mapping[str, Any]) -> dict[str, PublicTable]:
    """What registration wrote of the public tables."""
    return {name: _table(one) for name, one in facts["tables"].items()}


def _table(told: Mapping[str, Any]) -> PublicTable:
    columns = {name: PublicColumn(**column) for name, column in told["columns"].items()}
    return PublicTable(told["rows"], columns)


def _named(*asked: object) -> str:
    return hashlib.sha256(codec.dumps(asked)).hexdigest()[:32]


def _shown(value: Value) -> Any:
    """A value in JSON, which has no infinity and no NaN."""
    strange = isinstance(value, float) and not math.isfinite(value)
    return [str(value)] if strange else value


def _value(shown: Any) -> Value:
    found: Value = float(shown[0]) if isinstance(shown, Sequence) and not _text(shown) else shown
    return found


def _text(shown: object) -> bool:
    return isinstance(shown, str)

"""Public tables and queries over them, as members of a private join: their columns and reach.

What is public may be counted before planning, so ranges and rows per key are exact here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlglot import exp

from queries.algebra import constants
from queries.algebra.calendar import days, microseconds
from queries.algebra.facts import ABOUT_UNIT, EXACT, TEMPORAL, Facts
from queries.algebra.names import quoted
from queries.algebra.relations import Public
from queries.algebra.scalars import Call, Column, Scalar
from queries.bind import open_sql
from queries.bind.spans import Span
from queries.catalog.manifest import Column as Declared
from queries.catalog.manifest import Table, Type
from queries.catalog.storage import UNIT
from queries.catalog.view import PublicColumn, PublicRows, TooMany, Value, View
from queries.language.refusals import UnsupportedSql

Named = tuple[tuple[str, Scalar], ...]
FAR = {"0001-01-01", "9999-12-31"}
"""How moments without end are handed out, too."""
WRITTEN_OUT = 20_000
"""The most rows of a public subquery beside private rows."""
MOST_SPANS = 2_000
"""The most spans, sharing one value of other columns, whose overlaps are counted."""
LONGEST_TEXT = 1_000_000
"""The most characters that these rows may take."""


@dataclass(slots=True)
class Publics:
    """The public side of one dataset, read through the release engine, never through a delivery."""

    view: View
    rows: PublicRows
    _reach: dict[tuple[str, frozenset[str], Span | None], int] = field(default_factory=dict)

    def table(self, table: Table, number: int) -> tuple[Public, Named]:
        """A public table as source `number`."""
        known = self.view.public[table.name].columns
        named: list[tuple[str, Scalar]] = []
        for declared in table.columns:
            own = declared.name == table.unit_key
            column = about(number) if own else _column(number, declared, known[declared.name])
            named.append((declared.name, column))
        return Public(number, quoted(table.name)), tuple(named)

    def query(self, query: exp.Query, number: int) -> tuple[Public, Named]:
        """A checked query over public tables as source `number`: its rows, read here once.

        The engine on the private file is given these rows, not the query: what it made of LIMIT
        and windows could differ, and so leave the ranges read from them; an expression that fails
        on a row the query leaves out could fail there, when a person's rows lead to it; and the
        ids in tables about units are pseudonyms there.
        """
        columns, sql = self._written_out(open_sql.text(query))
        return Public(number, f"({sql})"), self._measured(sql, columns, number)

    def _written_out(self, sql: str) -> tuple[list[tuple[str, str]], str]:
        """The columns that rows can use, and the query's rows as a query without tables.

        Raises UnsupportedSql if they are many.
        """
        found = self.rows.describe((), sql)
        first = {name.lower(): n for n, (name, _) in reversed(list(enumerate(found)))}
        kept = [n for n in sorted(first.values()) if kind(found[n][1]) is not None]
        all_names = ", ".join(f'"c{n}"' for n in range(len(found)))
        texts = [f'CAST("c{n}" AS VARCHAR)' for n in kept] or ["'1'"]
        asked = f"SELECT {', '.join(texts)} FROM ({sql}) AS q({all_names})"
        try:
            rows = [tuple(map(_text, row)) for row in self.rows.rows(asked, WRITTEN_OUT)]
        except TooMany:
            raise UnsupportedSql(
                f"A public subquery beside private rows has more than {WRITTEN_OUT:,} rows.",
                hint="Join the public table itself, and put its conditions into WHERE.",
            ) from None
        columns = [found[n] for n in kept]
        if sum(len(value or "") + 1 for row in rows for value in row) > LONGEST_TEXT:
            raise UnsupportedSql("The rows of a public subquery beside private rows are too long.")
        rows.sort(key=lambda row: [(value is None, value or "") for value in row])
        try:
            return columns, constants.selected(columns or [("c", "VARCHAR")], rows)
        except constants.NoSeparator:
            raise UnsupportedSql("A public subquery holds texts that cannot be listed.") from None

    def _measured(self, sql: str, columns: list[tuple[str, str]], number: int) -> Named:
        """The columns with their ranges."""
        known = [(name, of) for name, duckdb_type in columns if (of := kind(duckdb_type))]
        if not known:
            return ()
        ends = ", ".join(_ends(quoted(name), *of) for name, of in known)
        (row,) = self.rows.rows(f"SELECT {ends} FROM ({sql}) AS q", 1)
        named: list[tuple[str, Scalar]] = []
        for place, (name, of) in enumerate(known):
            low, high, null = row[3 * place : 3 * place + 3]
            column = _ranged(Declared(name, of[0], step=None), low, high, bool(null), of[1], number)
            named += [] if column is None else [(name, column)]
        return tuple(named)

    def reach(self, public: Public, columns: frozenset[str], span: Span | None = None) -> int:
        """The most rows of a public source that share one value of the columns, and of a span."""
        known = public.sql, columns, span
        if known not in self._reach:
            counted = self._count(public, columns)
            if span is not None and 1 < counted <= MOST_SPANS:
                counted = self._overlaps(public, columns, span)
            self._reach[known] = counted
        return self._reach[known]

    def _overlaps(self, public: Public, columns: frozenset[str], span: Span) -> int:
        """The most spans that hold the start of one of them."""
        fixed = [self._public_name(public, name) for name in sorted(columns)]
        low, high = (self._public_name(public, name) for name in (span.low, span.high))
        same = [f"r.{name} = s.{name}" for name in fixed]
        sign = "<=" if span.closed else "<"
        meets = " AND ".join([f"s.{low} <= r.{low}", f"r.{low} {sign} s.{high}", *same])
        starts = f"SELECT DISTINCT {', '.join([low, *fixed])} FROM {public.sql} AS q"
        by = ", ".join(f"r.{name}" for name in (low, *fixed))
        joined = f"({starts}) AS r, {public.sql} AS s WHERE {meets} GROUP BY {by}"
        asked = f"SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM {joined}) AS g"
        return max(1, int(self.rows.rows(asked, 1)[0][0] or 0))

    def _public_name(self, public: Public, name: str) -> str:
        """A stored column's name in the public file, where a unit's id still stands as it is."""
        about = {quoted(table.name): table.unit_key for table in self.view.manifest.tables}
        own = about.get(public.sql) if name == UNIT else None
        return quoted(name if own is None else own)

    def _count(self, public: Public, columns: frozenset[str]) -> int:
        if not columns and public.sql in self._sizes():
            return max(1, self._sizes()[public.sql])
        if not columns:
            asked = f"SELECT COUNT(*) FROM {public.sql} AS q"
        else:
            names = ", ".join(self._public_name(public, name) for name in sorted(columns))
            groups = f"SELECT COUNT(*) AS n FROM {public.sql} AS q GROUP BY {names}"
            asked = f"SELECT COALESCE(MAX(n), 0) FROM ({groups}) AS g"
        found = self.rows.rows(asked, 1)[0][0]
        return max(1, int(found or 0))

    def _sizes(self) -> dict[str, int]:
        """The rows of the public tables, by the text that stands for them in FROM."""
        return {quoted(name): table.rows for name, table in self.view.public.items()}


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _ends(column: str, of: Type, scale: int) -> str:
    """The least and greatest value of a column, and whether NULL is among them."""
    counted = of in (Type.INTEGER, Type.DECIMAL, Type.DATE, Type.TIMESTAMP)
    ends = [f"MIN({column})", f"MAX({column})"] if counted else ["NULL", "NULL"]
    if of is Type.DECIMAL:
        ends = [f"CAST({end} * {10**scale} AS BIGINT)" for end in ends]
    return ", ".join([*ends, f"COUNT(*) > COUNT({column})"])


def _ranged(
    declared: Declared, low: Value, high: Value, null: bool, scale: int, number: int
) -> Scalar | None:
    """A column with its range; None where its moments leave the years that are answered."""
    if declared.type in TEMPORAL and FAR & {str(low)[:10], str(high)[:10]}:
        return None
    try:
        return _column(number, declared, _found(null, low, high), scale)
    except ValueError:
        return None


def about(number: int) -> Column:
    """The unit's id in a public table about units: its pseudonym, met in joins alone (P5)."""
    return Column(number, UNIT, Facts(Type.TEXT, False, identity=ABOUT_UNIT))


def _found(null: bool, low: object, high: object) -> PublicColumn:
    ends = [end if isinstance(end, int | str) else None for end in (low, high)]
    return PublicColumn(null, ends[0], ends[1])


def _column(
    number: int, declared: Declared, known: PublicColumn, scale: int | None = None
) -> Scalar:
    steps = declared.scale if scale is None else scale
    low, high = (_end(end, declared.type) for end in (known.lower, known.upper))
    if declared.type in EXACT:
        facts = Facts(declared.type, known.nullable, steps, low or 0, high or 0)
    else:
        facts = Facts(declared.type, known.nullable, 0, low, high)
    column = Column(number, declared.name, facts)
    return Call(f"steps:{steps}", (column,), facts) if declared.type is Type.DECIMAL else column


def _end(end: int | str | None, kind: Type) -> int | None:
    if isinstance(end, str) and kind is Type.DATE:
        return days(date.fromisoformat(end))
    if isinstance(end, str) and kind is Type.TIMESTAMP:
        return microseconds(datetime.fromisoformat(end))
    return end if isinstance(end, int) else None


def kind(duckdb_type: str) -> tuple[Type, int] | None:
    """A column's type and scale from DuckDB's name of it, or None where rows cannot use it."""
    decimal = DECIMAL.fullmatch(duckdb_type)
    if decimal is not None:
        return Type.DECIMAL, int(decimal[1])
    found = KINDS.get(duckdb_type)
    return None if found is None else (found, 0)


DECIMAL = re.compile(r"DECIMAL\(\d+,(\d+)\)")
KINDS = {
    "TINYINT": Type.INTEGER, "SMALLINT": Type.INTEGER, "INTEGER": Type.INTEGER,
    "BIGINT": Type.INTEGER, "HUGEINT": Type.INTEGER, "DOUBLE": Type.REAL, "FLOAT": Type.REAL,
    "VARCHAR": Type.TEXT, "BOOLEAN": Type.BOOLEAN, "DATE": Type.DATE, "TIMESTAMP": Type.TIMESTAMP,
}  # fmt: skip

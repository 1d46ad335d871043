"""Rows of constants as a query, in a form that the engine reads quickly.

A column is one text, split by the engine: DuckDB takes thirty microseconds to read each row of a
VALUES list, and a query is read several times before it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from queries.algebra.names import quoted, text

SEPARATORS = "|", *map(chr, range(0xE000, 0xF8FF))
"""What may part the values: the first that none of them holds."""


class NoSeparator(Exception):
    """The values hold every sign that could part them."""


def selected(columns: Sequence[tuple[str, str]], rows: Sequence[tuple[str | None, ...]]) -> str:
    """A query that yields the rows, each value cast from its text to the type of its column.

    `columns` are names and DuckDB types, at least one. Raises NoSeparator.
    """
    values = list(zip(*rows, strict=True)) if rows else [(None,)] * len(columns)
    sign = _separator(value for value in chain.from_iterable(values) if value is not None)
    shown, split = [], []
    for number, ((name, kind), own) in enumerate(zip(columns, values, strict=True)):
        column = quoted(f"c{number}")
        joined, read = _joined(own, sign, column)
        split.append(f"unnest(string_split({text(joined)}, {text(sign)})) AS {column}")
        shown.append(f"CAST({read} AS {kind}) AS {quoted(name)}")
    nothing = "" if rows else " WHERE FALSE"
    return f"SELECT {', '.join(shown)} FROM (SELECT {', '.join(split)}) AS v{nothing}"


def _joined(values: Sequence[str | None], sign: str, column: str) -> tuple[str, str]:
    """The values as one text, and how one of them is read; where NULLs are, others have a mark."""
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        return sign.join(known), column
    marked = sign.join("" if value is None else f"={value}" for value in values)
    return marked, f"CASE WHEN ({column} <> '') THEN substring({column}, 2) END"


def _separator(values: Iterator[str]) -> str:
    held = set(chain.from_iterable(values))
    found = next((sign for sign in SEPARATORS if sign not in held), None)
    if found is None:
        raise NoSeparator
    return found

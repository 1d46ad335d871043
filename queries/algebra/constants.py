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
    sign, values = joined(len(columns), rows)
    shown, split = [], []
    for number, ((name, kind), (own, marked)) in enumerate(zip(columns, values, strict=True)):
        column = quoted(f"c{number}")
        read = f"CASE WHEN ({column} <> '') THEN substring({column}, 2) END" if marked else column
        split.append(f"unnest(string_split({text(own)}, {text(sign)})) AS {column}")
        shown.append(f"CAST({read} AS {kind}) AS {quoted(name)}")
    nothing = "" if rows else " WHERE FALSE"
    return f"SELECT {', '.join(shown)} FROM (SELECT {', '.join(split)}) AS v{nothing}"


def joined(
    width: int, rows: Sequence[tuple[str | None, ...]]
) -> tuple[str, list[tuple[str, bool]]]:
    """A sign, and each column as one text whose values it parts; one NULL where there are no rows.

    Where a column has NULLs its other values have a mark of one character. Raises NoSeparator.
    """
    values = list(zip(*rows, strict=True)) if rows else [(None,)] * width
    sign = _separator(value for value in chain.from_iterable(values) if value is not None)
    return sign, [_joined(own, sign) for own in values]


def _joined(values: Sequence[str | None], sign: str) -> tuple[str, bool]:
    """The values as one text, and whether those that are not NULL have a mark."""
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        return sign.join(known), False
    return sign.join("" if value is None else f"={value}" for value in values), True


def _separator(values: Iterator[str]) -> str:
    held = set(chain.from_iterable(values))
    found = next((sign for sign in SEPARATORS if sign not in held), None)
    if found is None:
        raise NoSeparator
    return found

"""The answer to a query: columns, rows and intervals as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass

from queries.catalog.view import Value
from queries.plan.model import Mechanism
from queries.plan.post import Role

Pair = tuple[Value, Value]
Cell = Value | tuple[Value, ...] | tuple[Pair, ...]
"""A value, a list of values, or a map: its keys and values in pairs."""
Rows = tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """One column. `scale` is the noise's own parameter, in the unit of the column.

    `type` is integer, decimal, real, text, boolean, date, timestamp, list or map. `reason` says
    why a column that is no key carries no interval, or what else must be known of it.
    """

    name: str
    type: str
    role: Role
    mechanism: Mechanism | None = None
    scale: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class OtherRow:
    """What a threshold held back, column by column; None where the column is one of groups."""

    values: tuple[Cell, ...]
    lower: tuple[Cell, ...]
    upper: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of one statistic a query's own bounds left out, and its interval.

    `of` and `about` say what the statistic is, `columns` which of the answer are computed from it.
    """

    of: str
    about: str
    columns: tuple[str, ...]
    share: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and of the same shape the lower and upper ends of their intervals (None: none)."""

    columns: tuple[AnswerColumn, ...]
    rows: Rows
    lower: Rows
    upper: Rows
    confidence: float
    other: OtherRow | None = None
    effects: tuple[Share, ...] = ()

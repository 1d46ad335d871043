"""The answer to a query: columns, rows and intervals as plain JSON values."""

from __future__ import annotations

from dataclasses import dataclass

from queries.catalog.view import Value
from queries.plan.model import Mechanism, Role

Rows = tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """One column. `scale` is the noise's own parameter, in the unit of the column.

    `type` is integer, decimal, real, text, boolean, date or timestamp. `reason` says why a column
    that is no key carries no interval.
    """

    name: str
    type: str
    role: Role
    mechanism: Mechanism | None = None
    scale: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and of the same shape the lower and upper ends of their intervals (None: none)."""

    columns: tuple[AnswerColumn, ...]
    rows: Rows
    lower: Rows
    upper: Rows
    confidence: float

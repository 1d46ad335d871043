"""Refusals of a query: decided from public facts, so each one explains itself.

    QueryRefused
        every refusal of SQL has a stable `code`, a `rule`, a position and a way out (`hint`)

No refusal knows an HTTP status; the gateway maps classes to problems.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the analyst's text, both counted from 1."""

    line: int
    column: int


class QueryRefused(Exception):
    """The query cannot be answered; the text says why and `hint` what to do about it."""

    code = "refused"
    rule = ""

    def __init__(
        self, message: str, *, position: Position | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.hint = hint

"""The columns of an answer, and what is done with released tables to make it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    KEY = "key"
    MEASURE = "measure"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer.

    A `measure` is exactly the stage column named `column`; a `derived` one with an `expression`
    (SQL over the columns of the one stage, row by row) gets a simulated interval; without one its
    interval is null for the stated `reason`, unless it is a list of the stage's columns `columns`.
    """

    name: str
    role: Role
    column: str | None = None
    expression: str | None = None
    reason: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """What is done with released tables: SQL over stages (and public tables) in the sealed engine.

    With `rowwise` set to a stage's name the SQL's first column is `_row`, that stage's row number,
    so that intervals can be attached; else rows carry no interval.
    """

    sql: str
    outputs: tuple[Output, ...]
    rowwise: str | None = None
    public: bool = False

"""The columns of an answer, and what is done with released tables to make it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    KEY = "key"
    MEASURE = "measure"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Atom:
    """A part of an expression with an interval of its own, as a value of the type `sql_type`.

    The stage's column `column` (of a map the element `text`); else SQL `text` over its measures.
    """

    column: str | None
    sql_type: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """An expression that rises or falls in each of its parts: SQL over b0, b1, ..., the atoms.

    It has no interval where one of `apart`, what it divides by, may be zero.
    """

    sql: str
    atoms: tuple[Atom, ...]
    apart: tuple[str, ...] = ()

    def reads(self, column: str) -> bool:
        """Whether some part of it is the stage's column of that name, or computed from it."""
        return any(
            atom.column == column if atom.column is not None else f'"{column}"' in atom.text
            for atom in self.atoms
        )


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer.

    A `measure` is exactly the stage column named `column`; a `derived` one with an `expression`
    (SQL over the columns of the one stage, row by row) gets a simulated interval; one with a `box`
    the ends that its parts allow; without either its interval is null for the stated `reason`,
    unless it is a list of the stage's columns `columns`.
    """

    name: str
    role: Role
    column: str | None = None
    expression: str | None = None
    reason: str | None = None
    columns: tuple[str, ...] = ()
    box: Box | None = None


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

"""The record of acts: who did what, when, and what came of it, each line vouching for those before.

Charges are not in it: they stand in the chain of their ceiling, with who asked, and a signed
checkpoint ties all chains together. So the record puts no lock and no write on a charge's path.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from budgets.chain import GENESIS, canonical


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record. `about` is canonical JSON; `at` informs, it orders nothing."""

    number: int
    by: str
    key: str | None
    act: str
    project: str | None
    outcome: str
    about: str
    at: int

    def canonical(self) -> bytes:
        """The one text of this line that is hashed."""
        value = {name: getattr(self, name) for name in self.__slots__}
        return canonical(value).encode("ascii")


def link(previous: str, line: Line) -> str:
    """The hash of a line that follows `previous`."""
    return hashlib.sha256(previous.encode("ascii") + b"\n" + line.canonical()).hexdigest()


def first_break(lines: Iterable[tuple[Line, str]]) -> int | None:
    """The number of the first line that does not follow from those before it, or None."""
    previous, expected = GENESIS, 1
    for line, stored in lines:
        if line.number != expected or link(previous, line) != stored:
            return expected
        previous, expected = stored, expected + 1
    return None

"""Statements in fixtures: a title, what they are asked of and with, and their text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from queries.plan.price import ColumnBound, Options, Price
from tests.parity import PRICE

FIXTURES = Path(__file__).parent.parent / "fixtures"
MARKS = ("dataset", "options", "price", "at", "expect", "compare")


@dataclass(frozen=True)
class Case:
    """One statement of a fixture; `code` is the name of its file."""

    code: str
    title: str
    sql: str
    marks: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"

    @property
    def dataset(self) -> str:
        return self.marks.get("dataset", "nycflights13")

    @property
    def at(self) -> tuple[int, int] | None:
        line, _, column = self.marks.get("at", "").partition(":")
        return (int(line), int(column)) if line else None

    @property
    def price(self) -> Price:
        """The usual price, but for what the fixture says: rho and delta in their units."""
        found = PRICE
        for name, value in _pairs(self.marks.get("price", "")):
            amount = int(value) * (10**12 if name == "epsilon" else 1)
            found = replace(found, **{name: amount})
        return found

    @property
    def options(self) -> Options:
        """Counts by name, and `columns=name:lower:upper,...`."""
        found: dict[str, object] = {}
        for name, value in _pairs(self.marks.get("options", "")):
            words = {"columns": _bounds, "dialect": str, "other": bool}
            found[name] = words.get(name, int)(value)
        return Options(**found)  # type: ignore[arg-type]


def cases(folder: str) -> list[Case]:
    """Every statement of every fixture of a folder."""
    return [case for path in sorted((FIXTURES / folder).glob("*.sql")) for case in _read(path)]


def _read(path: Path) -> list[Case]:
    found = []
    for block in path.read_text(encoding="utf-8").split("-- title: ")[1:]:
        title, *lines = block.rstrip("\n").split("\n")
        marks: dict[str, str] = {}
        while lines and (mark := lines[0].removeprefix("-- ").partition(": "))[0] in MARKS:
            marks[mark[0]] = mark[2]
            lines.pop(0)
        found.append(Case(path.stem, title, "\n".join(lines), marks))
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (p.partition("=") for p in text.split())]


def _bounds(text: str) -> tuple[ColumnBound, ...]:
    return tuple(_bound(part) for part in text.split(","))


def _bound(text: str) -> ColumnBound:
    column, lower, upper = text.split(":")
    return ColumnBound(column, Fraction(lower), Fraction(upper))

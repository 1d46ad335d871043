"""What registration did to the data: exact counts, for the provider's terminal alone (P18)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """So many rows met this repair; `column` is empty where it concerns the row as a whole."""

    rows: int
    words: str
    column: str = ""

    def __str__(self) -> str:
        return f"{self.column + ': ' if self.column else ''}{self.rows:,} {self.words}"


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table: rows read, rows stored, and every repair that was needed."""

    name: str
    public: bool
    read: int
    stored: int
    counts: tuple[Count, ...] = ()

    def __str__(self) -> str:
        if self.public:
            return f"{self.name}: public, {self.stored:,} rows"
        kept = "all kept" if self.read == self.stored else f"{self.stored:,} kept"
        found = f" ({'; '.join(map(str, self.counts))})" if self.counts else ""
        return f"{self.name}: {self.read:,} rows, {kept}{found}"


@dataclass(frozen=True, slots=True)
class Report:
    """The whole registration. Exact counts of private rows: never shown over HTTP, never logged."""

    unit: str
    units: int
    at_most: int
    tables: tuple[TableReport, ...]

    def lines(self) -> tuple[str, ...]:
        """One line a table, after one about the units."""
        first = f"{self.unit}: {self.units:,} different ones, of at most {self.at_most:,}"
        return (first, *map(str, self.tables))

    def __str__(self) -> str:
        return "\n".join(self.lines())

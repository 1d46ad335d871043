"""The manifest: what a dataset is, what its rows may hold and how much one unit may add.

Everything here is public and declared by the curator, never read from the data (P16). These values
are frozen and valid by construction: `queries.catalog.reading` makes them from YAML and reports
every fault with its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache


class Type(StrEnum):
    """The types of values; `real` is for filters and public tables only.

    `interval`, the time between two moments, is none that a column is declared to have.
    """

    INTEGER = "integer"
    DECIMAL = "decimal"
    REAL = "real"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    INTERVAL = "interval"


Bound = Decimal | date | datetime | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose values are those of a public table's key column."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column; `scale` is the number of decimals its grid keeps (0 for integers).

    One that is `added` stands in no source: it says in which of several blocks a row lies.
    """

    name: str
    type: Type
    nullable: bool = False
    lower: Bound = None
    upper: Bound = None
    step: Decimal | None = None
    categories: tuple[str, ...] = ()
    references: Reference | None = None
    length: int | None = None
    added: bool = False

    @property
    def scale(self) -> int:
        """Decimals kept: a stored whole number n means n / 10**scale."""
        if self.type is not Type.DECIMAL or self.step is None:
            return 0
        return _decimals(self.step)


@lru_cache(maxsize=1024)
def _decimals(step: Decimal) -> int:
    """The decimals of a step."""
    return max(0, -int(step.normalize().as_tuple().exponent))


@dataclass(frozen=True, slots=True)
class UnitPath:
    """`column -> table.key`: the unit of a row is the unit of the row it refers to."""

    column: str
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class OnViolation:
    """What registration does with a value outside its declaration."""

    bounds: str = "clamp"  # clamp | null | drop
    category: str = "null"  # null | drop
    rows: str = "drop"  # drop: rows above rows_per_unit


@dataclass(frozen=True, slots=True)
class Table:
    """One table, public or private. A private one reaches its unit by `unit_key` or `unit_via`.

    In a dataset with blocks `block_column` says in which of them a row lies; rows of a `lasting`
    table stand in every delivery, and other rows lie where those do that they refer to.

    A public table with a `unit_key` says in public something about units (a register of aircraft):
    it may be joined on the unit, and its id is treated beside private rows as any unit's id.

    Where its rows are read of several `deliveries`, a unit may have `rows_per_unit` in each, and a
    key stands once in each.
    """

    name: str
    columns: tuple[Column, ...]
    source: str
    public: bool = False
    origin: str | None = None
    key: tuple[str, ...] = ()
    unit_key: str | None = None
    unit_via: UnitPath | None = None
    rows_per_unit: int | None = None
    grain: tuple[str, ...] = ()
    block_column: str | None = None
    lasting: bool = False
    other_party: str | None = None
    on_violation: OnViolation = field(default_factory=OnViolation)
    deliveries: int = 1

    def column(self, name: str) -> Column | None:
        """The column of that name, whatever its case, or None."""
        folded = name.lower()
        return next((column for column in self.columns if column.name.lower() == folded), None)


@dataclass(frozen=True, slots=True)
class Unit:
    """The privacy unit, with its declared sizes."""

    name: str
    at_most: int
    most_per_person: int = 1


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that all projects and deliveries together may reveal; delta 0 means pure epsilon."""

    epsilon: Fraction
    delta: Fraction


class Every(StrEnum):
    """How long a block of a growing dataset is."""

    YEAR = "year"
    HALF_YEAR = "half-year"
    QUARTER = "quarter"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Blocks:
    """A dataset that grows by one delivery each half-year, month, ..., each with a ceiling."""

    every: Every
    ceiling: Ceiling


@dataclass(frozen=True, slots=True)
class Block:
    """One interval of time: from the day `starts` to before the day `ends`."""

    name: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Timing:
    """Answers leave after slot, slot * growth, slot * growth**2, ... seconds."""

    slot: Fraction = Fraction(1)
    growth: int = 2


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole dataset. `timing` is None where a policy for trusted analysts switches slots off.

    `block` is that of one delivery of a dataset with `blocks`, `together` are those of several
    deliveries that are read as one (queries.catalog.blocks).
    """

    dataset: str
    title: str
    unit: Unit
    ceiling: Ceiling
    tables: tuple[Table, ...]
    time_zone: str = "UTC"
    timing: Timing | None = Timing()
    record: tuple[tuple[str, str], ...] = ()
    minimum_frequency: int | None = None
    blocks: Blocks | None = None
    block: Block | None = None
    together: tuple[Block, ...] = ()

    @property
    def read(self) -> tuple[Block, ...]:
        """The blocks that are read, oldest first; none of a dataset that has none."""
        return self.together if self.block is None else (self.block,)

    def table(self, name: str) -> Table | None:
        """The table of that name, whatever its case, or None."""
        folded = name.lower()
        return next((table for table in self.tables if table.name.lower() == folded), None)

"""What is proved about the values of an expression: type, range, nullability, identity.

Ranges are exact. Integers and decimals are counted in whole steps of 10**-scale, dates in days and
timestamps in microseconds since 1970-01-01, intervals in microseconds, reals in their own value as
a fraction. A range holds for every row of every delivery sealed with the same manifest (P9, P16).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from queries.catalog.manifest import Type

Number = int | Fraction
EXACT = frozenset({Type.INTEGER, Type.DECIMAL})
TEMPORAL = frozenset({Type.DATE, Type.TIMESTAMP})
UNIT = "unit"
ABOUT_UNIT = "about-unit"
"""Identities: the privacy unit's own id, and that id in a public table about units."""
STORED = 2**63
"""What an undeclared whole number may reach: the engine stores it in 64 bits."""
ENGINE_TYPES = {
    Type.INTEGER: "BIGINT",
    Type.DECIMAL: "BIGINT",
    Type.REAL: "DOUBLE",
    Type.TEXT: "VARCHAR",
    Type.BOOLEAN: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP",
    Type.INTERVAL: "BIGINT",
}
"""How the engine holds values of a type: decimals as whole steps, intervals as microseconds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The proven facts of one expression.

    `declared` is False where a whole number's range is only that of its storage. `values` lists
    every non-null text a value may be; `reference` names the public table's column whose values
    they are; `identity` says that equal values belong to the same privacy unit; `longest` is the
    most characters of a text.
    """

    type: Type
    nullable: bool = True
    scale: int = 0
    lower: Number | None = None
    upper: Number | None = None
    values: tuple[str, ...] | None = None
    reference: tuple[str, str] | None = None
    identity: str | None = None
    declared: bool = True
    longest: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.type in EXACT and (self.lower is None or self.upper is None):
            raise ValueError("a whole number has a range, if only that of its storage")

    @property
    def bounded(self) -> bool:
        """Whether a range follows from declarations, so that the value may be summed."""
        return self.lower is not None and self.upper is not None and self.declared

    @property
    def step(self) -> Fraction:
        """The value of one whole step."""
        return Fraction(1, 10**self.scale)

    @property
    def kinds(self) -> int | None:
        """The most distinct values other than NULL; None where that is not known."""
        if self.values is not None:
            return len(self.values)
        if self.type is Type.BOOLEAN:
            return 2
        if self.type in EXACT and self.bounded:
            low, high = self.span()
            return high - low + 1
        return None

    def span(self) -> tuple[int, int]:
        """The range of a whole number."""
        if self.lower is None or self.upper is None:
            raise ValueError("no range is known")
        return int(self.lower), int(self.upper)

    def within(self, lower: Number | None, upper: Number | None) -> Facts:
        """The same facts between the two ends; an empty range stays a point."""
        low = self.lower if lower is None else _max(self.lower, lower)
        high = self.upper if upper is None else _min(self.upper, upper)
        if low is not None and high is not None and low > high:
            low = high
        declared = self.declared or not (low == -STORED or high == STORED)
        return self._anew(self.nullable, low, high, declared)

    def present(self) -> Facts:
        """The same facts where NULL has been ruled out."""
        return self._anew(False, self.lower, self.upper, self.declared) if self.nullable else self

    def maybe_null(self) -> Facts:
        return self if self.nullable else self._anew(True, self.lower, self.upper, self.declared)

    def _anew(
        self, nullable: bool, lower: Number | None, upper: Number | None, declared: bool
    ) -> Facts:
        """The same facts but for these; `replace` takes three times as long."""
        return Facts(
            self.type, nullable, self.scale, lower, upper, self.values, self.reference,
            self.identity, declared, self.longest,
        )  # fmt: skip


def stored(kind: Type, scale: int = 0, *, null: bool = True) -> Facts:
    """A whole number of which nothing is declared."""
    return Facts(kind, null, scale, -STORED, STORED, declared=False)


def hull(parts: Iterable[Facts]) -> tuple[Number | None, Number | None]:
    """The smallest range that holds all the ranges; None on a side where one has none."""
    ranges = [(part.lower, part.upper) for part in parts]
    lows = [low for low, _ in ranges if low is not None]
    highs = [high for _, high in ranges if high is not None]
    return (
        min(lows) if lows and len(lows) == len(ranges) else None,
        max(highs) if highs and len(highs) == len(ranges) else None,
    )


def _max(declared: Number | None, given: Number) -> Number:
    return given if declared is None else max(declared, given)


def _min(declared: Number | None, given: Number) -> Number:
    return given if declared is None else min(declared, given)

"""What of a released table is shown: rows by their noisy count of units, no negative values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frequency:
    """Rows of a stage or hierarchy are shown where their noisy count of units is no lower."""

    table: str
    column: str
    at_least: int


@dataclass(frozen=True, slots=True)
class NonNegative:
    """Columns of a stage or hierarchy whose released values are kept at zero or above."""

    table: str
    columns: tuple[str, ...]

"""What is shown of released tables: rows by their count of units, no negatives, shares left out."""

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


@dataclass(frozen=True, slots=True)
class Effect:
    """What a query's own bounds leave out of one statistic, over all groups together, as a share.

    `expression` is SQL over the one row of `stage`, whose columns `noisy` it reads: what there was
    and what counted, or how many units there are and how many lost something. `columns` are those
    of the answer that are computed from the statistic; `of` and `about` say what it is.
    """

    stage: str
    of: str
    about: str
    columns: tuple[str, ...]
    noisy: tuple[str, str]
    expression: str


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of a query's own bounds, and a sentence on what they are."""

    note: str
    shares: tuple[Effect, ...]

"""The noisy table of a stage: what the enclave hands out, and what is stored and reused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from queries.catalog.view import Value
from queries.plan.model import Distribution, NoisyColumn, Other, Stage, Threshold, Top


@dataclass(frozen=True, slots=True)
class NoisyStage:
    """Keys and noisy integers of a stage, row by row, in the order in which rows may leave.

    `values` holds one integer for each column of the stage, in its order, in the mechanism's own
    steps: shift, numerator and denominator have not been applied. `found` holds, row by row, what
    was released of each distribution: the bin of each target, or the nodes of its tree, leaves
    first, or both in this order; it is empty where a stage has none. `other` is the row of what was
    held back.
    """

    name: str
    keys: tuple[tuple[Value, ...], ...]
    values: tuple[tuple[int, ...], ...]
    found: tuple[tuple[tuple[int, ...], ...], ...] = ()
    other: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.keys) != len(self.values) or len(self.found) not in (0, len(self.keys)):
            raise ValueError("a noisy table has as many keys as values")


@dataclass(frozen=True, slots=True)
class InputRows:
    """The rows of one input, each value as text (None: NULL): released and public values alone."""

    name: str
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True, slots=True)
class StoredStage:
    """A noisy table as it is kept: with the noise and threshold that it was drawn with."""

    table: NoisyStage
    columns: tuple[NoisyColumn, ...]
    threshold: Threshold | None
    distributions: tuple[Distribution, ...] = ()
    other: Other | None = None
    top: Top | None = None


def in_order(rows: Iterable[tuple[Value, ...]]) -> tuple[tuple[Value, ...], ...]:
    """Keys sorted by value, NULL last."""
    found = list(rows)
    if any(None in row for row in found):
        return tuple(sorted(found, key=order))
    return tuple(sorted(found))


def order(row: tuple[Value, ...]) -> tuple[tuple[bool, Value], ...]:
    """Sorts keys by value, NULL last."""
    return tuple([(value is None, 0 if value is None else value) for value in row])


def beside(stage: Stage) -> Stage | None:
    """The row of what is held back, as a stage of one row and no key."""
    if stage.other is None:
        return None
    return Stage(stage.name, f"{stage.digest} other", stage.other.sql, (), stage.other.columns)

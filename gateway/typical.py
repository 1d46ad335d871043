"""A typical question of a dataset, by which budgets are told in words: counts of units by a key.

It follows from the sealed manifest and the facts of public tables alone (P23).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from queries.catalog.manifest import Column, Table
from queries.catalog.view import View
from queries.plan.bounding import Sensitivity
from queries.release.least import alone

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Typical:
    """How many units there are in each group of a public key (None: in all)."""

    key: str | None = None
    groups: int = 1

    def words(self, count: int) -> str:
        """So many of them: `counts by area`."""
        by = "" if self.key is None else f" by {self.key}"
        return f"count{'' if count == 1 else 's'}{by}"

    def loss(self, margin: int, *, pure: bool) -> int:
        """The least loss, in 1e-12 of epsilon or rho, that keeps each count within the margin."""
        return _least(self.groups, margin, pure)


def typical(view: View) -> Typical:
    """The first public key of the first private table that has one."""
    for table in view.manifest.tables:
        for column in () if table.public else table.columns:
            values = _values(table, column, view)
            if values:
                return Typical(column.name, min(table.rows_per_unit or 1, values))
    return Typical()


def _values(table: Table, column: Column, view: View) -> int:
    """How many values a key has, NULL included; 0 where they are not public."""
    if column.name == table.unit_key:
        return 0
    found = len(column.categories)
    if column.references is not None:
        found = view.public[column.references.table].rows
    return found + column.nullable if found else 0


@lru_cache(maxsize=1024)
def _least(groups: int, margin: int, pure: bool) -> int:
    return alone(Sensitivity(groups, groups), margin, CONFIDENCE, pure=pure)

"""Histograms as engine SQL: how many bounded rows of each group fall in each bin of a value.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the rows that the text counts, over all bins, obey the bounds of the stage: in no
                more groups than `groups`, in none of them more than `rows_per_group`.
    Requires    at most `bounds.rows` rows of one unit in the relation.
    Why         groups are sampled by the keyed hash that the stage's other columns are sampled by,
                and a grouping set adds up the bounded rows of the groups of all keys;
                of a unit's rows in a group those with the smallest keyed hashes of their bin and
                their number in it are kept. Both look at one unit's own rows and a secret of this
                run alone, and are hard (P7). Rows of one bin are alike, so that which of them gets
                which number changes nothing (P3). A row whose value is NULL, or in no bin, is not
                counted; missing bins are zero.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from dataclasses import dataclass

from queries.algebra.facts import TEMPORAL
from queries.algebra.grid import grid
from queries.algebra.names import quoted
from queries.algebra.scalars import Scalar
from queries.catalog.manifest import Type
from queries.plan.bins import Bins
from queries.plan.lower.keys import key_text
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import Query, sampling, steps
from queries.plan.lower.words import width


@dataclass(frozen=True, slots=True)
class Histogram:
    """The bins of one value on their way to text, under the bounds of a stage's query."""

    query: Query
    value: Scalar
    where: Scalar | None
    bins: Bins

    def text(self) -> str:
        to = Relations()
        measure, bounds = self.query.measure, self.query.bounds
        block = to.block(measure.relation).text()
        names = [quoted(f"k{n}") for n in self.query.bounded]
        keys = [key_text(measure.keys[n], to) for n in self.query.bounded]
        shown = [f"{key} AS {name}" for key, name in zip(keys, names, strict=True)]
        shown.append(f"{self._value(to)} AS {quoted('b' if self.bins.listed else 'v')}")
        capped = bounds.per_group < bounds.rows
        if self.query.sampled or capped:
            shown.append(f"{to.unit(measure.relation)} AS {quoted('u')}")
        rows = f"SELECT {', '.join(shown)} {block}"
        rows = rows if self.bins.listed else _binned(rows, self.bins)
        rows = _sampled(rows, names, bounds.groups) if self.query.sampled else rows
        rows = f"SELECT * FROM ({rows}) AS {quoted('r')} WHERE ({quoted('b')} IS NOT NULL)"
        rows = _capped(rows, names, bounds.per_group) if capped else rows
        grouped = ", ".join([*(quoted(f"k{n}") for n in self.query.shown), quoted("b")])
        return (
            f"SELECT {grouped}, COUNT(*) AS {quoted('n')} FROM ({rows}) AS {quoted('c')} "
            f"GROUP BY {grouped}"
        )

    def _value(self, to: Relations) -> str:
        """The value of a row, in steps or as it is listed; NULL where it is not counted."""
        found = key_text(self.value, to) if self.bins.listed is not None else self._number(to)
        if self.where is None:
            return found
        return f"(CASE WHEN {to.scalars.write(self.where)} THEN {found} END)"

    def _number(self, to: Relations) -> str:
        if self.value.facts.type in TEMPORAL:
            counted, wide = _moment(self.value, to), "BIGINT"
        else:
            found = grid(self.value)
            counted = steps(found, to)
            wide = width(found.source.facts) if found.exact else "BIGINT"
        return f"CAST({counted} AS {wide})"


def _binned(rows: str, bins: Bins) -> str:
    """The bin of each value; below the first bin's start there is none."""
    value = quoted("v")
    branches = [
        f"WHEN ({value} >= {piece.lower}) "
        f"THEN ((({value} - ({piece.lower})) // {piece.width}) + {piece.first})"
        for piece in reversed(bins.pieces)
    ]
    number = f"TRY_CAST((CASE {' '.join(branches)} END) AS INTEGER)"
    return f"SELECT *, {number} AS {quoted('b')} FROM ({rows}) AS {quoted('w')}"


def _moment(value: Scalar, to: Relations) -> str:
    """Days or microseconds since 1970; NULL for what is endless."""
    written = to.scalars.write(value)
    counted = f"epoch_us({written})"
    if value.facts.type is Type.DATE:
        counted = f"date_diff('day', DATE '1970-01-01', {written})"
    return f"(CASE WHEN isfinite({written}) THEN {counted} END)"


def _sampled(rows: str, names: list[str], groups: int) -> str:
    order = ", ".join(sampling(names))
    rank = f"DENSE_RANK() OVER (PARTITION BY {quoted('u')} ORDER BY {order})"
    ranked = f"SELECT *, {rank} AS {quoted('g')} FROM ({rows}) AS {quoted('s')}"
    return f"SELECT * FROM ({ranked}) AS {quoted('h')} WHERE ({quoted('g')} <= {groups})"


def _capped(rows: str, names: list[str], most: int) -> str:
    """At most so many rows of a unit and group, chosen by a keyed hash."""
    unit, bin_, number = quoted("u"), quoted("b"), quoted("i")
    own = ", ".join([unit, *names])
    alike = f"ROW_NUMBER() OVER (PARTITION BY {own}, {bin_})"
    numbered = f"SELECT *, {alike} AS {number} FROM ({rows}) AS {quoted('a')}"
    mixed = f"hash({own}, {bin_}, {number}, $seed)"
    rank = f"ROW_NUMBER() OVER (PARTITION BY {own} ORDER BY {mixed}, {bin_}, {number})"
    ranked = f"SELECT *, {rank} AS {quoted('o')} FROM ({numbered}) AS {quoted('d')}"
    return f"SELECT * FROM ({ranked}) AS {quoted('e')} WHERE ({quoted('o')} <= {most})"

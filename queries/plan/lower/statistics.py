"""Statistics as engine SQL: one level where the manifest bounds the unit already, else two.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the integers that the text yields obey the bounds from which the plan took its
                sensitivities (`queries.plan.bounding`).
    Requires    at most `bounds.rows` rows of one unit in the relation.
    Why         two levels aggregate per (unit, group) first; each partial is clamped to what
                `rows_per_group` rows can add (of a mean, it is brought down to so many rows of the
                unit's own average first, which looks at its own rows alone); where a unit may have
                more groups than it is allowed, ROW_NUMBER over a keyed hash of (unit, key) keeps
                that many, never more, and looks at the unit's own groups and a secret drawn for
                this run alone. Keys that are not listed cannot occur, and are discarded by the
                enclave if they did; they could only take a listed group's place, which moves
                nothing beyond the claim (P7, P10). A grouping set adds up the bounded partials of
                all keys, and counts a unit once in each of its cells.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from queries.algebra.facts import EXACT
from queries.algebra.grid import Grid, grid
from queries.algebra.measures import (
    Centred,
    Distinct,
    DistinctTotal,
    Measure,
    Rows,
    Statistic,
    Total,
    Units,
)
from queries.algebra.names import quoted
from queries.algebra.scalars import Call, Scalar
from queries.catalog.manifest import Type
from queries.language.refusals import RangeTooLarge
from queries.plan.bounding import Bounds
from queries.plan.lower import distinct
from queries.plan.lower.keys import key_text
from queries.plan.lower.relations import Relations
from queries.plan.lower.rest import without_kept
from queries.plan.lower.scalars import clamped, on_grid
from queries.plan.lower.words import width

LARGEST_ROW = 2**78
SATURATED = 2**62
PROVEN = frozenset(
    {"+", "-", "*", "neg", "abs", "rescale", "case", "coalesce", "nullif", "least", "greatest",
     "clamp", "steps", "and", "or", "not", "null", "true", "false", "in", "=", "<>", "<", "<=",
     ">", ">=", "same", "differs", "like", "ilike", "starts_with", "contains", "truth"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What one row adds to a statistic: SQL (None: one), a condition, and its range in steps.

    `distinct` is the aggregate of what equal rows add once.
    """

    value: str | None
    where: str | None
    lower: int
    upper: int
    distinct: str | None = None

    @property
    def reach(self) -> int:
        return max(abs(self.lower), abs(self.upper))


def row(statistic: Statistic, to: Relations) -> Row:
    """One row's whole number; raises RangeTooLarge where sums could pass the engine's integers."""
    where = None if statistic.where is None else to.scalars.write(statistic.where)
    match statistic:
        case Rows() | Units():
            return Row(None, where, 0, 1)
        case Total():
            found = grid(statistic.value)
            return _checked(Row(steps(found, to), where, found.lower, found.upper))
        case Distinct():
            return Row(_values(statistic, to), where, 0, 1, "COUNT")
        case DistinctTotal():
            found = grid(statistic.value)
            value = steps(found, to)
            return _checked(Row(value, where, found.lower, found.upper, "SUM"))
        case Centred():
            found = grid(statistic.value)
            wide = width(found.source.facts) if found.exact else "BIGINT"
            value = steps(found, to)
            if found.middle:
                value = f"(CAST({value} AS {wide}) - ({found.middle}))"
            low, high = found.lower - found.middle, found.upper - found.middle
            return _checked(Row(value, where, low, high))


def _values(statistic: Distinct, to: Relations) -> str:
    """A value to tell apart; a whole number in its range, since a claim may rest on it (P9)."""
    if len(statistic.values) > 1:
        return f"ROW({', '.join(map(to.scalars.raw, statistic.values))})"
    (value,) = statistic.values
    if value.facts.type in EXACT and value.facts.bounded:
        return steps(grid(value), to)
    return to.scalars.raw(value)


def _checked(found: Row) -> Row:
    if found.reach >= LARGEST_ROW:
        raise RangeTooLarge("One row's value may pass 78 bits, so its sum may not be exact.")
    return found


def steps(found: Grid, to: Relations) -> str:
    """A value counted on its grid; whatever was divided or rounded is clamped afterwards (P9)."""
    value = to.scalars.write(found.source)
    if not found.exact:
        return on_grid(value, repr(float(found.step)), found.lower, found.upper)
    return value if _proven(found.source) else clamped(value, found.lower, found.upper)


def _proven(value: Scalar) -> bool:
    """Whether a whole number's range needs no clamp: no division, rounding or cast on the way.

    What was rounded to a grid has been clamped to it already.
    """
    if not isinstance(value, Call):
        return True
    name = value.op.split(":")[0]
    if name == "quantised":
        return True
    whole = value.facts.type in EXACT | {Type.BOOLEAN} and name in PROVEN
    return whole and all(map(_proven, value.args))


@dataclass(frozen=True, slots=True)
class Query:
    """A measure on its way to text.

    `floor` drops keys under that many units: in one level, where a unit has one row, rows are
    units; in two, partials are. `level` are the positions of the keys of one grouping set (None:
    all); where a bound holds for groups, these are those of all keys, so that levels add up. With
    `rest` so many statistics are answered for all groups together whose keys did not leave.
    """

    measure: Measure
    bounds: Bounds
    shifts: tuple[int, ...]
    sampled: bool
    two_levels: bool
    floor: int | None = None
    level: tuple[int, ...] | None = None
    rest: int | None = None

    @property
    def shown(self) -> tuple[int, ...]:
        """The positions of the keys that are answered."""
        if self.rest is not None:
            return ()
        return tuple(range(len(self.measure.keys))) if self.level is None else self.level

    @property
    def finer(self) -> bool:
        """Whether partials stand at more keys than are answered."""
        capped = self.sampled or self.bounds.per_group < self.bounds.rows
        return self.rest is not None or (self.two_levels and capped and self.level is not None)

    @property
    def bounded(self) -> tuple[int, ...]:
        """The positions of the keys whose groups are bounded."""
        return tuple(range(len(self.measure.keys))) if self.finer else self.shown

    def text(self) -> str:
        if not self.measure.statistics:
            return ""
        to = Relations()
        block = to.block(self.measure.relation).text()
        keys = {f"k{n}": key_text(self.measure.keys[n], to) for n in self.bounded}
        rows = [row(statistic, to) for statistic in self.measure.statistics[: self.rest]]
        if not self.two_levels:
            return self._one(block, keys, rows)
        apart = {n: one for n, one in enumerate(rows) if one.distinct}
        base = self._two(to, block, keys, {n: r for n, r in enumerate(rows) if n not in apart})
        if not apart:
            return base
        unit = to.unit(self.measure.relation)
        parts = {n: self._apart(n, one, block, unit, keys) for n, one in apart.items()}
        return distinct.joined(base, parts, [f"k{n}" for n in self.shown], len(rows))

    def _apart(self, n: int, one: Row, block: str, unit: str, keys: dict[str, str]) -> str:
        """Distinct values: their number is no sum of what each unit has."""
        statistic, cap = self.measure.statistics[n], self.bounds.rows_per_group
        if one.value is None or not isinstance(statistic, Distinct | DistinctTotal):
            raise TypeError("only distinct values stand apart")
        natural = min(self.bounds.rows, statistic.most or self.bounds.rows)
        groups = self.bounds.groups if self.sampled else None
        capped = None if cap is None or cap >= natural else cap
        found = distinct.Values(block, unit, keys, one.value, one.where, groups, capped)
        total = replace(one, value=quoted("v"), where=None)
        aggregate = fitting(_aggregate(total), self.shifts[n])
        return found.text([f"k{n}" for n in self.shown], aggregate, self._from)

    def _from(self, source: str) -> str:
        """A FROM of bounded groups: all of them, or those whose keys did not leave."""
        if self.rest is None:
            return f"FROM {source}"
        return without_kept(source, {f"k{n}": key for n, key in enumerate(self.measure.keys)})

    def _one(self, block: str, keys: dict[str, str], rows: list[Row]) -> str:
        columns = {n: _aggregate(one) for n, one in enumerate(rows)}
        return self._outer(keys, columns, block)

    def _outer(self, keys: dict[str, str], columns: dict[int, str], block: str) -> str:
        shown = [f"{key} AS {quoted(name)}" for name, key in keys.items()]
        for n, column in columns.items():
            shown.append(f"{fitting(column, self.shifts[n])} AS {quoted(f'm{n}')}")
        shown = shown or ["COUNT(*)"]
        by = f" GROUP BY {', '.join(dict.fromkeys(keys.values()))}" if keys else ""
        units = f"COUNT(DISTINCT {quoted('u')})" if self.finer else "COUNT(*)"
        having = "" if self.floor is None else f" HAVING {units} >= {self.floor}"
        return f"SELECT {', '.join(shown)} {block}{by}{having}"

    def _two(self, to: Relations, block: str, keys: dict[str, str], rows: dict[int, Row]) -> str:
        unit = to.unit(self.measure.relation)
        shown = [f"{unit} AS {quoted('u')}"]
        shown += [f"{key} AS {quoted(name)}" for name, key in keys.items()]
        for n, one in rows.items():
            partial = self._partial(self.measure.statistics[n], one)
            shown.append(f"{partial} AS {quoted(f'p{n}')}")
        by = ", ".join(dict.fromkeys([unit, *keys.values()]))
        inner = f"SELECT {', '.join(shown)} {block} GROUP BY {by}"
        source = f"({self._sample(inner, [quoted(name) for name in keys])}) AS {quoted('p')}"
        columns = {n: self._total(self.measure.statistics[n], quoted(f"p{n}")) for n in rows}
        names = {f"k{n}": quoted(f"k{n}") for n in self.shown}
        return self._outer(names, columns, self._from(source))

    def _total(self, statistic: Statistic, partial: str) -> str:
        """The partials of a cell together: a unit counts once, however many of them are its own."""
        if self.finer and isinstance(statistic, Units):
            return f"COUNT(DISTINCT CASE WHEN ({partial} > 0) THEN {quoted('u')} END)"
        return f"COALESCE(SUM({partial}), 0)"

    def _partial(self, statistic: Statistic, one: Row) -> str:
        if isinstance(statistic, Units):
            return "1" if one.where is None else f"MAX(CASE WHEN {one.where} THEN 1 ELSE 0 END)"
        total = _aggregate(one)
        cap = self.bounds.rows_per_group
        if cap is None or cap >= self.bounds.rows:
            return total
        low, high = min(0, one.lower * cap), max(0, one.upper * cap)
        if isinstance(statistic, Centred):
            own = _averaged(one, total, cap)
            return f"LEAST(GREATEST({own}, {low}::HUGEINT), {high}::HUGEINT)"
        return clamped(total, low, high)

    def _sample(self, inner: str, names: list[str]) -> str:
        if not self.sampled:
            return inner
        order = ", ".join(sampling(names))
        rank = f"ROW_NUMBER() OVER (PARTITION BY {quoted('u')} ORDER BY {order})"
        ranked = f"SELECT *, {rank} AS {quoted('r')} FROM ({inner}) AS {quoted('g')}"
        return (
            f"SELECT * FROM ({ranked}) AS {quoted('h')} WHERE {quoted('r')} <= {self.bounds.groups}"
        )


def sampling(names: list[str]) -> list[str]:
    """What a unit's groups are ordered by, to be sampled: a keyed hash, then the keys."""
    return [f"hash({', '.join([quoted('u'), *names, '$seed'])})", *names]


def _aggregate(one: Row) -> str:
    kept = "" if one.where is None else f" FILTER (WHERE {one.where})"
    if one.value is None:
        return f"COUNT(*){kept}"
    if one.distinct is not None:
        return f"COALESCE({one.distinct}(DISTINCT {one.value}){kept}, 0)"
    return f"COALESCE(SUM({one.value}){kept}, 0)"


def _averaged(one: Row, total: str, cap: int) -> str:
    """So many rows of the unit's own average, where it has more: what a mean is made of.

    The rows beside it are clamped to as many, so the mean of a unit stays its own. It is a whole
    number, rounded towards zero, of at most 78 bits for each of twice ten thousand rows.
    """
    kept = "" if one.where is None else f" FILTER (WHERE {one.where})"
    rows = f"COUNT({one.value}){kept}"
    return f"(CASE WHEN ({rows} > {cap}) THEN (({total} * {cap}) // {rows}) ELSE {total} END)"


def fitting(column: str, shift: int) -> str:
    """A total that fits 64 bits: shifted (floor), then saturated, never failing (P8)."""
    if column.startswith("COUNT(*)"):
        return column
    whole = f"CAST({column} AS HUGEINT)"
    moved = f"({whole} >> {shift})" if shift else whole
    return f"CAST(LEAST(GREATEST({moved}, -{SATURATED}::HUGEINT), {SATURATED}::HUGEINT) AS BIGINT)"

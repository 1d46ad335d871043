"""Listed columns: those whose values are known before any private row is read, and their product.

A leaf is a public source, or one private column with a short list of values. Keys that read leaves
alone are listed by one query over the leaves they read, under the conditions that tie these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from queries.algebra.calendar import EPOCH
from queries.algebra.facts import ABOUT_UNIT, ENGINE_TYPES, EXACT, UNIT, Facts
from queries.algebra.measures import Measure
from queries.algebra.names import quoted, text
from queries.algebra.relations import Inner, OpenSource, Public, Relation, Spine
from queries.algebra.scalars import Column, Scalar, columns, conjuncts, subqueries
from queries.algebra.sources import members
from queries.bind.publics import Publics
from queries.catalog.manifest import Type
from queries.catalog.view import TooMany, Value
from queries.language.limits import LIMITS
from queries.language.refusals import TooManyGroups
from queries.plan.lower.keys import key_text
from queries.plan.lower.relations import Relations

Keys = tuple[tuple[Value, ...], ...]
LARGEST = 1_000
"""The longest range of a column that is a key itself."""
LONGEST = 20_000
"""The longest range of a column that a key is computed from."""
PRODUCT = 200_000
"""The most combinations of private columns that one key is computed from."""

Name = tuple[int, str | None]
EMPTY: Mapping[Column, Sequence[Value]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A public source (`column` is None), or the values of one private column as FROM text."""

    source: int
    column: str | None
    text: str
    size: int = 0


class Leaves:
    """The leaves of a measure, and the conditions that read nothing else; `whole` if all do."""

    def __init__(
        self, measure: Measure, publics: Publics, known: Mapping[Column, Sequence[Value]] = EMPTY
    ) -> None:
        self._measure = measure
        self._publics = publics
        self._leaves: dict[Name, Leaf] = {}
        for source, outer in _opens(measure.relation):
            self._leaves[source.id, None] = Leaf(source.id, None, _open(source, outer=outer))
        for column, values in known.items():
            leaf = _leaf(column, [_constant(value, column.facts) for value in values])
            self._leaves[column.source, column.name] = leaf
        for key in measure.keys:
            for column in columns(key):
                self._add(column, own=key == column)
        flat = [part for whole in _conditions(measure.relation) for part in conjuncts(whole)]
        spine = isinstance(measure.relation, Spine)
        self._parts = [p for p in flat if self._reads(p) and (spine or self._named(p))]
        self.whole = len(self._parts) == len(flat)

    def _add(self, column: Column, *, own: bool) -> None:
        if (column.source, None) in self._leaves:
            return
        found = _values(column, LARGEST if own else LONGEST)
        if found is not None:
            self._leaves.setdefault((column.source, column.name), found)

    def covers(self, key: Scalar) -> bool:
        """Whether a key reads leaves alone, and not too many combinations of them."""
        if not self._reads(key):
            return False
        size = 1
        for name in self._named(key):
            size *= max(1, self._leaves[name].size)
        return size <= PRODUCT

    def _reads(self, scalar: Scalar) -> bool:
        if any(subqueries(scalar)):
            return False
        read = list(columns(scalar))
        known = all(self._name(column) is not None for column in read)
        return known and all(column.facts.identity not in (UNIT, ABOUT_UNIT) for column in read)

    def _name(self, column: Column) -> Name | None:
        for name in ((column.source, None), (column.source, column.name)):
            if name in self._leaves:
                return name
        return None

    def _named(self, scalar: Scalar) -> set[Name]:
        found = (self._name(column) for column in columns(scalar))
        return {name for name in found if name is not None}

    def groups(self, positions: list[int]) -> list[list[int]]:
        """The keys that conditions or common leaves tie together, group by group."""
        groups: list[tuple[set[Name], list[int]]] = []
        for position in positions:
            leaves = self._tied(self._named(self._measure.keys[position]))
            touched = [group for group in groups if group[0] & leaves]
            groups = [group for group in groups if group not in touched]
            merged = leaves.union(*(group[0] for group in touched))
            groups.append((merged, [*(p for group in touched for p in group[1]), position]))
        return [members for _, members in groups]

    def _tied(self, leaves: set[Name]) -> set[Name]:
        """The leaves, and all that conditions tie to them."""
        grown = True
        while grown:
            grown = False
            for part in self._parts:
                read = self._named(part)
                if read & leaves and not read <= leaves:
                    leaves, grown = leaves | read, True
        return leaves

    def apart(self) -> int:
        """The most combinations of values of private columns that keys read."""
        lists = [one.text for one in self._leaves.values() if one.column is not None]
        rows = [self._publics.rows.rows(f"SELECT COUNT(*) FROM {text}", 1) for text in lists]
        return math.prod(int(found[0][0] or 0) for found in rows)

    def rows(self, positions: list[int], *, present: bool = False) -> Keys:
        """The distinct values of some keys together, as `listing` finds them.

        Raises TooManyGroups.
        """
        try:
            return tuple(
                self._publics.rows.rows(self.listing(positions, present=present), LIMITS.cells)
            )
        except TooMany:
            raise TooManyGroups(
                f"There would be more than {LIMITS.cells:,} groups, which is the most."
            ) from None

    def listing(self, positions: list[int], *, present: bool = False) -> str:
        """A query for the distinct values of some keys together.

        With `present` there are none where the leaves that no key reads leave no row at all.
        """
        keys = [self._measure.keys[n] for n in positions]
        leaves = self._tied({name for key in keys for name in self._named(key)})
        to = Relations()
        shown = [f"{key_text(key, to)} AS {quoted(f'k{n}')}" for n, key in enumerate(keys)]
        conditions = self._conditions(leaves, to)
        if present:
            conditions += self._others(leaves, to)
        sql = f"SELECT DISTINCT {', '.join(shown)} FROM {self._from(leaves, to)}"
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        return sql

    def _conditions(self, leaves: set[Name], to: Relations) -> list[str]:
        """What is said of these leaves alone."""
        return sorted(to.scalars.write(p) for p in self._parts if self._named(p) <= leaves)

    def _others(self, leaves: set[Name], to: Relations) -> list[str]:
        """That there is a row of every other leaf."""
        found, seen = [], set(leaves)
        for name in self._leaves:
            if name not in seen:
                tied = self._tied({name})
                seen |= tied
                where = " AND ".join(self._conditions(tied, to)) or "TRUE"
                found.append(f"EXISTS (SELECT 1 FROM {self._from(tied, to)} WHERE {where})")
        return found

    def most_alike(self) -> int:
        """The most public rows kept that share all keys."""
        to = Relations()
        leaves = set(self._leaves)
        by = [key_text(key, to) for key in self._measure.keys]
        conditions = self._conditions(leaves, to)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        grouped = f"{self._from(leaves, to)}{where} GROUP BY {', '.join(by)}"
        sql = f"SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM {grouped}) AS g"
        return int(self._publics.rows.rows(sql, 1)[0][0] or 0)

    def _from(self, leaves: set[Name], to: Relations) -> str:
        """The leaves as members of FROM, the columns of one source side by side."""
        members = []
        for source in sorted({source for source, _ in leaves}):
            own = [self._leaves[name] for name in leaves if name[0] == source]
            texts = sorted(leaf.text for leaf in own)
            made = texts[0] if own[0].column is None else f"(SELECT * FROM {', '.join(texts)})"
            members.append(f"{made} AS {to.scalars.alias(source)}")
        return ", ".join(members) or "(VALUES (1)) AS one"


def _conditions(relation: Relation) -> tuple[Scalar, ...]:
    """What every row, or every public row kept, satisfies."""
    match relation:
        case Inner():
            return relation.conjuncts
        case Spine():
            return relation.conditions
    return ()


def _values(column: Column, longest: int) -> Leaf | None:
    """The values of a private column, or None where they are not known or too many."""
    facts = column.facts
    if facts.values is not None:
        return _leaf(column, [text(value) for value in facts.values])
    if facts.type is Type.BOOLEAN:
        return _leaf(column, ["TRUE", "FALSE"])
    if _short(facts, longest):
        return _range(column)
    return None if facts.reference is None else _referenced(column, *facts.reference)


def _short(facts: Facts, longest: int) -> bool:
    if not facts.bounded or facts.type not in EXACT | {Type.DATE}:
        return False
    low, high = facts.span()
    return high - low < longest


def _leaf(column: Column, values: list[str]) -> Leaf:
    shown = [*values, "NULL"] if column.facts.nullable or not values else values
    empty = "" if values or column.facts.nullable else " WHERE FALSE"
    rows = ", ".join(f"({value})" for value in shown)
    name = quoted(column.name)
    made = f"(SELECT * FROM (VALUES {rows}) AS v({name}){empty}) AS {quoted(f'l_{column.name}')}"
    return Leaf(column.source, column.name, made, len(shown))


def _constant(value: Value, facts: Facts) -> str:
    """A listed value of a column, typed."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return (
            text(value) if facts.type is Type.TEXT else f"{ENGINE_TYPES[facts.type]} {text(value)}"
        )
    return f"CAST({value} AS BIGINT)"


def _range(column: Column) -> Leaf:
    low, high = column.facts.span()
    value = f"CAST(unnest(range({low}, {high + 1})) AS BIGINT)"
    if column.facts.type is Type.DATE:
        start = f"DATE {text(EPOCH.date().isoformat())}"
        value = f"({start} + CAST(unnest(range({low}, {high + 1})) AS INTEGER))"
    return _selected(column, f"SELECT {value} AS {quoted(column.name)}", high - low + 2)


def _referenced(column: Column, table: str, referred: str) -> Leaf:
    name = quoted(referred)
    made = f"SELECT DISTINCT {name} AS {quoted(column.name)} FROM {quoted(table)}"
    return _selected(column, f"{made} WHERE {name} IS NOT NULL", 1)


def _selected(column: Column, select: str, size: int) -> Leaf:
    null = " UNION ALL SELECT NULL" if column.facts.nullable else ""
    made = f"({select}{null}) AS {quoted(f'l_{column.name}')}"
    return Leaf(column.source, column.name, made, size)


def _open(source: OpenSource, *, outer: bool) -> str:
    """An open source, with a row of NULLs where an outer join may not find it."""
    text = source.sql if isinstance(source, Public) else quoted(source.name)
    if not outer:
        return text
    padded = f"(VALUES (1)) AS {quoted('one')} LEFT JOIN {text} AS {quoted('p')} ON FALSE"
    missing = f"SELECT {quoted('p')}.* FROM {padded}"
    return f"(SELECT * FROM {text} AS {quoted('p')} UNION ALL {missing})"


def _opens(relation: Relation) -> Iterator[tuple[OpenSource, bool]]:
    """The open sources that are listed, and whether their rows may be missing."""
    if isinstance(relation, Spine):
        yield from ((source, source.id in relation.padded) for source in relation.kept)
        return
    for source, missing in members(relation):
        if isinstance(source, Public):
            yield source, missing

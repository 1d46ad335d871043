"""Group keys: the list of public ones is written here, before any private row is read (P10).

A key is public when every value it can take follows from declarations: categories, booleans, small
ranges, parts of dates, columns of public tables, and expressions over these. All keys of a measure
are listed together, under those of its conditions that read nothing else; where one of them is not
public, all are found from the data instead, behind a threshold (P11).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the list is the same for both, and holds every key that a row can have.
    Requires    facts of a sealed delivery (P16); public tables made without the private ones.
    Why         the list is computed from the manifest and public tables alone, by a query in an
                engine that has no private file. A condition of the measure narrows it only if it
                reads listed columns alone, so every row that the measure keeps satisfies it. NULL
                is listed wherever the key is not proved non-null.
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_parity.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from queries.algebra.calendar import DAY, as_date, as_datetime, series
from queries.algebra.facts import EXACT, Facts
from queries.algebra.measures import Measure
from queries.algebra.names import quoted, text
from queries.algebra.relations import Inner, Left, Public, Source
from queries.algebra.scalars import Call, Column, Exists, Scalar, columns, conjuncts, walk
from queries.bind.publics import Publics
from queries.catalog.manifest import Type
from queries.catalog.view import Value
from queries.language.limits import LIMITS
from queries.language.refusals import TooManyGroups
from queries.plan.lower.keys import key_text
from queries.plan.lower.relations import Relations

Keys = tuple[tuple[Value, ...], ...]
SMALL = 1_000
LEAF = 5_000


def listed(measure: Measure, publics: Publics) -> Keys | None:
    """Every key the measure can have, in order; None where some key is not public.

    Raises TooManyGroups where they are too many to answer in full.
    """
    leaves = Leaves(measure, publics)
    parts: list[tuple[list[int], Keys]] = []
    apart = [n for n, key in enumerate(measure.keys) if not leaves.covers(key)]
    for n in apart:
        own = _alone(measure.keys[n], publics)
        if own is None:
            return None
        parts.append(([n], tuple((value,) for value in own)))
    for group in leaves.groups([n for n in range(len(measure.keys)) if n not in apart]):
        parts.append((group, leaves.rows(group)))
    return _crossed(parts, len(measure.keys))


def _crossed(parts: Sequence[tuple[list[int], Keys]], width: int) -> Keys:
    size = 1
    for _, rows in parts:
        size *= len(rows)
    if size > LIMITS.cells:
        raise TooManyGroups(
            f"There would be {size:,} groups; at most {LIMITS.cells:,} are answered."
        )
    found = []
    for chosen in product(*(rows for _, rows in parts)):
        row: list[Value] = [None] * width
        for (positions, _), values in zip(parts, chosen, strict=True):
            for position, value in zip(positions, values, strict=True):
                row[position] = value
        found.append(tuple(row))
    return tuple(sorted(found, key=order))


def order(row: tuple[Value, ...]) -> tuple[tuple[bool, Value], ...]:
    """Sorts keys by value, NULL last."""
    return tuple((value is None, 0 if value is None else value) for value in row)


def _alone(key: Scalar, publics: Publics) -> list[Value] | None:
    """The values of a key by its facts alone, or None."""
    facts = key.facts
    found: list[Value] | None = None
    if facts.values is not None:
        found = list(facts.values)
    elif facts.type is Type.BOOLEAN:
        found = [False, True]
    elif facts.type in EXACT and facts.bounded and facts.span()[1] - facts.span()[0] < SMALL:
        found = list(range(facts.span()[0], facts.span()[1] + 1))
    elif facts.bounded and isinstance(key, Call):
        found = _calendar(key)
    if found is None:
        return None
    return [*found, None] if facts.nullable else found


def _calendar(key: Call) -> list[Value] | None:
    """The starts of a unit of time in a range, as dates or timestamps."""
    inner = key.args[0] if key.op == "date" else key
    if not isinstance(inner, Call) or not inner.op.startswith("trunc:") or not inner.facts.bounded:
        return _dates(key.facts) if key.facts.type is Type.DATE else None
    starts = series(*inner.facts.span(), inner.op.split(":")[1], SMALL)
    if starts is None:
        return None
    if key.op == "date":
        return [as_date(start // DAY).isoformat() for start in starts]
    return [as_datetime(start).isoformat() for start in starts]


def _dates(facts: Facts) -> list[Value] | None:
    low, high = facts.span()
    if high - low >= SMALL:
        return None
    return [as_date(day).isoformat() for day in range(low, high + 1)]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A source of listed columns: the FROM text that yields them, under the source's alias."""

    source: int
    columns: dict[str, str]
    public: str | None
    outer: bool = False

    def text(self, alias: str) -> str:
        if self.public is None:
            members = [
                f"(VALUES {rows}) AS {quoted(f'v{n}')}({quoted(name)})"
                for n, (name, rows) in enumerate(self.columns.items())
            ]
            return f"(SELECT * FROM {', '.join(members)}) AS {alias}"
        if not self.outer:
            return f"{self.public} AS {alias}"
        padded = (
            f"(VALUES (1)) AS {quoted('one')} LEFT JOIN {self.public} AS {quoted('p')} ON FALSE"
        )
        missing = f"SELECT {quoted('p')}.* FROM {padded}"
        return f"(SELECT * FROM {self.public} AS {quoted('p')} UNION ALL {missing}) AS {alias}"


class Leaves:
    """The columns whose values are listed, and the conditions that read no others."""

    def __init__(self, measure: Measure, publics: Publics) -> None:
        self._measure = measure
        self._publics = publics
        self._leaves = {leaf.source: leaf for leaf in self._found()}
        relation = measure.relation
        parts = relation.conjuncts if isinstance(relation, Inner) else ()
        self._parts = [
            p for whole in parts for p in conjuncts(whole) if self.covers(p) and _reads(p)
        ]

    def _found(self) -> Iterable[Leaf]:
        for public, outer in publics_of(self._measure.relation, outer=False):
            yield Leaf(public.id, {}, public.sql, outer)
        own: dict[int, dict[str, str]] = {}
        for key in self._measure.keys:
            for column in columns(key):
                values = self._values(column)
                if values is not None:
                    own.setdefault(column.source, {})[column.name] = values
        for source, named in own.items():
            yield Leaf(source, named, None)

    def _values(self, column: Column) -> str | None:
        """The values of a private column as rows of a VALUES list, or None."""
        facts = column.facts
        found: list[str] | None = None
        if facts.values is not None:
            found = [text(value) for value in facts.values]
        elif facts.type is Type.BOOLEAN:
            found = ["TRUE", "FALSE"]
        elif facts.reference is not None and not self._small(facts):
            found = self._referenced(*facts.reference)
        elif facts.type in EXACT and facts.bounded and self._small(facts):
            low, high = facts.span()
            found = [str(n) for n in range(low, high + 1)]
        elif facts.type is Type.DATE and facts.bounded and self._small(facts):
            low, high = facts.span()
            found = [f"DATE {text(as_date(n).isoformat())}" for n in range(low, high + 1)]
        if found is None or len(found) > LEAF:
            return None
        return ", ".join(f"({value})" for value in [*found, *(["NULL"] if facts.nullable else [])])

    @staticmethod
    def _small(facts: Facts) -> bool:
        if not facts.bounded or facts.type not in EXACT | {Type.DATE}:
            return False
        low, high = facts.span()
        return high - low < (SMALL if facts.type in EXACT else LEAF)

    def _referenced(self, table: str, column: str) -> list[str] | None:
        name = quoted(column)
        sql = f"SELECT DISTINCT {name} FROM {quoted(table)} WHERE {name} IS NOT NULL"
        count = self._publics.rows.rows(f"SELECT COUNT(*) FROM ({sql}) AS q", 1)[0][0]
        if not isinstance(count, int) or count > LEAF:
            return None
        rows = self._publics.rows.rows(sql, LEAF)
        return [text(value) if isinstance(value, str) else str(value) for (value,) in rows]

    def covers(self, scalar: Scalar) -> bool:
        """Whether a scalar reads listed columns alone."""
        if any(isinstance(node, Exists) for node in walk(scalar)):
            return False
        return all(self._has(column) for column in columns(scalar))

    def _has(self, column: Column) -> bool:
        leaf = self._leaves.get(column.source)
        return leaf is not None and (leaf.public is not None or column.name in leaf.columns)

    def groups(self, positions: list[int]) -> list[list[int]]:
        """The keys that conditions or a common source tie together, group by group."""
        groups: list[tuple[set[int], list[int]]] = []
        for position in positions:
            sources = self._closure({c.source for c in columns(self._measure.keys[position])})
            touched = [group for group in groups if group[0] & sources]
            groups = [group for group in groups if group not in touched]
            merged = set(sources).union(*(group[0] for group in touched))
            groups.append((merged, [*(p for group in touched for p in group[1]), position]))
        return [members for _, members in groups]

    def _closure(self, sources: set[int]) -> set[int]:
        grown = True
        while grown:
            grown = False
            for part in self._parts:
                read = {column.source for column in columns(part)}
                if read & sources and not read <= sources:
                    sources, grown = sources | read, True
        return sources

    def rows(self, positions: list[int]) -> Keys:
        """The distinct values of some keys together; raises TooManyGroups."""
        keys = [self._measure.keys[n] for n in positions]
        sources = self._closure({column.source for key in keys for column in columns(key)})
        to = Relations()
        parts = [p for p in self._parts if {c.source for c in columns(p)} <= sources]
        conditions = [to.scalars.write(part) for part in parts]
        shown = [f"{key_text(key, to)} AS {quoted(f'k{n}')}" for n, key in enumerate(keys)]
        members = [self._leaves[s].text(to.scalars.alias(s)) for s in sorted(sources)]
        sql = (
            f"SELECT DISTINCT {', '.join(shown)} FROM {', '.join(members) or '(VALUES (1)) AS one'}"
        )
        if conditions:
            sql += f" WHERE {' AND '.join(sorted(conditions))}"
        count = self._publics.rows.rows(f"SELECT COUNT(*) FROM ({sql}) AS q", 1)[0][0]
        if not isinstance(count, int) or count > LIMITS.cells:
            raise TooManyGroups(
                f"There would be {count:,} groups; at most {LIMITS.cells:,} are answered."
            )
        return tuple(self._publics.rows.rows(sql, LIMITS.cells))


def _reads(part: Scalar) -> bool:
    return any(True for _ in columns(part))


def publics_of(source: Source, *, outer: bool) -> Iterable[tuple[Public, bool]]:
    """The public sources that conditions may read, and whether their rows may be missing."""
    match source:
        case Public():
            yield source, outer
        case Inner():
            for part in source.sources:
                yield from publics_of(part, outer=outer)
        case Left():
            yield from publics_of(source.left, outer=outer)
            yield from publics_of(source.right, outer=True)

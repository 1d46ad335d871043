"""Relations as engine SQL: FROM, WHERE, and the unit's id in every join and every group.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the text yields the relation's rows, each with the `_unit` it belongs to.
    Requires    joins that the binder found connected by unit-determining equalities (P1).
    Why         for each such equality the text equates `_unit` of both sources too (as <= and >=
                beside a key's equality), so that a join keeps to one unit whatever the data holds;
                the unit of a FULL JOIN is that of the side that is there; a grouping within the
                unit has `_unit` in its GROUP BY (P4).
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_lowering.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from queries.algebra.names import quoted
from queries.algebra.relations import (
    Derived,
    Full,
    Grouped,
    Inner,
    Inside,
    Left,
    Partial,
    Public,
    Relation,
    Released,
    Scan,
    Source,
    Spine,
    United,
    Windowed,
)
from queries.algebra.scalars import Column, Exists, Scalar, Subquery, conjuncts, unit_equalities
from queries.plan.lower.scalars import Scalars
from queries.plan.lower.windows import partial, window

UNIT = "_unit"


@dataclass(frozen=True, slots=True)
class Block:
    """The members of FROM and the conditions that go with them into WHERE."""

    sources: tuple[str, ...]
    conditions: tuple[str, ...]

    def text(self) -> str:
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        return f"FROM {', '.join(self.sources)}{where}"

    def crossed(self) -> str:
        """The members as one join tree."""
        return f"({' CROSS JOIN '.join(self.sources)})" if self.sources[1:] else self.sources[0]


class Relations:
    """Writes one query's relations and scalars; `given` are the released tables it has met."""

    def __init__(self) -> None:
        self.scalars = Scalars(self._subquery)
        self.given: dict[str, Released] = {}

    def block(self, source: Source) -> Block:
        """A source as FROM and WHERE."""
        match source:
            case Scan():
                return self._named(quoted(source.table), source.id)
            case Public():
                return self._named(source.sql, source.id)
            case Released():
                self.given[source.name] = source
                return self._named(quoted(source.name), source.id)
            case Derived():
                return self._named(f"({self._derived(source)})", source.id)
            case Grouped():
                return self._named(f"({self._grouped(source)})", source.id)
            case Windowed():
                return self._named(f"({self._windowed(source)})", source.id)
            case United():
                return self._named(f"({self._united(source)})", source.id)
            case Inner():
                return self._inner(source.sources, source.conjuncts)
            case Left():
                return self._left(source)
            case Full():
                return self._named(f"({self._full(source)})", source.id)
            case Spine():
                return self.block(source.source)
        raise TypeError(f"no engine form of {type(source).__name__}")

    def _named(self, source: str, number: int) -> Block:
        return Block((f"{source} AS {self.scalars.alias(number)}",), ())

    def unit(self, relation: Relation) -> str:
        """The column that holds the unit of a relation's rows."""
        return self.scalars.column(relation.unit, UNIT)

    def _inner(self, sources: Iterable[Source], parts: Iterable[Scalar]) -> Block:
        blocks = [self.block(source) for source in sources]
        conditions = [text for block in blocks for text in block.conditions]
        conditions.extend(self.conditions(parts))
        members = tuple(source for block in blocks for source in block.sources)
        return Block(members, _sorted(conditions))

    def _left(self, source: Left) -> Block:
        """LEFT JOIN: conditions on the left side alone may as well be applied afterwards.

        Those of the right side go into ON: a row that fails them is no match.
        """
        left, right = self.block(source.left), self.block(source.right)
        parts = _sorted([*right.conditions, *self.conditions(source.conjuncts)])
        on = " AND ".join(parts) or "TRUE"
        text = f"({left.crossed()} LEFT JOIN {right.crossed()} ON {on})"
        return Block((text,), left.conditions)

    def _full(self, source: Full) -> str:
        """FULL JOIN; conditions of one side alone have no place in it."""
        left, right = self.block(source.left), self.block(source.right)
        if left.conditions or right.conditions:
            raise TypeError("the sides of a FULL JOIN stand alone")
        on = " AND ".join(_sorted(self.conditions(source.conjuncts)))
        units = f"{self.unit(source.left)}, {self.unit(source.right)}"
        shown = [f"COALESCE({units}) AS {quoted(UNIT)}", *self._columns(source.columns)]
        joined = f"{left.crossed()} FULL JOIN {right.crossed()} ON {on}"
        return f"SELECT {', '.join(shown)} FROM {joined}"

    def _columns(self, named: Iterable[tuple[str, Scalar]]) -> list[str]:
        return [f"{self.scalars.raw(scalar)} AS {quoted(name)}" for name, scalar in named]

    def conditions(self, parts: Iterable[Scalar]) -> list[str]:
        """Conjuncts, and the equality of the units wherever one of them implies it."""
        flat = [part for whole in parts for part in conjuncts(whole)]
        found = [self.scalars.write(part) for part in flat]
        for left, right in unit_equalities(flat):
            found.append(self._same_unit(left, right))
        return found

    def _same_unit(self, left: Column, right: Column) -> str:
        """The units' equality; beside a key's own, as two comparisons, each checked per match.

        The engine then joins and filters by the key alone: twice as fast as by key and unit.
        """
        one, other = sorted(self.scalars.column(side.source, UNIT) for side in (left, right))
        if left.name == right.name == UNIT:
            return f"({one} = {other})"
        return f"(({one} <= {other}) AND ({one} >= {other}))"

    def _derived(self, source: Derived) -> str:
        block = self.block(source.source)
        shown = [f"{self.unit(source.source)} AS {quoted(UNIT)}", *self._columns(source.columns)]
        return f"SELECT {', '.join(shown)} {block.text()}"

    def _grouped(self, source: Grouped) -> str:
        block = self.block(source.source)
        unit = self.unit(source.source)
        keys = [(name, self.scalars.grouped(scalar)) for name, scalar in source.keys]
        shown = [f"{unit} AS {quoted(UNIT)}"]
        shown += [f"{key} AS {quoted(name)}" for name, key in keys]
        shown += [
            f"{partial(part, self.scalars)} AS {quoted(part.name)}" for part in source.partials
        ]
        by = dict.fromkeys([unit, *(key for _, key in keys)])
        return f"SELECT {', '.join(shown)} {block.text()} GROUP BY {', '.join(by)}"

    def _windowed(self, source: Windowed) -> str:
        block = self.block(source.source)
        unit = self.unit(source.source)
        shown = [f"{unit} AS {quoted(UNIT)}"]
        shown += [f"{self.scalars.raw(s)} AS {quoted(name)}" for name, s in source.columns]
        shown += [
            f"{window(found, self.scalars, unit)} AS {quoted(found.name)}"
            for found in source.windows
        ]
        return f"SELECT {', '.join(shown)} {block.text()}"

    def _united(self, source: United) -> str:
        """A set operation, of whose columns the unit is one (P2)."""
        texts = []
        for side, scalars in source.sides:
            block = self.block(side)
            shown = [f"{self.unit(side)} AS {quoted(UNIT)}"]
            named = zip(source.columns, scalars, strict=True)
            shown += [f"{self.scalars.compared(s)} AS {quoted(c.name)}" for c, s in named]
            texts.append(f"(SELECT {', '.join(shown)} {block.text()})")
        return f" {source.kind} ".join(texts)

    def _subquery(self, scalar: Subquery) -> str:
        inside: Inside = scalar.relation
        block = self._inner(inside.sources, inside.conjuncts)
        if isinstance(scalar, Exists):
            return f"EXISTS (SELECT 1 {block.text()})"
        value = scalar.value
        if isinstance(value, Partial):
            shown = partial(value, self.scalars)
        else:
            shown = self.scalars.write(value)
        return f"(SELECT {shown} {block.text()})"


def _sorted(conditions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(conditions)))

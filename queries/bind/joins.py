"""Joins: are the units equated, and how many rows can one unit have afterwards (P1, P4).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every row of a join belongs to one unit, and one unit has at most the stated rows.
    Requires    keys that registration found unique, with no key shared by two units (P14); public
                tables whose rows per key were counted.
    Why         private sources are refused unless equalities of columns that determine the unit
                connect them all; the lowering then equates `_unit` itself. Each source added to a
                join multiplies the rows by the most of its rows that one row can meet: 1 where a
                unique key is equated, else all rows of the unit, or the largest public group.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from queries.algebra.facts import ABOUT_UNIT, UNIT
from queries.algebra.relations import OpenSource, Public, Released, Source, is_private
from queries.algebra.scalars import (
    Column,
    Scalar,
    columns,
    conjuncts,
    disjuncts,
    is_equality,
    sides,
    subqueries,
    unit_equalities,
)
from queries.bind import ranks
from queries.bind.scope import Scope, Visible
from queries.bind.spans import Span, bare, spans
from queries.language.refusals import JoinNotOnUnit, Position, TooManyRowsPerUnit

MOST_ROWS = 10_000


class Reach(Protocol):
    """The most rows of a public source that share one value of some columns, and of a span."""

    def __call__(
        self, public: Public, columns: frozenset[str], span: Span | None = None
    ) -> int: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One source of a join with the numbers of all sources inside it and its unique keys."""

    source: Source
    ids: frozenset[int]
    rows: int
    keys: tuple[frozenset[tuple[int, str]], ...] = ()

    @property
    def private(self) -> bool:
        return is_private(self.source)


def common_equalities(parts: Sequence[Scalar]) -> tuple[Scalar, ...]:
    """The conjuncts, with those that every branch of an OR implies (TPC-H Q19)."""
    found = [part for whole in parts for part in conjuncts(whole)]
    for part in tuple(found):
        branches = [conjuncts(branch) for branch in disjuncts(part)]
        if len(branches) > 1:
            shared = [c for c in branches[0] if is_equality(c) and all(c in b for b in branches)]
            found.extend(c for c in shared if c not in found)
    return tuple(found)


def check_units(
    members: Sequence[Member],
    parts: Iterable[Scalar],
    position: Position | None,
    outer: frozenset[int] | None = None,
    *,
    tables: Sequence[Visible] = (),
) -> None:
    """Refuse private sources that equalities of unit-determining columns do not connect.

    `tables` are those in force, from which a refusal takes the equality that is missing.

    `outer` are the sources of the query around an EXISTS: they count as one connected whole, which
    has units of its own even where none of its columns is visible.
    """
    groups = [set(member.ids) for member in members if member.private]
    if outer is not None:
        groups.append(set(outer))
    for left, right in unit_equalities(parts):
        joined = [group for group in groups if left.source in group or right.source in group]
        if len(joined) == 2:
            groups = [group for group in groups if group not in joined]
            groups.append(joined[0] | joined[1])
    if len(groups) > 1:
        raise JoinNotOnUnit(
            "Private tables are joined without equating the privacy unit.",
            position=position,
            hint=_missing_equality(groups, tables),
        )


def _missing_equality(groups: Sequence[set[int]], tables: Sequence[Visible]) -> str | None:
    """The equality to add, as SQL, where columns in force can say it."""
    owned = [_owned(group, tables) for group in groups]
    for one, other in pairwise(owned):
        same = [name for name in one if name in other]
        if same:
            best = min(same, key=lambda name: name != UNIT)
            return f"Add the person's key to the join: AND {one[best]} = {other[best]}."
    return None


def _owned(group: set[int], tables: Sequence[Visible]) -> dict[str, str]:
    """The columns of some sources that determine the unit, by what they determine it as."""
    found: dict[str, str] = {}
    for table in tables:
        for name, scalar in table.columns:
            identity = scalar.facts.identity
            own = isinstance(scalar, Column) and scalar.source in group
            if own and identity not in (None, ABOUT_UNIT):
                found.setdefault(str(identity), f"{table.alias}.{name}")
    return found


def ids_in(scope: Scope | None) -> frozenset[int]:
    """The numbers of all sources that a subquery may read around itself."""
    found: set[int] = set()
    while scope is not None:
        for visible in scope.tables:
            for _, scalar in visible.columns:
                found.update(column.source for column in columns(scalar))
        scope = scope.outer
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Grown:
    """The most rows of a join, and how many are met at once before conditions pick among them.

    The engine finds rows by equalities; which of them a span holds it looks at one by one.
    """

    rows: int
    met: int


def most_rows(
    members: Sequence[Member], parts: Sequence[Scalar], reach: Reach, position: Position | None
) -> Grown:
    """The most rows one unit can have in an inner join; raises TooManyRowsPerUnit."""
    starts = [member for member in members if member.private]
    met = Met(parts, reach)
    every = [_grown(start, members, met) for start in starts]
    best = min(every, key=lambda found: found.rows)
    within_limit(best.rows, position)
    return best


def most_open(sources: Iterable[OpenSource], parts: Sequence[Scalar], reach: Reach) -> int:
    """The most rows of an inner join of public and released tables."""
    members = [_open(source) for source in sources]
    return _joined(1, frozenset(), members, Met(parts, reach)).rows


def _open(source: OpenSource) -> Member:
    return Member(source, frozenset({source.id}), 0)


def most_met(
    members: Sequence[Member],
    parts: Sequence[Scalar],
    reach: Reach,
    outer: frozenset[int],
    position: Position | None,
) -> Grown:
    """The most rows of a subquery that one row around it can meet; raises TooManyRowsPerUnit.

    No such row leaves, but they are work, and no unit may own the running time (P4).
    """
    found = _joined(1, outer, list(members), Met(parts, reach))
    within_limit(found.rows, position)
    return found


def compared(parts: Sequence[Scalar], outer: frozenset[int], found: Grown) -> int:
    """How many of the rows met are compared one by one with the row around a subquery."""
    tied = [part for part in parts if not _apart(part, outer)]
    return 0 if all(_hashed(part, outer) for part in tied) else found.met


def _apart(part: Scalar, outer: frozenset[int]) -> bool:
    """Whether a condition reads nothing of the sources around a subquery."""
    read = any(column.source in outer for column in columns(part))
    return not read and not any(subqueries(part))


def _hashed(part: Scalar, outer: frozenset[int]) -> bool:
    """Whether a condition equates a value from around with one from inside."""
    one, other = sides(part) or (part, part)
    return any(reads_only(a, outer) and _apart(b, outer) for a, b in ((one, other), (other, one)))


def within_limit(rows: int, position: Position | None) -> int:
    if rows > MOST_ROWS:
        raise TooManyRowsPerUnit(
            f"One unit could have {rows:,} rows here; at most {MOST_ROWS:,} are answered.",
            position=position,
        )
    return rows


def _grown(start: Member, members: Sequence[Member], met: Met) -> Grown:
    rest = [member for member in members if member is not start]
    return _joined(ranks.rows_left(start.source, met.parts), start.ids, rest, met)


def _joined(total: int, seen: frozenset[int], waiting: list[Member], by: Met) -> Grown:
    """The most rows when each member is added to rows of the sources seen, the least first."""
    met = total
    while waiting:
        steps = [(by.fan_out(member, seen), n) for n, member in enumerate(waiting)]
        most, chosen = min(steps)
        member = waiting.pop(chosen)
        met = max(met, total * by.most_alike(member, seen))
        total, seen = total * most, seen | member.ids
    return Grown(total, max(met, total))


@dataclass(frozen=True, slots=True)
class Tie:
    """An equality of a column of a source with what reads columns of the sources `read` alone."""

    source: int
    name: str
    read: frozenset[int]


class Met:
    """How many rows of a member are met under a conjunction, whose equalities are read once."""

    def __init__(self, parts: Sequence[Scalar], reach: Reach) -> None:
        self.parts = parts
        self._reach = reach
        self._ties = tuple(_ties(parts))

    def fan_out(self, member: Member, seen: frozenset[int]) -> int:
        """The most rows of `member` that one row of the sources seen so far can meet."""
        found = self.most_alike(member, seen)
        if found <= 1 or not isinstance(member.source, Public):
            return found
        names = frozenset(name for _, name in self.equated(member, seen))
        held = spans(member.ids, self.parts)
        known = [span for value, span in held if reads_only(value, seen)]
        return min([found, *(self._reach(member.source, names, span) for span in known)])

    def most_alike(self, member: Member, seen: frozenset[int]) -> int:
        """The most rows of `member` that equalities alone leave to one row of the sources seen."""
        fixed = self.equated(member, seen)
        if any(key <= fixed for key in member.keys):
            return 1
        names = frozenset(name for _, name in fixed)
        if isinstance(member.source, Public):
            return self._reach(member.source, names)
        if isinstance(member.source, Released):
            return member.source.met(names)
        return ranks.rows_left(member.source, self.parts)

    def equated(self, member: Member, seen: frozenset[int]) -> frozenset[tuple[int, str]]:
        """The member's columns that an equality fixes to something seen, or to a constant."""
        own = (tie for tie in self._ties if tie.source in member.ids and tie.read <= seen)
        return frozenset((tie.source, tie.name) for tie in own)


def _ties(parts: Iterable[Scalar]) -> Iterator[Tie]:
    for part in parts:
        pair = sides(part)
        for one, other in (pair, pair[::-1]) if pair else ():
            column = bare(one)
            if isinstance(column, Column) and not any(subqueries(other)):
                read = frozenset(inner.source for inner in columns(other))
                yield Tie(column.source, column.name, read)


def reads_only(scalar: Scalar, seen: frozenset[int]) -> bool:
    """Whether a scalar reads no columns but those of the sources seen."""
    if any(subqueries(scalar)):
        return False
    return all(column.source in seen for column in columns(scalar))

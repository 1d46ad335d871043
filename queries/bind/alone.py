"""Relations that stand alone, under columns of their own, so that their rows can be missing.

A value computed from a row is not there where the row is not: `COALESCE(x, 0)` of a subquery's row
is NULL where an outer join finds none. So such columns are made inside, and read as plain ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from queries.algebra.facts import Facts
from queries.algebra.relations import Derived, Inner, Left, OpenSource, Relation, Source, Spine
from queries.algebra.scalars import Call, Column, Scalar
from queries.bind import carried
from queries.bind.joins import Member
from queries.bind.scope import Merged, Visible

if TYPE_CHECKING:
    from queries.bind.binder import Binder

STRICT = frozenset({"clamp", "steps"})


@dataclass(slots=True)
class Alone:
    """The columns, by number, of a source that is about to stand alone.

    `known` says what stays known of a scalar above it.
    """

    number: int
    known: Callable[[Scalar], Facts]
    columns: dict[Scalar, str] = field(default_factory=dict)

    def column(self, scalar: Scalar, *, null: bool = False) -> Column:
        """The column that holds a scalar."""
        name = self.columns.setdefault(scalar, f"c{len(self.columns)}")
        facts = self.known(scalar)
        return Column(self.number, name, facts.maybe_null() if null else facts)

    def visible(self, shown: Visible, *, null: bool = False) -> Visible:
        named = tuple((name, self.column(s, null=null)) for name, s in shown.columns)
        return replace(shown, columns=named)

    def merged(self, one: Merged) -> Merged:
        return replace(one, scalar=self.column(one.scalar))

    @property
    def named(self) -> tuple[tuple[str, Scalar], ...]:
        return tuple((name, scalar) for scalar, name in self.columns.items())

    def member(self, member: Member) -> Member:
        """The member under these columns alone."""
        derived = Derived(self.number, whole(member.source), self.named)
        keys = [self._key(key) for key in member.keys]
        found = tuple(key for key in keys if key is not None)
        return Member(derived, frozenset({self.number}), member.rows, found)

    def _key(self, key: frozenset[tuple[int, str]]) -> frozenset[tuple[int, str]] | None:
        known = {
            (scalar.source, scalar.name): name
            for scalar, name in self.columns.items()
            if isinstance(scalar, Column)
        }
        if not key <= known.keys():
            return None
        return frozenset((self.number, known[part]) for part in key)


def alone(binder: Binder, *sources: Source) -> Alone:
    """Sources about to stand alone together."""
    beside = Inner(sources, (), -1, 0)
    return Alone(binder.number(), carried.through(binder, beside))


def computed(tables: Iterable[Visible]) -> bool:
    """Whether a column may have a value where its row is missing."""
    scalars = (scalar for table in tables for _, scalar in table.columns)
    return not all(isinstance(_bare(scalar), Column) for scalar in scalars)


def _bare(scalar: Scalar) -> Scalar:
    strict = isinstance(scalar, Call) and scalar.op.split(":")[0] in STRICT
    return scalar.args[0] if isinstance(scalar, Call) and strict else scalar


def whole(source: Source) -> Relation:
    """The source as the private relation it is."""
    if isinstance(source, OpenSource):
        raise ValueError("an open source is no private relation")
    return source


def ids_of(source: Source) -> frozenset[int]:
    """The numbers of all sources that a condition may read in a relation."""
    match source:
        case Inner():
            return all_ids(source.sources)
        case Left():
            return all_ids((source.left, source.right))
        case Spine():
            return ids_of(source.source)
    return frozenset({source.id})


def all_ids(sources: Sequence[Source]) -> frozenset[int]:
    return frozenset[int]().union(*map(ids_of, sources))

"""What relations are made of, found by walking them from the outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from queries.algebra.relations import (
    Derived,
    Full,
    Grouped,
    Inner,
    Left,
    OpenSource,
    Partial,
    Scan,
    Source,
    Spine,
    United,
    Windowed,
)
from queries.algebra.scalars import Call, Exists, Scalar, Subvalue

Single = Scan | Derived | Grouped | Windowed | United | Full | OpenSource


def members(source: Source, *, missing: bool = False) -> Iterator[tuple[Single, bool]]:
    """The sources that a relation lays side by side, and whether the rows of each may be missing.

    Conditions may read the columns of these, and of no other source inside.
    """
    match source:
        case Inner():
            for part in source.sources:
                yield from members(part, missing=missing)
        case Left():
            yield from members(source.left, missing=missing)
            yield from members(source.right, missing=True)
        case Spine():
            yield from members(source.source, missing=missing)
        case _:
            yield source, missing


def tables_of(source: Source) -> tuple[str, ...]:
    """The private tables that a source reads, each once, in the order in which they are met."""
    match source:
        case Scan():
            return (source.table,)
        case Derived() | Grouped() | Windowed() | Spine():
            return tables_of(source.source)
        case Inner():
            found = [name for part in source.sources for name in tables_of(part)]
            return tuple(dict.fromkeys(found))
        case United():
            sides = [name for side, _ in source.sides for name in tables_of(side)]
            return tuple(dict.fromkeys(sides))
        case Left() | Full():
            return tuple(dict.fromkeys((*tables_of(source.left), *tables_of(source.right))))
    return ()


def scanned_by(source: Source, scalars: Iterable[Scalar] = ()) -> frozenset[str]:
    """The private tables that a source and these scalars read, their subqueries included."""
    found: set[str] = set()
    left: list[Source | Scalar] = [source, *scalars]
    while left:
        here = left.pop()
        if isinstance(here, Scan):
            found.add(here.table)
        left += _made_of(here)
    return frozenset(found)


def _made_of(part: Source | Scalar) -> Iterator[Source | Scalar]:
    """The sources and scalars that a source, or the subqueries of a scalar, are made of."""
    match part:
        case Derived():
            yield part.source
            yield from (scalar for _, scalar in part.columns)
        case Grouped():
            yield part.source
            yield from (scalar for _, scalar in part.keys)
            yield from (scalar for partial in part.partials for scalar in partial.scalars)
        case Windowed():
            yield part.source
            yield from (scalar for _, scalar in part.columns)
            yield from (scalar for window in part.windows for scalar in window.scalars)
        case United():
            for side, scalars in part.sides:
                yield from (side, *scalars)
        case Inner():
            yield from (*part.sources, *part.conjuncts)
        case Left():
            yield from (part.left, part.right, *part.conjuncts)
        case Full():
            yield from (part.left, part.right, *part.conjuncts)
            yield from (scalar for _, scalar in part.columns)
        case Spine():
            yield from (part.source, *part.kept, *part.conditions)
        case Call():
            yield from part.args
        case Exists() | Subvalue():
            yield from (*part.relation.sources, *part.relation.conjuncts)
            if isinstance(part, Subvalue):
                value = part.value
                yield from value.scalars if isinstance(value, Partial) else (value,)

"""What relations are made of, found by walking them from the outside."""

from __future__ import annotations

from collections.abc import Iterator

from queries.algebra.relations import (
    Derived,
    Full,
    Grouped,
    Inner,
    Left,
    OpenSource,
    Scan,
    Source,
    Spine,
    United,
    Windowed,
)

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

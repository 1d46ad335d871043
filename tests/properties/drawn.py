"""What is drawn: a statement with what may differ from DuckDB's answer, over one way to join."""

from __future__ import annotations

from dataclasses import dataclass

from tests.properties.grammar import Words
from tests.properties.worlds import Way


@dataclass(frozen=True, slots=True)
class Query:
    """A statement; `keys` are how many first columns are keys, `sums` the columns that are sums.

    `empty` says whether cells without rows may be among the answer; `ordered` whether the order of
    rows is the analyst's.
    """

    sql: str
    keys: int
    sums: frozenset[int] = frozenset()
    empty: bool = True
    ordered: bool = False


def chosen(start: Words, ways: tuple[Way, ...]) -> tuple[Words, str, str]:
    """A way: its words, its FROM and its WHERE."""
    way = start.pick(ways)
    to = Words(start.draw, start.world, way.members)
    parts = [way.where] if way.where else []
    parts += [to.condition() for _ in range(start.pick((0, 1, 1, 2)))]
    return to, way.text, f" WHERE {' AND '.join(parts)}" if parts else ""

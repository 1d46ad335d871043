"""Public rows kept beside private ones: each of them is answered, and none that DuckDB has not."""

from __future__ import annotations

from tests.properties.drawn import Query
from tests.properties.grammar import Words
from tests.properties.shapes import aggregate, grouped


def kept_rows(start: Words) -> Query:
    """A measure over a public spine: keys of its rows, aggregates of the private ones."""
    spine = start.pick(start.world.spines)
    public = Words(start.draw, start.world, spine.kept)
    own = Words(start.draw, start.world, spine.own)
    keys = [public.key() for _ in range(start.pick((0, 1, 1, 2)))]
    if spine.unique and start.maybe(2):
        keys += spine.unique
    keys = list(dict.fromkeys(keys))
    shown, by = grouped(public, keys)
    calls = [aggregate(own) for _ in range(start.pick((1, 2, 2, 3)))]
    items = [*shown, *(f"{call} AS a{n}" for n, (call, _) in enumerate(calls))]
    where = f" WHERE {public.condition()}" if start.maybe(4) else ""
    sums = frozenset(len(keys) + n for n, (_, total) in enumerate(calls) if total)
    sql = f"SELECT {', '.join(items)} FROM {spine.text}{where}{by}"
    return Query(sql, len(keys), sums, empty=False)

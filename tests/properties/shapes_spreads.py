"""Queries for what is found in a distribution, for any keys and any grouping sets.

Their answers depend on the bins of a plan, so only their claims are tried with these.
"""

from __future__ import annotations

from tests.properties.drawn import Query, chosen
from tests.properties.grammar import Words
from tests.properties.shapes import aggregate


def spread(start: Words) -> Query:
    """Quantiles, extremes, modes and histograms, beside ordinary aggregates now and then."""
    to, source, where = chosen(start, start.world.ways)
    keys = list(dict.fromkeys(to.key() for _ in range(to.pick((0, 1, 1, 2)))))
    named = [f"g{n}" for n in range(len(keys))]
    calls = [_found(to) for _ in range(to.pick((1, 1, 2)))]
    calls += [aggregate(to)[0] for _ in range(to.pick((0, 0, 1)))]
    items = [f"{key} AS {name}" for key, name in zip(keys, named, strict=True)]
    items += [f"{call} AS a{n}" for n, call in enumerate(calls)]
    by = ""
    if keys:
        every = ", ".join(named)
        by = " GROUP BY " + to.pick((
            every, every, f"ROLLUP ({every})", f"CUBE ({every})",
            f"GROUPING SETS (({every}), {named[-1]}, ())",
        ))  # fmt: skip
    return Query(f"SELECT {', '.join(items)} FROM {source}{where}{by}", len(keys))


def _found(to: Words) -> str:
    value = to.number(to.pick((0, 0, 1)), ranged=True)
    share = to.pick(("0.1", "0.25", "0.5", "0.9", "1"))
    many = ", ".join(f"{n / 40}" for n in range(1, 40))
    only = f" FILTER (WHERE {to.truth(1)})" if to.maybe(4) else ""
    bins = to.pick(("[0, 1, 5]", "range(-5, 6, 2)", "[2]"))
    call = to.pick((
        f"MEDIAN({value})", f"QUANTILE_CONT({value}, {share})", f"QUANTILE_DISC({value}, {share})",
        f"QUANTILE_DISC({value}, [{share}, 0.5, 0.75])", f"QUANTILE_CONT({value}, [{many}])",
        f"MIN({value})", f"MAX({value})", f"MODE({to.column('text', listed=True)[0]})",
        f"MODE({value})", f"HISTOGRAM({value}, {bins})",
        f"HISTOGRAM({to.column('text', listed=True)[0]})",
        f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {value} DESC)",
    ))  # fmt: skip
    return call + only

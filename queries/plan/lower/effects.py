"""What bounds leave out, as engine SQL: one row of totals over all groups, with and without them.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the row holds, for each statistic, its sum over all groups of either query, and how
                many units there are and how many had more than was kept.
    Requires    two queries of the same statistics (`queries.plan.lower.statistics`), neither of
                which drops a key.
    Why         a sum over groups looks at nothing but the groups' own numbers; units are counted
                one by one by their own rows (P2). Sums are of whole numbers, saturated and never
                failing (P8).
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_effects.py
"""

from __future__ import annotations

from queries.algebra.names import quoted
from queries.plan.lower.keys import key_text
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import Query, fitting


def text(before: Query, counted: Query, *, units: bool) -> str:
    """The columns m0, m1: units, where asked; then, by statistic, what there was and what counted.

    Raises RangeTooLarge where sums could pass the engine's integers.
    """
    columns: list[str] = [f"{quoted('n')}.{quoted(name)}" for name in "ut"[: 2 * units]]
    sources = [f"({_units(counted)}) AS {quoted('n')}"] if units else []
    for n in range(len(counted.measure.statistics)):
        columns += [f"{quoted(side)}.{quoted(f'm{n}')}" for side in "bc"]
    sources += [f"({_total(before)}) AS {quoted('b')}", f"({_total(counted)}) AS {quoted('c')}"]
    shown = [f"{column} AS {quoted(f'm{n}')}" for n, column in enumerate(columns)]
    return f"SELECT {', '.join(shown)} FROM {', '.join(sources)}"


def _total(query: Query) -> str:
    """Every statistic, added up over all groups."""
    places = range(len(query.measure.statistics))
    sums = [f"{fitting(_sum(f'm{n}'), 0)} AS {quoted(f'm{n}')}" for n in places]
    return f"SELECT {', '.join(sums)} FROM ({query.text()}) AS {quoted('g')}"


def _sum(name: str) -> str:
    return f"COALESCE(SUM({quoted(name)}), 0)"


def _units(query: Query) -> str:
    """How many units have a row, and how many have more groups, or more rows in one, than count."""
    to = Relations()
    block = to.block(query.measure.relation).text()
    unit = to.unit(query.measure.relation)
    keys = [key_text(key, to) for key in query.measure.keys]
    by = ", ".join(dict.fromkeys([unit, *keys]))
    groups = f"SELECT {unit} AS {quoted('u')}, COUNT(*) AS {quoted('r')} {block} GROUP BY {by}"
    own = (
        f"SELECT COUNT(*) AS {quoted('g')}, MAX({quoted('r')}) AS {quoted('r')} "
        f"FROM ({groups}) AS {quoted('p')} GROUP BY {quoted('u')}"
    )
    more = (
        f"(({quoted('g')} > {query.bounds.groups}) OR ({quoted('r')} > {query.bounds.per_group}))"
    )
    return (
        f"SELECT COUNT(*) AS {quoted('u')}, COUNT(*) FILTER (WHERE {more}) AS {quoted('t')} "
        f"FROM ({own}) AS {quoted('q')}"
    )

"""Queries that use what everybody's rows gave: a value, a value by key, a table, a list.

Means are compared a little beside themselves: ours is computed from its parts, DuckDB's as it goes,
and no row may lie between the two.
"""

from __future__ import annotations

from tests.properties.drawn import Query, chosen
from tests.properties.grammar import Words

BESIDE = "0.0001237"


def _inner(start: Words) -> tuple[str, str]:
    """Rows of everybody's with a key g and a number x, and an aggregate of x that has a value."""
    to, source, where = chosen(start, start.world.ways)
    key, value = to.column("text", listed=True)[0], to.number(to.pick((0, 0, 1)), ranged=True)
    call = to.pick((
        f"AVG(x) + {BESIDE}", f"AVG(x) + {BESIDE}", "COUNT(*)", "COUNT(x) / 10",
        "COALESCE(SUM(x), 0) / 20", f"COALESCE(STDDEV_POP(x), 1) + {BESIDE}",
            "COUNT(DISTINCT x)",
    ))  # fmt: skip
    return f"(SELECT {key} AS g, {value} AS x FROM {source}{where}) AS s", call


def compared(start: Words) -> Query:
    """A value of everybody's in WHERE, in a key, in FILTER or in what is summed."""
    to, source, where = chosen(start, start.world.ways)
    value = to.number(to.pick((0, 0, 1)), ranged=True)
    table, call = _inner(start)
    scalar = f"(SELECT {call} FROM {table})"
    sign, word = to.pick((">", "<=", "<")), "AND" if where else "WHERE"
    text, keys, sums = to.pick((
        ((f"SELECT COUNT(*) AS c, SUM({value}) AS s FROM {source}{where} "
         f"{word} {value} {sign} {scalar}"), 0, {1}),
        (f"SELECT {value} {sign} {scalar} AS g, COUNT(*) AS c FROM {source}{where} GROUP BY g",
         1, ()),
        ((f"SELECT COUNT(*) FILTER (WHERE {value} {sign} {scalar}) AS c, COUNT(*) AS n "
         f"FROM {source}{where}"), 0, ()),
        (f"SELECT COUNT(CASE WHEN {value} {sign} {scalar} THEN 1 END) AS c FROM {source}{where}",
         0, ()),
        (f"SELECT COUNT(*) AS c, COUNT(*) > {scalar} AS m FROM {source}{where}", 0, ()),
        (f"SELECT COUNT(*) AS c FROM {source}{where} HAVING COUNT(*) < {scalar} + 1000", 0, ()),
    ))  # fmt: skip
    return Query(text, keys, frozenset(sums))


def keyed(start: Words) -> Query:
    """A value of everybody's for the key of each row."""
    to, source, where = chosen(start, start.world.ways)
    table, call = _inner(start)
    key, value = to.column("text", listed=True)[0], to.column("number", ranged=True)[0]
    word = "AND" if where else "WHERE"
    text = (
        f"SELECT COUNT(*) AS c, SUM({value}) AS s FROM {source}{where} {word} {value} "
        f"{to.pick(('>', '<'))} (SELECT {call} FROM {table} WHERE s.g = {key})"
    )
    return Query(text, 0, frozenset({1}))


def beside(start: Words) -> Query:
    """Rows joined with a released table, by its key or a part of it, or by nothing."""
    to, source, where = chosen(start, start.world.ways)
    table, call = _inner(start)
    key, value = to.column("text", listed=True)[0], to.column("number", ranged=True)[0]
    more = to.pick(("", "", ", x > 0 AS h"))
    groups = "g, h" if more else "g"
    join = to.pick(("JOIN k USING (g)", "LEFT JOIN k USING (g)", "JOIN k ON k.g = t.g AND k.m < 9",
                    "LEFT JOIN k ON t.g = k.g AND t.x > 0", "SEMI JOIN k USING (g)",
                    "ANTI JOIN k ON t.g = k.g", ", k"))  # fmt: skip
    seen = "SEMI" not in join and "ANTI" not in join
    shown, keys, sums = to.pick((
        ("COUNT(*) AS c, SUM(t.x) AS s", 0, {1}),
        ("COUNT(k.m) AS c" if seen else "COUNT(t.x) AS c", 0, ()),
        ("k.n > 3 AS b, COUNT(*) AS c" if seen else "t.x > 3 AS b, COUNT(*) AS c", 1, ()),
        ("t.g AS b, COUNT(*) AS c, COUNT(t.x) AS d", 1, ()),
    ))  # fmt: skip
    return Query(
        f"WITH k AS (SELECT g{more}, COUNT(*) AS n, {call} AS m FROM {table} GROUP BY {groups} "
        f"HAVING COUNT(*) > 0) SELECT {shown} FROM (SELECT {key} AS g, {value} AS x "
        f"FROM {source}{where}) AS t {join}{' GROUP BY b' if keys else ''}",
        keys, frozenset(sums),
    )  # fmt: skip


def kept(start: Words) -> Query:
    """Released rows that an outer join keeps beside private ones, grouped by what was released."""
    to, source, where = chosen(start, start.world.ways)
    table, call = _inner(start)
    key, value = to.column("text", listed=True)[0], to.column("number", ranged=True)[0]
    rows = f"(SELECT {key} AS g, {value} AS x FROM {source}{where}) AS t"
    join = to.pick((
        f"k LEFT JOIN {rows} ON k.g = t.g", f"k LEFT JOIN {rows} USING (g)",
        f"{rows} RIGHT JOIN k ON t.g = k.g AND t.x > {to.pick((0, 3))}",
        f"k LEFT JOIN {rows} ON t.x > k.n", f"k FULL JOIN {rows} ON k.g = t.g",
        f"{rows} FULL JOIN k ON t.g = k.g AND t.x > k.n",
    ))  # fmt: skip
    shown, by, keys = to.pick((
        ("k.g AS a, k.n AS b", "k.g, k.n", 2), ("k.n % 3 AS a", "a", 1), ("k.g AS a", "a", 1),
        ("k.m AS a, k.g AS b", "a, b", 2), ("k.n > 3 AS a", "a", 1),
    ))  # fmt: skip
    calls = ["COUNT(t.x) AS c", "SUM(t.x) AS s", "COUNT(DISTINCT t.x) AS d"]
    if "FULL" not in join and "k.g" in by:
        calls.append("COUNT(*) AS n")
    kept = to.pick(("", "", " WHERE k.n > 2"))
    return Query(
        f"WITH k AS (SELECT g, COUNT(*) AS n, {call} AS m FROM {table} GROUP BY g "
        f"HAVING COUNT(*) > 0) SELECT {shown}, {', '.join(calls)} FROM {join}{kept} GROUP BY {by}",
        keys, frozenset({keys + 1}),
    )  # fmt: skip


def listed(start: Words) -> Query:
    """Rows compared with a list of everybody's, or with every value or any."""
    to, source, where = chosen(start, start.world.ways)
    table, call = _inner(start)
    key, value = to.column("text", listed=True)[0], to.column("number", ranged=True)[0]
    condition = to.pick((
        f"{key} IN (SELECT g FROM {table} GROUP BY g HAVING COUNT(*) > {to.pick((0, 3))})",
        (f"{key} NOT IN (SELECT g FROM {table} WHERE g IS NOT NULL GROUP BY g "
        f"HAVING COUNT(*) > {to.pick((0, 3))})"),
        f"{key} IN (SELECT g FROM {table} WHERE x > 0)",
        (f"{value} {to.pick(('>=', '<'))} {to.pick(('ALL', 'ANY'))} "
        f"(SELECT {call} FROM {table} GROUP BY g{to.pick(('', ' HAVING COUNT(*) > 0'))})"),
    ))  # fmt: skip
    word = "AND" if where else "WHERE"
    return Query(
        f"SELECT COUNT(*) AS c, SUM({value}) AS s FROM {source}{where} {word} {condition}",
        0, frozenset({1}),
    )  # fmt: skip

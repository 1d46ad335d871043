"""Queries over rows told apart, numbered, turned or kept: within the unit, and above it."""

from __future__ import annotations

from tests.properties.drawn import Query, chosen
from tests.properties.grammar import SHOWN, SPANS, Words

ABOVE = (
    (
        "SELECT g, RANK() OVER (ORDER BY n DESC) AS r, n - LAG(n) OVER (ORDER BY n, g) AS d "
        "FROM ({}) AS t"
    ),
    "SELECT g, n FROM ({}) AS t QUALIFY ROW_NUMBER() OVER (ORDER BY n DESC, g) <= 2",
    (
        "SELECT g, n * 1.0 / SUM(n) OVER () AS share, NTILE(2) OVER (ORDER BY n, g) AS h "
        "FROM ({}) AS t"
    ),
    (
        "SELECT g, SUM(n) OVER (ORDER BY n, g ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s "
        "FROM ({}) AS t"
    ),
    "SELECT a.g, a.n, b.s FROM ({0}) AS a JOIN ({0}) AS b USING (g)",
    "SELECT a.g, b.n FROM ({0}) AS a LEFT JOIN ({0}) AS b ON a.g = b.g AND b.n > 3",
    "({0}) UNION ALL ({0})",
    "SELECT g FROM ({0}) AS t EXCEPT SELECT g FROM ({0}) AS t WHERE n > 3",
    "SELECT n FROM ({0}) AS t INTERSECT ALL SELECT n FROM ({0}) AS t WHERE n > 3",
    "SELECT DISTINCT ON (n % 2) n % 2 AS o, n, g FROM ({}) AS t ORDER BY n % 2, n DESC, g",
    (
        "SELECT s.x, COUNT(t.n) AS c FROM generate_series(0, 5) AS s(x) LEFT JOIN ({}) AS t "
        "ON t.n = s.x GROUP BY s.x"
    ),
    "SELECT t.g, l.y FROM ({}) AS t, LATERAL (SELECT t.n * 2 + 1 AS y) AS l",
    (
        "SELECT g, nm, val FROM (SELECT g, n, n * 2 AS m FROM ({}) AS t) UNPIVOT (val FOR nm "
        "IN (n, m))"
    ),
    "SELECT g FROM ({0}) AS t WHERE n >= ALL (SELECT n FROM ({0}) AS u)",
    "SELECT g, n > ANY (SELECT n FROM ({0}) AS u WHERE u.g <> t.g) AS b FROM ({0}) AS t",
    "SELECT g, n FROM ({0}) AS t WHERE EXISTS (SELECT 1 FROM ({0}) AS u WHERE u.n > t.n)",
    "SELECT n > 4 AS b, QUANTILE_DISC(n, 0.5) AS q, MAX(s) AS m FROM ({}) AS t GROUP BY ROLLUP (b)",
)
"""SQL of any kind over released rows with a key g, a count n and a sum s."""


def above(start: Words) -> Query:
    """SQL over a released table."""
    to, source, where = chosen(start, start.world.ways)
    inner = (
        f"SELECT {to.key()} AS g, COUNT(*) AS n, COALESCE(SUM({to.number(1, ranged=True)}), 0) "
        f"AS s FROM {source}{where} GROUP BY 1 HAVING COUNT(*) > 0"
    )
    return Query(to.pick(ABOVE).format(inner), 0, empty=False)


def told_apart(start: Words) -> Query:
    """DISTINCT over the rows of everybody."""
    to, source, where = chosen(start, start.world.ways)
    key, text = to.key(), to.words(to.pick((0, 1)))
    value = to.number(0, ranged=True)
    form, keys = to.pick((
        ("SELECT DISTINCT {0} AS g FROM {3}", 1),
        ("SELECT DISTINCT {0} AS g, {1} AS h FROM {3}", 2),
        ("SELECT COUNT(*) AS c FROM (SELECT DISTINCT {1} AS h, {2} AS x FROM {3}) AS t", 0),
        ("SELECT COUNT(h) AS c FROM (SELECT DISTINCT {1} AS h, {2} AS x FROM {3}) AS t", 0),
        (("SELECT g, COUNT(*) AS c FROM (SELECT DISTINCT {0} AS g, {1} AS h, {2} AS x FROM {3}) "
         "AS t GROUP BY g"), 1),
        (("SELECT COUNT(DISTINCT g) AS c FROM (SELECT {0} AS g, COUNT(*) AS n FROM {3} GROUP BY 1 "
         "HAVING COUNT(*) > 0) AS t"), 0),
    ))  # fmt: skip
    return Query(form.format(key, text, value, source + where), keys)


def turned(start: Words) -> Query:
    """Columns as rows."""
    to, source, where = chosen(start, start.world.ways)
    value = to.column("number", ranged=True)[0]
    other = to.pick((f"{value} + 1", f"ABS({value})", value))
    nulls = to.pick(("", "INCLUDE NULLS ", "EXCLUDE NULLS "))
    shown, by = to.pick((("nm AS g, ", " GROUP BY g"), ("val > 2 AS g, ", " GROUP BY g"), ("", "")))
    inner = f"SELECT {value} AS a, {other} AS b FROM {source}{where}"
    return Query(
        f"SELECT {shown}COUNT(*) AS c, COUNT(val) AS d FROM ({inner}) UNPIVOT {nulls}"
        f"(val FOR nm IN (a, b)){by}",
        1 if by else 0,
    )


def numbered(start: Words) -> Query:
    """Windows over the unit's rows in the order of a value, whose ties are alike in it."""
    ways = tuple(way for way in start.world.ways if way.members[0].unit is not None)
    to, source, where = chosen(start, ways)
    unit = f"{to.members[0].alias}.{to.members[0].unit}"
    value = to.column("number", ranged=True)[0]
    if to.has("date") and to.maybe(2):
        moment = to.column("date", ranged=True)[0]
        gap = f"date_diff('day', LAG({moment}) OVER own, {moment})"
        own = f"PARTITION BY {unit} ORDER BY {moment}"
    else:
        gap = to.pick((
            f"{value} - LAG({value}) OVER own", f"LEAD({value}, 2, 0) OVER own - {value}",
            f"SUM({value}) OVER (own ROWS UNBOUNDED PRECEDING)",
            "COUNT(*) OVER (own ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
            f"MAX({value}) OVER (own ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
            f"NTH_VALUE({value}, 2) OVER own", "NTILE(2) OVER own", "CUME_DIST() OVER own",
            "PERCENT_RANK() OVER own",
        ))  # fmt: skip
        own = f"PARTITION BY {unit} ORDER BY {value}{to.pick(('', ' DESC', ' NULLS FIRST'))}"
    inner = f"SELECT {unit} AS u, {gap} AS x FROM {source}{where} WINDOW own AS ({own})"
    outer, keys = to.pick((
        ("SELECT COUNT(*) AS c, COUNT(x) AS d FROM ({}) AS t", 0),
        ("SELECT x > 1 AS k, COUNT(*) AS c FROM ({}) AS t GROUP BY k", 1),
        ("SELECT COUNT(DISTINCT u) AS c FROM ({}) AS t WHERE x <= 30", 0),
    ))  # fmt: skip
    return Query(outer.format(inner), keys)


def waited(start: Words) -> Query:
    """The time between two moments, of each row or of each unit, carried to the query around it."""
    ways = tuple(way for way in start.world.ways if way.members[0].unit is not None)
    to, source, where = chosen(start, ways)
    unit = f"{to.members[0].alias}.{to.members[0].unit}"
    if not to.has("date"):
        return told_apart(start)
    end, begin = f"CAST({to.moment(1)} AS TIMESTAMP)", to.moment(1)
    inner = to.pick((
        f"SELECT {end} - {begin} AS w FROM {source}{where}",
        f"SELECT {begin} - {end} AS w FROM {source}{where}",
        f"SELECT MAX({end}) - MIN({begin}) AS w FROM {source}{where} GROUP BY {unit}",
        f"SELECT MIN({end} - {begin}) AS w FROM {source}{where} GROUP BY {unit}",
    ))  # fmt: skip
    outer, keys = to.pick((
        ("SELECT COUNT(*) AS c, COUNT(w) AS d FROM ({}) AS t WHERE w > INTERVAL {}", 0),
        ("SELECT w <= INTERVAL {1} AS k, COUNT(*) AS c FROM ({0}) AS t GROUP BY k", 1),
        ("SELECT COUNT(DISTINCT w) AS c FROM ({}) AS t WHERE w NOT IN (INTERVAL {}, NULL) OR w = w",
         0),
        ("SELECT COUNT(*) AS c FROM ({}) AS t WHERE w BETWEEN INTERVAL '-9 days' AND INTERVAL {}",
         0),
        (("SELECT EXTRACT({2} FROM GREATEST(w, w)) > 3 AS k, COUNT(*) AS c FROM ({0}) AS t "
          "GROUP BY k"), 1),
        ("SELECT COUNT(*) AS c, AVG(EXTRACT(epoch FROM w)) AS m FROM ({}) AS t", 0),
    ))  # fmt: skip
    return Query(outer.format(inner, to.pick(SPANS), to.pick(SHOWN)), keys)

"""Whole queries: what is selected from what, and which rows may differ from DuckDB's and how.

A released sum over no values is 0 where DuckDB says NULL, and a public key is answered even where
no row has it. So sums are marked, and shapes that go on to use released values keep only cells that
hold rows.
"""

from __future__ import annotations

from tests.properties.drawn import Query, chosen
from tests.properties.grammar import Words
from tests.properties.worlds import Member


def aggregate(to: Words) -> tuple[str, bool]:
    """An aggregate, and whether it is a sum: COUNT_IF is one, NULL over no values in DuckDB."""
    only = f" FILTER (WHERE {to.truth(1)})" if to.maybe(4) else ""
    units = [f"{m.alias}.{m.unit}" for m in to.members if m.unit is not None]
    value = to.number(to.pick((0, 1, 1, 2)), ranged=True)
    forms = [
        ("COUNT(*)", False), (f"COUNT({to.number(1, ranged=False)})", False),
        (f"COUNT({to.words(1)})", False), (f"COUNT_IF({to.truth(1)})", True),
        (f"SUM({value})", True), (f"SUM({value})", True), (f"AVG({value})", False),
    ]  # fmt: skip
    if to.has("number"):
        forms.append((moment(to), False))
        forms.append((weighted(to, only), True))
        forms.append((f"COUNT(DISTINCT {to.number(1, ranged=False)})", False))
        forms.append((f"SUM(DISTINCT {to.column('number', ranged=True)[0]})", True))
        forms.append((f"AVG(DISTINCT {to.column('number', ranged=True)[0]})", False))
    if to.has("text"):
        forms.append((f"COUNT(DISTINCT {to.words(1)})", False))
        forms.append((f"COUNT(DISTINCT ({to.words(0)}, {to.words(0)}))", False))
    if units:
        forms.append((f"COUNT(DISTINCT {to.pick(units)})", False))
    call, total = to.pick(forms)
    return call if call.endswith(", 0)") else call + only, total


def weighted(to: Words, only: str) -> str:
    """A weighted mean, its condition on both sums already."""
    value, weight = (to.column("number", ranged=True)[0] for _ in range(2))
    weight = to.pick((weight, f"ABS({weight})"))
    factors = to.pick((f"{weight} * {value}", f"{value} * {weight}", f"({value} - 3) * {weight}"))
    return f"SUM({factors}){only} / NULLIF(SUM({weight}){only}, 0)"


def moment(to: Words) -> str:
    """A variance, a correlation or a regression of columns, now and then times a constant."""
    one, other = (
        to.pick(("{}", "{}", "({} * 2)", "({} / 3)")).format(to.column("number", ranged=True)[0])
        for _ in range(2)
    )
    if to.maybe(2):
        name = to.pick(("VARIANCE", "VAR_POP", "VAR_SAMP", "STDDEV", "STDDEV_POP", "SEM", "MEAN"))
        return f"{name}({one})"
    name = to.pick((
        "COVAR_POP", "COVAR_SAMP", "CORR", "REGR_SLOPE", "REGR_INTERCEPT", "REGR_R2", "REGR_COUNT",
        "REGR_AVGX", "REGR_AVGY", "REGR_SXX", "REGR_SYY", "REGR_SXY",
    ))  # fmt: skip
    return f"{name}({one}, {other})"


def grouped(to: Words, keys: list[str]) -> tuple[list[str], str]:
    """The keys as they are selected, and GROUP BY: by expression, alias or position."""
    shown = [f"{key} AS g{n}" for n, key in enumerate(keys)]
    forms = [
        ", ".join(keys),
        ", ".join(f"g{n}" for n in range(len(keys))),
        ", ".join(str(n + 1) for n in range(len(keys))),
        "ALL",
    ]
    return shown, f" GROUP BY {to.pick(forms)}" if keys else ""


def body(to: Words, source: str, where: str) -> tuple[str, int, frozenset[int], str]:
    """SELECT ... FROM ... GROUP BY, its number of keys, its sums, and its FROM written as a CTE."""
    keys = list(dict.fromkeys(to.key() for _ in range(to.pick((0, 1, 1, 2)))))
    shown, by = grouped(to, keys)
    calls = [aggregate(to) for _ in range(to.pick((1, 1, 2, 3)))]
    items = [*shown, *(f"{call} AS a{n}" for n, (call, _) in enumerate(calls))]
    sums = frozenset(len(keys) + n for n, (_, total) in enumerate(calls) if total)
    return f"SELECT {', '.join(items)} FROM {source}{where}{by}", len(keys), sums, by


def measured(start: Words) -> Query:
    """A measure as it stands."""
    to, source, where = chosen(start, start.world.ways)
    sql, keys, sums, _ = body(to, source, where)
    if len(to.members) == 1 and start.maybe(4):
        sql = common(to.members[0], source, where, sql)
    return Query(sql, keys, sums)


def rolled(start: Words) -> Query:
    """A measure over several grouping sets, each row told apart by GROUPING."""
    to, source, where = chosen(start, start.world.ways)
    keys = list(dict.fromkeys(to.key() for _ in range(to.pick((1, 2, 2, 3)))))
    shown = [f"{key} AS g{n}" for n, key in enumerate(keys)]
    named = to.pick((keys, [f"g{n}" for n in range(len(keys))]))
    first, rest = named[0], ", ".join(named[1:]) or named[0]
    by = to.pick((
        f"ROLLUP ({', '.join(named)})", f"CUBE ({', '.join(named)})",
        f"GROUPING SETS (({', '.join(named)}), {first}, ())", f"{first}, ROLLUP ({rest})",
        f"GROUPING SETS (({rest}), ({first}))", f"GROUPING SETS (({rest}), {first}, ())",
    ))  # fmt: skip
    calls = [aggregate(to) for _ in range(to.pick((1, 2)))]
    bits = f"GROUPING({', '.join(keys)}) AS b"
    items = [*shown, bits, *(f"{call} AS a{n}" for n, (call, _) in enumerate(calls))]
    sums = frozenset(len(keys) + 1 + n for n, (_, total) in enumerate(calls) if total)
    having = " HAVING GROUPING(" + keys[0] + ") = 0" if to.maybe(5) else ""
    sql = f"SELECT {', '.join(items)} FROM {source}{where} GROUP BY {by}{having}"
    return Query(sql, len(keys) + 1, sums)


def common(member: Member, source: str, where: str, sql: str) -> str:
    """The same statement with its table and condition in a common table expression."""
    inner = f"WITH chosen AS (SELECT * FROM {source}{where}), again AS (SELECT * FROM chosen) "
    return inner + sql.replace(f"FROM {source}{where}", f"FROM again AS {member.alias}", 1)


def kept(start: Words) -> Query:
    """A measure with HAVING, ORDER BY, LIMIT and OFFSET over cells that hold rows."""
    to, source, where = chosen(start, start.world.ways)
    keys = list(dict.fromkeys(to.key() for _ in range(to.pick((1, 1, 2)))))
    shown, by = grouped(to, keys)
    value = to.number(1, ranged=True)
    derived = [
        "COUNT(*) * 2 + 1", f"COALESCE(SUM({value}), 0) * 1.0 / COUNT(*)",
        f"ROUND(COALESCE(SUM({value}), 0) / 3, 1)", "CASE WHEN COUNT(*) > 5 THEN 'many' END",
        f"COUNT({to.column('number')[0]}) + COUNT(*)",
    ]  # fmt: skip
    items = [*shown, "COUNT(*) AS n", f"{to.pick(derived)} AS d"]
    having = f" HAVING COUNT(*) >= {to.pick((1, 1, 2, 5))}"
    order = ", ".join(["n DESC", *(f"g{n}" for n in range(len(keys)))])
    limit = to.pick(("", "", " LIMIT 3", " LIMIT 4 OFFSET 1"))
    sql = f"SELECT {', '.join(items)} FROM {source}{where}{by}{having} ORDER BY {order}{limit}"
    return Query(sql, len(keys), empty=False, ordered=True)


def wrapped(start: Words) -> Query:
    """SQL over a released table: arithmetic, filters, further aggregates, DISTINCT, windows."""
    to, source, where = chosen(start, start.world.ways)
    key = to.key()
    inner = (
        f"SELECT {key} AS g, COUNT(*) AS n, COALESCE(SUM({to.number(1, ranged=True)}), 0) AS s "
        f"FROM {source}{where} GROUP BY {to.pick(('g', '1', key))} HAVING COUNT(*) > 0"
    )
    outer = to.pick((
        "SELECT * FROM ({}) AS t ORDER BY n DESC, g LIMIT 5",
        "SELECT x + 1 AS x, y FROM ({}) AS t(k, x, y) WHERE x > 1",
        "SELECT COUNT(*) AS c, SUM(n) AS n, MAX(n) AS m, MIN(s) AS s FROM ({}) AS t",
        "SELECT n % 2 AS odd, COUNT(*) AS c, SUM(s) AS s FROM ({}) AS t GROUP BY odd",
        "SELECT DISTINCT n > 3 AS many FROM ({}) AS t",
        "WITH t AS ({}) SELECT g, n * 1.0 / (SELECT SUM(n) FROM t) AS share FROM t",
        "SELECT g, SUM(n) OVER (ORDER BY n, g) AS running FROM ({}) AS t",
        "SELECT g, n, s / n AS mean FROM ({}) AS t WHERE n BETWEEN 1 AND 1000",
    ))  # fmt: skip
    return Query(outer.format(inner), 0, empty=False)


def within(start: Words) -> Query:
    """An aggregate of each unit's own rows, then over units."""
    ways = tuple(way for way in start.world.ways if way.members[0].unit is not None)
    to, source, where = chosen(start, ways)
    unit = f"{to.members[0].alias}.{to.members[0].unit}"
    calls = [
        "COUNT(*)", f"COUNT({to.number(1, ranged=False)})", f"SUM({to.number(1, ranged=True)})",
        f"MAX({to.number(1, ranged=True)})", f"MIN({to.column('number', ranged=True)[0]})",
        f"COUNT(*) FILTER (WHERE {to.truth(1)})", f"COUNT(DISTINCT {to.column('text')[0]})",
        f"AVG({to.column('number', ranged=True)[0]})", f"COUNT_IF({to.truth(1)})",
        f"QUANTILE_DISC({to.column('number', ranged=True)[0]}, {to.pick(('0.25', '0.5', '1'))})",
        f"MEDIAN({to.column('number', ranged=True)[0]})",
    ]  # fmt: skip
    extra = f", {to.key()} AS g" if to.maybe(3) else ""
    by = f"{unit}, g" if extra else unit
    having = f" HAVING {to.pick(calls[:2])} > {to.pick((0, 1, 2))}" if to.maybe(3) else ""
    inner = (
        f"SELECT {unit} AS u{extra}, COUNT(*) AS n, {to.pick(calls)} AS x FROM {source}{where} "
        f"GROUP BY {by}{having}"
    )
    if to.maybe(6):
        inner = (
            f"SELECT DISTINCT {unit} AS u, {to.pick(('1', '0'))} AS n, 2 AS x FROM {source}{where}"
        )
        extra = ""
    outer = to.pick((
        ("SELECT COUNT(*) AS c, SUM(x) AS s, AVG(n) AS m FROM ({}) AS t", 0, (1,)),
        ("SELECT SUM(x) FILTER (WHERE n > 1) AS s, COUNT(x) AS c FROM ({}) AS t", 0, (0,)),
        ("SELECT n, COUNT(*) AS c FROM ({}) AS t WHERE n < 20 GROUP BY n", 1, ()),
        ("SELECT x > 2 AS b, COUNT(*) AS c, SUM(n) AS s FROM ({}) AS t GROUP BY b", 1, (2,)),
        ("SELECT LEAST(n, 3) AS k, COUNT(DISTINCT u) AS c FROM ({}) AS t GROUP BY 1", 1, ()),
        ("SELECT SUM(x * n) AS s, AVG(x) AS m FROM ({}) AS t", 0, (0,)),
    ))  # fmt: skip
    if extra and to.maybe(2):
        outer = ("SELECT g, COUNT(*) AS c, SUM(x) AS s FROM ({}) AS t GROUP BY g", 1, (2,))
    return Query(outer[0].format(inner), outer[1], frozenset(outer[2]))


def windowed(start: Words) -> Query:
    """Windows within the unit, of which ties change nothing that is counted."""
    ways = tuple(way for way in start.world.ways if way.members[0].unit is not None)
    to, source, where = chosen(start, ways)
    unit = f"{to.members[0].alias}.{to.members[0].unit}"
    value = to.column("number", ranged=True)[0]
    kept = f" FILTER (WHERE {to.truth(1)})" if to.maybe(3) else ""
    calls = [
        "RANK()", "DENSE_RANK()", f"COUNT(*){kept}", f"SUM({value}){kept}", f"MIN({value}){kept}",
        f"AVG({value})", f"FIRST_VALUE({value})", f"COUNT(DISTINCT {value})",
    ]  # fmt: skip
    keys = to.pick((unit, unit, f"{to.column('text')[0]}, {unit}"))
    order = f" ORDER BY {value}{to.pick(('', ' DESC', ' NULLS FIRST'))}"
    call = to.pick(calls)
    over = f"PARTITION BY {keys}{order if call[:5] in ('FIRST', 'RANK(', 'DENSE') else ''}"
    number = f"ROW_NUMBER() OVER (PARTITION BY {unit}{order})"
    sql, keyed = to.pick(
        (
            ("SELECT COUNT(*) AS c, COUNT(x) AS d FROM ({}{}) AS t", 0),
            ("SELECT x > 2 AS k, COUNT(*) AS c FROM ({}{}) AS t GROUP BY k", 1),
            ("SELECT COUNT(*) AS c FROM ({}) AS t WHERE n <= 2", 0),
            ("SELECT LEAST(n, 3) AS k, COUNT(*) AS c FROM ({}) AS t GROUP BY k", 1),
        )
    )
    qualify = " QUALIFY x > 1" if to.maybe(3) and call[:5] != "FIRST" else ""
    inner = f"SELECT {call} OVER ({over}) AS x, {number} AS n FROM {source}{where}"
    return Query(sql.format(inner, qualify), keyed)


def united(start: Words) -> Query:
    """A set operation of rows of one unit, then over units; DISTINCT ON of one side of it."""
    ways = tuple(way for way in start.world.ways if way.members[0].unit is not None)
    sides = []
    for _ in range(2):
        to, source, where = chosen(start, ways)
        unit = f"{to.members[0].alias}.{to.members[0].unit}"
        number, text = to.column("number", ranged=True)[0], to.column("text", listed=True)[0]
        every = to.pick(("", "", "DISTINCT ", f"DISTINCT ON ({unit}, {number}, {text}) "))
        sides.append(f"SELECT {every}{unit} AS u, {number} AS x, {text} AS g FROM {source}{where}")
    words = (
        "UNION ALL",
        "UNION ALL",
        "UNION",
        "INTERSECT",
        "INTERSECT ALL",
        "EXCEPT",
        "EXCEPT ALL",
    )
    inner = f" {start.pick(words)} ".join(sides)
    outer, keys = start.pick((
        ("SELECT COUNT(*) AS c, COUNT(DISTINCT u) AS d, COUNT(x) AS x FROM ({}) AS t", 0),
        ("SELECT g, COUNT(*) AS c FROM ({}) AS t GROUP BY g", 1),
        ("SELECT COUNT(*) AS c, AVG(n) AS m FROM (SELECT COUNT(x) AS n FROM ({}) GROUP BY u)", 0),
    ))  # fmt: skip
    return Query(outer.format(inner), keys)


def pivoted(start: Words) -> Query:
    """PIVOT on listed values, as a member of FROM or as a statement."""
    to, source, where = chosen(start, start.world.ways)
    name, col = to.column("text", listed=True)
    values = ", ".join(dict.fromkeys((to.sample(col), to.sample(col))))
    key, number = to.column("text", listed=True)[0], to.column("number", ranged=True)[0]
    inner = f"SELECT {key} AS g, {name} AS k, {number} AS x FROM {source}{where}"
    call, total = to.pick((("COUNT(*)", False), ("COUNT(x)", False), ("SUM(x)", True)))
    form = to.pick((
        "SELECT * FROM ({0}) PIVOT ({1} FOR k IN ({2}) GROUP BY g)",
        "PIVOT ({0}) ON k IN ({2}) USING {1} GROUP BY g",
    ))  # fmt: skip
    sums = frozenset({1, 2}) if total else frozenset()
    return Query(form.format(inner, call, values), 1, sums)


def ranked(start: Words) -> Query:
    """Quantiles of whole numbers, which are read off bins of one value each."""
    to, source, where = chosen(start, start.world.ways)
    value = f"(CAST({to.column('number', ranged=True)[0]} AS INTEGER) % {to.pick((7, 20))})"
    share = to.pick(("0.25", "0.5", "0.9", "0.333"))
    key = to.pick((to.column("text", listed=True)[0], "1 = 1"))
    sql = (
        f"SELECT {key} AS g, QUANTILE_DISC({value}, {share}) AS q, COUNT({value}) AS n "
        f"FROM {source}{where} GROUP BY 1 HAVING COUNT({value}) > 0"
    )
    return Query(sql, 1, empty=False)


def exact(start: Words) -> Query:
    """A query over public tables alone."""
    to, source, where = chosen(start, start.world.public)
    sql, keys, _, _ = body(to, source, where)
    return Query(sql, keys, empty=False)

"""What generated queries may be about: tables with typed columns, and the ways to join them."""

from __future__ import annotations

from dataclasses import dataclass, replace

NUMBER, TEXT, BOOL, DATE, TIME = "number", "text", "bool", "date", "time"


@dataclass(frozen=True, slots=True)
class Col:
    """A column: `ranged` where a range follows from the manifest, `listed` where all values do."""

    name: str
    kind: str
    ranged: bool = True
    listed: bool = True
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A table under an alias."""

    table: str
    alias: str
    cols: tuple[Col, ...]
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write FROM: its text, the members in it, and what WHERE must say."""

    text: str
    members: tuple[Member, ...]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Spine:
    """FROM, the public members kept, the private ones, and keys that make each row a group."""

    text: str
    kept: tuple[Member, ...]
    own: tuple[Member, ...]
    unique: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """A dataset's ways, public queries included; `inside` are conditions with a subquery."""

    name: str
    ways: tuple[Way, ...]
    inside: tuple[tuple[str, str], ...]
    public: tuple[Way, ...]
    spines: tuple[Spine, ...] = ()


def number(name: str, *samples: object, ranged: bool = True, listed: bool = True) -> Col:
    return Col(name, NUMBER, ranged, listed, tuple(map(str, samples)))


def text(name: str, *samples: str, listed: bool = True) -> Col:
    return Col(name, TEXT, False, listed, tuple(f"'{sample}'" for sample in samples))


def boolean(name: str) -> Col:
    return Col(name, BOOL)


def day(name: str, *samples: str, ranged: bool = True) -> Col:
    return Col(name, DATE, ranged, ranged, tuple(f"DATE '{sample}'" for sample in samples))


def time(name: str, *samples: str) -> Col:
    return Col(name, TIME, True, False, tuple(f"TIMESTAMP '{sample}'" for sample in samples))


PEOPLE = (
    text("sex", "m", "f", "q"), day("born", "1950-01-01", "2000-02-29"), text("area", "n", "zz"),
    boolean("active"), number("height", 100, 171, 300), number("wage", "12.34", 0, "-100", "0.5"),
)  # fmt: skip
VISITS = (
    day("day", "2019-11-01", "2020-01-01"), time("seen", "2019-11-01 00:00:01", "2020-01-01"),
    text("kind", "a", "b", "zz"), number("cost", "19.9", "-50", "0.05"), number("score", 0, 2, -1),
    text("note", "a", "A", "x''y", listed=False), boolean("urgent"),
    number("loose", 0, -7, ranged=False, listed=False),
    day("far", "2020-01-01", "1066-10-14", ranged=False),
    number("ratio", "2.5", "0.0", "1e-9", ranged=False, listed=False),
)  # fmt: skip
ITEMS = (
    number("line", 1, 2), text("code", "x1", "zz"), number("qty", 0, 9, 5),
    number("price", "0.01", "50.50", "1"),
)  # fmt: skip
AREAS = (
    text("area", "n", "e"), text("province", "north", "zz"), number("residents", 50, 0),
    day("opened", "2001-02-28"), number("share", "0.25", "-0.1"),
)  # fmt: skip
CODES = (text("code", "x1"), text("family", "xray"), number("weight", 3, -1))
BANDS = (number("score", 0, 5), text("band", "zero", "low"))

p = Member("people", "p", PEOPLE, "person")
v = Member("visits", "v", VISITS, "person")
w = Member("visits", "w", VISITS, "person")
i = Member("items", "i", ITEMS)
a = Member("areas", "a", AREAS)
c = Member("codes", "c", CODES)
b = Member("bands", "b", BANDS)

p0, v0, i0 = (replace(member, unit=None) for member in (p, v, i))
"""Members whose unit's id may be missing, and so is no key."""

CLINIC = World(
    "clinic",
    (
        Way("visits v", (v,)),
        Way("people p", (p,)),
        Way("items i", (i,)),
        Way("people p JOIN visits v ON p.person = v.person", (p, v)),
        Way("people p JOIN visits v USING (person)", (p, v)),
        Way("people p LEFT JOIN visits v ON v.person = p.person AND v.score > 0", (p, v)),
        Way("visits v LEFT JOIN people p USING (person)", (v, p)),
        Way("people p LEFT JOIN (SELECT person, kind, cost, COALESCE(score, 7) AS score, day, "
            "visit, seen, note, loose, far, ratio, urgent FROM visits WHERE cost > 0) v "
            "ON v.person = p.person", (p, v)),
        Way("visits v, items i", (v, i), "v.visit = i.visit"),
        Way("visits v LEFT JOIN items i USING (visit)", (v, i)),
        Way("visits v LEFT JOIN items i ON i.visit = v.visit AND i.qty = v.score", (v, i)),
        Way("people p LEFT JOIN areas a ON p.area = a.area", (p, a)),
        Way("people p JOIN areas a USING (area)", (p, a)),
        Way("areas a, people p", (a, p), "p.area = a.area"),
        Way("visits v LEFT JOIN bands b ON v.score = b.score", (v, b)),
        Way("visits v JOIN bands b ON v.score > b.score", (v, b)),
        Way("items i JOIN codes c ON c.code = i.code", (i, c)),
        Way("visits v JOIN visits w ON v.person = w.person AND v.score < w.score", (v, w)),
        Way("people p JOIN visits v ON p.person = v.person LEFT JOIN items i ON i.visit = v.visit "
            "LEFT JOIN areas a ON a.area = p.area", (p, v, i, a)),
        Way("(SELECT * FROM visits WHERE urgent) AS v", (v,)),
        Way("(SELECT v.*, p.sex FROM visits v JOIN people p USING (person)) AS v", (v,)),
        Way("visits v RIGHT JOIN people p USING (person)", (p, v0)),
        Way("(SELECT *, COALESCE(score, 7) AS filled FROM visits WHERE cost > 0) v RIGHT JOIN "
            "people p ON v.person = p.person AND v.filled > 0", (p, v0)),
        Way("areas a RIGHT JOIN people p ON a.area = p.area AND a.residents > 60", (p, a)),
        Way("people p FULL JOIN visits v USING (person)", (p0, v0)),
        Way("visits v FULL OUTER JOIN visits w ON v.person = w.person AND v.score < w.score",
            (v0, replace(w, unit=None))),
        Way("(SELECT person, COALESCE(sex, 'x') AS sex, born, area, active, height, wage FROM "
            "people) p NATURAL FULL JOIN visits v FULL JOIN items i USING (visit)", (p0, v0, i0)),
        Way("visits v NATURAL JOIN people p", (v, p)),
        Way("people p NATURAL LEFT JOIN visits v", (p, v0)),
        Way("items i NATURAL RIGHT JOIN visits v", (v, i)),
        Way("people p SEMI JOIN visits v USING (person)", (p,)),
        Way("visits v ANTI JOIN items i ON i.visit = v.visit AND i.qty > v.score", (v,)),
        Way("visits v SEMI JOIN bands b USING (score) LEFT JOIN people p USING (person)", (v, p0)),
        Way("people p LEFT JOIN (SELECT w.person, i.*, c.family FROM visits w JOIN items i USING "
            "(visit) JOIN codes c ON c.code = i.code WHERE w.score > -5) i ON i.person = p.person "
            "AND EXISTS (SELECT 1 FROM codes d WHERE d.code = i.code AND d.weight < p.height)",
            (p, i0)),
        Way("visits v JOIN bands b ON v.score >= b.score JOIN visits w ON w.score = b.score "
            "AND w.person = v.person", (v, b, w)),
        Way("(visits v JOIN people p USING (person)) JOIN (SELECT -5 AS score, 0 AS next, 'low' AS "
            "band UNION ALL SELECT 0, 5, 'high' UNION ALL SELECT 5, 9, 'top') b "
            "ON v.score >= b.score AND v.score < b.next", (v, p, b)),
        Way("areas a LEFT JOIN people p ON a.area = p.area JOIN visits v ON v.person = p.person",
            (v, a, p)),
        Way("(SELECT area, SUM(residents) AS residents, MAX(province) AS province, MIN(opened) AS "
            "opened, SUM(share) AS share FROM areas GROUP BY area) a JOIN people p "
            "ON a.area = p.area", (a, p)),
    ),
    (
        ("v", "EXISTS (SELECT 1 FROM people q WHERE q.person = v.person AND q.active)"),
        ("v", "NOT EXISTS (SELECT 1 FROM items k WHERE k.visit = v.visit)"),
        ("v", ("EXISTS (SELECT * FROM items k, codes d WHERE k.visit = v.visit "
              "AND k.code = d.code AND d.weight < v.score + 3)")),
        ("v", "EXISTS (SELECT 1 FROM bands d WHERE d.score = v.score)"),
        ("v", "v.score IN (SELECT score FROM bands WHERE band <> 'low')"),
        ("v", "v.person IN (SELECT person FROM people WHERE height > 150)"),
        ("v", "v.visit IN (SELECT visit FROM items GROUP BY visit HAVING COUNT(*) > 1)"),
        ("p", "p.person IN (SELECT person FROM visits WHERE score < 0)"),
        ("p", "NOT EXISTS (SELECT 1 FROM visits x WHERE x.person = p.person AND x.score > 0)"),
        ("p", ("EXISTS (SELECT 1 FROM visits x WHERE p.person = x.person AND EXISTS "
              "(SELECT 1 FROM items k WHERE k.visit = x.visit AND k.qty > x.score))")),
        ("p", "p.area IN (SELECT area FROM areas ORDER BY residents LIMIT 2)"),
    ),
    (
        Way("areas a", (a,)),
        Way("areas a, codes c", (a, c)),
        Way("areas a LEFT JOIN bands b ON a.residents = b.score", (a, b)),
        Way("codes c", (c,)),
    ),
    (
        Spine("areas a LEFT JOIN people p ON p.area = a.area", (a,), (p,), ("a.area",)),
        Spine("areas a LEFT JOIN people p USING (area)", (a,), (p,), ("area",)),
        Spine("people p RIGHT JOIN areas a USING (area)", (a,), (p,), ("area",)),
        Spine("areas a LEFT JOIN people p ON p.area = a.area AND p.active AND a.residents > 20",
              (a,), (p,), ("a.area",)),
        Spine("(SELECT *, COALESCE(height, 150) AS tall FROM people) p RIGHT JOIN areas a ON p.area"
            " = a.area AND p.tall > 120", (a,), (p,), ("a.area",)),
        Spine("areas a LEFT JOIN people p ON p.area = a.area LEFT JOIN visits v ON v.person = "
            "p.person AND v.score > 0", (a,), (p, v), ("a.area",)),
        Spine("bands b LEFT JOIN visits v ON v.score = b.score", (b,), (v,)),
        Spine("areas a CROSS JOIN codes c LEFT JOIN (SELECT q.area, i.* FROM people q JOIN visits w"
            " USING (person) JOIN items i USING (visit)) i ON i.area = a.area AND i.code = c.code",
              (a, c), (i,), ("a.area", "c.code")),
        Spine("areas a JOIN codes c ON a.residents > c.weight LEFT JOIN people p ON p.area = a.area"
            " AND p.height > c.weight", (a, c), (p,), ("a.area", "c.code")),
        Spine("(SELECT CAST(x AS DATE) AS opened FROM generate_series(DATE '2019-10-30', "
              "DATE '2020-04-02', INTERVAL 1 DAY) AS s(x)) a LEFT JOIN visits v "
              "ON v.day = a.opened", (Member("", "a", AREAS[3:4]),), (v,), ("a.opened",)),
        Spine("range(-6, 7) AS b(score) LEFT JOIN visits v ON v.score = b.score",
              (Member("", "b", BANDS[:1]),), (v,), ("b.score",)),
    ),
)  # fmt: skip

FLIGHTS = (
    number("month", 1, 6), number("day", 1, 31), number("dep_delay", 0, -5, 60),
    number("arr_delay", 0, 15), text("carrier", "UA", "zz"), text("origin", "JFK", "zz"),
    text("dest", "LAX", "BOS"), number("air_time", 100), number("distance", 500, 2475),
    number("hour", 6, 17), time("time_hour", "2013-02-01", "2013-07-04 12:00:00"),
)  # fmt: skip
AIRPORTS = (number("alt", 0, 1000), number("tz", -5, -8), text("dst", "A", "N"))
f = Member("flights", "f", FLIGHTS, "tailnum")
g = Member("airports", "g", AIRPORTS)
l = Member("airlines", "l", (text("name", "United Air Lines Inc."),))  # noqa: E741
NYC = World(
    "nycflights13",
    (
        Way("flights f", (f,)),
        Way("flights f JOIN airlines l USING (carrier)", (f, l)),
        Way("flights f LEFT JOIN airports g ON g.faa = f.dest", (f, g)),
        Way("airports g, flights f", (g, f), "f.dest = g.faa AND g.alt > 500"),
    ),
    (
        ("f", "f.carrier IN (SELECT carrier FROM airlines WHERE name LIKE 'U%')"),
        ("f", "NOT EXISTS (SELECT 1 FROM airports x WHERE x.faa = f.dest AND x.tz < -5)"),
    ),
    (Way("airports g", (g,)),),
)  # fmt: skip

SURVEY = (
    number("whrswk", 0, 40), boolean("hhi"), boolean("whi"), text("education", "12years", "zz"),
    text("race", "white"), boolean("hispanic"), number("experience", "0.5", 20),
    number("kidslt6", 0, 1), number("kids618", 0, 2), number("husby", "12.5", 0),
    text("region", "south", "west"), number("wght", 100000),
)  # fmt: skip
h = Member("hi", "h", SURVEY, "respondent")
HI = World("hi", (Way("hi h", (h,)), Way("(SELECT * FROM hi WHERE whi) AS h", (h,))), (), ())

ORDERS = (
    text("o_orderstatus", "F", "O"), number("o_totalprice", 1000, "99999.99"),
    day("o_orderdate", "1995-03-15", "1994-01-01"), text("o_orderpriority", "1-URGENT"),
)  # fmt: skip
LINES = (
    number("l_quantity", 24, 10), number("l_extendedprice", "1000.5"), number("l_discount", "0.05"),
    number("l_tax", "0.02"), text("l_returnflag", "R"), text("l_linestatus", "O"),
    day("l_shipdate", "1995-03-15", "1998-09-02"), day("l_receiptdate", "1994-01-01"),
    text("l_shipmode", "AIR", "zz"),
)  # fmt: skip
CUSTOMER = (number("c_acctbal", 0, "123.45"), text("c_mktsegment", "BUILDING"))
NATION = (text("n_name", "FRANCE"), number("n_regionkey", 1, 3))
k = Member("customer", "k", CUSTOMER, "c_custkey")
o = Member("orders", "o", ORDERS, "o_custkey")
t = Member("lineitem", "t", LINES)
n = Member("nation", "n", NATION)
TPCH = World(
    "tpch",
    (
        Way("orders o", (o,)),
        Way("lineitem t", (t,)),
        Way("orders o JOIN lineitem t ON o.o_orderkey = t.l_orderkey", (o, t)),
        Way("customer k LEFT JOIN orders o ON k.c_custkey = o.o_custkey", (k, o)),
        Way("customer k, nation n", (k, n), "k.c_nationkey = n.n_nationkey"),
    ),
    (
        ("o", ("EXISTS (SELECT 1 FROM lineitem x WHERE x.l_orderkey = o.o_orderkey "
              "AND x.l_commitdate < x.l_receiptdate)")),
        ("k", "NOT EXISTS (SELECT 1 FROM orders x WHERE x.o_custkey = k.c_custkey)"),
    ),
    (Way("nation n", (n,)),),
)  # fmt: skip
WORLDS = {world.name: world for world in (CLINIC, NYC, HI, TPCH)}

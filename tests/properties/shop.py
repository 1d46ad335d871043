"""The tables of neighbouring source files, as generated statements may speak of them."""

from __future__ import annotations

from dataclasses import replace

from tests.properties.worlds import Member, Spine, Way, World, boolean, day, number, text, time

PEOPLE = (
    text("sex", "m", "f", "q"), text("area", "n", "zz"), number("wage", 0, "8.5", "-1"),
)  # fmt: skip
VISITS = (
    text("kind", "a", "c", "zz"), number("score", 0, 5, -5), number("cost", "0.1", 190, "-50"),
    number("huge", 0, 2**58), text("note", "p", "n1", listed=False), boolean("urgent"),
    number("loose", 1, 10**15, ranged=False, listed=False),
    number("ratio", "0.5", "1e300", ranged=False, listed=False),
    day("far", "2020-01-01", "0044-03-15 (BC)", ranged=False),
    day("day", "2020-03-31", "2019-11-01"), time("seen", "2020-03-31 23:59:59"),
)  # fmt: skip
ITEMS = (number("line", 0, 5), number("qty", 0, 9))
AREAS = (text("area", "n", "t"), text("region", "up"), number("size", 0, 8))
BANDS = (number("score", 5, 0), text("band", "x", "z"))

p = Member("people", "p", PEOPLE, "person")
v = Member("visits", "v", VISITS, "person")
w = Member("visits", "w", VISITS, "person")
i = Member("items", "i", ITEMS)
a = Member("areas", "a", AREAS)
b = Member("bands", "b", BANDS)
p0, v0, w0, i0 = (replace(member, unit=None) for member in (p, v, w, i))

SHOP = World(
    "shop",
    (
        Way("visits v", (v,)),
        Way("people p", (p,)),
        Way("items i", (i,)),
        Way("people p JOIN visits v USING (person)", (p, v)),
        Way("people p LEFT JOIN visits v ON v.person = p.person AND v.score > 0", (p, v0)),
        Way("visits v RIGHT JOIN people p USING (person)", (p, v0)),
        Way("people p FULL JOIN visits v USING (person)", (p0, v0)),
        Way("visits v NATURAL JOIN people p", (v, p)),
        Way("visits v, items i", (v, i), "v.visit = i.visit"),
        Way("visits v LEFT JOIN items i USING (visit)", (v, i0)),
        Way("visits v FULL JOIN items i USING (visit)", (v0, i0)),
        Way("visits v JOIN visits w ON v.person = w.person AND v.kind = w.kind", (v, w)),
        Way("visits v FULL JOIN visits w ON v.person = w.person AND v.score < w.score", (v0, w0)),
        Way("people p LEFT JOIN areas a ON p.area = a.area", (p, a)),
        Way("areas a, people p", (a, p), "p.area = a.area"),
        Way("visits v LEFT JOIN bands b ON v.score = b.score", (v, b)),
        Way("visits v JOIN bands b ON v.score >= b.score", (v, b)),
        Way("visits v JOIN generate_series(-2, 3) AS b(score) ON v.score > b.score",
            (v, Member("", "b", (number("score", 0),)))),
        Way("visits v JOIN (VALUES (5, 'one'), (5, 'two'), (0, 'one')) AS b(score, band) "
            "ON v.score = b.score", (v, b)),
        Way("visits v JOIN bands b ON v.score >= b.score JOIN visits w ON w.score = b.score "
            "AND w.person = v.person", (v, b, w)),
        Way("people p SEMI JOIN visits v USING (person)", (p,)),
        Way("visits v ANTI JOIN items i ON i.visit = v.visit AND i.qty > v.score", (v,)),
        Way("people p, LATERAL (SELECT * FROM visits x WHERE x.person = p.person "
            "ORDER BY x.score DESC LIMIT 2) v", (p, v0)),
        Way("people p LEFT JOIN LATERAL (SELECT * FROM visits x WHERE x.person = p.person "
            "AND x.cost > p.wage) v ON TRUE", (p, v0)),
        Way("(SELECT DISTINCT ON (person, kind) * FROM visits ORDER BY score) v", (v,)),
        Way("(SELECT * FROM visits QUALIFY ROW_NUMBER() OVER (PARTITION BY person ORDER BY note) "
            "<= 2) v", (v,)),
        Way("(SELECT person, kind, MAX(score) AS score, SUM(cost) AS cost, MIN(huge) AS huge, "
            "MODE(note) AS note, MAX(loose) AS loose, MIN(far) AS far, MAX(day) AS day, "
            "AVG(ratio) AS ratio, MIN(seen) AS seen, BOOL_OR(urgent) AS urgent FROM visits "
            "GROUP BY person, kind) v", (v,)),
        Way("(SELECT * FROM visits UNION ALL SELECT * FROM visits WHERE score > 0) v", (v,)),
        Way("(SELECT * FROM visits EXCEPT SELECT * FROM visits WHERE score > 4) v", (v,)),
    ),
    (
        ("v", "EXISTS (SELECT 1 FROM people q WHERE q.person = v.person AND q.wage > v.score)"),
        ("v", "NOT EXISTS (SELECT 1 FROM items k WHERE k.visit = v.visit)"),
        ("v", "v.score IN (SELECT score FROM bands WHERE band <> 'x')"),
        ("v", "v.person IN (SELECT person FROM people WHERE wage > 0)"),
        ("v", "v.visit IN (SELECT visit FROM items GROUP BY visit HAVING COUNT(*) > 1)"),
        ("v", "v.score >= (SELECT AVG(x.score) FROM visits x WHERE x.person = v.person)"),
        ("p", "p.person NOT IN (SELECT person FROM visits WHERE score < 0)"),
        ("p", "(SELECT COUNT(*) FROM visits x WHERE x.person = p.person) > 2"),
        ("p", ("EXISTS (SELECT 1 FROM visits x WHERE p.person = x.person AND EXISTS "
              "(SELECT 1 FROM items k WHERE k.visit = x.visit AND k.qty > x.score))")),
    ),
    (),
    (
        Spine("areas a LEFT JOIN people p USING (area)", (a,), (p,), ("area",)),
        Spine("people p RIGHT JOIN areas a ON p.area = a.area AND p.wage > a.size", (a,), (p,),
              ("a.area",)),
        Spine("areas a LEFT JOIN people p ON p.area = a.area LEFT JOIN visits v "
              "ON v.person = p.person AND v.score > 0", (a,), (p, v0), ("a.area",)),
        Spine("bands b LEFT JOIN visits v ON v.score = b.score", (b,), (v,)),
        Spine("range(-6, 7) AS b(score) LEFT JOIN visits v ON v.score = b.score",
              (Member("", "b", BANDS[:1]),), (v,), ("b.score",)),
        Spine("areas a CROSS JOIN (SELECT DISTINCT * FROM bands) b LEFT JOIN (SELECT p.area, v.* "
              "FROM people p JOIN visits v USING (person)) v ON v.area = a.area "
              "AND v.score = b.score", (a, b), (v0,), ("a.area", "b.score", "b.band")),
        Spine("(SELECT CAST(x AS DATE) AS day FROM generate_series(DATE '2020-02-20', "
              "DATE '2020-04-02', INTERVAL 1 DAY) AS s(x)) d LEFT JOIN visits v "
              "ON v.day = d.day", (Member("", "d", (day("day"),)),), (v,), ("d.day",)),
    ),
)  # fmt: skip

"""Statements for the bounds of joins of every kind and of public spines, by name."""

from __future__ import annotations

from queries.plan.price import Options

NONE = Options()

TIGHT = Options(rows_per_group=1)
SAMPLED = Options(groups_per_unit=2, rows_per_group=1)
BOTH = "FROM people p JOIN visits v ON p.person = v.person"

PROPERTIES: list[tuple[str, str, Options]] = [
    (
        "of the unit",
        f"SELECT p.sex, COUNT(DISTINCT v.person), COUNT(*) {BOTH} GROUP BY p.sex",
        NONE,
    ),
    ("of the unit, tight", f"SELECT p.sex, COUNT(*), MODE(v.score) {BOTH} GROUP BY p.sex", TIGHT),
    (
        "of the unit beside others",
        f"SELECT p.sex, v.kind, COUNT(DISTINCT v.person) {BOTH} GROUP BY p.sex, v.kind",
        NONE,
    ),
    (
        "of the unit beside others, sampled",
        f"SELECT p.sex, v.kind, COUNT(*), SUM(v.cost) {BOTH} GROUP BY p.sex, v.kind",
        SAMPLED,
    ),
    (
        "of the unit, grouping sets",
        f"SELECT p.sex, v.kind, COUNT(DISTINCT v.person) {BOTH} GROUP BY CUBE (p.sex, v.kind)",
        NONE,
    ),
    (
        "of the unit, grouping sets sampled",
        f"SELECT p.sex, v.kind, COUNT(*), MEDIAN(v.cost) {BOTH} GROUP BY CUBE (p.sex, v.kind)",
        SAMPLED,
    ),
    (
        "of the unit, thresholded",
        f"SELECT upper(p.area), COUNT(*), COUNT(DISTINCT v.person) {BOTH} GROUP BY 1",
        NONE,
    ),
    (
        "of the unit, thresholded sets",
        f"SELECT p.sex, v.note, COUNT(*) {BOTH} GROUP BY ROLLUP (p.sex, v.note)",
        NONE,
    ),
    (
        "of the unit, kept by a left join",
        (
            "SELECT p.sex, COUNT(v.visit), COUNT(DISTINCT p.person) "
            "FROM people p LEFT JOIN visits v USING (person) GROUP BY p.sex"
        ),
        NONE,
    ),
    (
        "not of the unit: missing in some rows",
        (
            "SELECT p.sex, COUNT(*), COUNT(DISTINCT v.person) FROM visits v "
            "LEFT JOIN people p ON p.person = v.person AND v.score > 0 GROUP BY p.sex"
        ),
        NONE,
    ),
    (
        "of the unit, through a subquery",
        (
            "SELECT s || '!', COUNT(DISTINCT v.person) FROM (SELECT person, sex AS s FROM people) "
            "p JOIN visits v ON p.person = v.person GROUP BY 1"
        ),
        NONE,
    ),
]
"""Keys that are one value of each unit, whatever they are joined to."""

JOINS: list[tuple[str, str, Options]] = [
    *PROPERTIES,
    (
        "left join, public",
        (
            "SELECT b.band, COUNT(*) FROM visits v LEFT JOIN bands b "
            "ON v.score = b.score GROUP BY b.band"
        ),
        NONE,
    ),
    (
        "private on the unit",
        (
            "SELECT p.sex, COUNT(*), SUM(v.cost) FROM people p JOIN visits v "
            "ON p.person = v.person GROUP BY p.sex"
        ),
        NONE,
    ),
    (
        "private with itself",
        "SELECT COUNT(*) FROM visits v JOIN visits w ON v.person = w.person",
        NONE,
    ),
    (
        "private along the path",
        (
            "SELECT v.kind, COUNT(*), SUM(i.qty) FROM visits v JOIN items i "
            "ON v.visit = i.visit GROUP BY v.kind"
        ),
        NONE,
    ),
    (
        "path written backwards",
        "SELECT COUNT(*) FROM items i, visits v WHERE i.visit = v.visit",
        NONE,
    ),
    (
        "left join, private",
        (
            "SELECT COUNT(*), COUNT(i.line), COUNT(v.score) FROM visits v "
            "LEFT JOIN items i USING (visit)"
        ),
        NONE,
    ),
    (
        "left join on the unit",
        (
            "SELECT COUNT(*), COUNT(v.visit), COUNT(DISTINCT v.person) "
            "FROM people p LEFT JOIN visits v USING (person)"
        ),
        NONE,
    ),
    (
        "right join",
        "SELECT COUNT(*), COUNT(v.visit) FROM visits v RIGHT JOIN people p USING (person)",
        NONE,
    ),
    (
        "full join on the unit",
        (
            "SELECT COUNT(*), SUM(v.cost), COUNT(p.sex), COUNT(DISTINCT person) "
            "FROM people p FULL JOIN visits v USING (person)"
        ),
        NONE,
    ),
    (
        "full join, conditions",
        (
            "SELECT COUNT(*) FROM people p FULL JOIN visits v "
            "ON v.person = p.person AND v.score < -5"
        ),
        NONE,
    ),
    (
        "full join on an id that may be missing",
        (
            "SELECT COUNT(*) FROM people p LEFT JOIN people q ON p.person = q.person "
            "AND q.wage > 5 FULL JOIN people r ON q.person = r.person"
        ),
        NONE,
    ),
    (
        "full join by the one name",
        (
            "SELECT COUNT(person) FROM (SELECT q.person FROM people p LEFT JOIN people q "
            "ON p.person = q.person AND q.wage > 5) t FULL JOIN people r USING (person)"
        ),
        NONE,
    ),
    (
        "full join with itself",
        (
            "SELECT COUNT(*), COUNT(v.visit) + COUNT(w.visit) FROM visits v FULL JOIN visits w "
            "ON v.person = w.person AND v.kind = w.kind"
        ),
        NONE,
    ),
    (
        "full join along the path",
        "SELECT COUNT(*) FROM visits FULL JOIN items USING (visit)",
        NONE,
    ),
    ("natural join", "SELECT sex, COUNT(*) FROM people NATURAL JOIN visits GROUP BY sex", NONE),
    ("semi join", "SELECT COUNT(*) FROM visits v SEMI JOIN items i USING (visit)", NONE),
    ("anti join", "SELECT COUNT(*) FROM visits v ANTI JOIN items i USING (visit)", NONE),
    (
        "left join of several",
        (
            "SELECT COUNT(*), COUNT(q.line) FROM people p LEFT JOIN (SELECT v.person, i.line "
            "FROM visits v JOIN items i USING (visit) WHERE v.score > -5) q USING (person)"
        ),
        NONE,
    ),
    (
        "left join, exists in its condition",
        (
            "SELECT COUNT(*) FROM visits v LEFT JOIN items i ON i.visit = v.visit "
            "AND EXISTS (SELECT 1 FROM bands b WHERE b.score = v.score)"
        ),
        NONE,
    ),
    (
        "public spine",
        (
            "SELECT a.area, COUNT(*), COUNT(p.person), SUM(p.wage) FROM areas a "
            "LEFT JOIN people p USING (area) GROUP BY a.area"
        ),
        NONE,
    ),
    (
        "public spine, several rows a key",
        (
            "SELECT b.band, COUNT(v.visit), SUM(v.cost), COUNT(DISTINCT v.person) FROM visits v "
            "RIGHT JOIN bands b ON v.score = b.score GROUP BY b.band"
        ),
        NONE,
    ),
    (
        "public spine of two tables",
        (
            "SELECT a.area, b.band, COUNT(v.visit) FROM areas a CROSS JOIN (SELECT DISTINCT "
            "score, band FROM bands) b LEFT JOIN (SELECT p.area, v.visit, v.score FROM people p "
            "JOIN visits v USING (person)) v ON v.area = a.area AND v.score = b.score GROUP BY ALL"
        ),
        NONE,
    ),
    (
        "public spine, distinct values",
        (
            "SELECT a.area, COUNT(DISTINCT p.wage), COUNT(p.person) FROM areas a "
            "LEFT JOIN people p USING (area) GROUP BY a.area"
        ),
        NONE,
    ),
    (
        "public spans",
        (
            "SELECT COUNT(*) FROM visits v JOIN (SELECT -5 AS lo, 0 AS hi UNION ALL SELECT 0, 6 "
            "UNION ALL SELECT 4, 9) m ON v.score >= m.lo AND v.score < m.hi"
        ),
        NONE,
    ),
    (
        "public spans, closed",
        (
            "SELECT COUNT(*) FROM visits v JOIN (SELECT -5 AS lo, 0 AS hi UNION ALL SELECT 0, 5 "
            "UNION ALL SELECT 5, 9) m ON v.score BETWEEN m.lo AND m.hi"
        ),
        NONE,
    ),
    (
        "public spans by kind",
        (
            "SELECT m.lo, COUNT(*) FROM visits v JOIN (SELECT 'a' AS kind, -5 AS lo, 5 AS hi "
            "UNION ALL SELECT 'b', 0, 5 UNION ALL SELECT 'a', 5, 9) m ON v.kind = m.kind "
            "AND v.score > m.lo AND m.hi >= v.score GROUP BY m.lo"
        ),
        NONE,
    ),
    (
        "public spine, one group",
        "SELECT COUNT(p.person), SUM(p.wage) FROM areas a LEFT JOIN people p USING (area)",
        NONE,
    ),
]

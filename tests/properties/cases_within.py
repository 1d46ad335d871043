"""Statements that unite, compare or tell apart the rows of one unit, by their formula."""

from __future__ import annotations

from queries.plan.price import Options

WITHIN: list[tuple[str, str, Options]] = [
    (
        "statistics of a unit's own rows",
        (
            "SELECT COUNT(*), SUM(q), SUM(m), COUNT(k) FROM (SELECT person, MODE(kind) AS k, "
            "QUANTILE_DISC(score, 0.5) AS q, MEDIAN(score) AS m FROM visits GROUP BY person) t"
        ),
        Options(),
    ),
    (
        "distinct rows of everybody",
        "SELECT kind, COUNT(*) FROM (SELECT DISTINCT kind, note, cost FROM visits) t GROUP BY kind",
        Options(),
    ),
    (
        "one distinct column of everybody",
        (
            "SELECT COUNT(*), COUNT(note) FROM (SELECT DISTINCT note FROM visits) t "
            "WHERE LENGTH(note) < 100 OR note IS NULL"
        ),
        Options(),
    ),
    (
        "union all",
        (
            "SELECT COUNT(*), SUM(cost) FROM (SELECT cost FROM visits UNION ALL "
            "SELECT cost FROM visits WHERE TRUE) t"
        ),
        Options(),
    ),
    (
        "union",
        (
            "SELECT COUNT(*) FROM (SELECT person, visit FROM visits UNION "
            "SELECT person, NULL FROM people) t"
        ),
        Options(),
    ),
    (
        "intersection",
        (
            "SELECT COUNT(*) FROM (SELECT visit, kind FROM visits INTERSECT "
            "SELECT visit, kind FROM visits WHERE cost > 0) t"
        ),
        Options(),
    ),
    (
        "what is left",
        (
            "SELECT COUNT(*), SUM(score) FROM (SELECT person, score FROM visits EXCEPT ALL "
            "SELECT person, NULL FROM people) t"
        ),
        Options(),
    ),
    (
        "distinct on",
        (
            "SELECT COUNT(*), SUM(cost) FROM (SELECT DISTINCT ON (person, kind) * FROM visits "
            "ORDER BY score) t"
        ),
        Options(),
    ),
    (
        "lateral",
        (
            "SELECT p.sex, COUNT(*), SUM(l.cost) FROM people p, LATERAL (SELECT cost FROM visits v "
            "WHERE v.person = p.person ORDER BY score DESC LIMIT 2) l GROUP BY p.sex"
        ),
        Options(),
    ),
    (
        "lateral, or nothing",
        (
            "SELECT COUNT(*), COUNT(l.cost) FROM people p LEFT JOIN LATERAL (SELECT cost FROM "
            "visits v WHERE v.person = p.person ORDER BY kind LIMIT 3) l ON TRUE"
        ),
        Options(),
    ),
    (
        "lateral that aggregates",
        (
            "SELECT p.sex, SUM(l.n), SUM(l.cost) FROM people p CROSS JOIN LATERAL (SELECT COUNT(*) "
            "AS n, MAX(v.cost) AS cost FROM visits v WHERE v.person = p.person) l GROUP BY p.sex"
        ),
        Options(),
    ),
    (
        "several columns in a list of one's own",
        (
            "SELECT COUNT(*), SUM(cost) FROM visits WHERE (person, score) IN "
            "(SELECT person, MAX(score) FROM visits GROUP BY person)"
        ),
        Options(),
    ),
    (
        "columns as rows",
        (
            "SELECT COUNT(*), SUM(val) FROM (SELECT score, 5 AS five FROM visits) UNPIVOT "
            "(val FOR nm IN (score, five))"
        ),
        Options(),
    ),
    (
        "distinct groups",
        (
            "SELECT COUNT(*) FROM (SELECT DISTINCT person, visit, COUNT(*) FROM visits "
            "GROUP BY person, visit, kind) t"
        ),
        Options(),
    ),
]

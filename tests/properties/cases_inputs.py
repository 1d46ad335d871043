"""Statements whose later stages read released values: by name, with what was handed in."""

from __future__ import annotations

from queries.plan.price import Options

NONE = Options()
MEAN = "(SELECT AVG(cost) FROM visits)"

INPUTS: list[tuple[str, str, Options]] = [
    (
        "compared with a mean",
        f"SELECT kind, COUNT(*) FROM visits WHERE cost > {MEAN} GROUP BY 1",
        NONE,
    ),
    ("sum with a mean", f"SELECT SUM(cost - {MEAN}) FROM visits", NONE),
    (
        "group by what is released",
        f"SELECT cost > {MEAN} AS high, SUM(score) FROM visits GROUP BY high",
        NONE,
    ),
    (
        "a mean of each key",
        (
            "SELECT COUNT(*), SUM(score) FROM visits v WHERE v.cost >= "
            "(SELECT AVG(w.cost) FROM visits w WHERE w.kind = v.kind)"
        ),
        NONE,
    ),
    (
        "released rows met by their key",
        (
            "WITH k AS (SELECT kind, COUNT(*) AS n, AVG(cost) AS m FROM visits GROUP BY kind) "
            "SELECT k.kind, COUNT(*), SUM(k.m) FROM visits v JOIN k ON v.kind = k.kind GROUP BY 1"
        ),
        NONE,
    ),
    (
        "released rows met by nothing",
        (
            "WITH k AS (SELECT kind, AVG(cost) AS m FROM visits GROUP BY kind) "
            "SELECT COUNT(*), SUM(v.score) FROM visits v, k"
        ),
        NONE,
    ),
    (
        "released rows met by a part of their key",
        (
            "WITH k AS (SELECT kind, score, AVG(cost) AS m FROM visits GROUP BY kind, score) "
            "SELECT COUNT(*), SUM(k.m) FROM visits v LEFT JOIN k ON v.kind = k.kind"
        ),
        NONE,
    ),
    (
        "released rows, found keys",
        (
            "WITH k AS (SELECT note, COUNT(*) AS n FROM visits GROUP BY note) "
            "SELECT COUNT(*), COUNT(k.n) FROM visits v LEFT JOIN k ON v.note = k.note"
        ),
        NONE,
    ),
    (
        "released rows kept",
        (
            "WITH k AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind) SELECT k.kind, k.n, "
            "COUNT(*), COUNT(v.visit), SUM(v.score), COUNT(DISTINCT v.person) "
            "FROM k LEFT JOIN visits v ON v.kind = k.kind GROUP BY 1, 2"
        ),
        NONE,
    ),
    (
        "released rows kept, sampled",
        (
            "WITH k AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind) SELECT k.kind, "
            "COUNT(v.visit), SUM(v.score) FROM visits v RIGHT JOIN k USING (kind) GROUP BY 1"
        ),
        Options(groups_per_unit=2, rows_per_group=1),
    ),
    (
        "released rows kept, as few as there are",
        (
            "WITH k AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind ORDER BY n LIMIT 1) "
            "SELECT k.kind, COUNT(DISTINCT v.person), SUM(v.score), MEDIAN(v.score) "
            "FROM k CROSS JOIN (SELECT 1 AS one) AS o LEFT JOIN visits v ON v.score >= o.one "
            "GROUP BY 1"
        ),
        NONE,
    ),
    (
        "released rows kept, found keys",
        (
            "WITH k AS (SELECT note, COUNT(*) AS n FROM visits GROUP BY note) SELECT k.note, "
            "COUNT(v.visit), COUNT(DISTINCT v.cost) FROM k LEFT JOIN visits v ON v.note = k.note "
            "GROUP BY 1"
        ),
        NONE,
    ),
    (
        "released rows and private ones, both kept",
        (
            "WITH k AS (SELECT kind, COUNT(*) AS n FROM visits GROUP BY kind) SELECT kind, k.n, "
            "COUNT(v.visit), SUM(v.score) FROM k FULL JOIN visits v USING (kind) GROUP BY 1, 2"
        ),
        NONE,
    ),
    (
        "a list of everybody's",
        "SELECT COUNT(*) FROM visits WHERE kind IN (SELECT kind FROM visits WHERE score > 4)",
        NONE,
    ),
    (
        "all of everybody's",
        (
            "SELECT COUNT(*) FROM visits WHERE cost >= ALL (SELECT AVG(cost) FROM visits "
            "GROUP BY kind)"
        ),
        NONE,
    ),
    (
        "windows beside released rows",
        (
            "WITH k AS (SELECT kind, score, AVG(cost) AS m FROM visits GROUP BY kind, score) "
            "SELECT COUNT(*), SUM(m) FROM (SELECT k.m FROM visits v JOIN k ON v.kind = k.kind "
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY v.person ORDER BY v.cost) <= 2) t"
        ),
        NONE,
    ),
    (
        "distinct values beside released rows",
        (
            "WITH k AS (SELECT kind, score, AVG(cost) AS m FROM visits GROUP BY kind, score) "
            "SELECT COUNT(DISTINCT k.m), COUNT(DISTINCT v.person) FROM visits v "
            "JOIN k ON v.kind = k.kind"
        ),
        NONE,
    ),
    (
        "a value of the unit's own",
        (
            "SELECT SUM((SELECT SUM(w.score) FROM visits w WHERE w.person = v.person)), "
            "COUNT(*) FROM visits v"
        ),
        NONE,
    ),
    (
        "a value of the unit's own over part of its rows",
        (
            "SELECT SUM((SELECT COUNT(*) FROM visits w WHERE w.person = v.person "
            "AND w.kind < v.kind)) FROM visits v"
        ),
        NONE,
    ),
]

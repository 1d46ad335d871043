"""Statements with windows, ordered picks and keys that may be missing, within the unit."""

from __future__ import annotations

from queries.plan.price import Options

NONE = Options()

WINDOWED: list[tuple[str, str, Options]] = [
    (
        "row number",
        (
            "SELECT kind, COUNT(*), SUM(cost) FROM (SELECT * FROM visits QUALIFY ROW_NUMBER() "
            "OVER (PARTITION BY person ORDER BY score) = 1) GROUP BY kind"
        ),
        NONE,
    ),
    (
        "row numbers",
        (
            "SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY person ORDER BY "
            "note DESC) AS n FROM visits) t WHERE n BETWEEN 2 AND 3"
        ),
        NONE,
    ),
    (
        "row number of a key",
        (
            "SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY kind, person) AS n "
            "FROM visits) t WHERE n = 1"
        ),
        NONE,
    ),
    (
        "windows",
        (
            "SELECT SUM(s), SUM(f), SUM(l), COUNT(l) FROM (SELECT SUM(cost) OVER (PARTITION BY "
            "person) AS s, SUM(cost) OVER (PARTITION BY person ORDER BY score ROWS BETWEEN CURRENT "
            "ROW AND CURRENT ROW) AS f, LAG(score, 1, 5) OVER (PARTITION BY person ORDER BY note) "
            "AS l FROM visits) t"
        ),
        NONE,
    ),
    (
        "picked by windows",
        (
            "SELECT f, COUNT(*), SUM(l) FROM (SELECT FIRST_VALUE(kind) OVER (PARTITION BY person "
            "ORDER BY cost) AS f, LAST_VALUE(score IGNORE NULLS) OVER (PARTITION BY person "
            "ORDER BY cost) AS l FROM visits) t GROUP BY f"
        ),
        NONE,
    ),
    (
        "picked by an order",
        (
            "SELECT f, COUNT(*), SUM(s) FROM (SELECT person, FIRST(kind ORDER BY note) AS f, "
            "ARG_MAX(score, cost) AS s FROM visits GROUP BY person) t GROUP BY f"
        ),
        NONE,
    ),
    (
        "row number beside public rows",
        (
            "SELECT b.band, COUNT(*) FROM (SELECT b.band FROM visits v JOIN bands b ON "
            "v.score >= b.score QUALIFY ROW_NUMBER() OVER (PARTITION BY v.person ORDER BY "
            "b.score) <= 2) b GROUP BY b.band"
        ),
        NONE,
    ),
    (
        "window over groups",
        (
            "SELECT kind, COUNT(*), SUM(n) FROM (SELECT person, kind, COUNT(*) AS n FROM visits "
            "GROUP BY person, kind QUALIFY ROW_NUMBER() OVER (PARTITION BY person ORDER BY "
            "COUNT(*) DESC) = 1) t GROUP BY kind"
        ),
        NONE,
    ),
    (
        "a key that may be missing",
        (
            "SELECT COUNT(*) FROM (SELECT v.person, w.person AS w FROM visits v LEFT JOIN visits w "
            "ON v.person = w.person AND w.score > v.score GROUP BY v.person, w.person) t"
        ),
        NONE,
    ),
]

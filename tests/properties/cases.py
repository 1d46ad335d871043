"""Statements for every formula of a contribution bound, by name, with the analyst's own bounds."""

from __future__ import annotations

from fractions import Fraction

from queries.plan.price import ColumnBound, Options
from tests.properties.cases_inputs import INPUTS
from tests.properties.cases_joins import JOINS
from tests.properties.cases_left_out import LEFT_OUT
from tests.properties.cases_within import WITHIN
from tests.properties.ranked import RANKED
from tests.properties.windowed import WINDOWED

TIGHT = Options(rows_per_group=1)
ONE_GROUP = Options(groups_per_unit=1)
SAMPLED = Options(groups_per_unit=2, rows_per_group=1)
MOST_ROWS = Options(rows_per_group=3)
TWO_ROWS = Options(groups_per_unit=1, rows_per_group=2)
BOUNDED = Options(columns=(ColumnBound("cost", Fraction(-1), Fraction(10)),))
NONE = Options()

CASES: list[tuple[str, str, Options]] = [
    ("one level", "SELECT kind, COUNT(*), SUM(score), SUM(cost) FROM visits GROUP BY kind", NONE),
    ("one level, no keys", "SELECT COUNT(*), COUNT(cost), SUM(cost * 2 - score) FROM visits", NONE),
    ("one row a unit", "SELECT sex, COUNT(*), SUM(wage) FROM people GROUP BY sex", NONE),
    ("units", "SELECT kind, COUNT(DISTINCT person) FROM visits GROUP BY kind", NONE),
    ("units, no keys", "SELECT COUNT(DISTINCT person) FROM visits WHERE score > 0", NONE),
    (
        "units and rows",
        "SELECT kind, COUNT(DISTINCT person), SUM(cost) FROM visits GROUP BY 1",
        NONE,
    ),
    ("rows per group", "SELECT kind, COUNT(*), SUM(cost) FROM visits GROUP BY kind", TIGHT),
    (
        "rows per group, some left over",
        "SELECT kind, COUNT(*), SUM(cost), MODE(score) FROM visits GROUP BY kind",
        MOST_ROWS,
    ),
    (
        "grouping sets, some rows left over",
        "SELECT kind, COUNT(*), SUM(cost) FROM visits GROUP BY ROLLUP (kind)",
        MOST_ROWS,
    ),
    ("sampled groups", "SELECT kind, COUNT(*), SUM(score) FROM visits GROUP BY kind", ONE_GROUP),
    (
        "sampled groups, rows per group",
        "SELECT kind, COUNT(*), SUM(score) FROM visits GROUP BY kind",
        SAMPLED,
    ),
    (
        "one group of two rows",
        "SELECT kind, COUNT(*), AVG(cost) FROM visits GROUP BY kind",
        TWO_ROWS,
    ),
    ("thresholded", "SELECT note, COUNT(*), SUM(score) FROM visits GROUP BY note", NONE),
    (
        "thresholded, sampled",
        "SELECT note, COUNT(*), SUM(score) FROM visits GROUP BY note",
        SAMPLED,
    ),
    ("thresholded, one row", "SELECT upper(area), COUNT(*) FROM people GROUP BY 1", NONE),
    (
        "public reach",
        (
            "SELECT b.band, COUNT(*), SUM(v.cost) FROM visits v JOIN bands b "
            "ON v.score = b.score GROUP BY b.band"
        ),
        NONE,
    ),
    ("public range", "SELECT COUNT(*) FROM visits v JOIN bands b ON v.score >= b.score", NONE),
    (
        "a list of constants met twice",
        (
            "SELECT g.name, COUNT(*), SUM(v.score) FROM visits v JOIN (VALUES (5, 'one'), "
            "(5, 'one'), (2, 'two')) AS g(score, name) ON v.score = g.score GROUP BY g.name"
        ),
        NONE,
    ),
    (
        "a series of numbers",
        "SELECT COUNT(*), SUM(v.score) FROM visits v JOIN range(-3, 4) AS r(n) ON v.score >= r.n",
        NONE,
    ),
    (
        "functions of numbers",
        (
            "SELECT kind, SUM(pow(score, 2)), SUM(floor(cost / 10) * 10), SUM(sqrt(abs(score))), "
            "SUM(width_bucket(cost, -50, 200, 5)) FROM visits GROUP BY kind"
        ),
        NONE,
    ),
    (
        "names of moments",
        (
            "SELECT dayname(make_date(2020, 1, score + 6)) AS d, COUNT(*), SUM(score) FROM visits "
            "GROUP BY d"
        ),
        NONE,
    ),
    (
        "buckets of time",
        (
            "SELECT time_bucket(INTERVAL 5 DAY, make_date(2020, 1, score + 6)) AS d, COUNT(*), "
            "SUM(score) FROM visits GROUP BY d"
        ),
        ONE_GROUP,
    ),
    ("public cross", "SELECT COUNT(*) FROM visits v, areas a", NONE),
    (
        "public key",
        (
            "SELECT a.region, COUNT(*), SUM(a.size) FROM people p JOIN areas a "
            "USING (area) GROUP BY a.region"
        ),
        NONE,
    ),
    (
        "within the unit",
        (
            "SELECT COUNT(*), SUM(n), SUM(s) FROM (SELECT person, COUNT(*) AS n, "
            "SUM(cost) AS s FROM visits GROUP BY person) t"
        ),
        NONE,
    ),
    (
        "groups within the unit",
        (
            "SELECT kind, COUNT(*), SUM(n) FROM (SELECT person, kind, "
            "COUNT(*) AS n FROM visits GROUP BY person, kind) t GROUP BY kind"
        ),
        NONE,
    ),
    (
        "keys within the unit",
        ("SELECT COUNT(*), SUM(m) FROM (SELECT visit, MAX(qty) AS m FROM items GROUP BY visit) t"),
        NONE,
    ),
    (
        "distinct within the unit",
        "SELECT COUNT(*) FROM (SELECT DISTINCT person, kind FROM visits) t",
        NONE,
    ),
    (
        "within, then joined",
        (
            "SELECT p.sex, SUM(t.s) FROM people p LEFT JOIN (SELECT person, "
            "SUM(score) AS s FROM visits GROUP BY person) t ON t.person = p.person GROUP BY p.sex"
        ),
        NONE,
    ),
    (
        "exists",
        (
            "SELECT kind, COUNT(*) FROM visits v WHERE EXISTS (SELECT 1 FROM items i "
            "WHERE i.visit = v.visit) GROUP BY kind"
        ),
        NONE,
    ),
    (
        "not exists",
        (
            "SELECT COUNT(*) FROM visits v WHERE NOT EXISTS (SELECT 1 FROM people p "
            "WHERE p.person = v.person)"
        ),
        NONE,
    ),
    (
        "in, within the unit",
        ("SELECT SUM(cost) FROM visits WHERE person IN (SELECT person FROM people WHERE wage > 1)"),
        NONE,
    ),
    ("shifted total", "SELECT kind, SUM(huge) FROM visits GROUP BY kind", NONE),
    ("shifted, between steps", "SELECT SUM(huge - 1), AVG(huge - 1) FROM visits", NONE),
    ("shifted total, rows per group", "SELECT kind, SUM(huge) FROM visits GROUP BY kind", TIGHT),
    ("shifted product", "SELECT SUM(huge * cost) FROM visits", NONE),
    ("centred", "SELECT kind, AVG(cost), AVG(huge) FROM visits GROUP BY kind", NONE),
    ("centred, real", "SELECT AVG(cost * score / 7), AVG(cost / 2) FROM visits", NONE),
    ("real on its grid", "SELECT SUM(cost / (score + 6)) FROM visits", NONE),
    (
        "filter",
        (
            "SELECT SUM(cost) FILTER (WHERE score > 0), COUNT(*) FILTER (WHERE kind <> 'b'), "
            "COUNT_IF(cost > 0), COUNT(DISTINCT person) FILTER (WHERE note = 'p') FROM visits"
        ),
        NONE,
    ),
    ("column bounds", "SELECT SUM(cost), AVG(cost) FROM visits", BOUNDED),
    (
        "narrowed",
        ("SELECT SUM(score), SUM(cost) FROM visits WHERE score BETWEEN 1 AND 5 AND cost > 3"),
        NONE,
    ),
    ("narrowed, undeclared", "SELECT SUM(loose) FROM visits WHERE loose > -3 AND loose <= 3", NONE),
    (
        "rounded",
        (
            "SELECT SUM(round(cost, -1)), SUM(floor(cost / 3)), SUM(CAST(cost / 3 AS BIGINT)) "
            "FROM visits"
        ),
        NONE,
    ),
    (
        "dates",
        "SELECT SUM(year(far)), SUM(date_diff('day', far, DATE '2020-01-01')) FROM visits",
        NONE,
    ),
    ("empty list", "SELECT COUNT(*) FROM visits WHERE kind IN ('zz') GROUP BY kind", NONE),
    (
        "mean within the unit",
        ("SELECT SUM(m) FROM (SELECT person, AVG(cost) AS m FROM visits GROUP BY person) t"),
        NONE,
    ),
    ("lost by doubles", "SELECT SUM(CAST((huge + 1e18) - 1e18 AS BIGINT)) FROM visits", NONE),
    (
        "distinct values",
        "SELECT kind, COUNT(DISTINCT note), SUM(DISTINCT cost) FROM visits GROUP BY kind",
        NONE,
    ),
    (
        "distinct values, sampled",
        "SELECT kind, COUNT(DISTINCT note), SUM(DISTINCT cost) FROM visits GROUP BY kind",
        SAMPLED,
    ),
    ("distinct values, one a unit", "SELECT COUNT(DISTINCT note), COUNT(*) FROM visits", TIGHT),
    (
        "distinct values, few",
        "SELECT COUNT(DISTINCT kind) FROM visits WHERE cost BETWEEN 190 AND 195",
        NONE,
    ),
    (
        "distinct values and units",
        "SELECT COUNT(DISTINCT note) FILTER (WHERE cost > 0), COUNT(DISTINCT person) FROM visits",
        NONE,
    ),
    (
        "distinct rows",
        "SELECT kind, COUNT(DISTINCT (note, cost)) FROM visits GROUP BY kind",
        NONE,
    ),
    (
        "distinct values, thresholded",
        "SELECT note, COUNT(DISTINCT cost) FROM visits GROUP BY note",
        NONE,
    ),
    (
        "distinct values, grouping sets",
        (
            "SELECT kind, score > 0, COUNT(DISTINCT note) FROM visits "
            "GROUP BY CUBE (kind, (score > 0))"
        ),
        SAMPLED,
    ),
    ("squares", "SELECT kind, VARIANCE(score), STDDEV(cost) FROM visits GROUP BY kind", NONE),
    ("squares, rows per group", "SELECT kind, VAR_POP(score) FROM visits GROUP BY kind", TIGHT),
    ("products", "SELECT CORR(cost, score), REGR_SLOPE(score, cost) FROM visits", NONE),
    ("products, sampled", "SELECT kind, CORR(cost, score) FROM visits GROUP BY kind", SAMPLED),
    ("squares, shifted", "SELECT VAR_POP(huge), COVAR_POP(huge, cost) FROM visits", NONE),
    ("squares, real", "SELECT VAR_POP(cost / (score + 6)) FROM visits", NONE),
    (
        "weighted mean",
        "SELECT kind, SUM(cost * (score + 5)) / SUM(cost) FROM visits GROUP BY kind",
        NONE,
    ),
    (
        "weighted mean, rows per group",
        "SELECT kind, SUM((score + 5) * (score + 7)) / SUM(score + 7) FROM visits GROUP BY kind",
        TIGHT,
    ),
    ("fourth powers", "SELECT KURTOSIS(score), SKEWNESS(cost) FROM visits", NONE),
    (
        "grouping sets",
        "SELECT kind, COUNT(*), SUM(cost), COUNT(DISTINCT person) FROM visits GROUP BY CUBE (kind)",
        NONE,
    ),
    (
        "grouping sets, sampled",
        (
            "SELECT kind, score > 0, COUNT(*), SUM(cost), COUNT(DISTINCT person) FROM visits "
            "GROUP BY ROLLUP (kind, (score > 0))"
        ),
        SAMPLED,
    ),
    (
        "grouping sets, rows per group",
        (
            "SELECT kind, score > 0, COUNT(*), SUM(cost) FROM visits "
            "GROUP BY CUBE (kind, (score > 0))"
        ),
        TIGHT,
    ),
    (
        "grouping sets, thresholded",
        "SELECT kind, note, COUNT(*), SUM(score) FROM visits GROUP BY ROLLUP (kind, note)",
        NONE,
    ),
    (
        "grouping sets, thresholded and sampled",
        "SELECT kind, note, COUNT(*), SUM(score) FROM visits GROUP BY CUBE (kind, note)",
        SAMPLED,
    ),
    *INPUTS,
    *LEFT_OUT,
    *WINDOWED,
    *WITHIN,
    *RANKED,
    (
        "several stages",
        (
            "SELECT x.n, y.n FROM (SELECT COUNT(*) AS n FROM visits) x, (SELECT COUNT(*) "
            "AS n FROM people) y"
        ),
        NONE,
    ),
    *JOINS,
]
LOOSE = {
    "released rows met by a part of their key", "distinct values beside released rows",
    "a value of the unit's own over part of its rows",
    "distinct values, grouping sets", "not of the unit: missing in some rows",
    "private with itself", "narrowed, undeclared", "filter", "not exists", "dates", "empty list",
    "lost by doubles", "centred, real", "real on its grid", "units and rows", "sampled groups",
    "public range", "left join, private", "one level, no keys", "private along the path",
    "keys within the unit", "public reach", "left join, public", "groups within the unit",
    "grouping sets, rows per group",
    "public spine, several rows a key", "public spine of two tables", "full join by the one name",
}  # fmt: skip
"""Cases in which one column or another is not attained; each of their formulas is elsewhere."""

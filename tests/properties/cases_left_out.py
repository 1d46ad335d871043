"""Statements about what thresholds and bounds leave out, by their formula."""

from __future__ import annotations

from fractions import Fraction

from queries.plan.price import ColumnBound, Options

OTHER = Options(other=True)
OTHER_SAMPLED = Options(groups_per_unit=2, rows_per_group=1, other=True)
ROWS = Options(rows_per_group=1, effects=True)
THREE_ROWS = Options(rows_per_group=3, effects=True)
GROUPS = Options(groups_per_unit=1, effects=True)
BOTH = Options(groups_per_unit=2, rows_per_group=1, effects=True)
COST = (ColumnBound("cost", Fraction(-1), Fraction(10)),)
RANGE = Options(columns=COST, effects=True)
ALL = Options(groups_per_unit=2, rows_per_group=1, columns=COST, effects=True)

LEFT_OUT: list[tuple[str, str, Options]] = [
    (
        "held back",
        "SELECT note, COUNT(*), SUM(score), COUNT(DISTINCT person) FROM visits GROUP BY note",
        OTHER,
    ),
    (
        "held back, sampled",
        "SELECT note, COUNT(*), SUM(score), COUNT(DISTINCT person) FROM visits GROUP BY note",
        OTHER_SAMPLED,
    ),
    ("held back, shifted", "SELECT note, SUM(huge) FROM visits GROUP BY note", OTHER),
    (
        "held back, distinct values",
        "SELECT note, COUNT(DISTINCT cost), SUM(DISTINCT cost) FROM visits GROUP BY note",
        OTHER,
    ),
    (
        "held back, distinct values, sampled",
        "SELECT note, COUNT(DISTINCT visit % 100) FROM visits GROUP BY note",
        OTHER_SAMPLED,
    ),
    ("held back, means", "SELECT note, AVG(cost), VAR_POP(score) FROM visits GROUP BY note", OTHER),
    (
        "effect, rows per group",
        "SELECT kind, COUNT(*), SUM(cost), COUNT(DISTINCT person) FROM visits GROUP BY kind",
        ROWS,
    ),
    ("effect, no keys", "SELECT COUNT(*), SUM(score) FROM visits", THREE_ROWS),
    (
        "effect, groups",
        "SELECT kind, COUNT(*), SUM(score), COUNT(DISTINCT person) FROM visits GROUP BY kind",
        GROUPS,
    ),
    (
        "effect, thresholded",
        "SELECT note, COUNT(*), AVG(score), COUNT(DISTINCT person) FROM visits GROUP BY note",
        BOTH,
    ),
    (
        "effect, distinct values",
        "SELECT kind, COUNT(DISTINCT note), SUM(DISTINCT cost) FROM visits GROUP BY kind",
        ROWS,
    ),
    ("effect, quantiles", "SELECT kind, MEDIAN(score) FROM visits GROUP BY kind", THREE_ROWS),
    ("effect, ranges", "SELECT SUM(cost), AVG(cost + score) FROM visits", RANGE),
    (
        "effect, ranges that choose rows",
        "SELECT kind, COUNT(*), SUM(score) FROM visits WHERE cost < 10 GROUP BY kind",
        RANGE,
    ),
    (
        "effect, ranges and caps",
        "SELECT kind, COUNT(*), SUM(cost), COUNT(DISTINCT note) FROM visits GROUP BY kind",
        ALL,
    ),
    ("effect, shifted", "SELECT kind, SUM(huge), AVG(huge) FROM visits GROUP BY kind", ROWS),
    ("effect, squares", "SELECT kind, VAR_POP(score) FROM visits GROUP BY kind", THREE_ROWS),
    (
        "effect, grouping sets",
        "SELECT kind, note, COUNT(*), SUM(score) FROM visits GROUP BY ROLLUP (kind, note)",
        BOTH,
    ),
    (
        "effect, joined",
        (
            "SELECT v.kind, COUNT(p.sex), SUM(v.cost) FROM visits v JOIN people p USING (person) "
            "GROUP BY v.kind"
        ),
        THREE_ROWS,
    ),
    (
        "effect, released rows",
        (
            "SELECT kind, COUNT(*), SUM(score) FROM visits WHERE cost > (SELECT AVG(cost) "
            "FROM visits) GROUP BY kind"
        ),
        ROWS,
    ),
]

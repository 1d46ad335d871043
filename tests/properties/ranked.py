"""Statements that find a value in a distribution: quantiles, extremes, modes, trees of counts."""

from __future__ import annotations

from queries.plan.price import Options

NONE = Options()
TIGHT = Options(rows_per_group=1)
ONE_GROUP = Options(groups_per_unit=1)
SAMPLED = Options(groups_per_unit=2, rows_per_group=1)
TWO_ROWS = Options(groups_per_unit=1, rows_per_group=2)


def names(call: str, most: int) -> str:
    """The scores of the greatest values of an aggregate, and these not shown."""
    return f"SELECT score FROM visits GROUP BY score ORDER BY {call} DESC LIMIT {most}"


MANY = ", ".join(f"{share / 40}" for share in range(1, 40))

RANKED: list[tuple[str, str, Options]] = [
    ("quantile", "SELECT MEDIAN(score) FROM visits", NONE),
    ("quantiles", "SELECT kind, QUANTILE_DISC(score, [0.1, 0.5]) FROM visits GROUP BY kind", NONE),
    (
        "quantiles from above",
        "SELECT PERCENTILE_DISC(0.2) WITHIN GROUP (ORDER BY cost DESC), MAX(cost) FROM visits",
        NONE,
    ),
    (
        "extremes",
        "SELECT sex, MIN(wage), MAX(wage), COUNT(*) FROM people GROUP BY sex",
        NONE,
    ),
    (
        "quantile, sampled groups",
        "SELECT kind, MEDIAN(score), COUNT(*) FROM visits GROUP BY kind",
        ONE_GROUP,
    ),
    (
        "quantile, rows per group",
        "SELECT kind, QUANTILE_CONT(cost, 0.75), COUNT(*) FROM visits GROUP BY kind",
        TIGHT,
    ),
    (
        "quantile, sampled rows",
        "SELECT kind, MEDIAN(cost), SUM(score) FROM visits GROUP BY kind",
        SAMPLED,
    ),
    (
        "quantile, one group of two rows",
        "SELECT kind, MEDIAN(cost) FROM visits GROUP BY kind",
        TWO_ROWS,
    ),
    ("quantile, thresholded", "SELECT note, MEDIAN(score) FROM visits GROUP BY note", NONE),
    (
        "quantile, filter",
        (
            "SELECT MEDIAN(cost) FILTER (WHERE score > 0), MEDIAN(far) FROM visits "
            "WHERE far > DATE '2019-01-01' AND far < DATE '2021-01-01'"
        ),
        NONE,
    ),
    ("quantile, shifted", "SELECT MEDIAN(huge), QUANTILE_DISC(cost / 7, 0.9) FROM visits", NONE),
    ("tree", f"SELECT QUANTILE_DISC(cost, [{MANY}]) FROM visits", NONE),
    ("tree, by key", f"SELECT kind, QUANTILE_DISC(score, [{MANY}]) FROM visits GROUP BY 1", NONE),
    (
        "tree, sampled rows",
        f"SELECT kind, QUANTILE_DISC(cost, [{MANY}]) FROM visits GROUP BY kind",
        SAMPLED,
    ),
    (
        "quantile, grouping sets",
        "SELECT kind, MEDIAN(score), COUNT(*) FROM visits GROUP BY ROLLUP (kind)",
        NONE,
    ),
    (
        "quantile, grouping sets sampled",
        (
            "SELECT kind, score > 0, QUANTILE_DISC(cost, 0.75) FROM visits "
            "GROUP BY CUBE (kind, (score > 0))"
        ),
        SAMPLED,
    ),
    (
        "quantile, grouping sets thresholded",
        "SELECT kind, note, MEDIAN(score) FROM visits GROUP BY ROLLUP (kind, note)",
        NONE,
    ),
    (
        "tree, grouping sets sampled",
        (
            f"SELECT kind, QUANTILE_DISC(cost, [{MANY}]) FROM visits "
            "GROUP BY GROUPING SETS ((kind, score > 0), kind, ())"
        ),
        SAMPLED,
    ),
    ("mode, grouping sets", "SELECT kind, MODE(score) FROM visits GROUP BY CUBE (kind)", TIGHT),
    ("leading names", names("COUNT(DISTINCT person)", 2), NONE),
    ("leading names by rows", names("COUNT(*)", 2), TIGHT),
    ("leading names by a sum", names("SUM(score + 5)", 1), TIGHT),
    ("leading names by a shifted sum", names("SUM(huge)", 1), TIGHT),
    ("leading names by distinct values", names("COUNT(DISTINCT kind)", 1), TIGHT),
    (
        "leading names by a signed sum",
        (
            "SELECT score, area FROM visits CROSS JOIN areas GROUP BY score, area "
            "ORDER BY SUM(CASE WHEN score > 0 THEN cost ELSE - cost END) DESC LIMIT 1"
        ),
        TIGHT,
    ),
    ("mode", "SELECT MODE(kind), MODE(score) FROM visits", NONE),
    ("mode, rows per group", "SELECT kind, MODE(score) FROM visits GROUP BY kind", TIGHT),
    ("mode of one row", "SELECT sex, MODE(area), MODE(wage) FROM people GROUP BY sex", NONE),
    ("histogram", "SELECT HISTOGRAM(score, [-5, 0, 4]), HISTOGRAM(kind) FROM visits", NONE),
    (
        "histogram, by key",
        (
            "SELECT kind, HISTOGRAM(cost, [0, 100]) FILTER (WHERE score > 0), COUNT(*) FROM visits "
            "GROUP BY kind"
        ),
        NONE,
    ),
    (
        "histogram, sampled rows",
        (
            "SELECT kind, HISTOGRAM(cost, [0, 190.1, 190.2]), HISTOGRAM(score) FROM visits "
            "GROUP BY kind"
        ),
        SAMPLED,
    ),
    ("histogram, rows per group", "SELECT note, HISTOGRAM(score) FROM visits GROUP BY note", TIGHT),
    ("histogram of one row", "SELECT HISTOGRAM(area), HISTOGRAM(wage, [0]) FROM people", NONE),
]

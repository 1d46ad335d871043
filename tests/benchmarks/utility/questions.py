"""What is asked of all three: our SQL, and the same question in a peer's own words, if it has any.

The data is the survey: 22,272 respondents, one row each, at most 25,000 declared to all three.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One statistic. `sql` is ours and DuckDB's; `snsql` is smartnoise-sql's.

    `context` is the column, the statistic and the grouping for OpenDP's Context. `noised` is what
    one respondent can change in the one number that the question cannot do without, in its own
    unit, and `per` the number of respondents which that change is divided by: the floor.
    """

    name: str
    sql: str
    snsql: str | None = None
    context: tuple[str, str, str | None] | None = None
    noised: float | None = None
    per: str | None = None


def _both(name: str, text: str, *, context: tuple[str, str, str | None] | None = None,
          noised: float | None = None, per: str | None = None) -> Question:  # fmt: skip
    """A question whose text is the same here and in smartnoise-sql."""
    return Question(name, text, text.replace("FROM hi", "FROM s.hi"), context, noised, per)


BY = "SELECT education, {} AS x FROM hi GROUP BY education"
QUESTIONS = [
    _both("count", "SELECT COUNT(*) AS x FROM hi", context=("", "len", None), noised=1),
    _both("count, 6 groups", BY.format("COUNT(*)"), context=("", "len", "education"), noised=1),
    _both("sum, 0 to 90", "SELECT SUM(whrswk) AS x FROM hi",
          context=("whrswk", "sum", None), noised=90),
    _both("sum, 6 groups", BY.format("SUM(whrswk)"),
          context=("whrswk", "sum", "education"), noised=90),
    _both("mean, 0 to 90", "SELECT AVG(whrswk) AS x FROM hi",
          context=("whrswk", "mean", None), noised=45, per="SELECT COUNT(*) FROM hi"),
    _both("mean, 6 groups", BY.format("AVG(whrswk)"), context=("whrswk", "mean", "education"),
          noised=45, per="SELECT education, COUNT(*) FROM hi GROUP BY 1"),
    _both("mean, 0 to 200", "SELECT AVG(husby) AS x FROM hi",
          context=("husby", "mean", None), noised=100, per="SELECT COUNT(*) FROM hi"),
    Question("variance, 0 to 90", "SELECT VAR_POP(whrswk) AS x FROM hi",
             "SELECT VAR(whrswk) AS x FROM s.hi", None, 45**2 / 2, "SELECT COUNT(*) FROM hi"),
    Question("deviation, 0 to 200", "SELECT STDDEV_POP(husby) AS x FROM hi",
             "SELECT STDDEV(husby) AS x FROM s.hi"),
    Question("deviation, 6 groups", BY.format("STDDEV_POP(whrswk)"),
             "SELECT education, STDDEV(whrswk) AS x FROM s.hi GROUP BY education"),
    _both("respondents", "SELECT COUNT(DISTINCT respondent) AS x FROM hi", noised=1),
    Question("median, 0 to 200", "SELECT MEDIAN(husby) AS x FROM hi",
             context=("husby", "median", None)),
    Question("0.9 quantile, 6 groups", BY.format("QUANTILE_DISC(husby, 0.9)"),
             context=("husby", "q90", "education")),
    Question("correlation", "SELECT CORR(whrswk, husby) AS x FROM hi"),
    Question("slope", "SELECT REGR_SLOPE(whrswk, husby) AS x FROM hi"),
    Question("rollup, 6 x 4 groups",
             "SELECT education, region, COUNT(*) AS x FROM hi GROUP BY ROLLUP (education, region)"),
]  # fmt: skip

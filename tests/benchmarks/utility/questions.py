"""What is asked of all three: our SQL, and the same question in a peer's own words, if it has any.

The data is the survey: 22,272 respondents, one row each, at most 25,000 declared to all three.
"""

from __future__ import annotations

from dataclasses import dataclass

Asked = tuple[list[tuple[str, str]], str | None]
"""Columns with their statistics, and the column to group by."""


@dataclass(frozen=True, slots=True)
class Question:
    """One statistic. `sql` is ours and DuckDB's; `snsql` is smartnoise-sql's.

    `context` is the same for OpenDP's Context. `noised` is what one respondent can change in the
    one number that the question cannot do without, in its own unit, `step` the least distance
    between two values of that number, and `per` the number of respondents which that change is
    divided by: the floor. Of a question with `parts` each of its last columns, so named, is judged
    by itself.
    """

    name: str
    sql: str
    snsql: str | None = None
    context: Asked | None = None
    noised: float | None = None
    step: float = 1
    per: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def judged(self) -> tuple[str, ...]:
        """The names of the columns that are judged, the last ones of the answer."""
        return tuple(f"{self.name}: {part}" for part in self.parts) or (self.name,)


def _both(
    name: str,
    text: str,
    *,
    context: Asked | None = None,
    noised: float | None = None,
    step: float = 1,
    per: str | None = None,
    parts: tuple[str, ...] = (),
) -> Question:
    """A question whose text is the same here and in smartnoise-sql."""
    peer = text.replace("FROM hi", "FROM s.hi")
    return Question(name, text, peer, context, noised, step, per, parts)


def _one(column: str, statistic: str, by: str | None = None) -> Asked:
    return [(column, statistic)], by


ALL = "SELECT COUNT(*) FROM hi"
EACH = "SELECT education, COUNT(*) FROM hi GROUP BY 1"
BY = "SELECT education, {} AS x FROM hi GROUP BY education"
QUESTIONS = [
    _both("count", "SELECT COUNT(*) AS x FROM hi", context=_one("", "len"), noised=1),
    _both("count, 6 groups", BY.format("COUNT(*)"), context=_one("", "len", "education"), noised=1),
    _both("count of values", "SELECT COUNT(husby) AS x FROM hi",
          context=_one("husby", "count"), noised=1),
    _both("sum, 0 to 90", "SELECT SUM(whrswk) AS x FROM hi",
          context=_one("whrswk", "sum"), noised=90),
    _both("sum, 6 groups", BY.format("SUM(whrswk)"),
          context=_one("whrswk", "sum", "education"), noised=90),
    _both("mean, 0 to 90", "SELECT AVG(whrswk) AS x FROM hi",
          context=_one("whrswk", "mean"), noised=45, per=ALL),
    _both("mean, 6 groups", BY.format("AVG(whrswk)"), context=_one("whrswk", "mean", "education"),
          noised=45, per=EACH),
    _both("mean, 0 to 200", "SELECT AVG(husby) AS x FROM hi",
          context=_one("husby", "mean"), noised=100, step=0.001, per=ALL),
    _both("several, 6 groups", "SELECT education, COUNT(*) AS n, SUM(whrswk) AS s, "
          "AVG(whrswk) AS x FROM hi GROUP BY education",
          context=([("", "len"), ("whrswk", "sum"), ("whrswk", "mean")], "education"),
          parts=("count", "sum", "mean")),
    Question("variance, 0 to 90", "SELECT VAR_POP(whrswk) AS x FROM hi",
             "SELECT VAR(whrswk) AS x FROM s.hi", None, 45**2 / 2, per=ALL),
    Question("deviation, 0 to 200", "SELECT STDDEV_POP(husby) AS x FROM hi",
             "SELECT STDDEV(husby) AS x FROM s.hi"),
    Question("deviation, 6 groups", BY.format("STDDEV_POP(whrswk)"),
             "SELECT education, STDDEV(whrswk) AS x FROM s.hi GROUP BY education"),
    _both("respondents", "SELECT COUNT(DISTINCT respondent) AS x FROM hi", noised=1),
    _both("distinct values", "SELECT COUNT(DISTINCT whrswk) AS x FROM hi",
          context=_one("whrswk", "distinct"), noised=1),
    Question("median, 0 to 200", "SELECT MEDIAN(husby) AS x FROM hi",
             context=_one("husby", "median")),
    Question("0.9 quantile, 6 groups", BY.format("QUANTILE_DISC(husby, 0.9)"),
             context=_one("husby", "q90", "education")),
    _both("sum of distinct values", "SELECT SUM(DISTINCT whrswk) AS x FROM hi", noised=90),
    Question("maximum, 0 to 200", "SELECT MAX(husby) AS x FROM hi"),
    Question("mode", "SELECT MODE(whrswk) AS x FROM hi"),
    Question("covariance", "SELECT COVAR_POP(whrswk, husby) AS x FROM hi"),
    Question("correlation", "SELECT CORR(whrswk, husby) AS x FROM hi"),
    Question("slope", "SELECT REGR_SLOPE(whrswk, husby) AS x FROM hi"),
    Question("weighted mean", "SELECT SUM(whrswk * husby) / SUM(whrswk) AS x FROM hi"),
    Question("rollup, 6 x 4 groups",
             "SELECT education, region, COUNT(*) AS x FROM hi GROUP BY ROLLUP (education, region)"),
]  # fmt: skip

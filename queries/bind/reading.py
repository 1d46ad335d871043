"""Aggregate calls read as statistics: what must be released for each, and its value over that.

Every aggregate of private rows has a reader in the table below. A reader gives
one reading or several with the same meaning; of several the one is taken that adds the fewest
statistics to those which the query pays for anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.measures import Ranked, Rows, Statistic, Total, parts_of
from queries.algebra.scalars import Scalar
from queries.bind import (
    aggregates,
    distinct_values,
    everybody,
    histograms,
    means,
    quantiles,
    spreads,
    types,
    weighted,
)
from queries.bind.calls import Aggregate, Read, Reading, alone
from queries.bind.expressions import TRUTH, Expressions, measured
from queries.bind.formulas import filled
from queries.language.refusals import QueryRefused
from queries.language.trees import Form, form


@dataclass(slots=True)
class Reader:
    """Reads aggregate calls as statistics, each call once.

    Over rows that count once each, whoever has them, `once` are their columns.
    """

    expressions: Expressions
    weigh: Callable[[int], None]
    once: tuple[Scalar, ...] | None = None
    calls: dict[Form, tuple[Reading, ...]] = field(default_factory=dict)
    _ratios: dict[Form, tuple[Reading, ...] | None] = field(default_factory=dict)

    def reads(self, node: exp.Expr) -> bool:
        """Whether the node is read as a whole: an aggregate call, or a mean written as a ratio."""
        return aggregates.is_aggregate(node) or self._ratio(node) is not None

    def collect(self, node: exp.Expr) -> None:
        """Bind one call; raises a QueryRefused."""
        said = form(node)
        if said not in self.calls:
            readings = self._read(node)
            parts = [part for s in readings[0].statistics for part in parts_of(s)]
            self.weigh(sum(part.size for part in parts))
            self.calls[said] = readings

    def _read(self, node: exp.Expr) -> tuple[Reading, ...]:
        ratio = self._ratio(node)
        if ratio is not None:
            return ratio
        found = self._call(node)
        if self.once is not None:
            return everybody.read(found, self.once)
        return READERS[aggregates.kind(found.call)](found)

    def _call(self, node: exp.Expr) -> Aggregate:
        call, condition = aggregates.parts(node, READERS)
        where = None
        if condition is not None:
            bound = self.expressions.predicate(condition)
            where = measured(types.require(bound, TRUTH, node, "FILTER"), node)
        return Aggregate(call, where, self.expressions)

    def _ratio(self, node: exp.Expr) -> tuple[Reading, ...] | None:
        """The readings of a weighted mean; None of all else, which is then read part by part."""
        sides = weighted.sides(node)
        if sides is None or self.once is not None:
            return None
        said = form(node)
        if said not in self._ratios:
            above, below, guarded = sides
            try:
                found = weighted.readings(self._call(above), self._call(below), guarded)
            except QueryRefused:  # its parts tell why, each by itself
                found = None
            self._ratios[said] = found
        return self._ratios[said]

    def statistics(self) -> set[Statistic | Ranked]:
        """All statistics that the calls need."""
        return {part for said in self.calls for part in self._chosen(said).statistics}

    def of(self, node: exp.Expr) -> Reading:
        """The reading of one call that adds the least to what calls with one reading need."""
        return self._chosen(form(node))

    def _chosen(self, said: Form) -> Reading:
        sure = {
            part for found in self.calls.values() if len(found) == 1 for part in found[0].statistics
        }
        return min(self.calls[said], key=lambda reading: len(set(reading.statistics) - sure))


def _count(found: Aggregate) -> tuple[Reading, ...]:
    argument = aggregates.distinct_argument(found.call)
    if argument is not None:
        return distinct_values.counted(found, argument)
    if aggregates.starred(found.call):
        return alone(found.counted())
    return alone(found.counted(found.expressions.bind(found.call.this)))


def _count_if(found: Aggregate) -> tuple[Reading, ...]:
    bound = found.expressions.predicate(found.call.this)
    truth = types.require(bound, TRUTH, found.call, "COUNT_IF")
    where = truth if found.where is None else op.boolean("and", truth, found.where)
    return alone(Rows(measured(where, found.call)))


def _sum(found: Aggregate) -> tuple[Reading, ...]:
    argument = aggregates.distinct_argument(found.call)
    if argument is not None:
        return distinct_values.total(found, argument)
    (plain,) = found.arguments(1)
    return alone(Total(found.number(plain), found.where))


def _real_sum(found: Aggregate) -> tuple[Reading, ...]:
    """SUM as the engine's compensated sums give it: a double, whatever is summed."""
    (argument,) = found.arguments(1)
    total = Total(found.number(argument), found.where)
    return (Reading((total,), lambda given: filled("CAST(t AS DOUBLE)", t=given[0])),)


def _approximate(found: Aggregate) -> tuple[Reading, ...]:
    """APPROX_COUNT_DISTINCT: the exact number, since the noise approximates enough."""
    (argument,) = found.arguments(1)
    return distinct_values.counted(found, argument)


def _mean(found: Aggregate) -> tuple[Reading, ...]:
    within = aggregates.distinct_argument(found.call) if found.call.this else None
    if within is not None:
        return distinct_values.mean(found, within)
    (argument,) = found.arguments(1)
    return means.readings(found, found.number(argument))


READERS: dict[aggregates.Kind, Read] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.ApproxDistinct: _approximate,
    exp.Sum: _sum,
    "FSUM": _real_sum,
    "KAHAN_SUM": _real_sum,
    "SUMKAHAN": _real_sum,
    exp.Avg: _mean,
    "FAVG": _mean,
    "MEAN": _mean,
    **spreads.READERS,
    **quantiles.READERS,
    **histograms.READERS,
}

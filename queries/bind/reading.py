"""Aggregate calls read as statistics: what must be released for each, and its value over that.

Every aggregate of private rows has a reader here or in a module that registers one. A reader gives
one reading or several with the same meaning; of several the one is taken that adds the fewest
statistics to those which the query pays for anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, Facts
from queries.algebra.measures import Centred, Rows, Statistic, Total, Units, parts_of
from queries.algebra.scalars import Call, Scalar, columns
from queries.bind import aggregates, types
from queries.bind.expressions import TRUTH, Expressions, measured
from queries.bind.means import mean
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import UnboundedColumn, UnsupportedFunction
from queries.language.trees import anew

NUMERIC = EXACT | {Type.REAL}
Value = Callable[[Sequence[exp.Expr]], exp.Expr]


@dataclass(frozen=True, slots=True)
class Reading:
    """Statistics that a call needs, and the call's value written over their columns, in order."""

    statistics: tuple[Statistic, ...]
    value: Value


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call: its node without FILTER, the condition of FILTER, and where it stands."""

    call: exp.AggFunc
    where: Scalar | None
    expressions: Expressions

    def number(self, node: exp.Expr) -> Scalar:
        """A number with a proven range; raises TypeMismatch or UnboundedColumn."""
        name = self.call.key.upper()
        value = types.require(self.expressions.bind(node), NUMERIC, self.call, name)
        measured(value, self.call)
        if not value.facts.bounded:
            raise unbounded(value, self.call)
        return value

    def counted(self, value: Scalar | None) -> Rows:
        """How many rows of FILTER have a value."""
        return Rows(both(present(value), self.where))


Read = Callable[[Aggregate], tuple[Reading, ...]]


@dataclass(slots=True)
class Reader:
    """Reads aggregate calls as statistics, each call once."""

    expressions: Expressions
    weigh: Callable[[int], None]
    calls: dict[str, tuple[Reading, ...]] = field(default_factory=dict)
    _texts: dict[int, tuple[exp.Expr, str]] = field(default_factory=dict)

    def collect(self, node: exp.Expr) -> None:
        """Bind one call; raises a QueryRefused."""
        text = self._text(node)
        if text not in self.calls:
            readings = self._read(node)
            parts = [part for s in readings[0].statistics for part in parts_of(s)]
            self.weigh(sum(part.size for part in parts))
            self.calls[text] = readings

    def _read(self, node: exp.Expr) -> tuple[Reading, ...]:
        call, condition = aggregates.parts(node, tuple(READERS))
        where = None
        if condition is not None:
            bound = self.expressions.predicate(condition)
            where = measured(types.require(bound, TRUTH, node, "FILTER"), node)
        return READERS[type(call)](Aggregate(call, where, self.expressions))

    def statistics(self) -> set[Statistic]:
        """All statistics that the calls need."""
        return {part for text in self.calls for part in self._chosen(text).statistics}

    def of(self, node: exp.Expr) -> Reading:
        """The reading of one call that adds the least to what calls with one reading need."""
        return self._chosen(self._text(node))

    def _text(self, node: exp.Expr) -> str:
        """The call written out: once for each node, since writing is dear."""
        found = self._texts.get(id(node))
        if found is None or found[0] is not node:
            found = self._texts[id(node)] = (node, anew(node).sql(copy=False))
        return found[1]

    def _chosen(self, text: str) -> Reading:
        sure = {
            part for found in self.calls.values() if len(found) == 1 for part in found[0].statistics
        }
        return min(self.calls[text], key=lambda reading: len(set(reading.statistics) - sure))


def alone(statistic: Statistic) -> tuple[Reading, ...]:
    """A call whose value is a statistic itself."""
    return (Reading((statistic,), lambda given: given[0]),)


def _count(found: Aggregate) -> tuple[Reading, ...]:
    argument = aggregates.distinct_argument(found.call)
    if argument is not None:
        return alone(Units(_units(found, argument)))
    if aggregates.starred(found.call):
        return alone(found.counted(None))
    return alone(found.counted(found.expressions.bind(found.call.this)))


def _units(found: Aggregate, argument: exp.Expr) -> Scalar | None:
    value = found.expressions.bind(argument)
    if value.facts.identity != "unit":
        raise _distinct(argument)
    return both(present(value), found.where)


def _distinct(argument: exp.Expr) -> UnsupportedFunction:
    return UnsupportedFunction(
        "DISTINCT counts the privacy unit only.",
        position=place(argument),
        hint="COUNT(DISTINCT unit id) is answered.",
    )


def _count_if(found: Aggregate) -> tuple[Reading, ...]:
    bound = found.expressions.predicate(found.call.this)
    truth = types.require(bound, TRUTH, found.call, "COUNT_IF")
    where = truth if found.where is None else op.boolean("and", truth, found.where)
    return alone(Rows(measured(where, found.call)))


def _sum(found: Aggregate) -> tuple[Reading, ...]:
    return alone(Total(found.number(_plain(found)), found.where))


def _mean(found: Aggregate) -> tuple[Reading, ...]:
    value = found.number(_plain(found))
    count = found.counted(value)

    def over(total: Total | Centred) -> Reading:
        return Reading((total, count), lambda given: mean(total, given[0], given[1]))

    return over(Centred(value, found.where)), over(Total(value, found.where))


def _plain(found: Aggregate) -> exp.Expr:
    argument = aggregates.distinct_argument(found.call)
    if argument is not None:
        raise _distinct(argument)
    given: exp.Expr = found.call.this
    return given


READERS: dict[type[exp.Expr], Read] = {
    exp.Count: _count,
    exp.CountIf: _count_if,
    exp.Sum: _sum,
    exp.Avg: _mean,
}


def both(left: Scalar | None, right: Scalar | None) -> Scalar | None:
    """A conjunction of two conditions, None being none."""
    if left is None or right is None:
        return right if left is None else left
    return op.boolean("and", left, right)


def present(value: Scalar | None) -> Scalar | None:
    """The condition that a value is not NULL; None where it never is."""
    if value is None or not value.facts.nullable:
        return None
    null = Call("null", (value,), Facts(Type.BOOLEAN, False))
    return op.boolean("not", null)


def unbounded(value: Scalar, call: exp.Expr) -> UnboundedColumn:
    """The refusal of a sum without a range, which names the column that lacks one."""
    named = [c.name for c in columns(value) if not c.facts.bounded]
    if named:
        return UnboundedColumn(
            f"Column {named[0]} has no declared range, so it cannot be summed.",
            position=place(call),
            hint=f"Ask the curator to declare lower and upper for {named[0]}.",
            column=named[0],
        )
    return UnboundedColumn(
        "The range of this expression cannot be proved, so it cannot be summed.",
        position=place(call),
        hint="Bound it with LEAST and GREATEST, or divide by NULLIF(x, 0) where x starts at 0.",
    )

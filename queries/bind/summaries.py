"""Aggregates of one unit's own rows: what each is, and what is proved about its value.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the value depends on the unit's own rows alone, in whatever order the engine meets
                them, and lies in the range its facts state.
    Requires    at most `rows` rows of the unit; `order`, by which no two of them tie unless all
                that the query sees of them is equal (P3).
    Why         COUNT, SUM, MIN, MAX, AVG and truth values over at most M rows lie in M-fold or
                convex ranges, and sums are of whole numbers, the same in any order; there are no
                more distinct values than the facts of the value allow; what picks one row picks it
                by the total order.
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_ranges.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, Facts
from queries.algebra.grid import grid
from queries.algebra.relations import Ordering
from queries.algebra.scalars import Scalar
from queries.bind import aggregates, orderings, own_spreads, types
from queries.bind.calls import both, present
from queries.bind.expressions import TRUTH, Expressions
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import RangeTooLarge, UnsupportedFunction

SUMMED = 2**100
PICKED: dict[type[exp.Expr], bool] = {exp.First: False, exp.Last: True, exp.AnyValue: False}
"""Aggregates that pick a row, and whether it is the last one."""
EXTREMES: dict[type[exp.Expr], bool] = {exp.ArgMin: False, exp.ArgMax: True}
"""Aggregates that pick the row of an extreme, and whether of the greatest."""
TRUTHS: dict[type[exp.Expr], str] = {exp.LogicalAnd: "bool_and", exp.LogicalOr: "bool_or"}
ANSWERED: tuple[type[exp.Expr], ...] = (
    *aggregates.WITHIN, *PICKED, *EXTREMES, *TRUTHS, *own_spreads.ANSWERED,
)  # fmt: skip
Emit = Callable[[str, Scalar | None, Scalar | None, tuple[Ordering, ...], Facts], Scalar]


@dataclass(frozen=True, slots=True)
class Summaries:
    """Reads aggregate calls over `base`; `emit` makes a column of each, `order` is total."""

    base: Expressions
    rows: int
    order: Sequence[Scalar]
    emit: Emit
    answered: tuple[type[exp.Expr], ...] = ANSWERED

    def bind(self, node: exp.Expr) -> Scalar:
        """The scalar of an aggregate call, with FILTER or without; raises a QueryRefused."""
        call, condition = aggregates.parts(node, self.answered)
        where = None
        if condition is not None:
            where = types.require(self.base.predicate(condition), TRUTH, node, "FILTER")
        argument = aggregates.distinct_argument(call)
        if argument is not None:
            if not isinstance(call, exp.Count):
                raise UnsupportedFunction("Only COUNT takes DISTINCT here.", position=place(node))
            told = self.base.bind(argument)
            return self._emit("distinct", told, where, self._count(told.facts.kinds))
        if isinstance(call, exp.CountIf):
            truth = types.require(self.base.predicate(call.this), TRUTH, node, "COUNT_IF")
            null = truth.facts.nullable or where is not None
            return self._emit("count_if", truth, where, replace(self._count(), nullable=null))
        if isinstance(call, exp.Count):
            value = None if aggregates.starred(call) else self.base.bind(call.this)
            return self._emit("count", value, where, self._count())
        if type(call) in TRUTHS:
            truth = types.require(self.base.predicate(call.this), TRUTH, node, call.key.upper())
            return self._emit(TRUTHS[type(call)], truth, where, Facts(Type.BOOLEAN))
        if type(call) in PICKED:
            return self._picked(call, where)
        if type(call) in EXTREMES:
            return self._extreme(call, where)
        value = self.base.value(call.this)
        if type(call) in own_spreads.ANSWERED:
            return own_spreads.read(call, value, self.rows, self._of(where))
        if isinstance(call, exp.Sum):
            value = types.counted(value)
        return self._summary(call, value, where)

    def _of(self, where: Scalar | None) -> own_spreads.Kept:
        return lambda kind, value, facts, order: self._emit(kind, value, where, facts, order)

    def _emit(
        self,
        kind: str,
        value: Scalar | None,
        where: Scalar | None,
        facts: Facts,
        order: tuple[Ordering, ...] = (),
    ) -> Scalar:
        return self.emit(kind, value, where, order, facts)

    def _count(self, most: int | None = None) -> Facts:
        """A count of rows, or of at most so many things among them."""
        return Facts(Type.INTEGER, False, 0, 0, self.rows if most is None else min(most, self.rows))

    def _picked(self, call: exp.Expr, where: Scalar | None) -> Scalar:
        """FIRST, LAST and ANY_VALUE: a row by the analyst's order, then by the total one."""
        argument = call.this
        given: tuple[Ordering, ...] = ()
        if isinstance(argument, exp.Order):
            given = orderings.read(argument, self.base, ())
            argument = argument.this
        value = self.base.value(argument)
        if isinstance(call, exp.AnyValue):
            where = both(where, present(value))
        order = orderings.completed(given, self.order)
        if PICKED[type(call)]:
            order = tuple(map(orderings.reversed_, order))
        return self._emit("first", value, where, picked(value), order)

    def _extreme(self, call: exp.Expr, where: Scalar | None) -> Scalar:
        """ARG_MIN and ARG_MAX: the value beside an extreme one, NULLs on either side left out."""
        value, by = self.base.value(call.this), self.base.value(call.expression)
        where = both(both(where, present(value)), present(by))
        first = Ordering(by, EXTREMES[type(call)], False)
        return self._emit(
            "first", value, where, picked(value), orderings.completed((first,), self.order)
        )

    def _summary(self, call: exp.Expr, value: Scalar, where: Scalar | None) -> Scalar:
        if isinstance(call, exp.Min | exp.Max):
            kind = "min" if isinstance(call, exp.Min) else "max"
            return self._emit(kind, value, where, picked(value))
        facts = picked(value)
        if facts.type not in EXACT:
            return self._real_summary(call, value, where)
        low, high = facts.span()
        if isinstance(call, exp.Avg):
            ends = (low * facts.step, high * facts.step) if facts.declared else (None, None)
            return self._emit("avg", value, where, Facts(Type.REAL, True, 0, *ends))
        if max(abs(low), abs(high)) * self.rows > SUMMED:
            raise RangeTooLarge("The sum within a unit may be too large.", position=place(call))
        return self._emit("sum", value, where, _summed(facts, self.rows))

    def _real_summary(self, call: exp.Expr, value: Scalar, where: Scalar | None) -> Scalar:
        """SUM or AVG of whole numbers times a constant: theirs, times the constant.

        Any other real is refused: its sum would depend on the order in which the engine adds.
        """
        place_of = grid(value) if value.facts.bounded else None
        if place_of is None or not place_of.exact or value.facts.type is not Type.REAL:
            raise UnsupportedFunction(
                "Within the unit only whole and decimal numbers are summed, times a constant.",
                position=place(call),
                hint="Multiply or divide after the sum, or round to a whole number first.",
            )
        whole = op.to_real(self._summary(call, place_of.source, where))
        factor = place_of.step / place_of.source.facts.step
        for apply, part in ((op.multiply, factor.numerator), (op.divide, factor.denominator)):
            if part != 1:
                whole = apply(whole, types.real_literal(float(part)))
        return whole


def picked(value: Scalar) -> Facts:
    """The facts of a value taken from one of several rows, or from none of them."""
    return replace(value.facts, nullable=True, identity=None)


def _summed(facts: Facts, rows: int) -> Facts:
    low, high = facts.span()
    low, high = min(low, low * rows), max(high, high * rows)
    return replace(facts, values=None, reference=None, lower=low, upper=high)

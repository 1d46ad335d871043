"""One aggregate call as a reader is given it, and what a reader gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, Facts
from queries.algebra.measures import Ranked, Rows, Statistic
from queries.algebra.scalars import Call, Scalar, columns
from queries.bind import aggregates, types
from queries.bind.expressions import Expressions, measured
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TypeMismatch, UnboundedColumn, UnsupportedFunction

NUMERIC = EXACT | {Type.REAL}
Value = Callable[[Sequence[exp.Expr]], exp.Expr]


@dataclass(frozen=True, slots=True)
class Reading:
    """Statistics that a call needs, and the call's value written over their columns, in order.

    `facts` say what the text of the value proves about it.
    """

    statistics: tuple[Statistic | Ranked, ...]
    value: Value
    facts: Facts | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call: its node without FILTER, the condition of FILTER, and where it stands."""

    call: exp.Func | exp.WithinGroup
    where: Scalar | None
    expressions: Expressions

    @property
    def name(self) -> str:
        return aggregates.named(self.call)

    def arguments(self, count: int) -> list[exp.Expr]:
        """Its arguments; raises UnsupportedFunction where they are not that many."""
        found = aggregates.arguments(self.call)
        if len(found) != count:
            word = "argument" if count == 1 else "arguments"
            raise UnsupportedFunction(
                f"{self.name} takes {count} {word}.", position=place(self.call)
            )
        return found

    def number(self, node: exp.Expr) -> Scalar:
        """A number with a proven range; raises TypeMismatch or UnboundedColumn."""
        bound = self.expressions.bind(node)
        if isinstance(self.call, exp.Sum):
            bound = types.counted(bound)
        if bound.facts.type is Type.BOOLEAN and not op.is_null(bound):
            raise TypeMismatch(
                f"{self.name} does not take true or false.",
                position=place(self.call),
                hint=f"Write {self.name}(CAST(x AS INTEGER)), which takes TRUE as 1.",
            )
        value = types.require(bound, NUMERIC, self.call, self.name)
        measured(value, self.call)
        if not value.facts.bounded:
            raise unbounded(value, self.call)
        return value

    def counted(self, *values: Scalar) -> Rows:
        """How many rows of FILTER have all the values."""
        return Rows(self.having(*values))

    def having(self, *values: Scalar) -> Scalar | None:
        """The condition of FILTER, and that none of the values is NULL."""
        found: Scalar | None = None
        for value in sorted(set(values), key=repr):  # one condition, however they are listed
            found = both(found, present(value))
        return both(found, self.where)


Read = Callable[[Aggregate], tuple[Reading, ...]]


def alone(statistic: Statistic | Ranked) -> tuple[Reading, ...]:
    """A call whose value is a statistic itself."""
    return (Reading((statistic,), lambda given: given[0]),)


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


def unbounded(value: Scalar, call: exp.Expr, so: str = "it cannot be summed") -> UnboundedColumn:
    """The refusal of a statistic without a range, which names the column that lacks one."""
    named = [c.name for c in columns(value) if not c.facts.bounded]
    if named:
        return UnboundedColumn(
            f"Column {named[0]} has no declared range, so {so}.",
            position=place(call),
            hint=f"Ask the curator to declare lower and upper for {named[0]}.",
            column=named[0],
        )
    return UnboundedColumn(
        f"The range of this expression cannot be proved, so {so}.",
        position=place(call),
        hint="Bound it with LEAST and GREATEST, or divide by NULLIF(x, 0) where x starts at 0.",
    )

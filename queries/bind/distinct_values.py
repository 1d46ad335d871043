"""Aggregates of distinct values: of units, of a property, of several together."""

from __future__ import annotations

from math import prod

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import UNIT
from queries.algebra.measures import Distinct, DistinctTotal, Units
from queries.algebra.scalars import Scalar
from queries.bind import forms, means
from queries.bind.calls import Aggregate, Reading, alone, both, present
from queries.bind.expressions import measured
from queries.bind.formulas import filled
from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction


def counted(found: Aggregate, argument: exp.Expr) -> tuple[Reading, ...]:
    """COUNT(DISTINCT x): of the unit's id the units, of (a, b) the rows of both."""
    if isinstance(argument, exp.Tuple):
        forms.check(argument)
        if not argument.expressions:
            raise UnsupportedFunction("DISTINCT of nothing.", position=place(argument))
        values = tuple(_value(found, member) for member in argument.expressions)
        return alone(Distinct(values, found.where, _most(values)))
    chosen = _chosen(found, argument)
    if chosen is not None:
        return alone(chosen)
    value = found.expressions.bind(argument)
    if value.facts.identity == UNIT:
        return alone(Units(both(present(value), found.where)))
    return alone(_distinct(found, _value(found, argument)))


def _chosen(found: Aggregate, argument: exp.Expr) -> Units | None:
    """CASE WHEN condition THEN unit END: the units with a row that satisfies the condition."""
    if not isinstance(argument, exp.Case) or len(argument.args["ifs"]) != 1:
        return None
    branch = argument.args["ifs"][0]
    if argument.this is not None or argument.args.get("default") is not None:
        return None
    if not isinstance(branch.args["true"], exp.Column):
        return None
    value = found.expressions.bind(branch.args["true"])
    if value.facts.identity != UNIT:
        return None
    forms.check(argument)
    forms.check(branch)
    condition = measured(found.expressions.predicate(branch.this), argument)
    return Units(both(both(present(value), condition), found.where))


def _value(found: Aggregate, node: exp.Expr) -> Scalar:
    return measured(found.expressions.value(node), node)


def _distinct(found: Aggregate, value: Scalar) -> Distinct:
    return Distinct((value,), found.where, value.facts.kinds)


def rows(values: tuple[Scalar, ...], where: Scalar | None) -> Distinct:
    """How many distinct rows of the values there are, where NULL is a value like another."""
    if len(values) == 1 and not values[0].facts.nullable:
        return Distinct(values, where, values[0].facts.kinds)
    values = values if values[1:] else (*values, op.number(1))  # a row of it, which is not NULL
    return Distinct(values, where, _most(values))


def _most(values: tuple[Scalar, ...]) -> int | None:
    """How many rows of several values there can be, NULL being one more value of each."""
    kinds = [value.facts.kinds for value in values]
    known = [kind + value.facts.nullable for kind, value in zip(kinds, values, strict=True) if kind]
    return prod(known) if len(known) == len(values) else None


def total(found: Aggregate, argument: exp.Expr) -> tuple[Reading, ...]:
    """SUM(DISTINCT x)."""
    value = found.number(argument)
    return alone(DistinctTotal(value, found.where, value.facts.kinds))


def mean(found: Aggregate, argument: exp.Expr) -> tuple[Reading, ...]:
    """AVG(DISTINCT x): their sum over their number; NULL at a noisy number below 1."""
    value = found.number(argument)
    low, high = means.ends(value)
    parts = (DistinctTotal(value, found.where, value.facts.kinds), _distinct(found, value))

    def written(given: tuple[exp.Expr, ...]) -> exp.Expr:
        kept = "CASE WHEN c >= 1 THEN LEAST(GREATEST(CAST(t AS DOUBLE) / c, low), high) END"
        return filled(kept, t=given[0], c=given[1], low=low, high=high)

    return (Reading(parts, lambda given: written(tuple(given))),)

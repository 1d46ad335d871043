"""Weighted means: SUM(w * x) / SUM(w), centred as AVG is.

With c the middle of x's range it is c + SUM(w * (x - c)) / SUM(w), where no x is NULL: a row whose
x is would count in SUM(w) alone. Let h be half of x's range and W the most that w is. Noise then
moves the mean as h W and (mean - c) W do, in place of (|c| + h) W and mean W, and
h**2 + (mean - c)**2 is never more than (|c| + h)**2 + mean**2, wherever in the range the mean lies.
"""

from __future__ import annotations

import re
from fractions import Fraction

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.measures import Total
from queries.algebra.scalars import Scalar
from queries.bind import aggregates, forms, means, types
from queries.bind.calls import Aggregate, Reading
from queries.bind.expressions import measured
from queries.bind.formulas import filled
from queries.catalog.manifest import Type

NUMBER = re.compile(r"\d{1,9}(\.\d{0,9})?")
POSITIVE = "CASE WHEN w > 0 THEN LEAST(GREATEST(mean, low), high) END"
"""Weights that are never negative: the mean lies among what is weighed, NULL at a noisy 0."""
SUMMED = "CASE WHEN w > 0 THEN LEAST(GREATEST(mean, low), high) WHEN w = 0 THEN 0 / w END"
"""The same where the engine divides by a sum of 0, which is no number."""


def sides(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, bool] | None:
    """The calls above and below of a ratio of sums, and whether NULLIF(..., 0) stands below."""
    if not isinstance(node, exp.Div):
        return None
    forms.check(node)
    above, below = _bare(node.this), node.expression.unnest()
    guarded = isinstance(below, exp.Nullif) and _number(below.expression) == 0
    if guarded:
        forms.check(below)
        below = below.this.unnest()
    return (above, below, guarded) if _is_sum(above) and _is_sum(below) else None


def _bare(node: exp.Expr) -> exp.Expr:
    """What is divided, without what only makes a double of it: division does so anyway."""
    found = node.unnest()
    if isinstance(found, exp.Cast) and found.args["to"].this is exp.DataType.Type.DOUBLE:
        forms.check(found)
        return _bare(found.this)
    if isinstance(found, exp.Mul):
        forms.check(found)
        for one, other in ((found.this, found.expression), (found.expression, found.this)):
            if _number(one) == 1:
                return _bare(other)
    return found


def _number(node: exp.Expr) -> Fraction | None:
    """A constant without an exponent, as it is written."""
    plain = isinstance(node, exp.Literal) and not node.is_string
    return Fraction(node.name) if plain and NUMBER.fullmatch(node.name) else None


def _is_sum(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Filter) else node
    return isinstance(inner, exp.Sum) and aggregates.is_aggregate(node)


def readings(above: Aggregate, below: Aggregate, guarded: bool) -> tuple[Reading, ...] | None:
    """The mean of the weighted values, better one first; None where it is another ratio."""
    parts = _parts(above, below)
    if parts is None:
        return None
    value, weight = parts
    whole = Total(above.number(above.arguments(1)[0]), above.where)
    under = Total(weight, below.where)
    middle = _middle(value)
    centred = Total(measured(_product(weight, _less(value, middle)), above.call), above.where)

    def over(total: Total, shift: Fraction) -> Reading:
        def written(t: exp.Expr, w: exp.Expr) -> exp.Expr:
            return _written(t, w, shift, (value, weight), guarded)

        return Reading((total, under), lambda given: written(given[0], given[1]))

    plain = over(whole, Fraction(0))
    return (over(centred, middle), plain) if middle else (plain,)


def _parts(above: Aggregate, below: Aggregate) -> tuple[Scalar, Scalar] | None:
    """What is weighed, never NULL, and its weight."""
    (product,), (argument,) = above.arguments(1), below.arguments(1)
    product = product.unnest()
    if not isinstance(product, exp.Mul) or above.where != below.where:
        return None
    forms.check(product)
    weight = below.number(argument)
    left, right = (above.number(side) for side in (product.this, product.expression))
    value = left if right == weight else right
    if weight not in (left, right) or value.facts.nullable:
        return None
    return value, weight


def _middle(value: Scalar) -> Fraction:
    """The middle of the range: a whole step of it, or a double."""
    low, high = means.ends(value)
    half, step = (low + high) / 2, value.facts.step
    if value.facts.type is Type.REAL:
        return Fraction(float(half))
    return half // step * step


def _less(value: Scalar, middle: Fraction) -> Scalar:
    if value.facts.type is Type.REAL:
        return op.subtract(value, types.real_literal(float(middle)))
    return op.subtract(value, op.number(int(middle / value.facts.step), value.facts.scale))


def _product(weight: Scalar, value: Scalar) -> Scalar:
    if Type.REAL in (weight.facts.type, value.facts.type):
        weight, value = op.to_real(weight), op.to_real(value)
    return op.multiply(weight, value)


def _written(
    t: exp.Expr, w: exp.Expr, shift: Fraction, of: tuple[Scalar, Scalar], guarded: bool
) -> exp.Expr:
    low, high = means.ends(of[0])
    positive = means.ends(of[1])[0] >= 0
    under = filled("NULLIF(w, 0)", w=w) if guarded and not positive else w
    mean = filled("CAST(t AS DOUBLE) / w", t=t, w=under)
    if shift:
        mean = filled("shift + mean", shift=shift, mean=mean)
    if not positive:
        return mean
    return filled(POSITIVE if guarded else SUMMED, w=w, mean=mean, low=low, high=high)

"""Quantiles, extremes and modes: what is found among the values of a column, not added up.

MIN and MAX are read as the quantiles at the two ends; the plan says how far inside the range they
are looked for, since the very last row is one person's.
"""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp

from queries.algebra.facts import EXACT, TEMPORAL
from queries.algebra.measures import Mode, Quantile
from queries.algebra.scalars import Scalar
from queries.bind import aggregates, forms, types
from queries.bind.calls import Aggregate, Read, Reading, alone, unbounded
from queries.bind.expressions import measured
from queries.catalog.manifest import Type
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import TooManyColumns, UnsupportedFunction

ORDERED = EXACT | TEMPORAL | {Type.REAL}
COUNTABLE = EXACT | TEMPORAL | {Type.TEXT, Type.BOOLEAN}
FINEST = 10**6
"""Shares of the rows are read to this part."""


def _value(found: Aggregate, node: exp.Expr) -> Scalar:
    """A value with an order and a proven range; raises TypeMismatch or UnboundedColumn."""
    bound = found.expressions.value(node)
    value = measured(types.require(bound, ORDERED, found.call, found.name), found.call)
    if not value.facts.bounded:
        raise unbounded(value, found.call, "its quantiles cannot be found")
    return value


def _plain(found: Aggregate) -> exp.Expr:
    """The argument, where it is not DISTINCT."""
    if aggregates.distinct_argument(found.call) is not None:
        raise UnsupportedFunction("DISTINCT is not answered here.", position=place(found.call))
    given: exp.Expr = found.call.this
    if given is None:
        raise UnsupportedFunction("It needs a column.", position=place(found.call))
    return given


def _median(found: Aggregate) -> tuple[Reading, ...]:
    value = _value(found, _plain(found))
    return alone(Quantile(value, found.where, Fraction(1, 2), False, continuous=True))


def _extreme(*, greatest: bool) -> Read:
    def read(found: Aggregate) -> tuple[Reading, ...]:
        value = _value(found, _plain(found))
        return alone(Quantile(value, found.where, Fraction(0), greatest, continuous=False))

    return read


def _called(*, argument: str, continuous: bool) -> Read:
    """QUANTILE_CONT(x, 0.9), QUANTILE_DISC(x, [0.1, 0.9]): the share stands in `argument`."""

    def read(found: Aggregate) -> tuple[Reading, ...]:
        value = _value(found, _plain(found))
        share = found.call.args.get(argument)
        return _found(found, value, share, descending=False, continuous=continuous)

    return read


def _within_group(found: Aggregate) -> tuple[Reading, ...]:
    """PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x), DESC too; MODE() WITHIN GROUP."""
    call, order = found.call.this, found.call.expression
    forms.check(call)
    ordered = order.expressions[0] if isinstance(order, exp.Order) else None
    if not isinstance(ordered, exp.Ordered) or order.expressions[1:] or order.this is not None:
        raise UnsupportedFunction("WITHIN GROUP orders by one column.", position=place(found.call))
    if isinstance(call, exp.Mode) and call.this is None and not ordered.args.get("desc"):
        return alone(_mode_of(found, ordered.this))
    if type(call) not in (exp.PercentileCont, exp.PercentileDisc) or call.expression is not None:
        raise UnsupportedFunction("This form is not answered.", position=place(found.call))
    return _found(
        found,
        _value(found, ordered.this),
        call.this,
        descending=bool(ordered.args.get("desc")),
        continuous=isinstance(call, exp.PercentileCont),
    )


def _found(
    found: Aggregate, value: Scalar, node: exp.Expr | None, *, descending: bool, continuous: bool
) -> tuple[Reading, ...]:
    """One quantile, or a list of them."""

    def at(share: exp.Expr | None) -> Quantile:
        part, turned = _share(found, share)
        down = descending != turned
        if part == 1:
            part, down = Fraction(0), not down
        same = continuous and part == Fraction(1, 2)
        return Quantile(value, found.where, part, down and not same, continuous)

    if not isinstance(node, exp.Array):
        return alone(at(node))
    forms.check(node)
    if not 0 < len(node.expressions) <= LIMITS.columns:
        raise TooManyColumns(
            f"A list holds 1 to {LIMITS.columns} quantiles.", position=place(found.call)
        )
    parts = tuple(at(share) for share in node.expressions)
    return (Reading(parts, lambda given: exp.Array(expressions=[c.copy() for c in given])),)


def _share(found: Aggregate, node: exp.Expr | None) -> tuple[Fraction, bool]:
    """A share between 0 and 1, and whether it counts from above (a negative one does)."""
    turned = isinstance(node, exp.Neg) and not isinstance(found.call, exp.WithinGroup)
    node = node.this if isinstance(node, exp.Neg) and turned else node
    scalar = types.literal(node) if isinstance(node, exp.Literal) else None
    if scalar is None or scalar.facts.type not in EXACT or not isinstance(scalar.value, int):
        raise _no_share(found)
    share = scalar.value * scalar.facts.step
    if share > 1 or share.denominator > FINEST:
        raise _no_share(found)
    return share, turned and share != 0


def _no_share(found: Aggregate) -> UnsupportedFunction:
    return UnsupportedFunction(
        "A quantile is a number between 0 and 1 of at most six decimals, written out.",
        position=place(found.call),
    )


def _mode(found: Aggregate) -> tuple[Reading, ...]:
    return alone(_mode_of(found, _plain(found)))


def _mode_of(found: Aggregate, node: exp.Expr) -> Mode:
    bound = found.expressions.value(node)
    return Mode(measured(types.require(bound, COUNTABLE, found.call, "MODE"), node), found.where)


READERS: dict[aggregates.Kind, Read] = {
    exp.Median: _median,
    exp.Min: _extreme(greatest=False),
    exp.Max: _extreme(greatest=True),
    exp.PercentileCont: _called(argument="expression", continuous=True),
    exp.PercentileDisc: _called(argument="expression", continuous=False),
    exp.Quantile: _called(argument="quantile", continuous=False),
    exp.ApproxQuantile: _called(argument="quantile", continuous=False),
    exp.WithinGroup: _within_group,
    exp.Mode: _mode,
}

"""Medians, quantiles, modes and variances of one unit's own rows.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the value is the same in whatever order the engine meets the unit's rows, and lies
                in the range its facts state.
    Requires    at most `rows` rows of the unit; values with a total order in which ties are equal.
    Why         a quantile is the value at a place among the sorted ones, and a median lies between
                two of them; of the most frequent values the least is taken. A variance is one
                division of whole numbers, n sum(x^2) - sum(x)^2 by n^2 or n (n - 1), computed
                exactly: it is at most half the square of the range, and doubles that are not
                finite cannot arise (P2, P3).
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_within.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from queries.algebra.facts import EXACT, TEMPORAL, Facts
from queries.algebra.relations import Ordering
from queries.algebra.scalars import Scalar
from queries.bind import types
from queries.bind.expressions import measured
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import RangeTooLarge, UnsupportedFunction

SPREADS: dict[type[exp.Expr], str] = {
    exp.Variance: "var_samp", exp.VariancePop: "var_pop", exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp", exp.StddevPop: "stddev_pop",
}  # fmt: skip
SHARES: dict[type[exp.Expr], str] = {exp.PercentileDisc: "expression", exp.Quantile: "quantile"}
ANSWERED: tuple[type[exp.Expr], ...] = (*SPREADS, *SHARES, exp.Median, exp.Mode)
SQUARED = 2**120
"""What the square of the rows times the reach may come to."""
WHOLE = 2**53
"""Up to here a double holds every whole number."""
FINEST = 6
"""Shares are written with so many decimals at most."""
Kept = Callable[[str, Scalar, Facts, tuple[Ordering, ...]], Scalar]


def read(call: exp.Expr, bound: Scalar, rows: int, emit: Kept) -> Scalar:
    """The column of such a call over values; raises a QueryRefused."""
    if type(call) in SHARES:
        value = _of(call, bound, EXACT | TEMPORAL)
        return emit(f"quantile_disc:{_share(call)}", value, _picked(value), ())
    if isinstance(call, exp.Mode):
        value = _of(call, bound, EXACT | TEMPORAL | {Type.TEXT, Type.BOOLEAN})
        return emit("mode", value, _picked(value), (Ordering(value),))
    if isinstance(call, exp.Median):
        value = _of(call, bound, frozenset({Type.INTEGER}))
        low, high = value.facts.span()
        if max(abs(low), abs(high)) > WHOLE:
            raise RangeTooLarge("The median within a unit may be too large.", position=place(call))
        return emit("median", value, Facts(Type.REAL, True, 0, low, high), ())
    return _spread(call, _of(call, bound, EXACT), rows, emit)


def _of(call: exp.Expr, bound: Scalar, kinds: frozenset[Type]) -> Scalar:
    return measured(types.require(bound, kinds, call, call.key.upper()), call)


def _picked(value: Scalar) -> Facts:
    return replace(value.facts, nullable=True, identity=None)


def _spread(call: exp.Expr, value: Scalar, rows: int, emit: Kept) -> Scalar:
    low, high = value.facts.span()
    if (max(abs(low), abs(high)) * rows) ** 2 > SQUARED:
        raise RangeTooLarge("The squares within a unit may be too large.", position=place(call))
    kind, reach = SPREADS[type(call)], (high - low) * value.facts.step
    upper = reach if kind.startswith("stddev") else reach**2
    return emit(kind, value, Facts(Type.REAL, True, 0, 0, upper), ())


def _share(call: exp.Expr) -> str:
    """The share of a quantile as text; raises UnsupportedFunction."""
    node = call.args.get(SHARES[type(call)])
    whole, _, decimals = (node.name if isinstance(node, exp.Literal) else "").partition(".")
    digits = (whole or "0") + (decimals or "0")
    named = isinstance(node, exp.Literal) and not node.is_string and digits.isdigit()
    if not named or len(decimals) > FINEST or not 0 <= float(f"{whole or 0}.{decimals or 0}") <= 1:
        raise UnsupportedFunction(
            "A quantile is a number between 0 and 1 of at most six decimals, written out.",
            position=place(call),
        )
    return f"{whole or 0}.{decimals or 0}"

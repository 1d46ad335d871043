"""Variances, covariances, correlation and regression: central moments over a stage's columns.

Each is made of the number of rows, the sums that means are made of, and sums of products of values
less the middles of their declared ranges: whole numbers all, and each product centred once more on
the middle of its own range. With u = x - middle, the variance is mean(u^2) - mean(u)^2 whatever the
middle, and what the middle saves is noise: u reaches half the range, u^2 less its own middle an
eighth of the range's square (the shifted data algorithm of Chan, Golub and LeVeque 1983).

A value is brought back into what its declared range allows: a variance to [0, (range / 2)^2]
(Popoviciu), a covariance to the product of both roots, a correlation to [-1, 1]. Where the noisy
count is too small the value is NULL, as DuckDB's is at that exact count.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, product

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.grid import grid
from queries.algebra.measures import Centred
from queries.algebra.scalars import Call, Scalar
from queries.bind import means
from queries.bind.aggregates import Kind
from queries.bind.calls import Aggregate, Read, Reading, alone
from queries.bind.formulas import filled
from queries.bind.means import Sum
from queries.language.parse import place
from queries.language.refusals import RangeTooLarge

BITS = {2: 30, 3: 25, 4: 19}
"""Bits of a factor, by their number: squares of 64-bit numbers, or products of at most 78 bits."""
LARGEST = Fraction(2**200)
NOTHING = Fraction(1, 2**46)
"""The part of what it is made of under which a variance is zero: doubles tell no less apart."""
Power = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """An argument: its value, and whole steps of `unit` from the middle of its range."""

    value: Scalar
    steps: Scalar
    unit: Fraction
    middle: Fraction

    @property
    def half(self) -> Fraction:
        low, high = means.ends(self.value)
        return (high - low) / 2


def variable(value: Scalar, degree: int, call: exp.Expr) -> Variable:
    """An argument whose steps are coarse enough for products of so many of them."""
    bits = BITS[degree]
    found = grid(value, 2**bits)
    source = found.source
    if not found.exact:
        source = op.quantised(source, found.step, found.lower, found.upper)
    middle, unit = found.middle * found.step, found.step / source.facts.step
    steps = source
    if found.middle:
        steps = op.subtract(source, op.number(found.middle, source.facts.scale))
    _check(unit, value, call)
    coarse = -(-max(map(abs, steps.facts.span())) >> bits)
    if coarse > 1:
        return Variable(
            value, op.whole_divide(steps, op.number(coarse)), found.step * coarse, middle
        )
    return Variable(value, steps, unit, middle)


def _check(unit: Fraction, value: Scalar, call: exp.Expr) -> None:
    """Refuse what doubles could not hold the fourth power of."""
    largest = max(abs(end) for end in means.ends(value))
    if not (unit > 1 / LARGEST and largest < LARGEST):
        raise RangeTooLarge("Products of such values may not fit a double.", position=place(call))


@dataclass(frozen=True, slots=True)
class Formula:
    """A value over the count c, the means m0 and m1 and the central moments of some powers.

    A moment is named r and its powers, s where it is kept in its range; z is what is nothing of it.
    """

    template: str
    powers: tuple[Power, ...]

    @property
    def arity(self) -> int:
        return len(self.powers[0])

    @property
    def summed(self) -> tuple[Power, ...]:
        """The powers that are summed: those below a third or a fourth moment too."""
        highest = max(map(sum, self.powers))
        below = [(n,) for n in range(2, highest)] if self.arity == 1 else []
        return tuple(dict.fromkeys([*below, *self.powers]))


@dataclass(frozen=True, slots=True)
class Moments:
    """A formula with its variables and the sums that it is computed from."""

    formula: Formula
    variables: tuple[Variable, ...]
    firsts: tuple[Sum, ...]
    products: tuple[Sum, ...]

    def written(self, given: Sequence[exp.Expr]) -> exp.Expr:
        """The value over columns: the count, then the first moments, then the products."""
        count, rest = given[0], given[1:]
        parts: dict[str, exp.Expr | Fraction] = {"c": count}
        for n, (one, first) in enumerate(zip(self.variables, self.firsts, strict=True)):
            parts[f"d{n}"] = first.average(rest[n], count, one.middle)
            parts[f"m{n}"] = first.average(rest[n], count)
        columns = rest[len(self.firsts) :]
        for power, total, column in zip(self.formula.summed, self.products, columns, strict=True):
            parts[_name("e", power)] = total.average(column, count)
        for power in self.formula.summed:
            moment = filled(CENTRAL[power], **parts)
            top = self._greatest(power)
            low = -top if any(n % 2 for n in power) else Fraction(0)
            kept = "LEAST(GREATEST(moment, low), top)"
            parts[_name("r", power)] = moment
            if power in SQUARES:
                less = f"moment - ({SQUARES[power]}) * nothing"
                moment = filled(less, moment=moment, **parts, nothing=NOTHING)
            parts[_name("s", power)] = filled(kept, moment=moment, low=low, top=top)
            parts[_name("z", power)] = top * NOTHING
        return filled(self.formula.template, **parts)

    def _greatest(self, power: Power) -> Fraction:
        """The most that a central moment is in absolute value: half the range for each factor."""
        found = Fraction(1)
        for one, exponent in zip(self.variables, power, strict=True):
            found *= one.half**exponent
        return found


CENTRAL: dict[Power, str] = {
    (2,): "e2 - d0 * d0",
    (2, 0): "e20 - d0 * d0",
    (0, 2): "e02 - d1 * d1",
    (1, 1): "e11 - d0 * d1",
    (3,): "e3 - 3 * d0 * e2 + 2 * d0 * d0 * d0",
    (4,): "e4 - 4 * d0 * e3 + 6 * d0 * d0 * e2 - 3 * d0 * d0 * d0 * d0",
}
"""Central moments from those about the middle and the mean's distance from it."""


SQUARES: dict[Power, str] = {
    (2,): "e2 + d0 * d0",
    (2, 0): "e20 + d0 * d0",
    (0, 2): "e02 + d1 * d1",
}
"""What a variance is the difference of, added up: so large are the numbers that are rounded."""


def _name(letter: str, power: Power) -> str:
    return letter + "".join(map(str, power))


def reader(template: str, *powers: Power) -> Read:
    """The reader of a formula: each first moment centred, or as a SUM already pays for it."""
    formula = Formula(template, powers)

    def read(found: Aggregate) -> tuple[Reading, ...]:
        values = [found.number(node) for node in found.arguments(formula.arity)]
        degree = max(map(sum, formula.summed))
        variables = tuple(variable(value, degree, found.call) for value in values)
        products = tuple(_product(found, variables, power) for power in formula.summed)
        choices = [
            means.sums(value, found.having(*values[:n], *values[n + 1 :]))
            for n, value in enumerate(values)
        ]
        count = found.counted(*values)
        return tuple(
            Reading(
                (count, *(s.statistic for s in firsts), *(s.statistic for s in products)),
                Moments(formula, variables, firsts, products).written,
            )
            for firsts in product(*choices)
        )

    return read


def _product(found: Aggregate, variables: Sequence[Variable], power: Power) -> Sum:
    """The sum of products of steps, over rows where no argument is NULL."""
    factors = [v for v, exponent in zip(variables, power, strict=True) for _ in range(exponent)]
    unit = Fraction(1)
    for factor in factors:
        unit *= factor.unit
    missing = [v.value for v, exponent in zip(variables, power, strict=True) if not exponent]
    return Sum(
        Centred(_multiplied(sorted((f.steps for f in factors), key=repr)), found.having(*missing)),
        unit,
    )


def _multiplied(factors: Sequence[Scalar]) -> Scalar:
    """The product, of squares where there are equal pairs: a square's range starts at 0."""
    if len(factors) == 1:
        return factors[0]
    half = len(factors) // 2
    return op.multiply(_multiplied(factors[:half]), _multiplied(factors[half:]))


def products(values: Sequence[Scalar]) -> dict[Scalar, tuple[int, int]]:
    """What second moments are summed of: by product, the places of the two values in it."""
    if not any(isinstance(one, Call) and one.op == "*" for one in values):
        return {}
    steps: dict[int, Scalar] = {}
    for n, value in enumerate(values):
        with suppress(RangeTooLarge):
            steps[n] = variable(value, 2, exp.Null()).steps
    pairs = combinations_with_replacement(steps, 2)
    return {_multiplied(sorted((steps[n], steps[m]), key=repr)): (n, m) for n, m in pairs}


def _second(found: Aggregate) -> tuple[Reading, ...]:
    """The mean of the second argument where the first is not NULL."""
    first, second = (found.number(node) for node in found.arguments(2))
    return means.readings(found, second, first)


def _first(found: Aggregate) -> tuple[Reading, ...]:
    first, second = (found.number(node) for node in found.arguments(2))
    return means.readings(found, first, second)


def _pairs(found: Aggregate) -> tuple[Reading, ...]:
    return alone(found.counted(*(found.expressions.value(n) for n in found.arguments(2))))


XX, XY, YY = (0, 2), (1, 1), (2, 0)  # the first argument is y, as in REGR_SLOPE(y, x)
SAMPLE = "s2 * c / (c - 1)"
SLOPE = "s11 / s02"
SKEW = "r3 / (s2 * sqrt(s2)) * sqrt(c * (c - 1)) / (c - 2)"
TAILS = "r4 / (s2 * s2) - 3"
CORRECTED = f"((c + 1) * ({TAILS}) + 6) * (c - 1) / ((c - 2) * (c - 3))"
CORRELATION = "LEAST(GREATEST(r11 / sqrt(r20 * r02), -1), 1)"
EXPLAINED = "LEAST(r11 * r11 / (r20 * r02), 1)"


def _at(least: int, value: str, also: str = "") -> str:
    """A template that is NULL where there are too few rows, or nothing varies."""
    return f"CASE WHEN c >= {least}{also} THEN {value} END"


READERS: dict[Kind, Read] = {
    exp.VariancePop: reader(_at(1, "s2"), (2,)),
    exp.Variance: reader(_at(2, SAMPLE), (2,)),
    exp.StddevPop: reader(_at(1, "sqrt(s2)"), (2,)),
    exp.Stddev: reader(_at(2, f"sqrt({SAMPLE})"), (2,)),
    exp.StddevSamp: reader(_at(2, f"sqrt({SAMPLE})"), (2,)),
    "SEM": reader(_at(1, "sqrt(s2 / c)"), (2,)),
    exp.Skewness: reader(_at(3, SKEW, " AND s2 > z2"), (3,)),
    exp.Kurtosis: reader(_at(4, CORRECTED, " AND s2 > z2"), (4,)),
    "KURTOSIS_POP": reader(_at(2, TAILS, " AND s2 > z2"), (4,)),
    exp.CovarPop: reader(_at(1, "s11"), XY),
    exp.CovarSamp: reader(_at(2, "s11 * c / (c - 1)"), XY),
    exp.Corr: reader(_at(1, CORRELATION, " AND r20 > z20 AND r02 > z02"), YY, XY, XX),
    exp.RegrSlope: reader(_at(1, SLOPE, " AND s02 > z02"), XY, XX),
    exp.RegrIntercept: reader(_at(1, f"m0 - {SLOPE} * m1", " AND s02 > z02"), XY, XX),
    exp.RegrR2: reader(
        _at(1, f"CASE WHEN r20 > z20 THEN {EXPLAINED} ELSE 1 END", " AND r02 > z02"), YY, XY, XX
    ),
    exp.RegrSxx: reader(_at(1, "s02 * c"), XX),
    exp.RegrSyy: reader(_at(1, "s20 * c"), YY),
    exp.RegrSxy: reader(_at(1, "s11 * c"), XY),
    exp.RegrAvgx: _second,
    exp.RegrAvgy: _first,
    exp.RegrCount: _pairs,
}

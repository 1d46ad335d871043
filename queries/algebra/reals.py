"""Functions of real numbers: what each one means to the engine, and the range it proves.

An engine's libm may be off by some units in the last place, so the image of a range is widened by
one part in 2**40; values that are not finite (the root of a negative number, the logarithm of
zero) are outside every range and count as NULL wherever they are summed.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a finite value of a function lies in the range its facts state (P9).
    Requires    the operand's own range.
    Why         each function is monotone on the part of the range where it is defined, or has a
                bound of its own; what is summed of it is clamped on its grid all the same.
    Tried by    tests/properties/test_ranges.py
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from queries.algebra.facts import Facts, Number
from queries.algebra.operations import known, nullable, of_reals, to_real
from queries.algebra.scalars import Call, Literal, Scalar
from queries.catalog.manifest import Type

WIDER = Fraction(1, 2**40)
LARGEST_EXPONENT = 600
Ends = tuple[Number | None, Number | None]


@dataclass(frozen=True, slots=True)
class Growing:
    """A function that grows on its domain, which starts at `least` and ends at `most`."""

    image: Callable[[float], float]
    least: float | None = None
    most: float | None = None
    open_below: bool = False


GROWING: dict[str, Growing] = {
    "sqrt": Growing(math.sqrt, 0.0),
    "cbrt": Growing(lambda x: math.copysign(abs(x) ** (1 / 3), x)),
    "ln": Growing(math.log, 0.0, open_below=True),
    "log2": Growing(math.log2, 0.0, open_below=True),
    "log10": Growing(math.log10, 0.0, open_below=True),
    "exp": Growing(math.exp, None, float(LARGEST_EXPONENT)),
    "asin": Growing(math.asin, -1.0, 1.0),
    "atan": Growing(math.atan),
    "degrees": Growing(math.degrees),
    "radians": Growing(math.radians),
}
"""The functions whose image of a range is that of its ends."""

BOUNDED: dict[str, tuple[float, float]] = {
    "sin": (-1.0, 1.0), "cos": (-1.0, 1.0), "acos": (0.0, math.pi), "atan2": (-math.pi, math.pi),
    "tan": (-math.inf, math.inf), "cot": (-math.inf, math.inf),
}  # fmt: skip
"""The functions with a range of their own, whatever they are given."""


def real(name: str, *args: Scalar) -> Call:
    """A function of reals, as the engine computes it on doubles."""
    given = tuple(to_real(arg) for arg in args)
    facts = Facts(Type.REAL, nullable(*given))
    low, high = widened(*_ends(name, args[0], given[0]))
    return Call(name, given, replace(facts, lower=low, upper=high))


def _ends(name: str, arg: Scalar, given: Scalar) -> Ends:
    if name in BOUNDED:
        low, high = BOUNDED[name]
        return (None, None) if math.isinf(low) else (Fraction(low), Fraction(high))
    found = known(given)
    if found is None:
        return None, None
    rule = GROWING[name]
    least, most = (float(end) for end in found)
    if rule.most is not None and most > rule.most:
        if name == "exp":
            return None, None
        most = rule.most
    if rule.open_below and least <= 0:
        least = _smallest(arg)
    elif rule.least is not None:
        least = max(least, rule.least)
    if least > most or (least <= 0 and rule.open_below):
        return None, None
    return Fraction(rule.image(least)), Fraction(rule.image(most))


def _smallest(arg: Scalar) -> float:
    """The least positive value: a step of the grid, 0.0 where there is none."""
    return float(arg.facts.step) if arg.facts.type is not Type.REAL else 0.0


def widened(low: Number | None, high: Number | None) -> Ends:
    """The range with room for the last places of the engine's own functions."""
    if low is None or high is None:
        return None, None
    room = max(Fraction(1), *(abs(Fraction(end)) for end in (low, high))) * WIDER
    return of_reals(low - room, high + room)


def power(base: Scalar, exponent: Scalar) -> Call:
    """`**`: with a range where the exponent is a constant that is not negative."""
    given = (to_real(base), to_real(exponent))
    low, high = widened(*_powers(given[0], exponent))
    facts = Facts(Type.REAL, nullable(*given), 0, low, high)
    return Call("pow", given, facts)


def _powers(base: Scalar, exponent: Scalar) -> Ends:
    found = known(base)
    if found is None or not isinstance(exponent, Literal) or exponent.value is None:
        return None, None
    by = float(exponent.facts.step * Fraction(exponent.value))
    if not 0 <= by <= LARGEST_EXPONENT:
        return None, None
    ends = [float(end) for end in found]
    if by != int(by):
        ends = [max(0.0, end) for end in ends]
    try:
        images = [Fraction(end**by) for end in ends]
    except OverflowError:
        return None, None
    if by == int(by) and int(by) % 2 == 0 and ends[0] < 0 < ends[1]:
        images.append(Fraction(0))
    return min(images), max(images)


def logarithm(base: Scalar, arg: Scalar) -> Call:
    """log(b, x) of any base: no range, since a base may come near one."""
    given = (to_real(base), to_real(arg))
    return Call("log", given, Facts(Type.REAL, nullable(*given)))

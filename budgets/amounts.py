"""Amounts of privacy loss as whole numbers, so that sums are exact.

rho and epsilon are counted in units of 1e-12 (`PICO`), delta in units of 1e-18 (`ATTO`). What is
charged is rounded up and what is granted is rounded down: rounding never favours the spender.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

PICO = 10**12
"""Units in one whole rho or epsilon."""

ATTO = 10**18
"""Units in one whole delta."""

LARGEST = 10**18
"""No amount is larger: sums of a few of them still fit 64 bits."""

_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def share(text: str) -> Fraction:
    """The share that a text such as `0.25%` names, above 0 and at most 1; raises ValueError."""
    if not text.endswith("%"):
        raise ValueError("A share is text with a per cent sign, such as `1%`.")
    found = parse(text[:-1].strip()) / 100
    if not 0 < found <= 1:
        raise ValueError("A share lies above 0% and is at most 100%.")
    return found


def parse(text: str) -> Fraction:
    """The exact value of a decimal such as `0.5` or `1e-7`; raises ValueError for anything else."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("An amount is a decimal number such as 0.5 or 1e-7, not negative.")
    return Fraction(text)


def charged(amount: float | Fraction, unit: int = PICO) -> int:
    """The amount in whole units, rounded up, never down (a float is an exact fraction)."""
    return math.ceil(Fraction(amount) * unit)


def granted(amount: float | Fraction, unit: int = PICO) -> int:
    """The amount in whole units, rounded down, never up."""
    return math.floor(Fraction(amount) * unit)


def written(amount: int, unit: int = PICO) -> str:
    """Whole units as the shortest decimal text that is exactly as large: 1500000000000 is `1.5`."""
    digits = len(str(unit)) - 1
    whole, rest = divmod(abs(amount), unit)
    decimals = f"{rest:0{digits}d}".rstrip("0")
    return f"{'-' if amount < 0 else ''}{whole}{'.' + decimals if decimals else ''}"

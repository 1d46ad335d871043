"""A mean over a stage: its noisy sum over its noisy count, kept in the declared range."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from sqlglot import exp

from queries.algebra.grid import grid
from queries.algebra.measures import Centred, Statistic, Total
from queries.language.trees import anew


def mean(part: Statistic, total: exp.Expr, count: exp.Expr) -> exp.Expr:
    """middle + total / count, kept in the declared range; NULL where the noisy count is below 1."""
    if not isinstance(part, Total | Centred):
        raise ValueError("a mean is made of a sum")
    facts = part.value.facts
    if facts.lower is None or facts.upper is None:
        raise ValueError("a mean has a range")
    low, high = (Fraction(end) * facts.step for end in (facts.lower, facts.upper))
    place_of = grid(part.value)
    shift = place_of.middle * place_of.step if isinstance(part, Centred) else Fraction(0)
    quotient = f"{_real(shift)} + CAST(t AS DOUBLE) / c"
    text = f"CASE WHEN c >= 1 THEN LEAST(GREATEST({quotient}, {_real(low)}), {_real(high)}) END"
    written = anew(_parsed(text))
    for name, meant in (("t", total), ("c", count)):
        for found in [c for c in written.find_all(exp.Column) if c.name == name and not c.table]:
            found.replace(anew(meant))
    return written


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Expr:
    """A text of our own as a tree, not to be changed: parsing is dear, and ranges recur."""
    found: exp.Expr = exp.maybe_parse(text, dialect="duckdb")
    return found


def _real(value: Fraction) -> str:
    """A constant as a double."""
    return f"CAST('{float(value)!r}' AS DOUBLE)"

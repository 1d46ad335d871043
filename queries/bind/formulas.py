"""Formulas over a stage's columns: templates of our own, parsed once, then filled in."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from sqlglot import exp

from queries.language.trees import anew, rebuilt


def filled(template: str, **parts: exp.Expr | Fraction) -> exp.Expr:
    """The template's expression with each name replaced by what is meant; numbers are doubles."""
    meant = {
        name: real(part) if isinstance(part, Fraction) else part for name, part in parts.items()
    }

    def write(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table:
            return anew(meant[node.name])
        return rebuilt(node, write)

    return write(_parsed(template))


@lru_cache(maxsize=256)
def _parsed(template: str) -> exp.Expr:
    found: exp.Expr = exp.maybe_parse(template, dialect="duckdb")
    return found


def real(value: Fraction) -> exp.Expr:
    """A constant as a double: a literal with an exponent is one."""
    text = repr(abs(float(value)))
    literal = exp.Literal.number(text if "e" in text else f"{text}e0")
    return exp.Paren(this=exp.Neg(this=literal)) if value < 0 else literal

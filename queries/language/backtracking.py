"""The parser, held to how much it may try again: its way back is exponential for some texts.

A join without a condition is read once as holding those after it, and then once more without them,
so thirty in a row would be read a thousand million times.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import Token

from queries.language.refusals import TooComplex

MOST_AGAIN = 2_000
"""The most words and signs that may be read again; long ones that make sense need two hundred."""


def parsed(tokens: list[Token], text: str, dialect: str | Dialect) -> list[exp.Expr]:
    """The statements of a text that was split into tokens; raises TooComplex or a ParseError."""
    parser = Dialect.get_or_raise(dialect).parser()
    back = parser._retreat
    left = MOST_AGAIN

    def retreat(index: int) -> None:
        nonlocal left
        left -= max(0, parser._index - index)
        if left < 0:
            raise TooComplex("The statement can be read in too many ways.")
        back(index)

    parser._retreat = retreat  # type: ignore[method-assign]
    found = parser.parse(tokens, text)
    return [statement for statement in found if statement is not None]

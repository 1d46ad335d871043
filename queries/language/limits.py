"""Limits on a statement, before parsing and after: the parser never meets a hostile text.

sqlglot recurses, and some of its passes are quadratic, so length, tokens and nesting are bounded on
the token stream first; the tree is then measured by a walk that does not recurse.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from queries.language.refusals import Position, TooComplex
from queries.language.trees import children


@dataclass(frozen=True, slots=True)
class Limits:
    """Every number that bounds a statement."""

    bytes: int = 16_384
    tokens: int = 1_500
    nesting: int = 25
    nodes: int = 2_000
    copies: int = 500
    depth: int = 100
    interval: int = 100
    in_list: int = 500
    tables: int = 16
    columns: int = 100
    cells: int = 20_000
    candidates: int = 100_000
    noisy_cells: int = 400_000


LIMITS = Limits()

OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
PREFIX = {TokenType.NOT, TokenType.DASH, TokenType.TILDE, TokenType.PLUS}
REPEATING = (exp.Case, exp.Nullif, exp.Cast)


def check_text(text: str) -> None:
    """Refuse a text that is too long; raises TooComplex."""
    if len(text.encode("utf-8", "surrogatepass")) > LIMITS.bytes:
        raise TooComplex(f"The statement is longer than {LIMITS.bytes} bytes.")


def check_tokens(tokens: list[Token]) -> None:
    """Refuse too many tokens or too deep a nesting, prefixes included; raises TooComplex."""
    if len(tokens) > LIMITS.tokens:
        raise TooComplex(f"The statement has more than {LIMITS.tokens} words and signs.")
    depth = prefixes = brackets = 0
    before: Token | None = None
    for token in tokens:
        if before is not None and before.token_type is TokenType.INTERVAL:
            _check_interval(token)
        before = token
        prefixes = prefixes + 1 if token.token_type in PREFIX else 0
        brackets += token.token_type is TokenType.L_BRACKET
        if token.token_type in OPENING:
            depth += 1
        elif token.token_type in CLOSING:
            depth = max(0, depth - 1)
        if max(depth + prefixes, brackets) > LIMITS.nesting:  # one after another, they nest too
            raise TooComplex(
                f"The statement is nested deeper than {LIMITS.nesting} levels.",
                position=Position(token.line, max(1, token.col)),
            )


def _check_interval(token: Token) -> None:
    """The parser reads the text of an interval in quadratic time."""
    if len(token.text) > LIMITS.interval:
        raise TooComplex(
            f"An interval is longer than {LIMITS.interval} characters.",
            position=Position(token.line, max(1, token.col - len(token.text))),
        )


def check_tree(tree: exp.Expr) -> None:
    """Refuse a tree that is too large, too deep or reads too many tables; raises TooComplex."""
    nodes = tables = 0
    stack: list[tuple[exp.Expr, int, int]] = [(tree, 1, 1)]
    while stack:
        node, depth, copies = stack.pop()
        nodes += 1
        tables += isinstance(node, exp.Table)
        if nodes > LIMITS.nodes or depth > LIMITS.depth or tables > LIMITS.tables:
            raise _too_large(nodes, depth)
        if isinstance(node, exp.In) and len(node.expressions) > LIMITS.in_list:
            raise TooComplex(f"An IN list has more than {LIMITS.in_list} members.")
        if copies > LIMITS.copies:
            raise TooComplex("NULLIF, CASE or casts are nested too deeply in each other.")
        first = node.this if isinstance(node, REPEATING) else None
        for child in children(node):
            more = _copies(node) if child is first else 1
            stack.append((child, depth + 1, copies * more))


def _copies(node: exp.Expr) -> int:
    """How often the engine repeats the first operand as it rewrites a node; nesting multiplies."""
    return max(1, len(node.args["ifs"])) if isinstance(node, exp.Case) else 2


def _too_large(nodes: int, depth: int) -> TooComplex:
    if nodes > LIMITS.nodes:
        return TooComplex(f"The statement has more than {LIMITS.nodes} parts.")
    if depth > LIMITS.depth:
        return TooComplex(f"The statement's tree is deeper than {LIMITS.depth} levels.")
    return TooComplex(f"The statement reads more than {LIMITS.tables} tables.")

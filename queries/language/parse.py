"""Text to one syntax tree, with places: sqlglot parses, nothing else of it decides anything."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token

from queries.language.backtracking import parsed
from queries.language.forms import ELEMENTS, spelt_out
from queries.language.limits import check_text, check_tokens, check_tree
from queries.language.refusals import (
    EmptyStatement,
    Malformed,
    NotASelect,
    Position,
    SeveralStatements,
    TooComplex,
    UnsupportedSql,
)
from queries.language.trees import anew, children, nodes, walk

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would print the analyst's text

DIALECT = "duckdb"
DUCKDB = sqlglot.Dialect.get_or_raise(DIALECT)
WRITTEN = DUCKDB.generator()


def parse(text: str) -> exp.Query:
    """The one query that the text holds.

    Raises a QueryRefused: EmptyStatement, Malformed, SeveralStatements, NotASelect, TooComplex or
    UnsupportedSql.
    """
    check_text(text)
    if "\x00" in text:
        raise Malformed("The statement holds a NUL character.")
    if any("\ud800" <= sign <= "\udfff" for sign in ("" if text.isascii() else text)):
        raise Malformed("The statement holds half a character.")
    tokens = _tokens(text)
    check_tokens(tokens)
    tree = only_query(_statements(tokens, text))
    check_tree(tree)
    parts = walk(tree)
    _check_whole(parts)
    spelt_out(parts)
    if any(isinstance(part, ELEMENTS) for part in parts):
        _as_written(tree)
    return tree


class Texts:
    """The texts that one planning reads, and reads again for its warnings, each parsed once."""

    def __init__(self) -> None:
        self._trees: dict[str, exp.Query] = {}

    def tree(self, text: str) -> exp.Query:
        """A tree of its own for each caller; raises as `parse` does."""
        return anew(self.shared(text))

    def shared(self, text: str) -> exp.Query:
        """The tree that others are made of, which is read and never changed."""
        if text not in self._trees:
            self._trees[text] = parse(text)
        return self._trees[text]


def place(node: exp.Expr | None) -> Position | None:
    """Where a node stands in the text: its own place, or that of the first part that has one."""
    stack = [node] if node is not None else []
    while stack:
        current = stack.pop(0)
        if current._meta and "line" in current._meta:
            width = current._meta["end"] - current._meta["start"]
            return Position(current._meta["line"], max(1, current._meta["col"] - width))
        stack.extend(children(current))
    return None


def _tokens(text: str) -> list[Token]:
    try:
        return DUCKDB.tokenize(text)
    except TokenError:
        raise Malformed(
            "The statement has a quotation mark or comment that is not closed."
        ) from None


def _statements(tokens: list[Token], text: str) -> list[exp.Expr]:
    try:
        return parsed(tokens, text, DUCKDB)
    except ParseError as error:
        raise Malformed("The statement is not valid SQL.", position=_error_place(error)) from None
    except RecursionError:
        raise TooComplex("The statement is nested too deeply.") from None


def _check_whole(parts: list[exp.Expr]) -> None:
    """Refuse operators without an operand, which the parser lets pass."""
    for node in parts:
        for name in node.required_args:
            if node.args.get(name) is None:
                raise Malformed(f"A part of {node.key.upper()} is missing.", position=place(node))
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.Star):
            raise Malformed("* does not stand in brackets of its own.", position=place(node))
        if isinstance(node, exp.Alias) and node.this.is_star:
            raise UnsupportedSql("A * stands for several columns.", position=place(node))


def _as_written(tree: exp.Expr) -> None:
    """Have places in lists stand as they do in the text, whatever becomes of the lists.

    sqlglot counts them from 0 where it takes what they are of for a list, and back from 1 when it
    writes them; of a list that was something else to it, that would be another place.
    """
    for node in nodes(tree, exp.Bracket):
        node.set("expressions", WRITTEN.bracket_offset_expressions(node))
        node.set("offset", WRITTEN.dialect.INDEX_OFFSET)


def _error_place(error: ParseError) -> Position | None:
    first = error.errors[0] if error.errors else {}
    if first.get("line") is None:
        return None
    width = len(str(first.get("highlight") or " ")) - 1
    return Position(int(first["line"]), max(1, int(first.get("col") or 1) - width))


def only_query(statements: list[exp.Expr]) -> exp.Query:
    """The one SELECT among parsed statements; raises a QueryRefused."""
    if not statements:
        raise EmptyStatement("There is no statement to answer.")
    if len(statements) > 1:
        raise SeveralStatements("There is more than one statement; send one at a time.")
    statement = _selected(statements[0])
    if not isinstance(statement, exp.Select | exp.SetOperation | exp.Subquery):
        raise NotASelect("Only a SELECT can be answered.", position=place(statement))
    return statement


def _selected(statement: exp.Expr) -> exp.Expr:
    """A PIVOT statement as the SELECT of all that it yields."""
    if not isinstance(statement, exp.Pivot):
        return statement
    around = exp.Subquery(this=statement)
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=around))

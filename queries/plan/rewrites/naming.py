"""Names that are near, that stand alone, that are not said in full: the text, mended in place."""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from queries.catalog.manifest import Manifest
from queries.language.parse import DIALECT
from queries.language.refusals import Position, QueryRefused, UnknownTable
from queries.language.spelling import nearest


def first_statement(sql: str) -> Iterator[str]:
    """The text up to the first semicolon."""
    for token in sqlglot.tokenize(sql, read=DIALECT):
        if token.token_type is TokenType.SEMICOLON:
            yield sql[: token.start].strip()
            return


def nearest_names(sql: str, refused: QueryRefused, manifest: Manifest) -> Iterator[str]:
    """The unknown name replaced by the visible one that is nearest to it."""
    for token in _at(sql, refused.position):
        known = [table.name for table in manifest.tables]
        if not isinstance(refused, UnknownTable):
            known = [column.name for table in manifest.tables for column in table.columns]
        near = nearest(token.text, known)
        if near is not None:
            yield _replaced(sql, token, near)


def qualified(sql: str, refused: QueryRefused, tree: exp.Query) -> Iterator[str]:
    """The column's name behind that of each table in turn."""
    aliases = dict.fromkeys(node.alias_or_name for node in tree.find_all(exp.Table))
    for token in _at(sql, refused.position):
        for alias in aliases:
            yield _replaced(sql, token, f"{alias}.{token.text}")


def _at(sql: str, position: Position | None) -> Iterator[Token]:
    """The last part of the name that stands at a place."""
    if position is None:
        return
    found = sqlglot.tokenize(sql, read=DIALECT)
    for number, token in enumerate(found):
        width = token.end - token.start
        if (token.line, token.col - width) == (position.line, position.column):
            dotted = number + 2 < len(found) and found[number + 1].token_type is TokenType.DOT
            yield found[number + 2] if dotted else token
            return


def _replaced(sql: str, token: Token, name: str) -> str:
    return sql[: token.start] + name + sql[token.end + 1 :]

"""Columns and rules that tables share: points in time, amounts, words out of a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    literal_column,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

metadata = MetaData()
"""Where all tables of the ledger's database are told."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Moment(TypeDecorator[datetime]):
    """A point in time, with its zone, kept as whole microseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else self.written(value)

    @staticmethod
    def written(value: datetime) -> int:
        """Whole microseconds since 1970; raises ValueError without a zone."""
        if value.tzinfo is None:
            raise ValueError("a point in time has a zone")
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


Sequence64 = BigInteger().with_variant(Integer, "sqlite")
"""A key that the database counts up; SQLite does so for its own integers only."""


class following(FunctionElement[int]):  # noqa: N801  it is written like a function
    """The number that the database would give the next row of a table with this key.

    A server gives it to nobody else, and leaves a gap where it is not used; an embedded database
    is asked under its write lock.
    """

    type = BigInteger()
    inherit_cache = False

    def __init__(self, key: Column[Any]) -> None:
        super().__init__()
        self.of: Any = key


@compiles(following, "sqlite")
def _largest(element: following, compiler: Any, **_: Any) -> str:
    key = element.of
    return f"(SELECT coalesce(max({key.name}), 0) + 1 FROM {key.table.name})"


@compiles(following, "postgresql")
def _counted(element: following, compiler: Any, **_: Any) -> str:
    key = element.of
    return f"nextval('{key.table.name}_{key.name}_seq')"  # as PostgreSQL calls those of its own


NAME = String(200)
DIGEST = String(64)


def amounts(prefix: str) -> list[Column[int]]:
    """Three columns of amounts, at first zero."""
    return [
        Column(f"{prefix}_{part}", BigInteger, nullable=False, server_default="0")
        for part in ("rho", "delta", "epsilon")
    ]


def bounds(*rules: str) -> list[CheckConstraint]:
    """Rules (`name: condition`), each for rho, delta and epsilon."""
    return [
        CheckConstraint(rule.format(part), name=f"{name}_{part}")
        for name, rule in (item.split(": ") for item in rules)
        for part in ("rho", "delta", "epsilon")
    ]


def one_of(column: str, *words: str) -> CheckConstraint:
    """The column holds one of these words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def fixed(word: StrEnum) -> ColumnElement[str]:
    """A word that is part of a statement, where it is the same at each execution.

    A database then knows which of its partial indexes hold the rows. Were it a value, PostgreSQL
    could not use them in a plan that it keeps, and SQLite would plan anew at each execution.
    """
    return literal_column(f"'{word.value}'", String)


def afterwards(column: ColumnElement[str]) -> ColumnElement[str]:
    """A text that is compared only once its row was found by something else: by no index."""
    return column.concat(literal_column("''", String))


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which a condition holds."""
    held = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=held, postgresql_where=held)

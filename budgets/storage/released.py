"""What charges have left in the tables: releases, noisy tables, draws; asked for by many at once.

A reader of a long chain asks for what a few thousand entries speak of, by the numbers of their
charges. Each is found by one look into an index, so that to ask costs the same at either end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    String,
    TypeDecorator,
    bindparam,
    select,
)
from sqlalchemy.ext.compiler import compiles

from budgets.storage.prepared import Answer, Prepared
from budgets.storage.schema import charge, query, release, stage


class _Numbers(TypeDecorator[list[int]]):
    """Whole numbers in one value: a list in JSON, or an array as a server reads it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str:
        brackets = "{%s}" if dialect.name == "postgresql" else "[%s]"
        return brackets % ",".join(map(str, value or ()))


class _among(ColumnElement[Any]):  # noqa: N801  it is written like a function
    """Whether a column is one of the numbers in a value of that name."""

    inherit_cache = False

    def __init__(self, column: Column[Any], name: str) -> None:
        self.column, self.numbers = column, bindparam(name, type_=_Numbers())


@compiles(_among, "sqlite")
def _listed(element: _among, compiler: Any, **how: Any) -> str:
    column, numbers = (compiler.process(one, **how) for one in (element.column, element.numbers))
    return f"{column} IN (SELECT value FROM json_each({numbers}))"


@compiles(_among, "postgresql")
def _in_array(element: _among, compiler: Any, **how: Any) -> str:
    column, numbers = (compiler.process(one, **how) for one in (element.column, element.numbers))
    return f"{column} = ANY (CAST({numbers} AS BIGINT[]))"


_RELEASES = Prepared(
    select(charge.c.id, query.c.id.label("query"), release.c.document)
    .select_from(
        charge.join(query, query.c.number == charge.c.query).join(
            release, release.c.query == query.c.number
        )
    )
    .where(_among(charge.c.id, "charges"))
)
_TABLES = Prepared(
    select(stage.c.charge, stage.c.digest, stage.c.document).where(
        _among(stage.c.charge, "charges"), stage.c.document.is_not(None)
    )
)
_DRAWS = Prepared(
    select(stage.c.charge, stage.c.digest, stage.c.mechanisms).where(
        _among(stage.c.charge, "charges")
    )
)


def releases(tx: Connection, charges: Iterable[int]) -> Answer:
    """Ask for what these charges released: charge, query and document."""
    return _RELEASES.send(tx, {"charges": charges})


def tables(tx: Connection, charges: Iterable[int]) -> Answer:
    """Ask for the noisy tables that these charges stored: charge, stage and document."""
    return _TABLES.send(tx, {"charges": charges})


def draws(tx: Connection, charges: Iterable[int]) -> Answer:
    """Ask for what these charges drew: charge, stage and the text of its mechanisms."""
    return _DRAWS.send(tx, {"charges": charges})

"""Columns of public tables that the keys of a GROUP BY determine: more keys, and no more groups.

`SELECT a.area, MAX(a.residents), COUNT(*) ... GROUP BY a.area` shows what is written about the area
in a public table, once for each area. Measured as an extreme of private rows it would cost budget
and come out with noise; as a key beside the area it is exact.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       adding such a column to the keys changes neither the groups nor what a unit moves.
    Requires    that no two rows of the public table share its declared key (registration checks
                it), and that every row of the relation meets the conditions named.
    Why         the table's key is among the keys of the GROUP BY, or is equal to some of them on
                every row, so all rows of a group hold the same row of the public table.
    Tried by    tests/bind/test_determined.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from queries.algebra.relations import Public
from queries.algebra.scalars import Column, Scalar, columns, sides
from queries.bind.expressions import Expressions
from queries.bind.grouping import OF_KEY, Grouping
from queries.bind.joins import Member
from queries.language.refusals import QueryRefused

Name = tuple[int, str]


def determined(
    keys: Grouping,
    node: exp.Select,
    expressions: Expressions,
    members: Sequence[Member],
    parts: Sequence[Scalar],
) -> Grouping:
    """The keys, and each value of a public row that they determine and the SELECT asks for."""
    if keys.sets or not keys.keys:
        return keys
    known = _equal({_name(key) for _, key in keys.keys if isinstance(key, Column)}, parts)
    fixed = {
        member.source.id
        for member in members
        if isinstance(member.source, Public) and any(key <= known for key in member.keys)
    }
    found = list(keys.keys)
    for value in _values(node) if fixed else ():
        scalar = _bound(value, expressions)
        read = set() if scalar is None else {column.source for column in columns(scalar)}
        if scalar is not None and read and read <= fixed and scalar not in [s for _, s in found]:
            found.append((value, scalar))
    return replace(keys, keys=tuple(found), determined=len(found) - len(keys.keys))


def _equal(names: set[Name], parts: Sequence[Scalar]) -> set[Name]:
    """The columns named, and those that are equal to one of them on every row."""
    pairs = [pair for part in parts if (pair := _pair(part)) is not None]
    known, before = set(names), -1
    while len(known) > before:
        before = len(known)
        known.update(*(pair for pair in pairs if known & pair))
    return known


def _pair(part: Scalar) -> set[Name] | None:
    found = {_name(side) for side in sides(part) or () if isinstance(side, Column)}
    return found if len(found) == 2 else None


def _name(column: Column) -> Name:
    return column.source, column.name


def _values(node: exp.Select) -> Iterator[exp.Expr]:
    """The arguments of calls whose value over rows that share one is that one."""
    stack = [*node.expressions, *(node.args.get(name) for name in ("having", "order", "qualify"))]
    while stack:
        current = stack.pop()
        if isinstance(current, OF_KEY) and not isinstance(current.parent, exp.Window):
            yield current.this
        elif current is not None and not isinstance(current, exp.Query):
            stack.extend(current.iter_expressions())


def _bound(node: exp.Expr, expressions: Expressions) -> Scalar | None:
    try:
        return expressions.bind(node)
    except QueryRefused:
        return None

"""ORDER BY below a measure, and the total order that is appended to it (P3).

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       two rows of one unit that tie in the total order are equal in all that the query
                sees of them, so that which comes first changes nothing.
    Requires    ordinals that registration wrote: the rank of a row within its unit by its content.
    Why         a row of a relation is made of rows of its sources. Those of private tables are told
                apart by their ordinals, groups by their keys, rows after a window by the columns
                that ordered them before it; whatever else is visible (all that public rows
                contributed) stands in the order itself, reals as text, in which zeros have a sign.
    Tried by    tests/properties/test_sensitivity.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from queries.algebra.facts import ABOUT_UNIT, UNIT, Facts
from queries.algebra.relations import (
    Derived,
    Full,
    Grouped,
    Inner,
    Left,
    Ordering,
    Relation,
    Scan,
    Source,
    United,
    Windowed,
    is_private,
)
from queries.algebra.scalars import Call, Column, Literal, Scalar, columns
from queries.algebra.sources import members
from queries.bind import forms
from queries.bind.expressions import Expressions, measured
from queries.bind.scope import Scope
from queries.catalog.manifest import Type
from queries.catalog.storage import ORDINAL

PLACE = Facts(Type.INTEGER, True, 0, 0, 2**40)


def read(
    order: exp.Order | None, base: Expressions, constants: Sequence[Scalar]
) -> tuple[Ordering, ...]:
    """The analyst's items; what is the same for all rows that are ordered (P5) is left out."""
    found = []
    for item in [] if order is None else order.expressions:
        forms.check(item)
        scalar = measured(base.bind(item.this), item)
        if isinstance(scalar, Literal) or scalar in constants:
            continue
        scalar = measured(base.value(item.this), item)
        found.append(Ordering(scalar, bool(item.args.get("desc")), bool(item.args["nulls_first"])))
    return tuple(found)


def completed(given: Iterable[Ordering], total: Iterable[Scalar]) -> tuple[Ordering, ...]:
    """An order made total."""
    return (*given, *(Ordering(scalar) for scalar in total))


def reversed_(item: Ordering) -> Ordering:
    return Ordering(item.value, not item.descending, not item.nulls_first)


def total(relation: Relation, scope: Scope) -> tuple[Scalar, ...]:
    """What orders the rows of one unit in a relation, as far as the scope sees them."""
    own = list(_own(relation))
    made = [source for source, _ in members(relation)]
    private = {source.id for source in made if is_private(source)}
    beside = len(private) < len(made)
    shown = (scalar for table in scope.tables for _, scalar in table.columns)
    for scalar in shown:
        plain = isinstance(scalar, Column) and scalar.source in private
        if not plain and beside and _orders(scalar):
            own.append(_by_text(scalar))
    return tuple(dict.fromkeys(own))


def _orders(scalar: Scalar) -> bool:
    """Whether a scalar may tell rows of one unit apart: its id may not, and is no part of them."""
    return not any(c.facts.identity in (UNIT, ABOUT_UNIT) for c in columns(scalar))


def _by_text(scalar: Scalar) -> Scalar:
    """A real as its text, which tells the zeros apart."""
    if scalar.facts.type is not Type.REAL:
        return scalar
    return Call("text", (scalar,), Facts(Type.TEXT, scalar.facts.nullable))


def _own(source: Source) -> Iterable[Scalar]:
    """What orders the private part of a relation's rows."""
    match source:
        case Scan():
            yield Column(source.id, ORDINAL, PLACE)
        case Grouped():
            yield from (_read(source.id, name, key) for name, key in source.keys if _orders(key))
        case Derived() | Full():
            shown = (_read(source.id, n, s) for n, s in source.columns if _orders(s))
            yield from map(_by_text, shown)
        case Windowed():
            kept = dict(source.columns)
            yield from (_read(source.id, name, kept[name]) for name in source.order)
        case United():
            yield from map(_by_text, (_plain(c) for c in source.columns if _orders(c)))
        case Inner():
            for part in source.sources:
                yield from _own(part)
        case Left():
            yield from _own(source.left)
            yield from _own(source.right)


def _plain(column: Column) -> Column:
    return _read(column.source, column.name, column)


def _read(number: int, name: str, scalar: Scalar) -> Column:
    return Column(number, name, replace(scalar.facts, identity=None))

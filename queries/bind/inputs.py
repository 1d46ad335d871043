"""Released tables below a later stage: their rows become an input of it, named by what it means.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the facts given to an input's columns hold for any rows that are handed in.
    Requires    the enclave makes ranges, the number of rows and unique columns true
                (`queries.enclave.given`).
    Why         a key column has the facts of its stage's key, whose list or threshold decides about
                keys by themselves; a mean has the range it is clamped to; of anything else the type
                alone is stated. Rows a unit's row may meet are counted by unique columns, and by
                the most rows where none are known (P4).
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_inputs.py
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from queries.algebra.facts import Facts, stored
from queries.algebra.inputs import InputColumn, input_column
from queries.algebra.measures import OCCURS
from queries.algebra.relations import Released
from queries.algebra.scalars import Column, Scalar
from queries.bind import open_queries, open_sql
from queries.bind.colours import Cell, Open
from queries.bind.publics import kind
from queries.catalog.manifest import Type
from queries.language.trees import anew, nodes, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder

Named = tuple[tuple[str, Scalar], ...]
TEXT = exp.DataType.build("VARCHAR")
MOST_ROWS = 200_000
"""The most rows of an input of which nothing less is known."""
FINEST = 4
"""The most decimals that are handed in as whole steps; finer ones as reals."""


class Drafted(Protocol):
    """What is decided about a measure before its price."""

    @property
    def meaning(self) -> str: ...
    @property
    def most_rows(self) -> int: ...
    @property
    def noised(self) -> tuple[tuple[str, str], ...]: ...


@dataclass(frozen=True, slots=True)
class Given:
    """An input as it is bound: a query over stages, whose columns are c0, c1, ... in order.

    `reads` are the stages that the query reads; it is `public` where it reads other tables besides.
    """

    name: str
    query: exp.Select
    columns: tuple[InputColumn, ...]
    most_rows: int
    unique: tuple[str, ...] | None
    reads: tuple[str, ...]
    public: bool


def given(binder: Binder, bound: Open, *, distinct: bool = False) -> tuple[Released, Named]:
    """A released table (or its different rows) as a source of private rows, its columns by name."""
    number = binder.number()
    query = open_queries.wrapped(bound.query)
    if distinct:
        query.set("distinct", exp.Distinct())
    read = _tables(query)
    stages = tuple(dict.fromkeys(filter(open_queries.is_stage, read)))
    tables = [(name, binder.drafted(name).noised) for name in stages]
    sql = open_sql.last_text(open_sql.total(_occurring(query)))
    found = binder.publics.rows.describe(tuple(tables), sql)
    facts = _facts(binder, bound, [of for _, of in found])
    shown = _handed(query, facts)
    unique = _unique(bound, facts, distinct=distinct or bound.distinct)
    columns = tuple(input_column(f"c{n}", one) for n, one in enumerate(facts) if one is not None)
    most = _most_rows(binder, bound)
    name = _name(binder, shown, columns, most, unique)
    public = any(not open_queries.is_stage(one) for one in read)
    made = Given(name, shown, columns, most, unique, tuple(sorted(stages)), public)
    binder.given.setdefault(made.name, made)  # its stages stand before those of an equal one
    source = Released(number, made.name, most, None if unique is None else frozenset(unique))
    return source, _named(number, [name for name, _ in found], facts)


def _occurring(query: exp.Select) -> exp.Select:
    """The query with some number in the place of the count from which a key occurs."""
    copied = anew(query)
    for column in nodes(copied, exp.Column):
        if column.name == OCCURS:
            column.replace(exp.Literal.number(1))
    return copied


def _named(number: int, names: list[str], facts: list[Facts | None]) -> Named:
    """The columns by name; of columns of one name the first."""
    seen: dict[str, None] = {}
    named: list[tuple[str, Scalar]] = []
    for place, (name, one) in enumerate(zip(names, facts, strict=True)):
        if one is not None and name.lower() not in seen:
            seen[name.lower()] = None
            named.append((name, Column(number, f"c{place}", one)))
    return tuple(named)


def _facts(binder: Binder, bound: Open, types: list[str]) -> list[Facts | None]:
    """What is known of each column; None where rows cannot use its type."""
    cells = _cells(bound)
    found: list[Facts | None] = []
    for place, name in enumerate(types):
        key = None if cells is None else _key(cells[place])
        if key is not None and bound.rowwise is not None and bound.rowwise.keys is not None:
            measure = binder.measures[open_queries.stage_number(bound.rowwise.stage)]
            found.append(replace(measure.keys[int(key[1:])].facts, identity=None))
        else:
            found.append(_typed(name, None if cells is None else cells[place].facts))
    return found


def _typed(name: str, proved: Facts | None) -> Facts | None:
    known = kind(name)
    if known is None:
        return None
    of, scale = known
    if of is Type.DECIMAL and scale > FINEST:
        return Facts(Type.REAL)
    if proved is not None and proved.type is of:
        return replace(proved, nullable=True, identity=None)
    return stored(of, scale) if of in (Type.INTEGER, Type.DECIMAL) else Facts(of)


def _cells(bound: Open) -> tuple[Cell, ...] | None:
    return None if bound.rowwise is None else tuple(cell for _, cell in bound.rowwise.cells)


def _key(cell: Cell) -> str | None:
    """The key of its stage that a cell is exactly."""
    bare = cell.expression
    return bare.name if cell.key and isinstance(bare, exp.Column) else None


def _unique(bound: Open, facts: list[Facts | None], *, distinct: bool) -> tuple[str, ...] | None:
    """Columns that no two rows share: none for one row, a stage's keys, or all of DISTINCT."""
    if bound.single:
        return ()
    known = [f"c{n}" for n, one in enumerate(facts) if one is not None]
    if distinct and len(known) == len(facts):
        return tuple(known)
    cells = _cells(bound)
    if cells is None or bound.rowwise is None or bound.rowwise.keys is None:
        return None
    places = {_key(cell): f"c{n}" for n, cell in reversed(list(enumerate(cells)))}
    wanted = [f"k{n}" for n in bound.rowwise.keys]
    unique = tuple(places.get(name, "") for name in wanted)
    return unique if set(unique) <= set(known) else None


def _most_rows(binder: Binder, bound: Open) -> int:
    if bound.single:
        return 1
    limit = bound.query.args.get("limit")
    asked = limit.expression.name if limit is not None else ""
    most = int(asked) if asked.isdecimal() else MOST_ROWS
    if bound.rowwise is not None:
        return max(1, min(most, binder.drafted(bound.rowwise.stage).most_rows))
    return max(1, min(most, MOST_ROWS))


def _handed(query: exp.Select, facts: list[Facts | None]) -> exp.Select:
    """The query's columns as texts, those that rows cannot use left out."""
    names = [open_queries.identifier(f"c{n}") for n in range(len(facts))]
    alias = exp.TableAlias(this=open_queries.identifier("q"), columns=names)
    shown = []
    for place, one in enumerate(facts):
        if one is not None:
            text = exp.TryCast(this=open_queries.column("q", f"c{place}"), to=anew(TEXT))
            shown.append(open_queries.aliased(text, f"c{place}"))
    source = exp.Subquery(this=query, alias=alias)
    return exp.Select(expressions=shown, from_=exp.From(this=source))


def _name(
    binder: Binder,
    query: exp.Select,
    columns: tuple[InputColumn, ...],
    most: int,
    unique: tuple[str, ...] | None,
) -> str:
    """A name by what the input means, so that the same one has the same name in every query.

    All of the hash, since a text that is asked can be varied until short ones collide: an input
    would then be read under the bounds of another.
    """
    copied = anew(query)
    stages = list(dict.fromkeys(filter(open_queries.is_stage, _tables(copied))))
    for node in walk(copied):
        if isinstance(node, exp.Identifier) and node.name in stages:
            node.set("this", f"_stage{stages.index(node.name)}")
    meanings = [binder.drafted(name).meaning for name in stages]
    meant = repr((open_sql.last_text(copied), meanings, columns, most, unique))
    return f"_in{hashlib.sha256(meant.encode()).hexdigest()}"


def _tables(query: exp.Expr) -> list[str]:
    """The names of the tables that a query reads, those nearest to its root first."""
    return [node.name for node in walk(query) if isinstance(node, exp.Table)]

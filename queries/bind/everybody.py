"""SELECT DISTINCT over everybody below counts: how many distinct rows there are.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a row of one unit never stands for a row of another in what is measured.
    Requires    no id of the unit among what is distinct; counts alone above it (P2).
    Why         DISTINCT is left out of the relation, so that each row stays with its unit, and the
                counts above it become counts of distinct values: `COUNT(*)` over
                `SELECT DISTINCT area` is COUNT(DISTINCT area). A condition or a key above reads
                what is distinct alone, so it holds for all copies of a row or for none.
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_everybody.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.scalars import Scalar
from queries.bind import aggregates, distinct, distinct_values, forms, types
from queries.bind.calls import Aggregate, Reading, alone, both, present
from queries.bind.colours import Environment, Private
from queries.bind.expressions import TRUTH, measured
from queries.bind.grouping import Grouping
from queries.language.parse import place
from queries.language.refusals import AcrossUnits
from queries.language.trees import anew

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem


@dataclass(frozen=True, slots=True)
class Source:
    """What FROM names: a SELECT, the names of WITH around it, and what its columns are called."""

    query: exp.Select
    env: Environment
    names: tuple[str, ...]


def counted(binder: Binder, node: exp.Select, env: Environment) -> FromItem | None:
    """The one member of FROM, if it is SELECT DISTINCT below an aggregate; raises a QueryRefused.

    Where its rows are those of everybody they come without DISTINCT, marked as distinct.
    """
    from queries.bind.binder import FromItem, extended, renamed, sources_of

    sources = sources_of(node)
    found = _source(sources[0], env) if len(sources) == 1 and aggregates.present(node) else None
    if found is None:
        return None
    query = found.query
    bound = binder.select(query, extended(query, found.env), None, every=True)
    once = isinstance(bound, Private) and not _within(bound)
    if isinstance(bound, Private) and not once:
        bound = distinct.distinct(binder, query, bound)
    named = renamed(bound, found.names, sources[0])
    outer = sources[0].args.get("alias")
    names = tuple(column.name for column in outer.columns) if outer is not None else ()
    return FromItem(sources[0].alias_or_name, sources[0], named, names, distinct=once)


def _within(bound: Private) -> bool:
    return Grouping(tuple((None, scalar) for _, scalar in bound.columns)).within_unit


def _source(node: exp.Expr, env: Environment) -> Source | None:
    """The plain SELECT DISTINCT that a member of FROM is, or that WITH gives the name to."""
    if node.args.get("pivots") or node.args.get("joins"):
        return None
    if isinstance(node, exp.Subquery) and not node.args.get("with_"):
        forms.check(node)
        return Source(anew(node).this, env, ()) if _plain(node.this) else None
    known = env.get(node.name.lower()) if isinstance(node, exp.Table) and not node.db else None
    if known is None or known.recursive or known.own is not None or not _plain(known.query.this):
        return None
    forms.check(node)
    forms.check(known.query)
    given = tuple(column.name for column in known.query.args["alias"].columns)
    return Source(known.query.this, known.before, given)


def _plain(node: exp.Expr) -> bool:
    """Whether it is a SELECT DISTINCT of rows: no groups, no DISTINCT ON."""
    if not isinstance(node, exp.Select) or node.args.get("distinct") is None:
        return False
    return distinct.on(node) is None and not aggregates.present(node)


def read(found: Aggregate, rows: tuple[Scalar, ...]) -> tuple[Reading, ...]:
    """A count over distinct rows of everybody; raises AcrossUnits for what is no count."""
    call = found.call
    if isinstance(call, exp.CountIf):
        truth = types.require(found.expressions.predicate(call.this), TRUTH, call, "COUNT_IF")
        return alone(distinct_values.rows(rows, both(measured(truth, call), found.where)))
    if not isinstance(call, exp.Count):
        raise AcrossUnits(
            "Only counts are answered over the distinct rows of everybody.",
            position=place(call),
            hint="Ask for COUNT(*) here, or SUM(DISTINCT x) and AVG(DISTINCT x) without SELECT "
            "DISTINCT.",
        )
    argument = aggregates.distinct_argument(call)
    if argument is not None:
        return distinct_values.counted(found, argument)
    if aggregates.starred(call):
        return alone(distinct_values.rows(rows, found.where))
    value = found.expressions.value(call.this)
    return alone(distinct_values.rows(rows, both(present(measured(value, call)), found.where)))

"""USING and NATURAL: which columns are equated, and what their one name stands for afterwards.

In an inner or LEFT join it is the left side's column, in a RIGHT join the right side's: in each the
side whose rows are all there. In a FULL join it is whichever of the two is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import Facts
from queries.algebra.scalars import Scalar
from queries.bind import types
from queries.bind.join_forms import natural
from queries.bind.scope import Merged, Scope, Visible
from queries.language.parse import place
from queries.language.refusals import UnknownColumn, UnsupportedSql

Pair = tuple[str, exp.Expr, Scalar, Scalar]
"""A column's name, where it was asked for, and what it is on the left and on the right."""


def pairs(join: exp.Join, scope: Scope, first: int, right: Visible) -> list[Pair]:
    """The columns that USING or NATURAL equates; `first` is where the left side of it begins."""
    left = Scope(scope.tables[first:], None, _within(scope.merged, first))
    using = join.args.get("using") or []
    if natural(join):
        using = _shared(join, left, right)
    return [_pair(node, left, right) for node in using]


def _within(merged: Mapping[str, Merged], first: int) -> dict[str, Merged]:
    return {name: one for name, one in merged.items() if min(one.tables) >= first}


def _shared(join: exp.Join, left: Scope, right: Visible) -> Sequence[exp.Expr]:
    if join.args.get("using") or join.args.get("on") is not None:
        raise UnsupportedSql("NATURAL JOIN takes no condition.", position=place(join))
    known = {name.lower() for table in left.tables for name, _ in table.columns}
    found = [name for name, _ in right.columns if name.lower() in known]
    if not found:
        raise UnknownColumn(
            "NATURAL JOIN finds no column that both sides have.",
            position=place(join),
            hint="Write the columns to be equated in ON.",
        )
    return [exp.to_identifier(name) for name in found]


def _pair(node: exp.Expr, left: Scope, right: Visible) -> Pair:
    one, other = left.find(exp.column(node.name)), right.find(node.name)
    if one is None or other is None:
        raise UnknownColumn(f"Both sides need a column {node.name}.", position=place(node))
    return node.name.lower(), node, one, other


def places(merged: Mapping[str, Merged], name: str, scope: Scope, first: int) -> frozenset[int]:
    """The tables of the left side that a merged column is one of."""
    known = merged.get(name)
    if known is not None and min(known.tables) >= first:
        return known.tables
    tables = enumerate(scope.tables)
    return frozenset(n for n, table in tables if n >= first and table.find(name) is not None)


def coalesced(left: Scalar, right: Scalar, node: exp.Expr) -> tuple[Scalar, Facts]:
    """Whichever side is there, with what both sides prove about it."""
    one, other = types.unified([left, right], node)
    null = left.facts.nullable or right.facts.nullable
    found = op.choose("coalesce", (one, other), (one, other), null=null)
    identity, reference = left.facts.identity, left.facts.reference
    facts = replace(
        found.facts,
        identity=identity if identity == right.facts.identity else None,
        reference=reference if reference == right.facts.reference else None,
    )
    return replace(found, facts=facts), facts

"""UNION, INTERSECT and EXCEPT of private relations: within the unit, or refused.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every row belongs to one unit, whose rows alone decide whether it is there, and one
                unit has at most the stated number of rows.
    Requires    private relations of one dataset, and so of one unit.
    Why         UNION ALL keeps the rows of both sides as they are: M1 + M2. The others compare
                rows, so they need an id of the unit in the same column of both sides, never NULL;
                the lowering compares `_unit` too (P2). A row of INTERSECT is one of each side, a
                row of EXCEPT one of the left (P4). A public row has no unit (P1).
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_refusals.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import ABOUT_UNIT, UNIT, Facts
from queries.algebra.relations import United
from queries.algebra.scalars import Column, Scalar
from queries.bind import counts, forms, joins, open_queries, types
from queries.bind.colours import Bound, Environment, Open, Private
from queries.bind.grouping import Grouping
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import AcrossUnits, TypeMismatch, UnitCompared

if TYPE_CHECKING:
    from queries.bind.binder import Binder

ALL = "UNION ALL"


def operation(binder: Binder, node: exp.SetOperation, env: Environment) -> Bound:
    """A set operation of two queries of one colour; raises a QueryRefused."""
    forms.check(node)
    left, right = (binder.query(side, env) for side in (node.this, node.expression))
    if isinstance(left, Open) and isinstance(right, Open):
        return open_queries.set_operation(node, left, right)
    if isinstance(left, Private) and isinstance(right, Private):
        return _private(binder, node, left, right)
    raise AcrossUnits(
        f"{node.key.upper()} of rows of persons and rows of nobody has no unit.",
        position=place(node),
        hint="Aggregate the private rows first, then put the two tables together.",
    )


def _private(binder: Binder, node: exp.SetOperation, left: Private, right: Private) -> Private:
    for name in ("limit", "offset"):
        if node.args.get(name) is not None:
            raise AcrossUnits(
                f"{name.upper()} below an aggregate would choose among persons.",
                position=place(node),
            )
    if len(left.columns) != len(right.columns):
        raise TypeMismatch("Both sides need as many columns.", position=place(node))
    sides = [
        _paired(one, other, node)
        for (_, one), (_, other) in zip(left.columns, right.columns, strict=True)
    ]
    number, kind = binder.number(), _kind(node)
    columns = tuple(
        Column(number, f"c{n}", _facts(one, other)) for n, (one, other) in enumerate(sides)
    )
    if kind != ALL:
        _refuse_across(node, columns)
    rows = joins.within_limit(_rows(binder, kind, left, right, columns), place(node))
    ours, theirs = (tuple(pair[n] for pair in sides) for n in (0, 1))
    made = ((left.relation, ours), (right.relation, theirs))
    names = (name for name, _ in left.columns)
    return Private(
        United(number, kind, made, columns, rows), tuple(zip(names, columns, strict=True))
    )


def _kind(node: exp.SetOperation) -> str:
    word = node.key.upper()
    return word if node.args.get("distinct") else f"{word} ALL"


def _paired(left: Scalar, right: Scalar, node: exp.Expr) -> tuple[Scalar, Scalar]:
    """Two columns brought to one type; the unit's id stands beside itself alone (P5)."""
    identities = {left.facts.identity, right.facts.identity}
    if identities & {UNIT, ABOUT_UNIT}:
        if identities != {UNIT}:
            raise UnitCompared(
                "The privacy unit's id stands beside another column.", position=place(node)
            )
        return left, right
    kinds = {side.facts.type for side in (left, right) if not op.is_null(side)}
    if Type.TEXT in kinds and len(kinds) > 1:
        raise TypeMismatch("Text stands beside another type.", position=place(node))
    one, other = types.unified([left, right], node)
    return one, other


def _facts(left: Scalar, right: Scalar) -> Facts:
    """What holds for a value of either side."""
    one, other = left.facts, right.facts
    if one.identity == UNIT:
        return replace(one, nullable=one.nullable or other.nullable)
    facts = op.choose("case", [left, right], [left, right], null=op.nullable(left, right)).facts
    same = one.identity if one.identity == other.identity else None
    known = one.reference if one.reference == other.reference else None
    return replace(facts, identity=same, reference=known)


def _refuse_across(node: exp.SetOperation, columns: tuple[Column, ...]) -> None:
    if not Grouping(tuple((None, column) for column in columns)).within_unit:
        raise AcrossUnits(
            f"{_kind(node)} below an aggregate would let one person's row stand for another's.",
            position=place(node),
            hint="Select the unit's id in the same column of both sides, or use UNION ALL.",
        )


def _rows(
    binder: Binder, kind: str, left: Private, right: Private, columns: tuple[Column, ...]
) -> int:
    """The most rows of one unit."""
    one, other = left.relation.rows, right.relation.rows
    match kind.removesuffix(" ALL"):
        case "UNION":
            keys = Grouping(tuple((None, column) for column in columns))
            return one + other if kind == ALL else counts.groups(binder, one + other, keys)
        case "INTERSECT":
            return min(one, other)
    return one

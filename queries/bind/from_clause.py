"""FROM and its joins over private rows: members, conditions and scope, one join at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.relations import (
    Derived,
    Grouped,
    Inner,
    Left,
    Public,
    Relation,
    Scan,
    Source,
    United,
    Windowed,
)
from queries.algebra.scalars import Call, Column, Exists, Scalar, conjuncts, walk
from queries.bind import forms, joins, scans
from queries.bind.colours import Open, Private
from queries.bind.expressions import Expressions, Subqueries
from queries.bind.joins import Member
from queries.bind.scope import Scope, Visible
from queries.language.parse import place
from queries.language.refusals import (
    Position,
    PublicRowsKept,
    UnknownColumn,
    UnsupportedSql,
)

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem

STANDING = (Grouped, Windowed, United)
"""Relations that stand in FROM as they are."""
ON = "LEFT JOIN with a subquery in ON"


@dataclass(slots=True)
class FromClause:
    """What has been joined so far."""

    binder: Binder
    subqueries: Subqueries
    outer: Scope | None
    members: list[Member] = field(default_factory=list)
    parts: list[Scalar] = field(default_factory=list)
    tables: list[Visible] = field(default_factory=list)
    merged: dict[str, Scalar] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        return Scope(tuple(self.tables), self.outer, dict(self.merged))

    def add(self, item: FromItem, join: exp.Join | None) -> None:
        """Join one more member of FROM; raises a QueryRefused."""
        check_join(join)
        side = join.side.upper() if join is not None else ""
        member, visible = self._member(item, alone=side == "LEFT")
        ties, visible = self._ties(item, visible)
        if side == "LEFT" and join is not None:
            self._left(member, visible, join, ties)
        elif side:
            raise UnsupportedSql(
                f"{side} JOIN is not answered beside private rows.",
                position=place(join),
                hint="Turn the tables round and write LEFT JOIN.",
            )
        else:
            conditions = self._conditions(member, visible, join)
            self.members.append(member)
            self.parts.extend([*ties, *conditions])

    def _ties(self, item: FromItem, visible: Visible) -> tuple[list[Scalar], Visible]:
        """What ties a LATERAL to the rows before it, and the columns that it shows."""
        tied = item.tied
        if tied is None:
            return [], visible
        split = len(visible.columns) - tied.hidden
        hidden = [scalar for _, scalar in visible.columns[split:]]
        to = Expressions(self.scope, self.subqueries)
        ties = [
            to.compared("=", to.bind(outer), inner, item.node)
            for outer, inner in zip(tied.outer, hidden, strict=False)
        ]
        if tied.numbers is not None:
            first, last = (op.number(number) for number in tied.numbers)
            ties.append(op.boolean(">=", hidden[-1], first))
            ties.append(op.boolean("<=", hidden[-1], last))
        return ties, Visible(visible.alias, visible.columns[:split])

    def _conditions(self, member: Member, visible: Visible, join: exp.Join | None) -> list[Scalar]:
        before = self.scope
        self.tables.append(visible)
        if join is None:
            return []
        if join.args.get("using"):
            return [self._using(column, before, visible) for column in join.args["using"]]
        if join.args.get("on") is None:
            return []
        bound = Expressions(self.scope, self.subqueries).predicate(join.args["on"])
        return list(conjuncts(bound))

    def _using(self, node: exp.Expr, before: Scope, visible: Visible) -> Scalar:
        name = node.name
        left = before.find(exp.column(name))
        right = visible.find(name)
        if left is None or right is None:
            raise UnknownColumn(f"Both sides need a column {name}.", position=place(node))
        self.merged[name.lower()] = left
        return Expressions(self.scope, self.subqueries).compared("=", left, right, node)

    def _left(
        self, right: Member, visible: Visible, join: exp.Join, ties: Sequence[Scalar]
    ) -> None:
        left = self._collapsed(join)
        parts = [*ties, *self._conditions(right, visible, join)]
        if any(isinstance(node, Exists) for part in parts for node in walk(part)):
            raise UnsupportedSql(f"{ON} is not answered.", position=place(join))
        self.tables[-1] = visible.nullable()
        shared = joins.common_equalities(parts)
        joins.check_units([left, right], shared, place(join))
        rows = joins.within_limit(left_rows(left, right, shared, self.binder), place(join))
        unit = unit_of(left.source)
        source = Left(left.source, right.source, shared, unit, rows)
        unique = joins.fan_out(right, left.ids, shared, self.binder.publics.reach) <= 1
        keys = left.keys if unique else ()
        self.members = [Member(source, left.ids | right.ids, rows, keys)]
        self.parts = []

    def _collapsed(self, join: exp.Join) -> Member:
        """All that stands left of a LEFT JOIN as one member."""
        if not any(member.private for member in self.members):
            raise PublicRowsKept(
                "A public table's rows would be kept beside private ones.", position=place(join)
            )
        if len(self.members) == 1 and not self.parts:
            return self.members[0]
        relation = self.relation(place(join))
        ids = frozenset().union(*(member.ids for member in self.members))
        return Member(relation, ids, relation.rows)

    def relation(self, where: Position | None) -> Relation:
        """The members joined: units equated, rows counted; raises a QueryRefused."""
        parts = joins.common_equalities(self.parts)
        joins.check_units(self.members, parts, where)
        rows = joins.most_rows(self.members, parts, self.binder.publics.reach, where)
        first = next(member.source for member in self.members if member.private)
        if len(self.members) == 1 and not parts:
            return whole(first)
        sources = tuple(member.source for member in self.members)
        return Inner(sources, parts, unit_of(first), rows)

    def _member(self, item: FromItem, *, alone: bool) -> tuple[Member, Visible]:
        if isinstance(item.bound, Private):
            return self._private(item, item.bound, alone=alone)
        return self._public(item, item.bound)

    def _private(self, item: FromItem, bound: Private, *, alone: bool) -> tuple[Member, Visible]:
        relation = bound.relation
        columns = named(bound.columns, item.names, item.node)
        if isinstance(relation, Scan) and not (alone and any(map(_computed, columns))):
            table = self.binder.view.manifest.table(relation.table)
            if table is None:
                raise ValueError("a scan of no table")
            return scans.member(table, relation), Visible(item.alias, columns)
        if alone and (any(map(_computed, columns)) or not isinstance(relation, STANDING)):
            return self._stand_alone(item.alias, relation, columns)
        member = Member(relation, ids_of(relation), relation.rows)
        return member, Visible(item.alias, columns)

    def _stand_alone(
        self, alias: str, relation: Relation, columns: Sequence[tuple[str, Scalar]]
    ) -> tuple[Member, Visible]:
        number = self.binder.number()
        inner = tuple((f"c{n}", scalar) for n, (_, scalar) in enumerate(columns))
        derived = Derived(number, relation, inner)
        shown = tuple(
            (name, derived_column(number, own, scalar))
            for (name, scalar), (own, _) in zip(columns, inner, strict=True)
        )
        return Member(derived, frozenset({number}), relation.rows), Visible(alias, shown)

    def _public(self, item: FromItem, bound: Open) -> tuple[Member, Visible]:
        if bound.released:
            raise UnsupportedSql(
                "A released table is not joined with private rows.",
                position=place(item.node),
                hint="Ask the two questions one after the other.",
            )
        number = self.binder.number()
        if isinstance(bound.query, exp.Table):
            table = self.binder.view.manifest.table(bound.query.name)
            if table is None:
                raise ValueError("no such public table")
            public, columns = self.binder.publics.table(table, number)
            keys = scans.unique_keys(table, number)
        else:
            public, columns = self.binder.publics.query(bound.query, number)
            keys = ()
        shown = named(columns, item.names, item.node)
        return Member(public, frozenset({number}), 0, keys), Visible(item.alias, shown)


def check_join(join: exp.Join | None) -> None:
    """Refuse kinds of joins that have no case here."""
    if join is None:
        return
    forms.check(join)
    kind = join.kind.upper()
    if join.method or kind not in ("", "INNER", "CROSS", "OUTER"):
        word = join.method or kind
        raise UnsupportedSql(
            f"{word.upper()} JOIN is not answered beside private rows.", position=place(join)
        )


def named(
    columns: Sequence[tuple[str, Scalar]], names: Sequence[str], node: exp.Expr
) -> tuple[tuple[str, Scalar], ...]:
    """Columns under the names that `AS t(a, b)` gives the first of them."""
    if len(names) > len(columns):
        raise UnsupportedSql("More column names than columns.", position=place(node))
    own = [name for name, _ in columns]
    given = [*names, *own[len(names) :]]
    return tuple((name, scalar) for name, (_, scalar) in zip(given, columns, strict=True))


def _computed(named: tuple[str, Scalar]) -> bool:
    """Whether a column may have a value where its row is missing, so that it must stand alone."""
    scalar = named[1]
    bare = scalar.args[0] if isinstance(scalar, Call) and scalar.op.startswith("clamp:") else scalar
    return not isinstance(bare, Column)


def left_rows(left: Member, right: Member, parts: Sequence[Scalar], binder: Binder) -> int:
    """The most rows of one unit after a LEFT JOIN."""
    fan = joins.fan_out(right, left.ids, parts, binder.publics.reach)
    rows = left.rows * max(1, fan)
    fixed = joins.equated(left, right.ids, parts)
    if right.private and any(key <= fixed for key in left.keys):
        rows = min(rows, left.rows + right.rows)
    return rows


def derived_column(number: int, name: str, scalar: Scalar) -> Scalar:
    """The column of a stand-alone projection that holds a scalar."""
    return Column(number, name, scalar.facts)


def whole(source: Source) -> Relation:
    """The source as the private relation it is."""
    if isinstance(source, Public):
        raise ValueError("a public source is no private relation")
    return source


def unit_of(source: Source) -> int:
    """The number of the source that names the unit."""
    return whole(source).unit


def ids_of(source: Source) -> frozenset[int]:
    """The numbers of all sources that a condition may read in a relation."""
    match source:
        case Inner():
            return frozenset().union(*(ids_of(part) for part in source.sources))
        case Left():
            return ids_of(source.left) | ids_of(source.right)
    return frozenset({source.id})

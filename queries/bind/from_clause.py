"""FROM and its joins over private rows: members, conditions and scope, one join at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.relations import Inner, Relation, Scan, Spine
from queries.algebra.scalars import Scalar, conjuncts
from queries.bind import inputs, joins, merging, outer_joins, scans, spines
from queries.bind.alone import alone, computed, ids_of, whole
from queries.bind.colours import Open, Private
from queries.bind.expressions import Expressions, Subqueries, measured
from queries.bind.join_forms import Kind, kind_of
from queries.bind.joins import Member
from queries.bind.scope import Merged, Scope, Visible
from queries.bind.spines import Kept
from queries.language.parse import place
from queries.language.refusals import Position, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem


@dataclass(slots=True)
class FromClause:
    """What has been joined so far; `start` is where the tables after the last comma begin.

    `kept` are the open rows that an outer join of private ones preserves, while any are.
    """

    binder: Binder
    subqueries: Subqueries
    outer: Scope | None
    members: list[Member] = field(default_factory=list)
    parts: list[Scalar] = field(default_factory=list)
    tables: list[Visible] = field(default_factory=list)
    merged: dict[str, Merged] = field(default_factory=dict)
    start: int = 0
    kept: Kept | None = None

    @property
    def scope(self) -> Scope:
        return Scope(tuple(self.tables), self.outer, dict(self.merged))

    @property
    def private(self) -> bool:
        """Whether a private table is among the members."""
        return any(member.private for member in self.members)

    def add(self, item: FromItem, join: exp.Join | None) -> None:
        """Join one more member of FROM; raises a QueryRefused."""
        kind = kind_of(join)
        if item.added:
            self._columns(item, kind, join)
        elif join is None or kind in (Kind.COMMA, Kind.INNER, Kind.CROSS):
            self.start = len(self.tables) if kind is Kind.COMMA else self.start
            self._inner(item, join)
        elif kind in (Kind.SEMI, Kind.ANTI):
            outer_joins.semi(self, item, join, negated=kind is Kind.ANTI)
        else:
            outer_joins.JOINS[kind](self, item, join)

    def ties(self, item: FromItem, visible: Visible) -> tuple[list[Scalar], Visible]:
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

    def _inner(self, item: FromItem, join: exp.Join | None) -> None:
        member, visible = self.member(item)
        ties, visible = self.ties(item, visible)
        parts = [*ties, *self.conditions(visible, join)]
        if self.kept is not None:
            self.kept = spines.joined(self.kept, member, parts, place(join))
        self.members.append(member)
        self.parts.extend(parts)

    def _columns(self, item: FromItem, kind: Kind, join: exp.Join | None) -> None:
        """The columns of a LATERAL that has one row for each row so far, joined as such."""
        if not self.private or self.kept is not None:
            raise UnsupportedSql(
                "LATERAL is answered beside private rows.", position=place(item.node)
            )
        if kind not in (Kind.COMMA, Kind.INNER, Kind.CROSS) and not _always(kind, join):
            raise UnsupportedSql(
                f"{kind.value} JOIN of a LATERAL that aggregates is not answered.",
                position=place(join),
                hint="Write CROSS JOIN LATERAL, and its condition into WHERE.",
            )
        to = Expressions(self.scope, self.subqueries)
        columns = [(name, measured(to.bind(one), one)) for name, one in item.added]
        self.start = len(self.tables) if kind is Kind.COMMA else self.start
        visible = Visible(item.alias, named(columns, item.names, item.node))
        self.parts.extend(self.conditions(visible, join))

    def where(self, parts: Sequence[Scalar], position: Position | None) -> None:
        """Keep the rows that satisfy all parts; raises PublicRowsKept."""
        if self.kept is not None:
            self.kept = spines.filtered(self.kept, parts, position)
        self.parts.extend(parts)

    def add_released(self, item: FromItem, bound: Open) -> None:
        """Meet the different rows of a released table."""
        member, visible = self._released(item, bound, distinct=True)
        self.members.append(member)
        self.tables.append(visible)

    def conditions(self, visible: Visible, join: exp.Join | None) -> list[Scalar]:
        """The conditions of a join, its right side added to the tables that are in force.

        A column of USING stands for the left side's, until an outer join says otherwise.
        """
        before = self.scope
        self.tables.append(visible)
        if join is None:
            return []
        found = []
        expressions = Expressions(self.scope, self.subqueries)
        for name, node, left, right in merging.pairs(join, before, self.start, visible):
            tables = merging.places(self.merged, name, before, self.start)
            self.merged[name] = Merged(left, tables | {len(self.tables) - 1})
            found.append(expressions.compared("=", left, right, node))
        if join.args.get("on") is not None:
            found.extend(conjuncts(expressions.predicate(join.args["on"])))
        return found

    def relation(self, where: Position | None) -> Relation:
        """The members joined, with the open rows that are kept beside them."""
        found = self.joined(where)
        if self.kept is None:
            return found
        return self.kept.spine(found)

    def joined(self, where: Position | None) -> Relation:
        """The members joined: units equated, rows counted; raises a QueryRefused."""
        parts = joins.common_equalities(self.parts)
        joins.check_units(self.members, parts, where, tables=self.tables)
        found = joins.most_rows(self.members, parts, self.binder.publics.reach, where)
        first = next(member.source for member in self.members if member.private)
        if len(self.members) == 1 and not parts:
            return whole(first)
        sources = tuple(member.source for member in self.members)
        return Inner(sources, parts, whole(first).unit, found.rows, found.met)

    def member(self, item: FromItem, *, missing: bool = False) -> tuple[Member, Visible]:
        """A member of FROM; where its rows may be missing, so are the values computed from them."""
        if isinstance(item.bound, Open):
            return self._public(item, item.bound)
        visible = Visible(item.alias, named(item.bound.columns, item.names, item.node))
        member = self._private(item.bound)
        if missing and computed([visible]):
            made = alone(self.binder, member.source)
            visible = made.visible(visible)
            member = made.member(member)
        return member, visible

    def _private(self, bound: Private) -> Member:
        relation = bound.relation
        if isinstance(relation, Spine):
            raise spines.unmeasured(None)
        if not isinstance(relation, Scan):
            return Member(relation, ids_of(relation), relation.rows)
        table = self.binder.view.manifest.table(relation.table)
        if table is None:
            raise ValueError("a scan of no table")
        return scans.member(table, relation)

    def _public(self, item: FromItem, bound: Open) -> tuple[Member, Visible]:
        if bound.released:
            return self._released(item, bound)
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

    def _released(
        self, item: FromItem, bound: Open, *, distinct: bool = False
    ) -> tuple[Member, Visible]:
        """A released table, met on its keys (P21)."""
        source, columns = inputs.given(self.binder, bound, distinct=distinct)
        keys = () if source.unique is None else (frozenset((source.id, n) for n in source.unique),)
        shown = named(columns, item.names, item.node)
        return Member(source, frozenset({source.id}), source.rows, keys), Visible(item.alias, shown)


def _always(kind: Kind, join: exp.Join | None) -> bool:
    """Whether a LEFT JOIN's condition is simply TRUE."""
    on = None if join is None else join.args.get("on")
    return kind is Kind.LEFT and isinstance(on, exp.Boolean) and bool(on.this)


def named(
    columns: Sequence[tuple[str, Scalar]], names: Sequence[str], node: exp.Expr
) -> tuple[tuple[str, Scalar], ...]:
    """Columns under the names that `AS t(a, b)` gives the first of them."""
    if len(names) > len(columns):
        raise UnsupportedSql("More column names than columns.", position=place(node))
    own = [name for name, _ in columns]
    given = [*names, *own[len(names) :]]
    return tuple((name, scalar) for name, (_, scalar) in zip(given, columns, strict=True))

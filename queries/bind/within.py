"""GROUP BY the privacy unit: exact aggregates of one unit's own rows, still private.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a unit has at most the stated number of groups, and every aggregate lies in the
                range its facts state.
    Requires    a key that determines the unit; a source whose rows per unit are bounded.
    Why         the lowering adds the unit's id to the GROUP BY, so a group holds rows of one unit;
                COUNT, SUM, MIN, MAX and AVG over at most M of them lie in M-fold or convex ranges,
                sums are of whole numbers and therefore the same in any order (P2, P3).
    Tried by    tests/properties/test_sensitivity.py, tests/properties/test_ranges.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.facts import Facts
from queries.algebra.relations import Grouped, Inner, Ordering, Partial, Relation
from queries.algebra.scalars import Call, Column, Scalar, columns, conjuncts
from queries.bind import aggregates, carried, counts, narrowing, orderings, windows
from queries.bind.colours import Private
from queries.bind.expressions import Expressions
from queries.bind.grouping import Grouping
from queries.bind.outputs import item_name, reaches
from queries.bind.scope import Scope
from queries.bind.summaries import Summaries
from queries.bind.windows import Windowing, qualified, windowing
from queries.language.parse import place
from queries.language.refusals import (
    AcrossUnits,
    NamesPersons,
    NotGrouped,
    UnsupportedSql,
)

if TYPE_CHECKING:
    from queries.bind.binder import Binder


def select(
    binder: Binder,
    node: exp.Select,
    relation: Relation,
    expressions: Expressions,
    keys: Grouping,
) -> Private:
    """A SELECT that groups by something that determines the unit."""
    if node.parent is None:
        raise NamesPersons(
            "It groups by something that tells persons apart, so each row would be one of them.",
            position=place(node.args.get("group") or node),
        )
    for name in ("limit", "offset"):
        if node.args.get(name) is not None:
            raise AcrossUnits(
                f"{name.upper()} over groups of persons would choose among them.",
                position=place(node.args[name]),
            )
    number, rows = binder.number(), counts.groups(binder, relation.rows, keys)
    known = carried.through(binder, relation)
    inner = Within(expressions, number, keys, relation, known)
    to: Expressions = inner
    if windows.present(node):
        placed = Grouped(number, relation, inner.keys, (), rows)
        to = windowing(binder, inner, placed, Scope(()))
    shown = tuple(_items(node, to))
    having = node.args.get("having")
    parts = () if having is None else conjuncts(inner.predicate(having.this))
    kept = windows.qualifying(node, to)
    source: Relation = Grouped(number, relation, inner.keys, tuple(inner.partials), rows)
    if parts:
        source = Inner((source,), parts, number, rows)
    if isinstance(to, Windowing):
        return Private(*qualified(to, source, kept, shown))
    proved = narrowing.proved(parts)
    return Private(source, tuple((name, narrowing.refined(s, proved)) for name, s in shown))


def _items(node: exp.Select, to: Expressions) -> Iterable[tuple[str, Scalar]]:
    for count, item in enumerate(node.expressions):
        if isinstance(item, exp.Star):
            raise UnsupportedSql("* is not answered with GROUP BY.", position=place(item))
        yield item_name(item) or f"col{count}", to.bind(item.unalias())


def grouped(
    binder: Binder, relation: Relation, keys: Grouping, partials: tuple[Partial, ...]
) -> tuple[Grouped, list[Scalar]]:
    """DISTINCT within the unit: the keys alone."""
    number = binder.number()
    names = tuple((f"k{n}", scalar) for n, (_, scalar) in enumerate(keys.keys))
    source = Grouped(number, relation, names, partials, counts.groups(binder, relation.rows, keys))
    known = carried.through(binder, relation)
    return source, [Column(number, name, known(scalar)) for name, scalar in names]


class Within(Expressions):
    """Binds the outputs of a GROUP BY within the unit: keys and aggregates are its columns."""

    def __init__(
        self,
        base: Expressions,
        number: int,
        keys: Grouping,
        relation: Relation,
        known: Callable[[Scalar], Facts],
    ) -> None:
        super().__init__(base.scope, base.subqueries, base.aliases)
        self.base = base
        self.number = number
        order = orderings.total(relation, base.scope)
        self.summaries = Summaries(base, relation.rows, order, self._partial)
        self.keys = tuple((f"k{n}", scalar) for n, (_, scalar) in enumerate(keys.keys))
        self.known = known
        self.partials: list[Partial] = []

    def bind(self, node: exp.Expr) -> Scalar:
        if aggregates.is_aggregate(node):
            return self.summaries.bind(node)
        if not reaches(node, self.aliases, aggregates.contains):
            return self._over_keys(self.base.bind(node), node)
        return super().bind(node)

    def _over_keys(self, scalar: Scalar, node: exp.Expr) -> Scalar:
        """The same scalar read from the group's keys; raises NotGrouped."""
        for name, key in self.keys:
            if key == scalar:
                return Column(self.number, name, self.known(key))
        if isinstance(scalar, Call) and any(True for _ in columns(scalar)):
            return replace(scalar, args=tuple(self._over_keys(arg, node) for arg in scalar.args))
        if isinstance(scalar, Column):
            raise self._ungrouped(scalar, node)
        return scalar

    def _ungrouped(self, scalar: Column, node: exp.Expr) -> NotGrouped:
        """The refusal of a column in the analyst's name for it."""
        read = [column for column in node.find_all(exp.Column) if not column.is_star]
        named = [column.sql() for column in read if self.base.bind(column) == scalar]
        name = named[0] if named else "A column of this expression"
        return aggregates.ungrouped(name, node)

    def _partial(
        self,
        kind: str,
        value: Scalar | None,
        where: Scalar | None,
        order: tuple[Ordering, ...],
        facts: Facts,
    ) -> Scalar:
        for known in self.partials:
            if (known.kind, known.value, known.where, known.order) == (kind, value, where, order):
                return Column(self.number, known.name, facts)
        name = f"a{len(self.partials)}"
        self.partials.append(Partial(name, kind, value, where, order))
        return Column(self.number, name, facts)

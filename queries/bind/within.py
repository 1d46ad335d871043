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

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra import operations as op
from queries.algebra.facts import EXACT, Facts
from queries.algebra.grid import grid
from queries.algebra.relations import Grouped, Inner, Partial, Relation
from queries.algebra.scalars import Call, Column, Scalar, columns, conjuncts
from queries.bind import aggregates, narrowing, scans, types
from queries.bind.colours import Private
from queries.bind.expressions import TRUTH, Expressions
from queries.bind.grouping import Grouping
from queries.bind.outputs import item_name
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import (
    AcrossUnits,
    NamesPersons,
    NotGrouped,
    RangeTooLarge,
    UnsupportedFunction,
    UnsupportedSql,
)

if TYPE_CHECKING:
    from queries.bind.binder import Binder

SUMMED = 2**100


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
    for name in ("limit", "offset", "qualify"):
        if node.args.get(name) is not None:
            raise AcrossUnits(
                f"{name.upper()} over groups of persons would choose among them.",
                position=place(node.args[name]),
            )
    number = binder.number()
    inner = Within(expressions, number, keys, relation.rows)
    shown = []
    for count, item in enumerate(node.expressions):
        if isinstance(item, exp.Star):
            raise UnsupportedSql("* is not answered with GROUP BY.", position=place(item))
        shown.append((item_name(item) or f"col{count}", inner.bind(item.unalias())))
    having = node.args.get("having")
    parts = () if having is None else conjuncts(inner.predicate(having.this))
    source = Grouped(
        number, relation, inner.keys, tuple(inner.partials), groups(binder, relation, keys)
    )
    if not parts:
        return Private(source, tuple(shown))
    proved = narrowing.proved(parts)
    filtered = Inner((source,), parts, number, source.rows)
    return Private(filtered, tuple((name, _refined(s, proved)) for name, s in shown))


def _refined(scalar: Scalar, proved: dict[Column, Facts]) -> Scalar:
    if isinstance(scalar, Column) and scalar in proved:
        return replace(scalar, facts=proved[scalar])
    return scalar


def grouped(
    binder: Binder, relation: Relation, keys: Grouping, partials: tuple[Partial, ...]
) -> tuple[Grouped, list[Scalar]]:
    """DISTINCT within the unit: the keys alone."""
    number = binder.number()
    names = tuple((f"k{n}", scalar) for n, (_, scalar) in enumerate(keys.keys))
    source = Grouped(number, relation, names, partials, groups(binder, relation, keys))
    return source, [Column(number, name, scalar.facts) for name, scalar in names]


def groups(binder: Binder, relation: Relation, keys: Grouping) -> int:
    """The most groups one unit can have: as many as its keys allow, and no more than its rows."""
    sizes = []
    for _, scalar in keys.keys:
        identity = scalar.facts.identity if isinstance(scalar, Column) else None
        sizes.append(_size(binder, scalar.facts, identity))
    known = [size for size in sizes if size is not None]
    return min(relation.rows, prod(known)) if len(known) == len(sizes) else relation.rows


def _size(binder: Binder, facts: Facts, identity: str | None) -> int | None:
    if identity == "unit":
        return 1
    if identity is not None:
        table = binder.view.manifest.table(identity.split(".")[0])
        return None if table is None else scans.rows_per_unit(table)
    if facts.values is not None:
        return len(facts.values) + facts.nullable
    if facts.type is Type.INTEGER and facts.bounded:
        low, high = facts.span()
        return high - low + 1 + facts.nullable
    return None


class Within(Expressions):
    """Binds the outputs of a GROUP BY within the unit: keys and aggregates are its columns."""

    def __init__(self, base: Expressions, number: int, keys: Grouping, rows: int) -> None:
        super().__init__(base.scope, base.subqueries, base.aliases)
        self.base = base
        self.number = number
        self.rows = rows
        self.keys = tuple((f"k{n}", scalar) for n, (_, scalar) in enumerate(keys.keys))
        self.partials: list[Partial] = []

    def bind(self, node: exp.Expr) -> Scalar:
        if aggregates.is_aggregate(node):
            return self._aggregate(node)
        if not aggregates.contains(node) and not self._names_aggregate(node):
            return self._over_keys(self.base.bind(node), node)
        return super().bind(node)

    def _names_aggregate(self, node: exp.Expr) -> bool:
        """Whether the expression uses a name that SELECT gives to an aggregate."""
        named = (self.aliases.get(c.name.lower()) for c in node.find_all(exp.Column) if not c.table)
        return any(meant is not None and aggregates.contains(meant) for meant in named)

    def _over_keys(self, scalar: Scalar, node: exp.Expr) -> Scalar:
        """The same scalar read from the group's keys; raises NotGrouped."""
        for name, key in self.keys:
            if key == scalar:
                return Column(self.number, name, scalar.facts)
        if isinstance(scalar, Call) and any(True for _ in columns(scalar)):
            return replace(scalar, args=tuple(self._over_keys(arg, node) for arg in scalar.args))
        if isinstance(scalar, Column):
            raise NotGrouped(
                f"{scalar.name} is neither grouped by nor aggregated.", position=place(node)
            )
        return scalar

    def _aggregate(self, node: exp.Expr) -> Scalar:
        call, condition = aggregates.parts(node, aggregates.WITHIN)
        where = None
        if condition is not None:
            where = types.require(self.base.predicate(condition), TRUTH, node, "FILTER")
        argument = aggregates.distinct_argument(call)
        if argument is not None:
            if not isinstance(call, exp.Count):
                raise UnsupportedFunction("Only COUNT takes DISTINCT here.", position=place(node))
            return self._partial("distinct", self.base.bind(argument), where, self._count())
        if isinstance(call, exp.CountIf):
            truth = types.require(self.base.predicate(call.this), TRUTH, node, "COUNT_IF")
            null = truth.facts.nullable or where is not None
            return self._partial("count_if", truth, where, replace(self._count(), nullable=null))
        if isinstance(call, exp.Count):
            value = None if aggregates.starred(call) else self.base.bind(call.this)
            return self._partial("count", value, where, self._count())
        return self._summary(call, self.base.value(call.this), where)

    def _count(self) -> Facts:
        return Facts(Type.INTEGER, False, 0, 0, self.rows)

    def _summary(self, call: exp.Func, value: Scalar, where: Scalar | None) -> Scalar:
        facts = replace(value.facts, nullable=True, identity=None, reference=None)
        if isinstance(call, exp.Min | exp.Max):
            return self._partial("min" if isinstance(call, exp.Min) else "max", value, where, facts)
        if facts.type not in EXACT:
            return self._real_summary(call, value, where)
        low, high = facts.span()
        if isinstance(call, exp.Avg):
            ends = (low * facts.step, high * facts.step) if facts.declared else (None, None)
            return self._partial("avg", value, where, Facts(Type.REAL, True, 0, *ends))
        if max(abs(low), abs(high)) * self.rows > SUMMED:
            raise RangeTooLarge("The sum within a unit may be too large.", position=place(call))
        return self._partial("sum", value, where, _summed(facts, self.rows))

    def _real_summary(self, call: exp.Func, value: Scalar, where: Scalar | None) -> Scalar:
        """SUM or AVG of whole numbers times a constant: theirs, times the constant.

        Any other real is refused: its sum would depend on the order in which the engine adds.
        """
        place_of = grid(value) if value.facts.bounded else None
        if place_of is None or not place_of.exact or value.facts.type is not Type.REAL:
            raise UnsupportedFunction(
                "Within the unit only whole and decimal numbers are summed, times a constant.",
                position=place(call),
                hint="Multiply or divide after the sum, or round to a whole number first.",
            )
        whole = op.to_real(self._summary(call, place_of.source, where))
        factor = place_of.step / place_of.source.facts.step
        for apply, part in ((op.multiply, factor.numerator), (op.divide, factor.denominator)):
            if part != 1:
                whole = apply(whole, types.real_literal(float(part)))
        return whole

    def _partial(
        self, kind: str, value: Scalar | None, where: Scalar | None, facts: Facts
    ) -> Scalar:
        for known in self.partials:
            if (known.kind, known.value, known.where) == (kind, value, where):
                return Column(self.number, known.name, facts)
        name = f"a{len(self.partials)}"
        self.partials.append(Partial(name, kind, value, where))
        return Column(self.number, name, facts)


def _summed(facts: Facts, rows: int) -> Facts:
    low, high = facts.span()
    return replace(facts, values=None, lower=min(low, low * rows), upper=max(high, high * rows))

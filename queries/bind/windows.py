"""Windows below a measure: over the rows of one unit, in a total order.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       every row keeps its unit, no row is added, and a window's value depends on rows of
                that unit alone and lies in the range its facts state.
    Requires    a partition within the unit (`queries.bind.frames`); a total order (P3).
    Why         a rank or row number is at most the unit's rows; values are taken from its rows,
                counts are of them, and aggregates are those of a group. Whatever a row shows
                besides is computed below the window and carried along.
    Tried by    tests/properties/test_sensitivity.py, tests/bind/test_windows.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.facts import Facts, hull
from queries.algebra.relations import Inner, Ordering, Partial, Relation, Window, Windowed
from queries.algebra.scalars import Column, Literal, Scalar, conjuncts
from queries.bind import aggregates, carried, counts, frames, narrowing, orderings, ranks, types
from queries.bind.expressions import Expressions, measured
from queries.bind.frames import Over
from queries.bind.grouping import Grouping
from queries.bind.outputs import reaches
from queries.bind.scope import Scope
from queries.bind.summaries import TRUTHS, Summaries, picked
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import UnsupportedFunction, UnsupportedSql

if TYPE_CHECKING:
    from queries.bind.binder import Binder

RANKS: dict[type[exp.Expr], str] = {
    exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank",
    exp.PercentRank: "percent_rank", exp.CumeDist: "cume_dist",
}  # fmt: skip
SHARES = frozenset({"percent_rank", "cume_dist"})
MOVED: dict[type[exp.Expr], str] = {exp.Lag: "lag", exp.Lead: "lead"}
PICKED: dict[type[exp.Expr], str] = {
    exp.FirstValue: "first_value", exp.LastValue: "last_value", exp.NthValue: "nth_value",
}  # fmt: skip
AGGREGATES: tuple[type[exp.Expr], ...] = (*aggregates.WITHIN, *TRUTHS)
MOST_STEPS = 10_000
Named = tuple[tuple[str, Scalar], ...]
COUNTING = Facts(Type.INTEGER, False, 0, 1, 1)


class Windowing(Expressions):
    """Binds what stands above windows: each window, and each part without one, is a column.

    `sized` says how many partitions of one unit there can be, `known` what is known of a scalar
    above the windows; `total` orders the unit's rows.
    """

    def __init__(
        self,
        base: Expressions,
        number: int,
        rows: int,
        total: tuple[Scalar, ...],
        sized: Callable[[Grouping], int],
        known: Callable[[Scalar], Facts],
    ) -> None:
        super().__init__(base.scope, base.subqueries, base.aliases)
        self.base, self.number, self.rows, self.total = base, number, rows, total
        self.sized, self.known = sized, known
        self.windows: list[Window] = []
        self.kept: dict[Scalar, Column] = {}

    def relation(self, source: Relation) -> Windowed:
        """The source with the windows that were met."""
        order = tuple(self._carried(scalar).name for scalar in self.total)
        columns = tuple((column.name, scalar) for scalar, column in self.kept.items())
        return Windowed(self.number, source, columns, tuple(self.windows), order)

    def bind(self, node: exp.Expr) -> Scalar:
        if isinstance(node, exp.Window):
            return self._window(node)
        if not self.over(node):
            return self.carried(self.base.bind(node))
        return super().bind(node)

    def predicate(self, node: exp.Expr) -> Scalar:
        if not self.over(node):
            return self.carried(self.base.predicate(node))
        if isinstance(node, exp.In) and node.args.get("query") is not None:
            raise UnsupportedSql("A window is not compared with a subquery.", position=place(node))
        return super().predicate(node)

    def over(self, node: exp.Expr) -> bool:
        """Whether a window stands in the expression, or a name that SELECT gives to one."""
        return reaches(node, self.aliases, contains)

    def carried(self, scalar: Scalar) -> Scalar:
        """The same scalar, read from what the windows carry along."""
        return scalar if isinstance(scalar, Literal) else self._carried(scalar)

    def _carried(self, scalar: Scalar) -> Column:
        if scalar not in self.kept:
            name = f"c{len(self.kept)}"
            self.kept[scalar] = Column(self.number, name, self.known(scalar))
        return self.kept[scalar]

    def row_number(self, keys: Grouping, order: tuple[Ordering, ...]) -> Column:
        """The place of a row in its partition."""
        facts = replace(COUNTING, upper=self.rows)
        return self._made("row_number", (), Over(keys, order), facts)

    def _window(self, node: exp.Window) -> Scalar:
        over = frames.over(node, self.base)
        inner, ignoring = node.this, False
        if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
            ignoring, inner = isinstance(inner, exp.IgnoreNulls), inner.this
        kind = type(inner)
        if over.frame and kind not in PICKED and kind in (*RANKS, *MOVED, exp.Ntile):
            raise UnsupportedSql("This function takes no frame.", position=place(node))
        if ignoring and kind not in (*MOVED, *PICKED):
            raise UnsupportedSql("IGNORE NULLS is not answered here.", position=place(node))
        if kind in RANKS:
            return self._rank(inner, over)
        if kind is exp.Ntile:
            return self._tile(inner, over)
        if kind in MOVED:
            return self._moved(inner, over, ignoring=ignoring)
        if kind in PICKED:
            return self._picked(inner, over, ignoring=ignoring)
        return self._aggregate(inner, over)

    def _rank(self, call: exp.Expr, over: Over) -> Scalar:
        if any(call.args.values()):
            raise UnsupportedSql("Ranks take no argument here.", position=place(call))
        kind = RANKS[type(call)]
        if kind in SHARES:
            return self._made(kind, (), over, Facts(Type.REAL, False, 0, 0, 1))
        return self._made(kind, (), over, replace(COUNTING, upper=self.rows))

    def _tile(self, call: exp.Ntile, over: Over) -> Scalar:
        tiles = _constant(call.this, call, 1)
        facts = replace(COUNTING, upper=min(self.rows, tiles))
        return self._made("ntile", (_whole(tiles),), over, facts)

    def _moved(self, call: exp.Expr, over: Over, *, ignoring: bool) -> Scalar:
        """LAG and LEAD: a value some rows away, or a constant where there is no such row."""
        value = self._value(call)
        given = call.args.get("offset")
        steps = _whole(1 if given is None else _constant(given, call, 0))
        facts = picked(value)
        fixed: tuple[Scalar, ...] = (steps,)
        default = call.args.get("default")
        if default is not None:
            value, other = types.unified([value, self.base.value(default)], call)
            if not isinstance(other, Literal):
                raise UnsupportedFunction("The default must be a constant.", position=place(call))
            facts, fixed = _either(value, other), (steps, other)
        return self._made(MOVED[type(call)], (value, *fixed), over, facts, ignoring=ignoring)

    def _picked(self, call: exp.Expr, over: Over, *, ignoring: bool) -> Scalar:
        value = self._value(call)
        fixed: tuple[Scalar, ...] = ()
        if isinstance(call, exp.NthValue):
            fixed = (_whole(_constant(call.args.get("offset"), call, 1)),)
        args = (value, *fixed)
        return self._made(PICKED[type(call)], args, over, picked(value), ignoring=ignoring)

    def _value(self, call: exp.Expr) -> Scalar:
        if call.expressions:
            raise UnsupportedFunction("This takes one value.", position=place(call))
        return measured(self.base.value(call.this), call)

    def _aggregate(self, call: exp.Expr, over: Over) -> Scalar:
        def emit(
            kind: str,
            value: Scalar | None,
            where: Scalar | None,
            order: tuple[Ordering, ...],
            facts: Facts,
        ) -> Scalar:
            args = () if value is None else (value,)
            return self._made(kind, args, over, facts, where)

        most = self.rows if over.most is None else min(self.rows, over.most)
        return Summaries(self.base, most, self.total, emit, AGGREGATES).bind(call)

    def _made(
        self,
        kind: str,
        args: tuple[Scalar, ...],
        over: Over,
        facts: Facts,
        where: Scalar | None = None,
        *,
        ignoring: bool = False,
    ) -> Column:
        """The column of a window, each computed once."""
        name = f"w{len(self.windows)}"
        keys = tuple(scalar for _, scalar in over.keys.keys)
        call = Partial(name, kind, args[0] if args else None, where)
        sized = self.sized(over.keys)
        made = Window(call, keys, over.order, self.total, sized, over.frame, args[1:], ignoring)
        for known in self.windows:
            if replace(made, call=replace(call, name=known.name)) == known:
                return Column(self.number, known.name, facts)
        self.windows.append(made)
        return Column(self.number, name, facts)


def windowing(binder: Binder, base: Expressions, relation: Relation, scope: Scope) -> Windowing:
    """Binds windows over the rows of a relation, of which the scope shows the columns."""
    return Windowing(
        base,
        binder.number(),
        relation.rows,
        orderings.total(relation, scope),
        lambda keys: counts.groups(binder, relation.rows, keys),
        carried.through(binder, relation),
    )


def contains(node: exp.Expr) -> bool:
    """Whether a window stands in the expression, subqueries left aside."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Window):
            return True
        if not isinstance(current, exp.Query):
            stack.extend(current.iter_expressions())
    return False


def present(node: exp.Select) -> bool:
    """Whether a SELECT has windows at its own level."""
    places = [*node.expressions, node.args.get("qualify")]
    return any(contains(part) for part in places if part is not None)


def qualifying(node: exp.Select, to: Expressions) -> tuple[Scalar, ...]:
    """The conditions of QUALIFY."""
    clause = node.args.get("qualify")
    return () if clause is None else conjuncts(to.predicate(clause.this))


def qualified(
    to: Windowing, source: Relation, parts: tuple[Scalar, ...], columns: Named
) -> tuple[Relation, Named]:
    """The relation that the windows make under a condition, and what that proves of its columns."""
    made = to.relation(source)
    if not parts:
        return made, columns
    proved = narrowing.proved(parts)
    kept = Inner((made,), parts, made.unit, ranks.rows_left(made, parts))
    return kept, tuple((name, narrowing.refined(scalar, proved)) for name, scalar in columns)


def _either(value: Scalar, other: Scalar) -> Facts:
    """The facts of a value, or of a constant in its place."""
    low, high = hull([value.facts, other.facts])
    texts = value.facts.values
    if texts is not None and isinstance(other, Literal):
        texts = tuple(dict.fromkeys([*texts, *(other.facts.values or ())]))
    facts = replace(
        picked(value), reference=None, lower=low, upper=high, values=texts, longest=None
    )
    return replace(facts, nullable=value.facts.nullable or other.facts.nullable)


def _constant(node: exp.Expr | None, call: exp.Expr, least: int) -> int:
    text = node.name if isinstance(node, exp.Literal) and not node.is_string else ""
    if not text.isdigit() or not least <= int(text) <= MOST_STEPS:
        raise UnsupportedFunction(
            f"{call.key.upper()} takes a whole constant here.", position=place(call)
        )
    return int(text)


def _whole(value: int) -> Literal:
    return Literal(value, Facts(Type.INTEGER, False, 0, value, value))

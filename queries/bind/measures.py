"""A SELECT that measures: its GROUP BY becomes a stage, the rest of it SQL over the noisy table.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the open query reads nothing but the keys and noisy columns of its stage.
    Requires    the stage to be charged and noised (`queries.plan`).
    Why         every expression of SELECT, HAVING, QUALIFY and ORDER BY is rebuilt: an aggregate is
                replaced by columns of the stage, a grouped expression by its key; a column that is
                neither is refused, so none can pass through.
    Tried by    tests/bind/test_colours.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.measures import (
    OCCURS,
    RANKED,
    SET,
    Measure,
    Ranked,
    Rows,
    Statistic,
    Units,
)
from queries.algebra.relations import Relation, Spine, size_of
from queries.algebra.scalars import Scalar
from queries.bind import aggregates, forms, leading, open_queries, open_subqueries, spines
from queries.bind.colours import Cell, Environment, Open, Rowwise
from queries.bind.expressions import MOST_EXPANSIONS, Expressions
from queries.bind.grouping import Grouping, grouping, of_key, positioned
from queries.bind.outputs import item_name
from queries.bind.reading import Reader
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import (
    NotGrouped,
    QueryRefused,
    TooComplex,
    TooManyColumns,
    UnknownColumn,
)
from queries.language.trees import Form, anew, children, form, rebuilt, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder


def select(
    binder: Binder,
    node: exp.Select,
    relation: Relation,
    expressions: Expressions,
    keys: Grouping,
    env: Environment,
    once: tuple[Scalar, ...] | None = None,
) -> Open:
    """The open query that a measuring SELECT leaves, its measure added to the binder's.

    `once` are the columns of rows that count once each, whoever has them.
    """
    if len(node.expressions) > LIMITS.columns:
        raise TooManyColumns(
            f"At most {LIMITS.columns} columns are answered.", position=place(node)
        )
    keys.refuse_gaps()
    reader = Reader(expressions, binder.weigh, once)
    binder.weigh(size_of(relation) + sum(scalar.size for _, scalar in keys.keys))
    for call in _calls(node, reader):
        if of_key(call, keys, expressions) is None:
            reader.collect(call)
    needed = sorted(reader.statistics(), key=repr)
    measure = Measure(
        relation,
        tuple(sorted((scalar for _, scalar in keys.keys), key=repr)),
        tuple(part for part in needed if not isinstance(part, RANKED)),
        ranked=tuple(part for part in needed if isinstance(part, RANKED)),
    )
    order = tuple(measure.keys.index(key) for _, key in keys.keys)
    sets = sorted(tuple(sorted(order[n] for n in one)) for one in keys.sets)
    measure = replace(measure, sets=tuple(sets))
    listing = not needed
    if listing:
        spines.check_listing(relation, place(node))
        measure = replace(measure, statistics=(Units(None),))
    measure = spines.measured(measure, place(node))
    measure = replace(measure, leading=0 if listing else leading.wanted(node, reader, measure))
    binder.measures.append(measure)
    grouped = [(item, key) for item, key in keys.keys if item is not None]
    said = {form(item): measure.keys.index(key) for item, key in grouped}
    stage = f"_stage{len(binder.measures) - 1}"
    listing = listing and bool(keys.keys) and not keys.sets
    return Writer(binder, env, reader, node, measure, stage, said, keys, order, listing).open()


def listed(
    binder: Binder, node: exp.Select, relation: Relation, expressions: Expressions, env: Environment
) -> Open | None:
    """A list of keys, as SELECT DISTINCT of the whole answer asks for; None where it is no such.

    It is the same question as GROUP BY of all that is selected.
    """
    distinct = node.args.get("distinct")
    plain = distinct is not None and distinct.args.get("on") is None and node.parent is None
    if not plain or any(item.is_star for item in node.expressions):
        return None
    same = anew(node)
    same.set("distinct", None)
    same.set("group", exp.Group(all=True))
    keys = grouping(same, expressions)
    if keys.within_unit:
        return None
    return select(binder, same, relation, expressions, keys, env)


def _calls(node: exp.Select, reader: Reader) -> list[exp.Expr]:
    """Every aggregate call at this SELECT's level."""
    places = [*node.expressions, node.args.get("having"), node.args.get("order")]
    places.append(node.args.get("qualify"))
    found, stack = [], [part for part in places if part is not None]
    while stack:
        current = stack.pop()
        if reader.reads(current):
            found.append(current)
        elif not isinstance(current, exp.Query):
            stack.extend(children(current))
    return found


@dataclass(slots=True)
class Writer:
    """Writes SELECT, HAVING, QUALIFY and ORDER BY anew, over the columns of the stage."""

    binder: Binder
    env: Environment
    reader: Reader
    node: exp.Select
    measure: Measure
    stage: str
    said: dict[Form, int]
    keys: Grouping
    order: tuple[int, ...] = ()
    listing: bool = False
    expansions: int = 0

    def open(self) -> Open:
        items = [self._item(item) for item in self.node.expressions]
        names = tuple(item_name(item) for item in self.node.expressions)
        query = exp.Select(expressions=[], from_=exp.From(this=open_queries.stage(self.stage)))
        conditions = self._conditions()
        if conditions:
            query.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
        for name in ("limit", "offset", "distinct"):
            if self.node.args.get(name) is not None:
                query.set(name, anew(self.node.args[name]))
        if self.node.args.get("qualify") is not None:
            query.set("qualify", exp.Qualify(this=self._written(self.node.args["qualify"].this)))
        query.set("order", self._order())
        shown = [
            open_queries.aliased(anew(cell_sql), name or f"col{n}")
            for n, ((cell_sql, _), name) in enumerate(zip(items, names, strict=True))
        ]
        query.set("expressions", shown)
        open_queries.check_nodes(query)
        single = not (self.measure.keys or self.measure.sets)
        if self.node.args.get("distinct") is not None:
            distinct = open_queries.is_distinct(query)
            return Open(query, True, names, single=single, distinct=distinct)
        rowed = anew(query, but=("expressions",))
        rowed.set("expressions", [open_queries.row(self.stage), *(anew(e) for e in shown)])
        cells = tuple(
            (name or f"col{n}", cell)
            for n, ((_, cell), name) in enumerate(zip(items, names, strict=True))
        )
        keys = tuple(sorted(self.order[: len(self.order) - self.keys.determined]))
        rowwise = Rowwise(self.stage, rowed, cells, None if self.measure.sets else keys)
        return Open(query, True, names, rowwise, single or open_queries.is_single(query))

    def _conditions(self) -> list[exp.Expr]:
        """HAVING; and of a list of keys, that a key occurs as far as its noisy count tells."""
        having = self.node.args.get("having")
        found = [] if having is None else [self._written(having.this)]
        if self.listing:
            units = self.measure.statistics.index(Units(None))
            found.append(exp.GTE(this=self._column(f"m{units}"), expression=self._column(OCCURS)))
        return found

    def _item(self, item: exp.Expr) -> tuple[exp.Expr, Cell]:
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
            raise NotGrouped("* cannot be selected beside GROUP BY.", position=place(item))
        call = item.unalias()
        written = self._written(call)
        found = open_queries.cell(written)
        if aggregates.is_aggregate(call) and not found.key:
            found = replace(found, facts=self.reader.of(call).facts)
        return written, found

    def _order(self) -> exp.Order | None:
        """The analyst's order, then the keys: never the engine's (P13)."""
        given = self.node.args.get("order")
        ordered = [] if given is None else [self._ordered(part) for part in given.expressions]
        if self.node.args.get("distinct") is None:
            sets = self.measure.sets
            keys = [f"k{n}" for n in (self.order if sets else range(len(self.measure.keys)))]
            last = [SET, "_row"] if sets else ["_row"]
            ordered.extend(
                exp.Ordered(this=self._column(name), desc=False) for name in (*keys, *last)
            )
        return exp.Order(expressions=ordered) if ordered else None

    def _ordered(self, part: exp.Ordered) -> exp.Ordered:
        meant = part.this
        aliases = {i.alias.lower(): i.this for i in self.node.expressions if i.alias}
        if isinstance(meant, exp.Literal) and not meant.is_string:
            meant = positioned(self.node, meant)
        elif isinstance(meant, exp.Column) and not meant.table and meant.name.lower() in aliases:
            meant = aliases[meant.name.lower()]
        copied = anew(part)
        copied.set("this", self._written(meant))
        return copied

    def _written(self, node: exp.Expr) -> exp.Expr:
        """The expression over the stage's columns; raises NotGrouped."""
        if self.reader.reads(node):
            known = of_key(node, self.keys, self.reader.expressions)
            return self._aggregate(node) if known is None else self._written(known)
        if isinstance(node, aggregates.SETS):
            return self._set(node)
        key = self._key(node)
        if key is not None:
            return key
        if isinstance(node, exp.Column):
            aliases = self.reader.expressions.aliases
            if not node.table and node.name.lower() in aliases:
                return self._meant(node.name.lower())
            self.reader.expressions.scope.resolve(node)
            raise aggregates.ungrouped(node.name, node)
        if isinstance(node, exp.Query):
            return self._nested(node)
        return rebuilt(node, self._written)

    def _nested(self, node: exp.Query) -> exp.Expr:
        """A subquery, which may read the keys around it; raises a QueryRefused."""
        around = {table.alias.lower() for table in self.reader.expressions.scope.tables}
        tied = open_subqueries.tied(node, around, self._written)
        try:
            listed = open_subqueries.is_listed(node)
            return open_subqueries.nested(self.binder, tied, self.env, self.node, listed=listed)
        except UnknownColumn:  # said of the names that the analyst wrote
            open_subqueries.nested(self.binder, node, self.env)
            raise

    def _meant(self, alias: str) -> exp.Expr:
        """The expression that SELECT gives a name to; within it the name means something else."""
        aliases = self.reader.expressions.aliases
        self.expansions += 1
        if self.expansions > MOST_EXPANSIONS:
            raise TooComplex("Names given by SELECT are used in each other too often.")
        meant = aliases.pop(alias)
        try:
            return exp.Paren(this=self._written(meant))
        finally:
            aliases[alias] = meant

    def _key(self, node: exp.Expr) -> exp.Expr | None:
        """The key that the expression is, or None."""
        if not self.measure.keys or aggregates.contains(node) or isinstance(node, STRUCTURAL):
            return None
        if any(kind is type(node) for kind, _ in self.said):
            found = self.said.get(form(node))
            if found is not None:
                return self._column(f"k{found}")
        if any(isinstance(part, exp.Query) for part in walk(node)):
            return None  # a subquery is bound where it stands, not to see whether it is a key
        try:
            scalar = self.reader.expressions.bind(node)
        except QueryRefused:
            return None
        if scalar in self.measure.keys:
            return self._column(f"k{self.measure.keys.index(scalar)}")
        return None

    def _aggregate(self, node: exp.Expr) -> exp.Expr:
        self.reader.collect(node)
        reading = self.reader.of(node)
        return reading.value([self._released(part) for part in reading.statistics])

    def _released(self, part: Statistic | Ranked) -> exp.Expr:
        """The stage's column of a statistic; over a spine COUNT(*) counts the public row, too."""
        column = self._column(self.measure.column(part))
        if part == Rows(None) and isinstance(self.measure.relation, Spine):
            return exp.Greatest(this=column, expressions=[exp.Literal.number(1)])
        return column

    def _set(self, node: exp.Expr) -> exp.Expr:
        """GROUPING: a bit for each argument, 1 where a row's set lacks it; raises NotGrouped."""
        forms.check(node)
        found = [self._key(argument) for argument in node.expressions]
        places = [int(key.name[1:]) for key in found if isinstance(key, exp.Column)]
        if not places or len(places) < len(found):
            raise NotGrouped(f"{node.key.upper()} takes grouped columns.", position=place(node))
        sets = self.measure.sets or (tuple(range(len(self.measure.keys))),)
        bits = [sum((n not in one) << p for p, n in enumerate(reversed(places))) for one in sets]
        return open_queries.chosen(self._column(SET) if self.measure.sets else None, bits)

    def _column(self, name: str) -> exp.Column:
        return open_queries.column(self.stage, name)


STRUCTURAL = (exp.Ordered, exp.Order, exp.WindowSpec, exp.Window, exp.DataType, exp.Identifier)

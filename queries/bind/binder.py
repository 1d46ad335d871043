"""Binds a whole query: each SELECT gets a colour, and what mixes colours unsoundly is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from queries.algebra.measures import Measure
from queries.algebra.scalars import MOST_PARTS
from queries.bind import (
    everybody,
    forms,
    laterals,
    named_windows,
    open_queries,
    past,
    pivots,
    private,
    recursion,
    rows,
    sets,
)
from queries.bind.colours import Bound, Common, Environment, Open, Private
from queries.bind.inputs import Drafted, Given
from queries.bind.publics import Publics
from queries.bind.scans import scanned
from queries.bind.scope import Scope
from queries.catalog.view import View
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import (
    TooComplex,
    UnknownTable,
    UnsupportedSql,
)
from queries.language.spelling import suggestion
from queries.language.trees import anew


@dataclass(frozen=True, slots=True)
class FromItem:
    """One bound member of FROM: its alias, its colour and, where private, its place in a join.

    With `distinct` each row counts once, whoever has it. `added` are columns of a LATERAL that has
    one row for each row before it; its colour is then that of no table.
    """

    alias: str
    node: exp.Expr
    bound: Bound
    names: tuple[str, ...] = ()
    tied: laterals.Tied | None = None
    distinct: bool = False
    added: tuple[tuple[str, exp.Expr], ...] = ()


@dataclass(slots=True)
class Binder:
    """One query's binding: numbers its sources and collects its measures, in order.

    `draft` decides about a measure all but its price; `given` are the released tables that later
    measures read, by name; `past` are the ids of past releases that are read.
    """

    view: View
    publics: Publics
    draft: Callable[[Measure], Drafted]
    measures: list[Measure] = field(default_factory=list)
    sources: int = 0
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    parts: int = 0
    given: dict[str, Given] = field(default_factory=dict)
    past: set[str] = field(default_factory=set)

    def weigh(self, parts: int) -> None:
        """Count the parts of what is measured; raises TooComplex when they are too many."""
        self.parts += parts
        if self.parts > 4 * MOST_PARTS:
            raise TooComplex("With its names written out the query is too large.")

    def drafted(self, stage: str) -> Drafted:
        """The draft of the measure behind a stage's name."""
        return self.draft(self.measures[open_queries.stage_number(stage)])

    def number(self) -> int:
        """The number of the next source; raises TooComplex when there are too many."""
        self.sources += 1
        if self.sources > 4 * LIMITS.tables:
            raise TooComplex("With its common table expressions written out it reads too much.")
        return self.sources - 1

    def query(self, node: exp.Expr, env: Environment, outer: Scope | None = None) -> Bound:
        """The colour and meaning of a query expression; raises a QueryRefused."""
        match node:
            case exp.Subquery():
                return self._wrapped(node, env, outer)
            case exp.SetOperation():
                return sets.operation(self, node, extended(node, env))
            case exp.Select():
                return self.select(node, extended(node, env), outer)
            case exp.Pivot():
                return self.query(self._pivoted(node, node.this, extended(node, env)), env, outer)
        raise UnsupportedSql("This form of query is not answered.", position=place(node))

    def _wrapped(self, node: exp.Subquery, env: Environment, outer: Scope | None) -> Bound:
        forms.check(node)
        return self.query(node.this, extended(node, env), outer)

    def select(
        self, node: exp.Select, env: Environment, outer: Scope | None, *, every: bool = False
    ) -> Bound:
        """The meaning of a SELECT; with `every` private rows are left as they are by DISTINCT."""
        _unwrap(node)
        named_windows.expand(node)
        open_queries.check(node)
        counted = everybody.counted(self, node, env)
        sources = sources_of(node) if counted is None else []
        items = [self.item(source, env) for source in sources] or [i for i in [counted] if i]
        if any(isinstance(item.bound, Private) for item in items):
            return private.select(self, node, items, env, outer, every=every)
        laterals.refuse(items)
        return open_queries.select(self, node, items, env)

    def item(self, node: exp.Expr, env: Environment) -> FromItem:
        """One member of FROM; raises UnknownTable or UnsupportedSql."""
        if node.args.get("pivots"):
            node = self._around(node, env)
        forms.check(node)
        alias = node.args.get("alias")
        named(node)
        names = tuple(column.name for column in alias.columns) if alias is not None else ()
        match node:
            case exp.Values() | exp.Unnest():
                return self._rows(node)
            case exp.Table() if isinstance(node.this, exp.GenerateSeries):
                return self._rows(node)
            case exp.Table():
                bound = self._table(node, env)
                return FromItem(node.alias or node.name, node, bound, names)
            case exp.Lateral():
                return self._lateral(node, names, env)
            case exp.Subquery():
                return FromItem(node.alias, node, self._wrapped(anew(node), env, None), names)
        raise UnsupportedSql("This member of FROM is not answered.", position=place(node))

    def _lateral(self, node: exp.Lateral, names: tuple[str, ...], env: Environment) -> FromItem:
        added = laterals.added(node)
        if added:
            shown = tuple(name for name, _ in added)
            bound = Open(exp.Select(), released=True, names=shown)
            return FromItem(node.alias, node, bound, names, added=added)
        made, tied = laterals.apart(node)
        return FromItem(node.alias, node, self.query(made, env), names, tied)

    def _around(self, node: exp.Expr, env: Environment) -> exp.Subquery:
        """A member of FROM with PIVOT behind it, as a subquery."""
        pivot, *more = node.args["pivots"]
        if more:
            raise UnsupportedSql("One PIVOT at a time is answered.", position=place(node))
        source = node.copy()
        source.set("pivots", None)
        alias = pivot.args.get("alias") or exp.TableAlias(
            this=exp.to_identifier(node.alias_or_name)
        )
        made = exp.Subquery(this=self._written(pivot, source, env), alias=alias.copy())
        node.replace(made)
        return made

    def _pivoted(self, node: exp.Pivot, source: exp.Expr, env: Environment) -> exp.Query:
        """A PIVOT statement as the query it means, in its place."""
        made = self._written(node, source, env)
        if node.parent is not None:
            node.replace(made)
        return made

    def _written(self, pivot: exp.Pivot, source: exp.Expr, env: Environment) -> exp.Query:
        bound = self.item(source.copy(), env).bound
        named = [n for n, _ in bound.columns] if isinstance(bound, Private) else list(bound.names)
        names = [name for name in named if name is not None]
        if len(names) < len(named) or not names:
            raise UnsupportedSql("PIVOT needs named columns.", position=place(pivot))
        return pivots.written(pivot, source, names)

    def _rows(self, node: exp.Expr) -> FromItem:
        """Rows that stand in the query itself."""
        bound, names = rows.member(node)
        return FromItem(node.alias, node, bound, names)

    def _table(self, node: exp.Table, env: Environment) -> Bound:
        if not isinstance(node.this, exp.Identifier):
            raise UnsupportedSql("Table functions are not answered.", position=place(node))
        if past.named(node):
            return self._past(node, node.name)
        if node.args.get("catalog") or (node.db and node.db.lower() != "main"):
            raise UnknownTable(f"There is no table {node.sql()} here.", position=place(node))
        if not node.db and node.name.lower() in env:
            return self._common(env[node.name.lower()])
        table = self.view.manifest.table(node.name)
        if table is None and not node.db and past.about(node) and self.view.about is not None:
            return self._past(node, self.view.about)
        if table is None:
            names = [table.name for table in self.view.manifest.tables]
            raise UnknownTable(
                f"There is no table {node.name} here.",
                position=place(node),
                hint=suggestion(node.name, [*names, *env]),
            )
        if table.public:
            return open_queries.table(table)
        scan, columns = scanned(table, self.number(), self.view.manifest, self.bounds)
        return Private(scan, columns)

    def _past(self, node: exp.Table, id: str) -> Open:
        self.past.add(id)
        return past.table(node, id, self.view.releases)

    def _common(self, found: Common) -> Bound:
        """A WITH query, bound anew at each use, in the names that stood before it."""
        cte = found.query
        forms.check(cte)
        if found.own is not None:
            return found.own
        if found.recursive:
            return recursion.bound(self, cte, found.before)
        bound = self.query(cte.this, found.before)
        return renamed(bound, tuple(column.name for column in cte.args["alias"].columns), cte)


def _unwrap(node: exp.Select) -> None:
    """Write `FROM (a JOIN b ...) JOIN c ...` without the brackets: joins associate to the left."""
    clause = node.args.get("from_")
    while clause is not None:
        first = clause.this
        inner = first.this if _bare(first) else None
        if not isinstance(inner, exp.Table | exp.Subquery):
            return
        joins = inner.args.pop("joins", None) or []
        clause.set("this", inner)
        node.set("joins", [*joins, *(node.args.get("joins") or [])])


def _bare(first: exp.Expr) -> bool:
    """Whether a member of FROM is brackets and nothing more."""
    others = (value for name, value in first.args.items() if name != "this")
    return isinstance(first, exp.Subquery) and not any(others)


def sources_of(node: exp.Select) -> list[exp.Expr]:
    """The members of FROM and of its joins, in order."""
    first = node.args.get("from_")
    joined = [join.this for join in node.args.get("joins") or []]
    if first is None and joined:
        raise UnsupportedSql("JOIN without FROM.", position=place(node))
    return [] if first is None else [first.this, *joined]


def extended(node: exp.Query | exp.Pivot, env: Environment) -> Environment:
    """The names in force inside a query: those around it and its own WITH."""
    clause = node.args.get("with_")
    if clause is None:
        return env
    found = dict(env)
    for cte in clause.expressions:
        named(cte)
        again = bool(clause.args.get("recursive")) and recursion.reads_itself(cte)
        found[cte.alias.lower()] = Common(cte, dict(found), recursive=again)
    return found


def named(node: exp.Expr) -> None:
    """Refuse an alias that could be taken for a stage."""
    if open_queries.is_stage(node.alias.lower()):
        raise UnsupportedSql(
            "Names that begin with _stage are the gateway's own.", position=place(node)
        )


def renamed(bound: Bound, names: tuple[str, ...], node: exp.Expr) -> Bound:
    """The same relation with its first columns renamed, as `AS t(a, b)` does."""
    if not names:
        return bound
    if isinstance(bound, Private):
        if len(names) > len(bound.columns):
            raise UnsupportedSql("More column names than columns.", position=place(node))
        own = [scalar for _, scalar in bound.columns]
        rest = [name for name, _ in bound.columns][len(names) :]
        return Private(bound.relation, tuple(zip([*names, *rest], own, strict=True)))
    return open_queries.renamed(bound, names, node)

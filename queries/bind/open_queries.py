"""Queries over open relations: public tables, stages, and anything built of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.bind import aggregates, open_sql
from queries.bind.colours import Cell, Environment, Open, Rowwise
from queries.bind.outputs import item_name
from queries.catalog.manifest import Table
from queries.language.limits import LIMITS
from queries.language.parse import place
from queries.language.refusals import TooManyColumns, UnsupportedSql
from queries.language.trees import anew, walk

if TYPE_CHECKING:
    from queries.bind.binder import Binder, FromItem

WINDOW = "a window over released rows"
SUBQUERY = "a subquery over released rows"
QUANTILES = "computed from quantiles: a column of its own says how exact each one is"
ROWWISE = frozenset(
    {"expressions", "from_", "where", "order", "limit", "offset", "with_", "qualify"}
)
COUNTS = "computed from a histogram, whose own column says how exact each count is"
FOUND = re.compile(r"q\d+_(\d+_\d+[ad][cd]|mode|counts)")
"""The columns of a stage that were found among values: `Measure.column` names them."""


def check(node: exp.Select) -> None:
    open_sql.check_select(node)


def check_nodes(query: exp.Expr) -> list[exp.Expr]:
    """Refuse syntax that is not on the list for open queries; the query and all its parts."""
    parts = walk(query)
    for node in parts:
        open_sql.check_node(node)
    return parts


def table(found: Table) -> Open:
    """A public table as it stands."""
    names = tuple(column.name for column in found.columns)
    return Open(exp.Table(this=identifier(found.name)), False, names)


def stage(name: str) -> exp.Table:
    """A stage's noisy table."""
    return exp.Table(this=identifier(name), alias=exp.TableAlias(this=identifier(name)))


def column(table: str, name: str) -> exp.Column:
    return exp.Column(this=identifier(name), table=identifier(table))


def row(table: str) -> exp.Expr:
    return aliased(column(table, "_row"), "_row")


def aliased(written: exp.Expr, name: str) -> exp.Expr:
    """An expression that stands nowhere else yet, under a name."""
    return exp.alias_(written, name, quoted=True, copy=False)


def identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def chosen(column: exp.Expr | None, numbers: Sequence[int]) -> exp.Expr:
    """The number at the place that a column tells, as a BIGINT; the first one without a column."""
    numbers = [numbers[0]] if column is None else numbers
    literals = [exp.Literal.number(number) for number in numbers]
    whole = exp.DataType.build("BIGINT")
    if column is None:
        return exp.Cast(this=literals[0], to=whole)
    ifs = [
        exp.If(this=exp.EQ(this=anew(column), expression=exp.Literal.number(place)), true=literal)
        for place, literal in enumerate(literals)
    ]
    return exp.Cast(this=exp.Case(ifs=ifs), to=whole)


def cell(written: exp.Expr) -> Cell:
    """What an output over a stage's columns is."""
    bare = written
    while isinstance(bare, exp.Paren):
        bare = bare.this
    if isinstance(bare, exp.Column):
        name = bare.name
        measured = name.startswith("m") or FOUND.fullmatch(name) is not None
        return Cell(bare, key=name.startswith("k"), measure=name if measured else None)
    reason = _unread(written)
    if reason is not None:
        return Cell(None, reason=reason)
    names = [part.name for part in walk(written) if isinstance(part, exp.Column)]
    located = [name for name in names if FOUND.fullmatch(name)]
    if located:
        members = bare.expressions if isinstance(bare, exp.Array) else []
        if members and all(isinstance(member, exp.Column) for member in members):
            return Cell(None, reason=QUANTILES, measures=tuple(member.name for member in members))
        counts = all(name.endswith("_counts") for name in located)
        return Cell(written, reason=COUNTS if counts else QUANTILES)
    measured = any(name.startswith("m") for name in names)
    return Cell(written, key=not measured)


def _unread(written: exp.Expr) -> str | None:
    """Why an output is no expression over the columns of one row; None where it is one."""
    parts = list(walk(written))
    if any(isinstance(part, exp.Window) for part in parts):
        return WINDOW
    return SUBQUERY if any(isinstance(part, exp.Query) for part in parts) else None


def set_operation(node: exp.SetOperation, left: Open, right: Open) -> Open:
    """UNION, INTERSECT and EXCEPT of open queries."""
    copied = anew(node)
    copied.set("with_", None)
    copied.set("this", wrapped(left.query))
    copied.set("expression", wrapped(right.query))
    for name in ("order", "limit", "offset"):
        part = copied.args.get(name)
        if part is not None:
            check_nodes(part)
    distinct = bool(copied.args.get("distinct"))
    return Open(copied, left.released or right.released, left.names, distinct=distinct)


def wrapped(query: exp.Expr) -> exp.Select:
    """SELECT * FROM the query: a set operation's side with nothing of its own around it."""
    source = anew(query) if isinstance(query, exp.Table) else subquery(query, "q")
    return exp.Select(expressions=[exp.Star()], from_=exp.From(this=source))


def subquery(query: exp.Expr, alias: str, names: Sequence[str] = ()) -> exp.Expr:
    columns = [identifier(name) for name in names]
    shown = exp.TableAlias(this=identifier(alias), columns=columns)
    if isinstance(query, exp.Table):
        return exp.Table(this=anew(query.this), alias=shown)
    return exp.Subquery(this=anew(query), alias=shown)


def select(binder: Binder, node: exp.Select, items: list[FromItem], env: Environment) -> Open:
    """A SELECT all of whose FROM is open; raises a QueryRefused."""
    if len(node.expressions) > LIMITS.columns:
        raise TooManyColumns(
            f"At most {LIMITS.columns} columns are answered.", position=place(node)
        )
    from queries.bind import open_subqueries

    _check_names(items)
    copied = _over(node, items)
    open_subqueries.replace_nested(binder, node, copied, items, env)
    parts = check_nodes(copied)
    released = any(isinstance(item.bound, Open) and item.bound.released for item in items)
    released = released or _reads_stage(parts)
    names = _names(copied, items)
    query = open_sql.total(copied, parts)
    return Open(
        query,
        released,
        names,
        _rowwise(node, query, items),
        is_single(query) or _of_single(query, items),
        is_distinct(query),
    )


def _of_single(query: exp.Select, items: list[FromItem]) -> bool:
    """Whether all that a SELECT reads has one row at most, so that it has no more itself."""
    kept = any(join.side.upper() == "FULL" for join in query.args.get("joins") or [])
    return not kept and all(isinstance(i.bound, Open) and i.bound.single for i in items)


def is_distinct(query: exp.Select) -> bool:
    """Whether no two rows of a SELECT are the same (DISTINCT ON says nothing of whole rows)."""
    distinct = query.args.get("distinct")
    return distinct is not None and distinct.args.get("on") is None


def is_single(query: exp.Select) -> bool:
    """Whether a SELECT has one row at most, whatever it reads: it aggregates all, or LIMIT 1."""
    limit = query.args.get("limit")
    if limit is not None and limit.expression.name in ("0", "1"):
        return True
    return query.args.get("group") is None and aggregates.present(query)


def _check_names(items: list[FromItem]) -> None:
    for item in items:
        known = item.bound.names if isinstance(item.bound, Open) else ()
        if known and len(item.names) > len(known):
            raise UnsupportedSql("More column names than columns.", position=place(item.node))


def _over(node: exp.Select, items: list[FromItem]) -> exp.Select:
    """A SELECT anew, without its WITH, over what the members of its FROM are."""
    copied = anew(node, but=("from_", "joins", "with_"))
    copied.set("with_", None)
    joins = node.args.get("joins") or []
    clause = node.args.get("from_")
    holders = [*([] if clause is None else [clause]), *joins]
    made = [_held(holder, item) for holder, item in zip(holders, items, strict=True)]
    if clause is not None:
        copied.set("from_", made.pop(0))
    if made:
        copied.set("joins", made)
    return copied


def _held(holder: exp.Expr, item: FromItem) -> exp.Expr:
    """FROM or a join anew, over what its member is."""
    if not isinstance(item.bound, Open):
        return anew(holder)
    made = anew(holder, but=("this",))
    made.set("this", subquery(item.bound.query, item.alias or "q", item.names))
    return made


def _reads_stage(parts: Iterable[exp.Expr]) -> bool:
    return any(isinstance(part, exp.Table) and is_stage(part.name) for part in parts)


def is_stage(name: str) -> bool:
    """Whether a table's name is that of a stage (manifests cannot use such names)."""
    return name.startswith("_stage")


def stage_number(name: str) -> int:
    """The number of the measure that a stage's name stands for."""
    return int(name.removeprefix("_stage"))


def _names(node: exp.Select, items: list[FromItem]) -> tuple[str | None, ...]:
    """The names of the columns, as far as the text tells; () where a star hides them."""
    found: list[str | None] = []
    for item in node.expressions:
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
            own = _starred(item, items)
            if own is None:
                return ()
            found.extend(own)
        else:
            found.append(item_name(item))
    return tuple(found)


def _starred(item: exp.Expr, items: list[FromItem]) -> list[str | None] | None:
    if len(items) != 1 or not isinstance(items[0].bound, Open) or not items[0].bound.names:
        return None
    own = list(items[0].bound.names)
    return [*items[0].names, *own[len(items[0].names) :]]


def _rowwise(node: exp.Select, query: exp.Select, items: list[FromItem]) -> Rowwise | None:
    """The row-by-row form of a SELECT over one row-by-row source, or None."""
    used = {key for key, value in node.args.items() if value}
    if len(items) != 1 or not used <= ROWWISE or aggregates.present(node):
        return None
    source = items[0]
    inner = source.bound.rowwise if isinstance(source.bound, Open) else None
    if inner is None:
        return None
    alias = source.alias or "q"
    own = _shifted(source.names, inner)
    if len({"_row", *(name.lower() for name in own)}) <= len(own):
        return None  # one of its names means two columns
    known = {name.lower(): c for name, (_, c) in zip(own, inner.cells, strict=True)}
    cells: list[tuple[str, Cell]] = []
    written: list[exp.Expr] = []
    for number, item in enumerate(query.expressions):
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and item.is_star):
            for name in own:
                written.append(aliased(column(alias, name), name))
                cells.append((name, known[name.lower()]))
        else:
            written.append(anew(item))
            cells.append((item_name(item) or f"col{number}", _through(item.unalias(), known)))
    rowed = anew(query, but=("expressions",))
    rowed.args["from_"].set("this", subquery(inner.query, alias, ["_row", *own]))
    rowed.set("expressions", [row(alias), *written])
    given = rowed.args.get("order")
    parts = [exp.Ordered(this=column(alias, "_row"), desc=False)]
    if given is not None:
        parts = [one for part in given.expressions for one in _shoved(part, len(written))]
    rowed.set("order", exp.Order(expressions=parts))
    return Rowwise(inner.stage, rowed, tuple(cells), inner.keys)


def _shoved(part: exp.Ordered, width: int) -> list[exp.Ordered]:
    """A part of ORDER BY where `_row` stands first: positions are one more, ALL is all others."""
    meant = part.this
    places = range(2, width + 2) if isinstance(meant, exp.Var) else []
    if isinstance(meant, exp.Literal) and meant.is_int and int(meant.name) > 0:
        places = [int(meant.name) + 1]
    found = [anew(part) for _ in places]
    for one, number in zip(found, places, strict=True):
        one.set("this", exp.Literal.number(number))
    return found or [part]


def _shifted(names: Sequence[str], inner: Rowwise) -> list[str]:
    own = [name for name, _ in inner.cells]
    return [*names, *own[len(names) :]]


def _through(item: exp.Expr, known: dict[str, Cell]) -> Cell:
    """An output over the source's outputs as one over the stage's columns."""
    bare = item
    while isinstance(bare, exp.Paren):
        bare = bare.this
    if isinstance(bare, exp.Column):
        return known.get(bare.name.lower(), Cell(None, reason=SUBQUERY))
    reason = _unread(item)
    if reason is not None:
        return Cell(None, reason=reason)
    copied = exp.Paren(this=anew(item))
    for named in list(copied.find_all(exp.Column)):
        inner = known.get(named.name.lower())
        if inner is None or inner.expression is None:
            return Cell(None, reason=WINDOW if inner is None else inner.reason)
        named.replace(exp.Paren(this=anew(inner.expression)))
    return cell(copied)


def renamed(bound: Open, names: tuple[str, ...], node: exp.Expr) -> Open:
    """The same open relation with its first columns renamed."""
    if bound.names and len(names) > len(bound.names):
        raise UnsupportedSql("More column names than columns.", position=place(node))
    source = subquery(bound.query, "q", names)
    query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=source))
    rest = bound.names[len(names) :]
    rowwise = bound.rowwise
    if rowwise is not None:
        shown = ["_row", *_shifted(names, rowwise)]
        rowed = exp.Select(
            expressions=[exp.Star()], from_=exp.From(this=subquery(rowwise.query, "q", shown))
        )
        cells = tuple(zip(shown[1:], (c for _, c in rowwise.cells), strict=True))
        rowwise = replace(rowwise, query=rowed, cells=cells)
    return replace(bound, query=query, names=(*names, *rest), rowwise=rowwise)

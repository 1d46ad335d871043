"""Rows that the query itself holds: VALUES and series of constants, public wherever they stand."""

from __future__ import annotations

from sqlglot import exp

from queries.algebra import calendar as time
from queries.bind import temporal, types
from queries.bind.colours import Open
from queries.catalog.manifest import Type
from queries.language.parse import place
from queries.language.refusals import TooComplex, UnsupportedFunction, UnsupportedSql

MOST = 5_000
"""The most rows of a series."""
SERIES = {True: "range", False: "generate_series"}
TEMPORAL = {
    exp.DType.DATE: Type.DATE, exp.DType.TIMESTAMP: Type.TIMESTAMP,
    exp.DType.TIMESTAMPNTZ: Type.TIMESTAMP,
}  # fmt: skip


class Split(exp.Expression, exp.Func):
    """The parts of a text between a sign."""

    arg_types = {"this": True, "expression": True}  # noqa: RUF012
    _sql_names = ["STRING_SPLIT"]  # noqa: RUF012


class Listed(exp.Expression, exp.Func):
    """The members of a list, one a row."""

    arg_types = {"this": True}  # noqa: RUF012
    _sql_names = ["UNNEST"]  # noqa: RUF012


def member(node: exp.Expr) -> tuple[Open, tuple[str, ...]]:
    """A member of FROM that holds constants, and the names that its alias gives its columns."""
    alias = node.args.get("alias")
    given = tuple(column.name for column in alias.columns) if alias is not None else ()
    bare = node.copy()
    bare.set("alias", None)
    if isinstance(node, exp.Values):
        width = check_values(node)
        own = tuple(f"col{n}" for n in range(width))
        bare.set("alias", exp.TableAlias(this=exp.Identifier(this="v", quoted=True)))
        query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=bare))
        return Open(query, False, own), given
    word = _series_name(node)
    check(node)
    query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=bare))
    alone = (alias.name,) if alias is not None and alias.name and not given else given
    return Open(query, False, (word,)), alone


def _series_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Unnest):
        return "unnest"
    return SERIES[bool(node.this.args.get("is_end_exclusive"))]


def check_values(node: exp.Values) -> int:
    """How many columns VALUES has; raises UnsupportedSql where its rows are not constants."""
    widths = {len(row.expressions) for row in node.expressions if isinstance(row, exp.Tuple)}
    cells = [cell for row in node.expressions for cell in row.expressions]
    if len(widths) != 1 or not all(_constant(cell) for cell in cells):
        raise UnsupportedSql(
            "VALUES holds rows of constants, all of one width.", position=place(node)
        )
    if len(node.expressions) > MOST:
        raise TooComplex(f"VALUES has more than {MOST:,} rows.", position=place(node))
    return int(widths.pop())


def check(node: exp.Expr) -> None:
    """Refuse what is not one series, or one list, of constants with few members."""
    match node:
        case exp.Table() if isinstance(node.this, exp.GenerateSeries):
            _check_args(node, {"this", "alias"})
            _check_series(node.this)
        case exp.Unnest() if len(node.expressions) == 1:
            _check_args(node, {"expressions", "alias"})
            _check_list(node.expressions[0], node)
        case exp.Explode() if not _beside_rows(node):
            _check_args(node, {"this"})
            _check_list(node.this, node)
        case _:
            raise UnsupportedSql("This table function is not answered.", position=place(node))


def holds(node: exp.Expr | None) -> bool:
    """Whether a node is one of those whose constants are checked with it."""
    return isinstance(node, exp.Table | exp.Unnest | exp.Explode)


def _beside_rows(node: exp.Expr) -> bool:
    select = node.find_ancestor(exp.Select)
    return select is None or select.args.get("from_") is not None


def _check_args(node: exp.Expr, read: set[str]) -> None:
    if {name for name, value in node.args.items() if value} - read:
        raise UnsupportedSql("This form of a series is not answered.", position=place(node))


def _check_list(node: exp.Expr, parent: exp.Expr) -> None:
    if isinstance(node, exp.GenerateSeries):
        _check_series(node)
    elif not (isinstance(node, exp.Array) and all(map(_constant, node.expressions))):
        raise UnsupportedSql(
            "What is unnested is a series or a list of constants.", position=place(parent)
        )


def _check_series(node: exp.GenerateSeries) -> None:
    start, end, step = (node.args.get(name) for name in ("start", "end", "step"))
    by: time.Span | int | None = 1 if step is None else _number(step)
    read = _number
    if isinstance(step, exp.Interval):
        read, by = _moment, temporal.span(step, 1)
    low, high = read(start), read(end)
    if low is None or high is None or by is None or by == 0:
        raise UnsupportedFunction(
            "A series has constant ends, and a constant step that is not zero.",
            position=place(node),
            hint="Write generate_series(DATE '2026-01-01', DATE '2026-12-31', INTERVAL 1 DAY).",
        )
    if _members(low, high, by) > MOST:
        raise TooComplex(f"A series has more than {MOST:,} members.", position=place(node))


def _members(start: int, end: int, by: time.Span | int) -> int:
    """At least how many members a series has, counted no further than is allowed."""
    if isinstance(by, int):
        return max(0, (end - start) // by + 1)
    count, current = 0, start
    up = by.months + by.days + by.microseconds >= 0
    while count <= MOST and (current <= end if up else current >= end):
        count += 1
        following = time.shifted(start, _times(by, count))
        if following is None or following == current:
            return MOST + 1
        current = following
    return count


def _times(by: time.Span, count: int) -> time.Span:
    return time.Span(by.months * count, by.days * count, by.microseconds * count)


def _number(node: exp.Expr | None) -> int | None:
    if isinstance(node, exp.Neg):
        inner = _number(node.this)
        return None if inner is None else -inner
    whole = isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit()
    return int(node.name) if node is not None and whole and len(node.name) < 18 else None


def _moment(node: exp.Expr | None) -> int | None:
    """A date or timestamp literal in microseconds."""
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.Cast | exp.TryCast) or not isinstance(node.this, exp.Literal):
        return None
    kind = TEMPORAL.get(node.args["to"].this)
    read = None if kind is None else types.parsed_temporal(node.this.name, kind)
    if read is None or not isinstance(read.value, int):
        return None
    return read.value * time.DAY if kind is Type.DATE else read.value


def _constant(node: exp.Expr) -> bool:
    """A literal, its negation, or one with a type before it."""
    match node:
        case exp.Literal() | exp.Boolean() | exp.Null():
            return True
        case exp.Neg() | exp.Paren():
            return _constant(node.this)
        case exp.Cast() | exp.TryCast():
            return _constant(node.this)
    return False

"""SQL over what is public or released: an allow-list of syntax, made total and fully parenthesised.

Nothing private can be read here, so the list is wider than that of row-level expressions: joins,
aggregates, windows and set operations of any shape. Still no table function, no lambda, no file, no
setting and no volatile function stands on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sqlglot import exp

from queries.bind import forms, maps, open_functions, rows
from queries.language.parse import DUCKDB, place
from queries.language.refusals import TooComplex, UnsupportedFunction, UnsupportedSql
from queries.language.trees import anew, walk

NODES: frozenset[str] = frozenset(
    [
        "Select",
        "From",
        "Join",
        "Where",
        "Group",
        "Having",
        "Order",
        "Ordered",
        "Limit",
        "Offset",
        "Distinct",
        "Subquery",
        "Table",
        "TableAlias",
        "Identifier",
        "Column",
        "Alias",
        "Star",
        "Literal",
        "Boolean",
        "Null",
        "And",
        "Or",
        "Not",
        "Paren",
        "EQ",
        "NEQ",
        "GT",
        "GTE",
        "LT",
        "LTE",
        "NullSafeEQ",
        "NullSafeNEQ",
        "Is",
        "In",
        "Between",
        "Like",
        "ILike",
        "Exists",
        "Case",
        "If",
        "Coalesce",
        "Nullif",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "IntDiv",
        "Mod",
        "Neg",
        "Cast",
        "TryCast",
        "DataType",
        "DataTypeParam",
        "Interval",
        "Var",
        "Extract",
        "Year",
        "Quarter",
        "Month",
        "Week",
        "Day",
        "DayOfMonth",
        "DayOfWeek",
        "DayOfWeekIso",
        "DayOfYear",
        "WeekOfYear",
        "Hour",
        "Minute",
        "Second",
        "TimestampTrunc",
        "DateTrunc",
        "DateDiff",
        "TimestampDiff",
        "Round",
        "Floor",
        "Ceil",
        "Abs",
        "Sign",
        "Sqrt",
        "Ln",
        "Log",
        "Exp",
        "Pow",
        "Least",
        "Greatest",
        "Upper",
        "Lower",
        "Substring",
        "Left",
        "Right",
        "Length",
        "Trim",
        "Concat",
        "DPipe",
        "StartsWith",
        "Contains",
        "Count",
        "CountIf",
        "ApproxDistinct",
        "Sum",
        "Avg",
        "Min",
        "Max",
        "Median",
        "PercentileCont",
        "PercentileDisc",
        "Quantile",
        "Stddev",
        "StddevPop",
        "StddevSamp",
        "Variance",
        "VariancePop",
        "Corr",
        "CovarPop",
        "CovarSamp",
        "RegrSlope",
        "RegrIntercept",
        "RegrR2",
        "RegrCount",
        "RegrAvgx",
        "RegrAvgy",
        "RegrSxx",
        "RegrSyy",
        "RegrSxy",
        "Skewness",
        "Kurtosis",
        "LogicalAnd",
        "LogicalOr",
        "Filter",
        "Window",
        "WindowSpec",
        "RowNumber",
        "Rank",
        "DenseRank",
        "PercentRank",
        "CumeDist",
        "Ntile",
        "Lag",
        "Lead",
        "FirstValue",
        "LastValue",
        "Array",
        "ArrayContains",
        "Bracket",
        "MapKeys",
        "Tuple",
        "Union",
        "Intersect",
        "Except",
        "GroupingSets",
        "Rollup",
        "Cube",
        "Qualify",
        "Monthname",
        "Dayname",
        "LastDay",
        "With",
        "CTE",
        "Any",
        "All",
    ]
)
NAMED = open_functions.NAMED | {
    "date_part", "dow", "isodow", "doy", "mean", "favg", "fsum", "kahan_sum", "sumkahan", "sem",
    "kurtosis_pop", *maps.NAMED,
}  # fmt: skip
Tree = TypeVar("Tree", bound=exp.Expr)
SELECT_ARGS = frozenset(
    {"expressions", "from_", "joins", "where", "group", "having", "qualify", "order", "limit",
     "offset", "distinct", "with_"}
)  # fmt: skip
MOST_NODES = 20_000


def check_select(select: exp.Select) -> None:
    """Refuse clauses that have no case (INTO, SAMPLE, PIVOT, hints, ...)."""
    for name, value in select.args.items():
        if value and name == "sample":
            raise forms.sampled(select)
        if value and name not in SELECT_ARGS:
            raise UnsupportedSql(
                f"{name.strip('_').upper()} is not answered here.", position=place(select)
            )


def check_node(node: exp.Expr) -> None:
    """Refuse a node that is not on the list."""
    if type(node) in EVERY_FORM:
        return
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in NAMED:
            raise UnsupportedFunction(
                f"{node.name.upper()} is not answered here.", position=place(node)
            )
        return
    if isinstance(node, rows.Split | rows.Listed):  # no text that is parsed holds one
        return
    name = type(node).__name__
    if type(node) in open_functions.NODES:
        open_functions.check(node)
        return
    if isinstance(node, exp.Values):
        rows.check_values(node)
        return
    if isinstance(node, exp.Unnest | exp.Explode) or _is_series(node):
        rows.check(node)
        return
    if isinstance(node, exp.GenerateSeries | exp.Array) and rows.holds(node.parent):
        return
    if name in NODES and not _odd(node):
        return
    if isinstance(node, exp.Func):
        raise UnsupportedFunction(f"{node.key.upper()} is not answered here.", position=place(node))
    raise UnsupportedSql(f"{node.key.upper()} is not answered here.", position=place(node))


def _is_series(node: exp.Expr) -> bool:
    return isinstance(node, exp.Table) and isinstance(node.this, exp.GenerateSeries)


def _odd(node: exp.Expr) -> bool:
    """Forms of listed nodes that mean more than they should."""
    match node:
        case exp.Table():
            return bool({k for k, v in node.args.items() if v} - {"this", "alias", "db", "catalog"})
        case exp.Star():
            return any(node.args.values())
        case exp.Join():
            return node.method.upper() not in ("", "NATURAL") or node.kind.upper() not in JOINS
        case exp.Interval():
            return not isinstance(node.this, exp.Literal)
        case exp.Limit() | exp.Offset():  # a subquery here would not be bound to WITH
            plain = {name for name, value in node.args.items() if value} <= {"expression"}
            return not plain or not isinstance(node.expression, exp.Literal)
        case exp.Distinct():
            return node.find(exp.Query) is not None
        case exp.Bracket():
            return not maps.is_keyed(node)
        case exp.ArrayContains():
            return not maps.is_sought(node.expression)
        case exp.Any() | exp.All():  # beside LIKE sqlglot would write something else
            compared = type(node.parent) in COMPARED and node.arg_key == "expression"
            return not (compared and isinstance(node.this, exp.Query))
    return False


COMPARED = frozenset({exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE})
LOOKED_INTO: tuple[type[exp.Expr], ...] = (
    exp.Anonymous, exp.Table, exp.Star, exp.Join, exp.Interval, exp.Limit, exp.Offset, exp.Distinct,
    exp.Bracket, exp.Array, exp.ArrayContains, exp.Any, exp.All, *open_functions.NODES,
)  # fmt: skip
"""Listed nodes of which some forms are refused."""
EVERY_FORM = frozenset(
    kind for name in NODES if not issubclass(kind := getattr(exp, name), LOOKED_INTO)
)


JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})
FAILING = (exp.Cast, exp.IntDiv, exp.Mod, exp.Bracket)


def total(query: Tree, parts: Iterable[exp.Expr] | None = None) -> Tree:
    """The same query with casts and whole division that yield NULL instead of failing.

    `parts` are those of the query, where they are known.
    """
    every = walk(query) if parts is None else parts
    failing = [node for node in every if isinstance(node, FAILING)]
    for node in reversed(failing):  # parts first: what is around them copies them
        if type(node) is exp.Cast:
            node.replace(exp.TryCast(this=node.this, to=node.args["to"]))
        elif isinstance(node, exp.IntDiv | exp.Mod):
            right = node.expression
            if not (isinstance(right, exp.Literal) and right.name.strip("0.")):
                zero = exp.Literal.number(0)
                node.set("expression", exp.Nullif(this=anew(right), expression=zero))
        elif isinstance(node, exp.Bracket) and node.expressions[0].is_string:
            node.replace(maps.by_text(node))
    return query


def total_text(query: exp.Expr) -> str:
    """The text of what `total` makes of a query, which stays as it is."""
    return last_text(total(anew(query)))


def text(query: exp.Expr) -> str:
    """The query as DuckDB text in which precedence cannot be read in two ways.

    sqlglot's own output can mean something else to DuckDB (`~2 - 2`, NOT before IN), so every
    operator stands in parentheses of its own.
    """
    return last_text(anew(query))


def last_text(query: exp.Expr) -> str:
    """The same of a query whose nodes stand in one place each, and that is used for nothing else.

    The parentheses are put into the tree itself.
    """
    parts = walk(query)
    if len(parts) > MOST_NODES:
        raise TooComplex("With its common table expressions written out the query is too large.")
    for part in parts[1:]:
        if isinstance(part, OPERATORS) and not isinstance(part, BARE):
            put_around(part)
    return query.sql(dialect=DUCKDB, comments=False, identify=True, copy=False)


OPERATORS = (exp.Binary, exp.Unary, exp.Predicate, exp.Case, exp.Cast)
BARE = (
    exp.Paren, exp.Dot, exp.PropertyEQ, exp.Kwarg, exp.SetOperation, exp.Query,
    exp.SubqueryPredicate,
)  # fmt: skip


def put_around(node: exp.Expr) -> None:
    """Put parentheses around a part of a tree, in its place, unless it stands in some."""
    parent, name, index = node.parent, node.arg_key, node.index
    if parent is None or name is None or isinstance(parent, exp.Paren):
        return
    around = exp.Paren(this=node)
    node.index = None
    around.parent, around.arg_key, around.index = parent, name, index
    if index is None:
        parent.args[name] = around
    else:
        parent.args[name][index] = around

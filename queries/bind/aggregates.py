"""Where a SELECT aggregates, and what each aggregate means as statistics of a measure."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from queries.bind import forms
from queries.language.parse import place
from queries.language.refusals import NotGrouped, UnsupportedFunction
from queries.language.trees import children

WITHIN = (exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max)
"""The aggregates of one unit's own rows."""
AROUND = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
"""What may stand around a call and still be of it."""
SETS = (exp.Grouping, exp.GroupingId)
"""Functions that tell which grouping set a row belongs to: they read no rows."""
UNNAMED = frozenset(
    {"ARBITRARY", "ARG_MAX_NULL", "ARG_MAX_NULLS_LAST", "ARG_MIN_NULL", "ARG_MIN_NULLS_LAST",
     "BITSTRING_AGG", "COUNT_STAR", "ENTROPY", "FAVG", "FSUM", "GEOMETRIC_MEAN", "GEOMEAN",
     "HISTOGRAM", "HISTOGRAM_EXACT", "KAHAN_SUM", "KURTOSIS_POP", "MAD", "MEAN", "PRODUCT",
     "RESERVOIR_QUANTILE", "SEM", "SUMKAHAN", "SUM_NO_OVERFLOW"}
)  # fmt: skip
"""The engine's aggregates that the parser knows no class for."""
Kind = type[exp.Expr] | str
"""An aggregate: the class of its node, or the name of one that has none."""
WAYS_OUT: dict[Kind, str] = {
    exp.LogicalAnd: "It is true where COUNT_IF(NOT x) is 0: ask for that count.",
    exp.LogicalOr: "It is true where COUNT_IF(x) is above 0: ask for that count.",
    "PRODUCT": "One row can change a product without bound; ask for SUM or AVG.",
    "ENTROPY": "Ask for COUNT(*) by the value, and compute it from the counts.",
    **dict.fromkeys(
        ("GEOMEAN", "GEOMETRIC_MEAN"), "Write EXP(AVG(LN(x))), over values above zero."
    ),
    **dict.fromkeys(
        (exp.ArrayAgg, exp.GroupConcat, exp.ArrayUniqueAgg),
        "It would show rows of persons; SELECT DISTINCT x lists the values that enough units have.",
    ),
    **dict.fromkeys(
        (exp.ApproxTopK, exp.ApproxTopSum),
        "GROUP BY the value, ORDER BY COUNT(*) DESC, and LIMIT to as many.",
    ),
    "MAD": "Ask for the quartiles: QUANTILE_CONT(x, [0.25, 0.5, 0.75]).",
    **dict.fromkeys(
        (exp.ArgMax, exp.ArgMin, exp.First, exp.Last, exp.AnyValue),
        "It would show one person's row; MODE gives the most frequent value.",
    ),
}


def ungrouped(name: str, node: exp.Expr) -> NotGrouped:
    """The refusal of a column that has several values in one group."""
    return NotGrouped(
        f"{name} is neither grouped by nor inside an aggregate.", position=place(node)
    )


def present(node: exp.Select) -> bool:
    """Whether a SELECT groups or aggregates at its own level."""
    if node.args.get("group") is not None or node.args.get("having") is not None:
        return True
    places = [*node.expressions, node.args.get("order"), node.args.get("qualify")]
    return any(contains(part) for part in places if part is not None)


def contains(node: exp.Expr) -> bool:
    """Whether an aggregate stands in the expression, windows and subqueries left aside."""
    stack = [node]
    while stack:
        current = stack.pop()
        if _aggregates(current) and not _windowed(current):
            return True
        if not isinstance(current, exp.Query):
            stack.extend(children(current))
    return False


def _aggregates(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.upper() in UNNAMED
    return isinstance(node, exp.AggFunc)


def _windowed(node: exp.Expr) -> bool:
    """Whether the function is the one a window is computed by (ROW_NUMBER, SUM OVER, ...)."""
    parent = node.parent
    if isinstance(parent, AROUND):
        return _windowed(parent)
    return isinstance(parent, exp.Window) and parent.this is node


def is_aggregate(node: exp.Expr) -> bool:
    """Whether the node is an aggregate call, with FILTER or WITHIN GROUP or without."""
    inner = node
    while isinstance(inner, AROUND):
        inner = inner.this
    told = _aggregates(inner) and not isinstance(inner, SETS)
    return told and not _windowed(node)


def kind(call: exp.Expr) -> Kind:
    """Which aggregate a call is."""
    return call.name.upper() if isinstance(call, exp.Anonymous) else type(call)


def named(call: exp.Expr) -> str:
    """What to call an aggregate in a sentence."""
    if isinstance(call, exp.Anonymous):
        return call.name.upper()
    return call.sql_name() if isinstance(call, exp.Func) else call.key.upper()


def arguments(call: exp.Expr) -> list[exp.Expr]:
    """The arguments of a call, in order."""
    own = [] if isinstance(call, exp.Anonymous) else [call.this, call.args.get("expression")]
    return [part for part in [*own, *call.expressions] if part is not None]


def parts(
    node: exp.Expr, answered: Collection[Kind]
) -> tuple[exp.Func | exp.WithinGroup, exp.Expr | None]:
    """The call and its FILTER condition; raises UnsupportedFunction for what is not answered."""
    where = None
    if isinstance(node, exp.Filter):
        forms.check(node)
        where = node.expression.this
        node = node.this
    if isinstance(node, exp.IgnoreNulls) and isinstance(node.this, exp.AnyValue):
        node = node.this  # how the parser reads a plain ANY_VALUE
    if not isinstance(node, exp.Func | exp.WithinGroup) or kind(node) not in answered:
        raise UnsupportedFunction(
            f"{named(node)} of private rows is not answered.",
            position=place(node),
            hint=WAYS_OUT.get(kind(node)),
        )
    forms.check(node)
    if node.expressions and not isinstance(node, exp.Anonymous):
        raise UnsupportedFunction(f"{named(node)} takes one argument.", position=place(node))
    return node, where


def distinct_argument(call: exp.Expr) -> exp.Expr | None:
    """x of COUNT(DISTINCT x), or None where there is no DISTINCT."""
    if not isinstance(call.this, exp.Distinct):
        return None
    members = call.this.expressions
    if len(members) != 1 or call.this.args.get("on") is not None:
        raise UnsupportedFunction("DISTINCT takes one expression here.", position=place(call))
    first: exp.Expr = members[0]
    return first


def starred(call: exp.Expr) -> bool:
    return call.this is None or isinstance(call.this, exp.Star)

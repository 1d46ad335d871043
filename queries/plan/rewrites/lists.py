"""Many values in one, or one as many rows: a histogram as groups, quantiles as their list."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from queries.bind import aggregates
from queries.language.parse import DIALECT
from queries.plan.rewrites.selects import bare, keys, measures, outermost, written


def grouped(tree: exp.Query) -> Iterator[str]:
    """HISTOGRAM(x, [...]) as a count of each bin, by its upper end; HISTOGRAM(x) of each x."""
    select = outermost(tree)
    found = [] if select is None or select is not tree else measures(select)
    call = bare(found[0]) if len(found) == 1 else None
    if select is None or not isinstance(call, exp.Anonymous) or call.name.upper() != "HISTOGRAM":
        return
    band = _band(call.expressions)
    if band is None:
        return
    by = [*keys(select), band]
    made = select.copy()
    items = [item.copy() for item in select.expressions if not aggregates.contains(item)]
    counted = exp.Count(this=call.expressions[0].copy())
    items += [exp.alias_(band, found[0].alias or "up_to"), exp.alias_(counted, "n")]
    made.set("expressions", items)
    made.set("group", exp.Group(expressions=[key.copy() for key in by]))
    yield written(made)


def _band(arguments: list[exp.Expr]) -> exp.Expr | None:
    """The upper end of the bin that a value lies in, as the engine's bins have it; or the value."""
    if len(arguments) == 1:
        return arguments[0].copy()
    if len(arguments) != 2:
        return None
    value, bins = arguments
    if isinstance(bins, exp.Anonymous) and bins.name.upper() == "EQUI_WIDTH_BINS":
        ends = [part.copy() for part in bins.expressions[:3]]
        return exp.func("width_bucket", value.copy(), *ends, dialect=DIALECT)
    ends = bins.expressions if isinstance(bins, exp.Array) else []
    if not all(isinstance(end, exp.Literal) and not end.is_string for end in ends):
        return None
    ifs = [
        exp.If(this=exp.LTE(this=value.copy(), expression=e.copy()), true=e.copy())
        for e in sorted(ends, key=lambda end: float(end.name))
    ]
    return exp.Case(ifs=ifs) if ifs else None


def listed(tree: exp.Query) -> Iterator[str]:
    """UNNEST of a list that an aggregate gives, as the list; lists of constants beside it go."""
    select = outermost(tree)
    if select is None or not any(isinstance(bare(i), exp.Explode) for i in select.expressions):
        return
    made = tree.copy()
    inner = outermost(made)
    if inner is None:
        return
    kept = [item for item in inner.expressions if not _constants(bare(item))]
    for item in kept:
        if isinstance(bare(item), exp.Explode):
            bare(item).replace(bare(item).this)
    inner.set("expressions", kept)
    if kept:
        yield written(made)


def _constants(item: exp.Expr) -> bool:
    return isinstance(item, exp.Explode) and not aggregates.contains(item)

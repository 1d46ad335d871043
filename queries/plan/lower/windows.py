"""Aggregates and windows of one unit's rows as engine SQL.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a window's text reads rows of one unit alone, in an order that the engine cannot
                choose.
    Requires    `unit`, the column that holds the unit of each row; ties that make the order total.
    Why         PARTITION BY begins with the unit whatever the analyst's keys are (P2). Functions
                that meet rows one by one, and frames counted in rows, have the ties in their ORDER
                BY; those that pick from a frame of peers order the pick by them and leave the
                peers; ranks and aggregates over peers are the same in any order of them (P3).
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_lowering.py
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from queries.algebra.relations import Ordering, Partial, Window
from queries.plan.lower.scalars import Scalars

STEPPED = frozenset({"row_number", "ntile", "lag", "lead"})
RANKED = frozenset({"rank", "dense_rank", "percent_rank", "cume_dist"})
PICKED = frozenset({"first_value", "last_value", "nth_value"})


def partial(part: Partial, to: Scalars, over: str = "") -> str:
    """An aggregate of a group, or of a window where `over` says which."""
    value = "*" if part.value is None else to.compared(part.value)
    kept = "" if part.where is None else f" FILTER (WHERE {to.write(part.where)})"
    after = f"{kept}{over}"
    match part.kind:
        case "count":
            return f"COUNT({value}){after}"
        case "distinct":
            return f"COUNT(DISTINCT {value}){after}"
        case "sum" | "min" | "max" | "count_if" | "bool_and" | "bool_or":
            return f"{part.kind.upper()}({value}){after}"
        case "first":
            return f"FIRST({value}{_ordered(part.order, to)}){after}"
        case "avg" if part.value is not None:
            total = f"CAST(SUM({value}){after} AS DOUBLE)"
            steps = 10**part.value.facts.scale
            return f"(({total} / COUNT({value}){after}) / {steps}::DOUBLE)"
        case "median":
            return f"MEDIAN({value}){after}"
        case "mode":
            return f"MODE({value}{_ordered(part.order, to)}){after}"
        case "var_samp" | "var_pop" | "stddev_samp" | "stddev_pop" if part.value is not None:
            return _spread(part.kind, value, after, part.value.facts.scale)
    name, _, share = part.kind.partition(":")
    if name == "quantile_disc":
        return f"QUANTILE_DISC({value}, {share}){after}"
    raise TypeError(f"no engine form of {part.kind}")


def _spread(kind: str, value: str, after: str, scale: int) -> str:
    """A variance or its root by exact sums of whole numbers and one division."""
    wide = f"CAST({value} AS HUGEINT)"
    number = f"CAST(COUNT({value}){after} AS HUGEINT)"
    total, squares = f"CAST(SUM({wide}){after} AS HUGEINT)", f"SUM({wide} * {wide}){after}"
    above = f"(({number} * CAST({squares} AS HUGEINT)) - ({total} * {total}))"
    least = int(kind.endswith("samp"))
    below = f"({number} * ({number} - {least}))"
    found = f"((CAST({above} AS DOUBLE) / CAST({below} AS DOUBLE)) / {10 ** (2 * scale)}::DOUBLE)"
    root = f"sqrt({found})" if kind.startswith("stddev") else found
    return f"(CASE WHEN ({number} > {least}) THEN {root} END)"


def window(found: Window, to: Scalars, unit: str) -> str:
    """A window over the rows of one unit."""
    kind, total = found.call.kind, [*found.order, *map(Ordering, found.ties)]
    stepped = kind in STEPPED or (found.frame.startswith("ROWS") and kind not in RANKED)
    picked = kind in PICKED and not stepped
    keys = list(dict.fromkeys([unit, *(to.raw(key) for key in found.keys)]))
    order = _ordered(total if stepped else found.order, to)
    frame = f" {found.frame}" if found.frame else ""
    over = f" OVER (PARTITION BY {', '.join(keys)}{order}{frame})"
    if kind not in STEPPED | RANKED | PICKED:
        return partial(found.call, to, over)
    given = () if found.call.value is None else (found.call.value,)
    args = [to.write(scalar) for scalar in (*given, *found.fixed)]
    within = _ordered(total, to) if picked else ""
    nulls = " IGNORE NULLS" if found.ignore_nulls else ""
    return f"{kind.upper()}({', '.join(args)}{within}{nulls}){over}"


def _ordered(items: Sequence[Ordering], to: Scalars) -> str:
    return f" ORDER BY {', '.join(_items(items, to))}" if items else ""


def _items(items: Iterable[Ordering], to: Scalars) -> Iterable[str]:
    for item in items:
        direction = "DESC" if item.descending else "ASC"
        yield f"{to.write(item.value)} {direction} NULLS {'FIRST' if item.nulls_first else 'LAST'}"

"""OVER below a measure: its partition, its order and its frame.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       the rows that a window looks at all belong to one unit.
    Requires    the lowering, which adds the unit to PARTITION BY.
    Why         a PARTITION BY without a key that determines the unit, and is never NULL, is refused
                and never silently read as if it had one (P2). Frames are counted in rows by a
                constant, or reach from one end to the current row's peers: what else there is has
                no case.
    Tried by    tests/bind/test_refusals.py, tests/bind/test_windows.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from queries.algebra.facts import UNIT
from queries.algebra.relations import Ordering
from queries.bind import forms, orderings
from queries.bind.expressions import Expressions, measured
from queries.bind.grouping import Grouping
from queries.bind.scope import Scope
from queries.language.parse import place
from queries.language.refusals import AcrossUnits, UnsupportedSql

MOST_STEPS = 10_000
CURRENT = "CURRENT ROW"
ENDS = frozenset({"UNBOUNDED", CURRENT})


@dataclass(frozen=True, slots=True)
class Over:
    """What a window partitions and orders by, and the frame as SQL ("" for the usual one).

    `most` is the most rows of a frame that is counted between two constants.
    """

    keys: Grouping
    order: tuple[Ordering, ...]
    frame: str = ""
    most: int | None = None


def over(node: exp.Window, base: Expressions) -> Over:
    """The OVER of a window below a measure; raises a QueryRefused."""
    forms.check(node)
    keys = partition(node.args.get("partition_by") or [], base, node)
    order = node.args.get("order")
    given = orderings.read(order, base, [scalar for _, scalar in keys.keys])
    spec = node.args.get("spec")
    return Over(keys, given) if spec is None else _framed(Over(keys, given), spec)


def partition(
    items: list[exp.Expr], base: Expressions, node: exp.Expr, clause: str = "PARTITION BY"
) -> Grouping:
    """Keys that lie within units; raises AcrossUnits with the key that is missing."""
    keys = Grouping(tuple((None, measured(base.bind(item), item)) for item in items))
    if not keys.within_unit:
        raise AcrossUnits(
            f"{clause} below an aggregate puts rows of different persons together here.",
            position=place(node),
            hint=_missing(base.scope, clause),
        )
    return keys


def _missing(scope: Scope, clause: str) -> str | None:
    """What to add to the clause, where the unit's id is visible."""
    named = [
        f"{table.alias}.{name}"
        for table in scope.tables
        for name, scalar in table.columns
        if scalar.facts.identity == UNIT and not scalar.facts.nullable
    ]
    if not named:
        return None
    return f"Add {named[0]} to {clause}, or do it over the aggregate's results."


def _framed(found: Over, spec: exp.WindowSpec) -> Over:
    forms.check(spec)
    kind = str(spec.args.get("kind") or "").upper()
    if kind not in ("ROWS", "RANGE"):
        raise UnsupportedSql(f"A frame of {kind} is not answered.", position=place(spec))
    start, first = _end(spec, "start", kind)
    end, last = _end(spec, "end", kind) if spec.args.get("end") else (CURRENT, 0)
    most = None
    if kind == "ROWS" and first is not None and last is not None:
        most = max(1, last - first + 1)
    return replace(found, frame=f"{kind} BETWEEN {start} AND {end}", most=most)


def _end(spec: exp.WindowSpec, name: str, kind: str) -> tuple[str, int | None]:
    """One end of a frame, and how many rows it lies after the current one; None at an end."""
    value, side = spec.args.get(name), str(spec.args.get(f"{name}_side") or "").upper()
    if isinstance(value, str) and value.upper() in ENDS:
        return f"{value.upper()} {side}".strip(), 0 if value.upper() == CURRENT else None
    text = value.name if isinstance(value, exp.Literal) and not value.is_string else ""
    if kind == "ROWS" and text.isdigit() and int(text) <= MOST_STEPS:
        return f"{int(text)} {side}", int(text) if side == "FOLLOWING" else -int(text)
    raise UnsupportedSql(
        "A frame is counted in ROWS by whole constants, or reaches to an end or the current row.",
        position=place(spec),
    )

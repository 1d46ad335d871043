"""Whether an answer is worth its price: what noise would hide, and a question that it would not.

What a group plausibly holds is told by declared sizes alone: as many units as the manifest allows,
spread over the groups, each with the geometric mean of one row and of the most it can have, and
half of the most that a row can add. A margin wider than that hides whatever there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from sqlglot import exp

from queries.algebra.measures import Distinct, Rows, Statistic, Units
from queries.catalog.manifest import Manifest
from queries.faults import WorkersUnavailable
from queries.language.refusals import QueryRefused
from queries.language.trees import anew, nodes
from queries.plan.drawing import Drawn, Noised, tightened
from queries.plan.formulas import per_row
from queries.plan.rewrites.selects import keys, outermost, private, regrouped, written

CERTAIN = 1.96
CAPS = 10, 1
"""Bounds on the rows of a unit in one group that are offered."""
LONGEST = 4_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A column whose margin is wider than what a group plausibly holds, both in its own unit."""

    what: str
    margin: float
    plausible: float
    rows: int


def hidden(noised: Iterable[Noised], units: int) -> tuple[Hidden, ...]:
    """The columns that the noise hides; keys that are found from the data are told by their own."""
    found = []
    for draft, columns in noised:
        if draft.thresholded or draft.later is not None or draft.leading is not None:
            continue
        for statistic, column in zip(draft.measure.statistics, columns, strict=True):
            step = (column.numerator << column.shift) / column.denominator
            margin = CERTAIN * column.noise.scale * step
            counted = min(draft.bounds.rows, draft.bounds.groups * draft.bounds.per_group)
            most = units / max(1, draft.cells) * _plausible(statistic, counted)
            if isinstance(statistic, Distinct) and statistic.most is not None:
                most = min(most, statistic.most)
            value = float(Fraction(column.numerator, column.denominator))
            if margin > most * value:
                found.append(Hidden(_named(statistic), margin, most * value, draft.bounds.rows))
    return tuple(found)


def _plausible(statistic: Statistic, rows: int) -> float:
    """What one unit adds to its group, in steps."""
    match statistic:
        case Units():
            return 1.0
        case Rows():
            return math.sqrt(rows)
    return math.sqrt(rows) * per_row(statistic) / 2


def _named(statistic: Statistic) -> str:
    match statistic:
        case Units():
            return "a count of units"
        case Rows():
            return "a count of rows"
        case Distinct():
            return "a count of distinct values"
    return "a sum or mean"


def warnings(sql: str, drawn: Drawn, shows: Callable[[str], bool]) -> tuple[str, ...]:
    """What the noise hides, and a question near to it whose answer it does not, if one is found.

    `shows` plans another text and tells whether nothing is hidden there; it may refuse.
    """
    found = hidden(drawn.noised, drawn.terms.units)
    if not found:
        return ()
    worst = max(found, key=lambda one: one.margin / max(one.plausible, 1e-12))
    unit = drawn.terms.view.manifest.unit
    said = (
        f"The noise may hide the answer: the margin of {worst.what} is about "
        f"{worst.margin:,.0f}, and a group plausibly holds {worst.plausible:,.0f}, since "
        f"one {unit.name} may have {worst.rows:,} rows and there are at most {unit.at_most:,}."
    )
    offered = next(_answered(sql, drawn, shows), None) if len(sql) <= LONGEST else None
    return (said,) if offered is None else (said, f"The nearest that is not hidden: {offered}")


def _answered(sql: str, drawn: Drawn, shows: Callable[[str], bool]) -> Iterator[str]:
    """Other questions whose own plans hide nothing, the nearest first."""
    select = outermost(drawn.terms.texts.shared(sql))
    manifest = drawn.terms.view.manifest
    counted = None if select is None else _of_units(select, manifest)
    yield from (text for text in [counted] if text is not None and _planned(shows, text))
    for cap in CAPS:
        if _planned(lambda cap: _capped(drawn, cap), cap):
            yield f"the same with options.bounds.rows_per_group: {cap}"
    kept = [] if select is None or select.args.get("group") is None else keys(select)
    if select is not None and len(kept) > 1:
        fewer = regrouped(select, kept[:-1])
        texts = (written(fewer), _of_units(fewer, manifest))
        yield from (text for text in texts if text is not None and _planned(shows, text))


def _planned(shows: Callable[[T], bool], asked: T) -> bool:
    """Whether that shows something; False where it is refused."""
    try:
        return shows(asked)
    except (QueryRefused, RecursionError, WorkersUnavailable):
        return False


def _capped(drawn: Drawn, cap: int) -> bool:
    """Whether nothing is hidden with so few rows of a unit in each group."""
    given = drawn.terms.given
    if given.rows_per_group is not None and given.rows_per_group <= cap:
        return False
    other = tightened(drawn, replace(given, rows_per_group=cap))
    return not hidden(other, drawn.terms.units)


def _of_units(select: exp.Select, manifest: Manifest) -> str | None:
    """COUNT(DISTINCT unit) where rows are counted, and nothing else is measured."""
    units = [named.unit for named in private(select, manifest) if named.unit is not None]
    if not units:
        return None
    found = anew(select)
    counts = [call for call in nodes(found, exp.Count) if isinstance(call.this, exp.Star)]
    for call in counts:
        call.set("this", exp.Distinct(expressions=[anew(units[0])]))
    return written(found) if counts else None

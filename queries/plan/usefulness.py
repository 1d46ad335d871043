"""Whether an answer is worth its price: what noise would hide, and a question that it would not.

What a group plausibly holds is told by declared sizes alone: as many units as the manifest allows,
spread over the groups, each with the geometric mean of one row and of the most it can have, and
half of the most that a row can add. A margin wider than that hides whatever there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlglot import exp

from queries.algebra.measures import Distinct, Rows, Statistic, Units
from queries.catalog.manifest import Manifest
from queries.faults import WorkersUnavailable
from queries.language.parse import parse
from queries.language.refusals import QueryRefused
from queries.plan.formulas import per_row
from queries.plan.model import Stage
from queries.plan.price import Options
from queries.plan.rewrites.selects import keys, outermost, private, regrouped, written
from queries.plan.stages import Draft

CERTAIN = 1.96
TRIALS = 5
"""The most candidates that are planned for one warning."""
LONGEST = 4_000

Replan = Callable[[str, Options], "tuple[Hidden, ...]"]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A column whose margin is wider than what a group plausibly holds, both in its own unit."""

    what: str
    margin: float
    plausible: float
    rows: int


def hidden(drafts: tuple[Draft, ...], stages: tuple[Stage, ...], units: int) -> tuple[Hidden, ...]:
    """The columns that the noise hides; keys that are found from the data are told by their own."""
    found = []
    for draft, stage in zip(drafts, stages, strict=True):
        if draft.thresholded:
            continue
        for statistic, column in zip(draft.measure.statistics, stage.columns, strict=True):
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


def warnings(
    found: tuple[Hidden, ...], sql: str, manifest: Manifest, options: Options, again: Replan
) -> tuple[str, ...]:
    """What the noise hides, and a question near to it whose answer it does not, if one is found."""
    if not found:
        return ()
    worst = max(found, key=lambda one: one.margin / max(one.plausible, 1e-12))
    unit = manifest.unit.name
    said = (
        f"The noise may hide the answer: the margin of {worst.what} is about "
        f"{worst.margin:,.0f}, and a group plausibly holds {worst.plausible:,.0f}, since "
        f"one {unit} may have {worst.rows:,} rows and there are at most {manifest.unit.at_most:,}."
    )
    offered = next(_answered(sql, manifest, options, again), None) if len(sql) <= LONGEST else None
    return (said,) if offered is None else (said, f"The nearest that is not hidden: {offered}")


def _answered(sql: str, manifest: Manifest, options: Options, again: Replan) -> Iterator[str]:
    """The candidates, nearest first, whose own plans hide nothing."""
    for tried, (text, given, shown) in enumerate(_candidates(sql, manifest, options)):
        if tried >= TRIALS:
            return
        try:
            if not again(text, given):
                yield shown
        except (QueryRefused, RecursionError, WorkersUnavailable):
            continue


def _candidates(
    sql: str, manifest: Manifest, options: Options
) -> Iterator[tuple[str, Options, str]]:
    """Texts and options to plan, and how each is told."""
    select = outermost(parse(sql))
    counted = None if select is None else _of_units(select, manifest)
    if counted is not None:
        yield counted, options, counted
    for cap in (10, 1):
        if options.rows_per_group is None or options.rows_per_group > cap:
            told = f"the same with options.bounds.rows_per_group: {cap}"
            yield sql, replace(options, rows_per_group=cap), told
    kept = [] if select is None or select.args.get("group") is None else keys(select)
    if select is not None and len(kept) > 1:
        fewer = regrouped(select, kept[:-1])
        for text in (written(fewer), _of_units(fewer, manifest)):
            if text is not None:
                yield text, options, text


def _of_units(select: exp.Select, manifest: Manifest) -> str | None:
    """COUNT(DISTINCT unit) where rows are counted, and nothing else is measured."""
    units = [named.unit for named in private(select, manifest) if named.unit is not None]
    if not units:
        return None
    found = select.copy()
    counts = [call for call in found.find_all(exp.Count) if isinstance(call.this, exp.Star)]
    for call in counts:
        call.set("this", exp.Distinct(expressions=[units[0].copy()]))
    return written(found) if counts else None

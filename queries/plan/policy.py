"""What of a released table is shown: the dataset's rules, and what an analyst asks for besides.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       what is held back here is a function of noisy values: it loses nothing.
    Requires    each measure to hold a noisy count of units, bounded as its groups are.
    Why         rows are shown or not by that count, after noise; the exact one is looked at by
                nobody. Keys that are not public have their threshold besides (P11).
    Tried by    tests/plan/test_policy.py
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from queries.algebra.measures import OCCURS, BinCounts, Measure, Units
from queries.catalog.manifest import Manifest
from queries.plan import split
from queries.plan.formulas import never_negative
from queries.plan.model import Stage
from queries.plan.price import Options
from queries.plan.shown import Frequency, NonNegative

if TYPE_CHECKING:
    from queries.plan.levels import Family


def given(options: Options, manifest: Manifest) -> Options:
    """What is asked for under the dataset's own least frequency."""
    asked, own = options.minimum_frequency, manifest.minimum_frequency
    if own is None or (asked is not None and asked >= own):
        return options
    return replace(options, minimum_frequency=own)


def counted(measure: Measure, options: Options) -> Measure:
    """The measure, with a count of units where a least frequency needs one."""
    if options.minimum_frequency is None or Units(None) in measure.statistics:
        return measure
    return replace(measure, statistics=(*measure.statistics, Units(None)))


def frequencies(families: Mapping[str, Family], options: Options) -> tuple[Frequency, ...]:
    """The least frequency of each measure's groups, by its name."""
    least = options.minimum_frequency
    if least is None:
        return ()
    return tuple(
        Frequency(name, f"m{found.measure.statistics.index(Units(None))}", least)
        for name, found in families.items()
    )


def non_negative(families: Mapping[str, Family], options: Options) -> tuple[NonNegative, ...]:
    """What cannot be negative, by the measures' names, where that is asked for."""
    found = []
    for name, one in families.items() if options.non_negative else ():
        statistics = enumerate(one.drafts[0].measure.statistics)
        columns = [f"m{n}" for n, statistic in statistics if never_negative(statistic)]
        ranked = one.drafts[0].measure.ranked
        columns += [one.measure.column(part) for part in ranked if isinstance(part, BinCounts)]
        found.append(NonNegative(name, tuple(columns)))
    return tuple(found)


def occurring(
    parts: Iterable[exp.Expr], names: Mapping[str, str], stages: tuple[Stage, ...]
) -> None:
    """Write into the parts of a query the count from which a listed key is said to occur.

    Keys that are not public occur as soon as they are there: they reached their threshold.

    Where keys alone were selected, the order of their values is that in which they left.
    """
    named = {stage.name: stage for stage in stages}
    for column in parts:
        if not isinstance(column, exp.Column):
            continue
        stage = named.get(names.get(column.table, ""))
        if stage is not None and column.name == OCCURS:
            column.replace(exp.Literal.number(_least(stage)))
        elif stage is not None and stage.top is not None and column.name == stage.top.column:
            column.replace(exp.Neg(this=exp.column("_row", table=column.table, quoted=True)))


def _least(stage: Stage) -> int:
    if stage.threshold is not None:
        return 1
    return split.occurring(stage.columns[0].noise)

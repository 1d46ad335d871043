"""A plan in plain words: what is counted, how one unit is bounded, what noise is added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from queries.algebra.measures import OfValues
from queries.algebra.sources import tables_of
from queries.catalog.manifest import Manifest
from queries.plan.formulas import most_values
from queries.plan.levels import Family
from queries.plan.model import Distribution, Mechanism, Stage, Top
from queries.plan.price import Options
from queries.plan.stages import Draft
from queries.plan.trees import size

UNCOUNTED = (
    "The margins speak of the noise alone: not of values clamped or rows dropped at registration, "
    "nor of groups left out by a bound or a threshold."
)
COVERED = (
    " Distinct counts do not add up: they are held to no less than the largest of their parts and "
    "no more than the sum of them, which makes small ones too large on average; their margins are "
    "those of what was measured, widened to what is shown."
)
RANKED = (
    "Each grouping set finds its quantiles and modes by itself; where they are read off trees, the "
    "trees of sets that add up are fitted to each other, too."
)
MECHANISMS = {
    Mechanism.GAUSSIAN: "discrete Gaussian noise (Canonne, Kamath and Steinke 2020)",
    Mechanism.LAPLACE: "discrete Laplace noise (Ghosh, Roughgarden and Sundararajan 2009)",
    Mechanism.EXPONENTIAL: "the exponential mechanism (McSherry and Talwar 2007)",
    Mechanism.PERMUTE_AND_FLIP: "permute-and-flip (McKenna and Sheldon 2020)",
}


def notes(
    drafts: tuple[Draft, ...], stages: tuple[Stage, ...], manifest: Manifest
) -> tuple[str, ...]:
    """The plan, sentence by sentence."""
    if not stages:
        return ("No private table is read: the answer is exact and free.",)
    found: list[str] = []
    for draft, stage in zip(drafts, stages, strict=True):
        found.append(_bounding(draft, manifest.unit.name))
        found.extend(_values(draft, manifest.unit.name))
        found.append(_keys(draft, stage, manifest.unit.name))
        if stage.columns:
            found.append(f"Every number gets {MECHANISMS[stage.columns[0].noise.mechanism]}.")
        found.extend(_distribution(distribution) for distribution in stage.distributions)
        if stage.top is not None:
            found.append(_leading(stage.top))
    return (*dict.fromkeys(found), *_order(stages), UNCOUNTED)


def sets(families: Mapping[str, Family]) -> tuple[str, ...]:
    """What is said about the grouping sets of each measure."""
    several = [found for found in families.values() if found.measure.sets]
    ranked = any(found.measure.ranked for found in several)
    return (*map(_sets, several), *((RANKED,) if ranked else ()))


def blocks(stages: tuple[Stage, ...], manifest: Manifest) -> tuple[str, ...]:
    """What is said about the blocks that are read, and what each of them pays."""
    found = []
    if len(manifest.together) > 1 and stages:
        names = ", ".join(block.name for block in manifest.together)
        found.append(f"Rows of {names} are read as one: each of them pays, and all together once.")
    if any(stage.partial for stage in stages):
        found.append(
            f"Without its rows of one block alone one {manifest.unit.name} could move this twice "
            "as far: a block pays four times the rho for it, twice the epsilon if it is pure."
        )
    return tuple(found)


def shown(options: Options) -> tuple[str, ...]:
    """What is said about released values that are held back or kept at zero."""
    found = []
    if options.other:
        found.append(
            "What the threshold holds back is added up as one row, each of its numbers with noise "
            "of its own and as large a share of the price as a column of all groups."
        )
    if options.effects:
        found.append(
            "What the bounds that were asked for leave out is measured besides, as a share of all "
            "groups together: for each measure that they touch at the price of one column more."
        )
    if options.minimum_frequency is not None:
        found.append(
            f"Groups whose noisy count of units is under {options.minimum_frequency:,} are held "
            "back, public ones too."
        )
    if options.non_negative:
        found.append("Counts are kept at zero or above, so small ones are too large on average.")
    return tuple(found)


def _sets(found: Family) -> str:
    held = any(draft.thresholded for draft in found.drafts)
    count = _many(len(found.sets), "grouping set")
    if not found.together:
        why = "groups may be held back" if held else "none of them holds all others"
        return f"{count}, each measured by itself: parts need not add up to totals, since {why}."
    which = "those whose keys are public" if held else "all of them"
    return (
        f"{count}, each measured; counts and sums of {which} are then fitted to each other by "
        "least squares, so that parts add up to totals (Hay et al. 2010)."
        f"{COVERED if found.covered else ''}"
    )


def _bounding(draft: Draft, unit: str) -> str:
    bounds = draft.bounds
    rows = f"One {unit} has at most {_many(bounds.rows, 'row')}"
    if not draft.query.two_levels:
        return f"{rows} here, as enforced at registration; all of them may fall in one group."
    capped = (
        ""
        if bounds.rows_per_group is None
        else f", {bounds.rows_per_group:,} of them count in a group"
    )
    kept = "keeps" if draft.query.sampled else "has"
    return f"{rows}{capped}, and {kept} at most {_many(bounds.groups, 'group')}."


def _values(draft: Draft, unit: str) -> Iterator[str]:
    """What is said about distinct values."""
    found = [s for s in draft.measure.statistics if isinstance(s, OfValues)]
    for kept in sorted({most_values(statistic, draft.bounds) for statistic in found}):
        yield f"One {unit} adds at most {_many(kept, 'distinct value')} to a group."


def _keys(draft: Draft, stage: Stage, unit: str) -> str:
    if not stage.keys:
        return "There is one group."
    if stage.listed is not None:
        return f"All {_many(len(stage.listed), 'group')} are public and answered, empty ones too."
    if draft.later is not None:
        return (
            f"The groups are those of a table that is released before, at most "
            f"{draft.later.most:,}: all are answered, empty ones too."
        )
    if stage.threshold is None:
        raise ValueError("keys are listed or found behind a threshold")
    return (
        f"The keys are not public: a group is shown where its noisy count of {unit} units "
        "reaches the threshold."
    )


def _distribution(found: Distribution) -> str:
    bins = f"{found.bins.count:,} {'values' if found.bins.exact else 'bins'}"
    if found.targets[0].labels:
        return (
            f"Each row falls in one of {bins}, whose counts each get "
            f"{MECHANISMS[found.noise.mechanism]}."
        )
    if found.levels and found.around is None:
        nodes = size(found.branching, found.levels)
        return (
            f"Quantiles are read off a tree of {nodes:,} counts over {bins}, "
            f"each with {MECHANISMS[found.noise.mechanism]}."
        )
    law = MECHANISMS[found.noise.mechanism]
    said = f"{_many(len(found.targets), 'answer')} selected among {bins} by {law}."
    if found.around is None:
        return said
    nodes = size(found.branching, found.levels)
    return (
        f"{said} Their intervals are read off a tree of {nodes:,} counts, each with "
        f"{MECHANISMS[found.around.mechanism]}, which takes a quarter of the price."
    )


def _leading(top: Top) -> str:
    return (
        f"{_many(top.most, 'name')} selected one after the other by "
        f"{MECHANISMS[top.noise.mechanism]} without any number, which takes less noise than "
        "numbers for all groups would; ask for the numbers too, and they are measured instead."
    )


def about(draft: Draft) -> str:
    """What a stage measures, in plain words."""
    numbers = _many(len(draft.measure.statistics) + len(draft.measure.ranked), "noisy number")
    if draft.leading is not None:
        read = " and ".join(tables_of(draft.measure.relation))
        return f"{_many(draft.leading.most, 'name')} out of {draft.cells:,} groups, from {read}"
    where = "in one group"
    if draft.listed is not None and draft.keys:
        where = f"in each of {_many(len(draft.listed), 'group')}"
    elif draft.later is not None:
        where = "in each group of a released table"
    elif draft.keys:
        where = "in each group behind a threshold"
    return f"{numbers} {where}, from {' and '.join(tables_of(draft.measure.relation))}"


def _order(stages: tuple[Stage, ...]) -> list[str]:
    """Which stages are released first, because others read them."""
    numbers = {stage.name: n + 1 for n, stage in enumerate(stages)}
    return [
        f"Step {numbers[stage.name]} reads what step {' and '.join(map(str, earlier))} released."
        for stage in stages
        if (earlier := sorted(numbers[name] for name in stage.needs))
    ]


def past(ids: tuple[str, ...]) -> tuple[str, ...]:
    """What is said about past releases that are read."""
    return tuple(f"Reads the rows of release {id}, which are paid for already." for id in ids)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

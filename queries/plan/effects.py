"""The effect of bounding: which share of rows and totals a query's own bounds leave out.

For each statistic that a bound can touch two numbers are measured, over all groups together: its
sum without the bounds that the analyst gave, and its sum as it counts; beside them how many units
there are, and how many have more than is kept. They stand in a stage of one row without keys, with
a digest and a price of its own. What registration clamped or dropped is not in a delivery, so no
stage can measure it.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       each number moves by at most the L1 sensitivity of its statistic over all groups:
                without bounds R b for counts and sums, R the most rows of one unit and b the most
                that a row adds in the manifest's own range; as they count min(R, C m) b; 1 for the
                counts of units (P6).
    Requires    statistics bounded as `queries.plan.formulas` says, of either binding of the text.
    Why         a sum over groups moves by no more than the groups' own moves together, which is
                what L1 bounds; it is one number, so L2 is the same. The query without bounds is a
                query as anybody may ask it, its noise is that of its own reach. Shares are computed
                from released numbers alone.
    Tried by    tests/properties/test_sensitivity.py, tests/plan/test_effects.py
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from queries.algebra.measures import (
    Centred,
    Distinct,
    DistinctTotal,
    Measure,
    OfValues,
    Rows,
    Statistic,
    Total,
    Units,
)
from queries.algebra.scalars import Call, Scalar
from queries.algebra.sources import tables_of
from queries.bind.calls import both, present
from queries.catalog.view import View
from queries.language.refusals import RangeTooLarge, TooManyRowsPerUnit
from queries.plan import split
from queries.plan.bounding import Bounds, Sensitivity
from queries.plan.formulas import most_values, sensitivity, shift, value_of
from queries.plan.keys import Keys, Level
from queries.plan.levels import Family
from queries.plan.lower import effects as lower
from queries.plan.lower.statistics import Query
from queries.plan.model import PLANNER_VERSION, NoisyColumn, Stage
from queries.plan.price import Price
from queries.plan.stages import Draft, hashed, possible, reads, work
from queries.plan.timing import Shape

FINEST = 2**20
"""The parts in which weights are counted."""


@dataclass(frozen=True, slots=True)
class Lost:
    """One statistic of which bounds leave something out: as it is without them, and as it counts.

    `sources` are the columns of the measure's own table that it stands for. With `falls` caps alone
    are at work, which leave out rows and groups and move no value.
    """

    before: Statistic
    counted: Statistic
    sources: tuple[str, ...]
    falls: bool


@dataclass(frozen=True, slots=True)
class Bounding:
    """All that is measured of the bounds of the measure `table`, but for the price.

    With `units` these are counted besides, and those of them that have more than is kept.
    """

    table: str
    digest: str
    text: str
    reads: tuple[str, ...]
    before: Query
    counted: Query
    lost: tuple[Lost, ...]
    units: bool
    shapes: tuple[Shape, ...]

    @property
    def stage(self) -> str:
        """The name of the stage that measures it."""
        return f"{self.table}_effect"

    @property
    def pairs(self) -> tuple[tuple[Number, Number], ...]:
        """The two numbers of each share, in the order of the stage's columns."""
        unit = Number(Sensitivity(1, 1), 0, (1, 1, "BIGINT"))
        own = zip(_numbers(self.before), _numbers(self.counted), strict=True)
        return (*([(unit, unit)] if self.units else []), *own)


@dataclass(frozen=True, slots=True)
class Number:
    """One column of the stage: how far one unit moves it, its shift, and what its steps are."""

    sensitivity: Sensitivity
    shift: int
    value: tuple[int, int, str]


def bounding(
    table: str, family: Family, asked: Measure, free: Measure | None, view: View, *, least: bool
) -> tuple[Bounding | None, bool]:
    """What is measured of a measure's bounds, if they leave anything out; and whether all of it is.

    `asked` is the measure as the text has it; `free` the same without the analyst's own ranges, or
    None where the text has no answer without them. With `least` units are counted at all events,
    for a least frequency to hold.
    """
    draft = family.drafts[0]
    pairs = None if free is None else _paired(asked, free)
    if free is not None and pairs is not None:
        try:
            found = _compared(table, draft, asked, free, pairs, view, least)
            averaged = _averaged(asked, draft)
            return found, all(before == one for before, one in pairs if one in averaged)
        except (RangeTooLarge, TooManyRowsPerUnit):
            if free is asked:
                raise
    alike = tuple((one, one) for one in _wanted(asked))
    return _compared(table, draft, asked, asked, alike, view, least), False


def _compared(
    table: str,
    draft: Draft,
    asked: Measure,
    free: Measure,
    pairs: Sequence[tuple[Statistic, Statistic]],
    view: View,
    least: bool,
) -> Bounding | None:
    """The statistics that differ, or that a cap may touch, without bounds and with them."""
    wanted = _wanted(asked)
    moved = (free.relation, free.keys) != (asked.relation, asked.keys)
    lost = tuple(
        Lost(before, counted, wanted[counted], falls=before == counted and not moved)
        for before, counted in pairs
        if (moved or before != counted or _touched(counted, draft))
        and counted not in _averaged(asked, draft)
    )
    if not lost:
        return None
    most, capped = view.manifest.unit.at_most, _capped(draft)
    listed = None if asked.sets or free is not asked else draft.listed
    before = _query(free, tuple(one.before for one in lost), _free(free, listed), most)
    bounds = replace(draft.bounds, fans=None) if capped else _free(asked, None)
    counted = _query(asked, tuple(one.counted for one in lost), bounds, most)
    if draft.query.sampled:
        counted = replace(counted, sampled=True, two_levels=True)
    units = capped or least
    text = lower.text(before, counted, units=units)
    whole = Level((), None, ())
    shapes = [work(query, whole, view) for query in (before, counted)]
    shapes += [Shape(shapes[1].rows, 2 * shapes[1].rows, 1)] if units else []
    made = Bounding(table, "", text, draft.reads, before, counted, lost, units, tuple(shapes))
    parts = (PLANNER_VERSION, view.delivery, "effect", text, made.pairs)
    return replace(made, digest=hashed(parts))


def _wanted(asked: Measure) -> dict[Statistic, tuple[str, ...]]:
    """The statistics to compare, each with the columns that it stands for.

    Of a mean it is the total, not that around the middle of the range; of a quantile the rows.
    """
    found: dict[Statistic, list[str]] = {}
    for statistic in asked.statistics:
        total = statistic
        if isinstance(statistic, Centred):
            total = Total(statistic.value, statistic.where)
        found.setdefault(total, []).append(asked.column(statistic))
    for ranked in asked.ranked:
        rows = Rows(both(present(ranked.value), ranked.where))
        found.setdefault(rows, []).append(asked.column(ranked))
    return {one: tuple(names) for one, names in found.items()}


def _averaged(asked: Measure, draft: Draft) -> set[Statistic]:
    """The totals of means alone under a cap on rows, of which so many average ones count."""
    if draft.bounds.per_group >= draft.bounds.rows:
        return set()
    means = (one for one in asked.statistics if isinstance(one, Centred))
    totals: set[Statistic] = {Total(one.value, one.where) for one in means}
    return totals - set(asked.statistics)


def _paired(asked: Measure, free: Measure) -> tuple[tuple[Statistic, Statistic], ...] | None:
    """Each statistic as it is without ranges, and as asked; None where they cannot be compared.

    What is released first is drawn for the text as asked, so nothing else may be read.
    """
    known = {one: one for one in _wanted(free)}
    found = [(known.get(_unclamped(one)), one) for one in _wanted(asked)]
    pairs = tuple((before, counted) for before, counted in found if before is not None)
    try:
        alike = set(reads(free)) <= set(reads(asked))
    except RangeTooLarge:
        return None
    return pairs if alike and len(pairs) == len(found) else None


def _unclamped(statistic: Statistic) -> Statistic:
    """A statistic of columns as they are stored; its facts are those of the ranges all the same."""
    where = None if statistic.where is None else _stored(statistic.where)
    match statistic:
        case Total() | Centred() | DistinctTotal():
            return replace(statistic, value=_stored(statistic.value), where=where)
        case Distinct():
            return replace(statistic, values=tuple(map(_stored, statistic.values)), where=where)
        case Rows() | Units():
            return replace(statistic, where=where)


def _stored(scalar: Scalar) -> Scalar:
    if not isinstance(scalar, Call):
        return scalar
    if scalar.op.startswith("clamp:"):
        return _stored(scalar.args[0])
    return Call(scalar.op, tuple(map(_stored, scalar.args)), scalar.facts)


def _touched(statistic: Statistic, draft: Draft) -> bool:
    """Whether a cap on groups or rows may leave out some of a statistic."""
    if draft.query.sampled:
        return True
    if isinstance(statistic, OfValues):
        return most_values(statistic, draft.bounds) < most_values(
            statistic, _free(draft.measure, None)
        )
    return _capped(draft) and not isinstance(statistic, Units)


def _capped(draft: Draft) -> bool:
    return draft.query.sampled or draft.bounds.per_group < draft.bounds.rows


def _free(measure: Measure, listed: Keys | None) -> Bounds:
    """What one unit can have without the analyst's own bounds."""
    return Bounds(measure.relation.rows, possible(measure, listed))


def _query(
    measure: Measure, statistics: tuple[Statistic, ...], bounds: Bounds, units: int
) -> Query:
    """Some statistics of a measure in all its groups, none of which is dropped."""
    made = replace(measure, statistics=statistics, sets=(), ranked=())
    shifts = tuple(shift(one, bounds, units) for one in statistics)
    counts = any(isinstance(one, Units) for one in statistics) and bounds.rows > 1
    return Query(made, bounds, shifts, False, counts or bounds.per_group < bounds.rows)


def _numbers(query: Query) -> Iterator[Number]:
    """The sum of each statistic over all groups: it moves by no more than these do together."""
    for statistic, bits in zip(query.measure.statistics, query.shifts, strict=True):
        most = sensitivity(statistic, query.bounds, bits).l1
        yield Number(Sensitivity(most, most**2), bits, value_of(statistic))


def stage(one: Bounding, part: Price) -> Stage:
    """The stage at one column's part of the price, as much of it for each share."""
    numbers = [number for pair in one.pairs for number in pair]
    columns = tuple(
        NoisyColumn(f"m{n}", split.noise(number.sensitivity, own), number.shift, *number.value)
        for n, (number, own) in enumerate(zip(numbers, _parts(one, part), strict=True))
    )
    tables = " and ".join(tables_of(one.counted.measure.relation))
    about = f"what bounds leave out: {len(columns)} noisy numbers in one group, from {tables}"
    return Stage(one.stage, one.digest, one.text, (), columns, about=about)


def _parts(one: Bounding, part: Price) -> Iterator[Price]:
    """Each pair gets as much, and in it each number so that the variances sum to the least."""
    for pair in one.pairs:
        power = 1.0 if part.epsilon is None else 2 / 3
        most = max(number.sensitivity.l1 for number in pair)
        weights = [
            max(1, round((number.sensitivity.l1 / most) ** power * FINEST)) for number in pair
        ]
        share = split.portion(part, 1, len(one.pairs))
        yield from (split.portion(share, weight, sum(weights)) for weight in weights)

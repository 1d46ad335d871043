"""Drafts of stages: all that a measure decides but its price.

A draft's digest names the bound algebra, the delivery and its sealed manifest, the bounds and the
keys; the price is left out, so that a stored stage can serve a later question (P20).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from queries import codec
from queries.algebra.constant import constant
from queries.algebra.measures import Measure, OfValues, Units, scalars_of
from queries.bind.publics import Publics
from queries.catalog.view import View
from queries.language.limits import LIMITS
from queries.language.refusals import BoundTooWide, TooManyColumns, TooManyRowsPerUnit
from queries.plan import keys as group_keys
from queries.plan.bounding import Bounds, Sensitivity
from queries.plan.formulas import sensitivity, shift, value_of
from queries.plan.keys import Level
from queries.plan.leading import Leading, leading
from queries.plan.lower.relations import Relations
from queries.plan.lower.statistics import Query
from queries.plan.model import PLANNER_VERSION, Key
from queries.plan.partial import partial
from queries.plan.price import Options
from queries.plan.quantiles import MOST_GROUPS, Sketch, sketch
from queries.plan.timing import Shape, met, scanned

MOST_WORK = 10**6
"""The most rows that one unit may cause to be read or compared, so that it owns no running time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A stage without its noise; `meaning` is its digest on whatever delivery."""

    digest: str
    meaning: str
    text: str
    reads: tuple[str, ...]
    measure: Measure
    query: Query
    keys: tuple[Key, ...]
    groups: group_keys.Keys | None
    level: Level
    sensitivities: tuple[Sensitivity, ...]
    shape: Shape
    sketches: tuple[Sketch, ...] = ()
    leading: Leading | None = None
    partial: bool = False

    @property
    def bounds(self) -> Bounds:
        return self.query.bounds

    @property
    def listed(self) -> group_keys.Keys | None:
        """The keys, where they are public."""
        return self.level.listed

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The work of the stage: its own query, and a histogram for each distribution."""
        windows = self.query.sampled or self.bounds.per_group < self.bounds.rows
        partials = 2 * self.shape.rows if windows else self.shape.rows
        apart = [
            Shape(self.shape.rows, partials, self.most_rows * found.draws)
            for found in self.sketches
        ]
        return (self.shape, *apart)

    @property
    def later(self) -> group_keys.Later | None:
        """How the keys are listed, where that takes what earlier stages released."""
        return self.level.later

    @property
    def thresholded(self) -> bool:
        return self.level.thresholded

    @property
    def cells(self) -> int:
        """How many cells are answered, or the most, where that is known."""
        if self.later is not None:
            return self.later.most
        return 1 if self.listed is None else len(self.listed)

    @property
    def parts(self) -> int:
        """How many columns and distributions are noised, each with its own part of a price."""
        return len(self.measure.statistics) + len(self.sketches)

    @property
    def deciding(self) -> int:
        """The column whose noisy count of units decides about keys."""
        return self.measure.statistics.index(Units(None))

    @property
    def floor(self) -> int:
        return self.query.floor or 1

    @property
    def most_rows(self) -> int:
        return self.shape.noisy

    @property
    def draws(self) -> int:
        """The noisy numbers, and the candidates met."""
        one = len(self.measure.statistics) + sum(found.draws for found in self.sketches)
        return self.most_rows * one

    @property
    def noised(self) -> tuple[tuple[str, str], ...]:
        """The columns of its noisy table, with their DuckDB types."""
        keys = [(key.name, key.sql_type) for key in self.keys]
        kinds = [value_of(statistic)[2] for statistic in self.measure.statistics]
        columns = [(f"m{n}", kind) for n, kind in enumerate(kinds)]
        columns += [(one.name, one.sql_type) for s in self.sketches for one in s.targets]
        return (("_row", "BIGINT"), *keys, *columns)


def draft(measure: Measure, view: View, publics: Publics, options: Options) -> Draft:
    """Decide keys, bounds and text of a measure; raises a QueryRefused."""
    later = group_keys.later(measure, publics)
    listed = group_keys.listed(measure, publics) if measure.keys and later is None else None
    whole = tuple(range(len(measure.keys)))
    level = Level(whole, listed, (), later=later)
    return drafted(measure, listed, level, view, publics, options)


def drafted(
    measure: Measure,
    groups: group_keys.Keys | None,
    level: Level,
    view: View,
    publics: Publics,
    options: Options,
    held: int = 1,
) -> Draft:
    """The draft of one grouping set of a measure whose groups are listed, or None.

    `held` is how many sets share the candidate keys that may be thresholded at once.
    """
    thresholded = level.thresholded
    if thresholded and Units(None) not in measure.statistics:
        measure = replace(measure, statistics=(*measure.statistics, Units(None)))
    query = _query(measure, groups, level, view.manifest.unit.at_most, options)
    if thresholded:
        allowed = MOST_GROUPS if measure.ranked else LIMITS.candidates
        most = held * view.manifest.unit.at_most * query.bounds.cells
        query = replace(query, floor=_floor(most, allowed))
    shape = work(query, level, view)
    sketches = tuple(
        sketch(place, query, shape.noisy, publics, together=level.together)
        for place in range(len(measure.distributions))
    )
    named = tuple(group_keys.key(n, measure.keys[n]) for n in level.keys)
    found = Draft(
        "", "", query.text(), reads(measure), measure, query, named, groups, level,
        _sensitivities(query), shape, sketches, partial=partial(query, view.manifest),
    )  # fmt: skip
    check_size(found.draws, len(measure.statistics))
    if options.minimum_frequency is None:
        found = replace(found, leading=_leading(found))
    meaning = _meaning(found, options.minimum_frequency if thresholded else None)
    digest = hashed((PLANNER_VERSION, view.delivery, meaning))
    return replace(found, digest=digest, meaning=meaning)


def _leading(found: Draft) -> Leading | None:
    """The selection of keys, where nothing else is wanted and it takes less noise than values."""
    measure, most = found.measure, found.measure.leading
    if not most or found.listed is None or most >= len(found.listed):
        return None
    if len(measure.statistics) > 1:
        return None
    (statistic,), (counted,), (bits,) = measure.statistics, found.sensitivities, found.query.shifts
    return leading(most, statistic, found.bounds, bits, counted)


def rebounded(found: Draft, units: int, options: Options) -> Draft:
    """The same under other bounds, to tell its noise by: it has no digest and no text.

    May refuse.
    """
    query = _query(found.measure, found.groups, found.level, units, options)
    return replace(
        found,
        digest="",
        meaning="",
        text="",
        query=query,
        sensitivities=_sensitivities(query),
    )


def _sensitivities(query: Query) -> tuple[Sensitivity, ...]:
    pairs = zip(query.measure.statistics, query.shifts, strict=True)
    return tuple(sensitivity(statistic, query.bounds, bits) for statistic, bits in pairs)


def reads(measure: Measure) -> tuple[str, ...]:
    """The names of the inputs that a measure reads."""
    to = Relations()
    to.block(measure.relation)
    for scalar in scalars_of(measure):
        to.scalars.write(scalar)
    return tuple(sorted(to.given))


def united(one: Draft, other: Draft) -> Draft:
    """Two drafts of one stage, which differ in nothing but what is read off their trees."""
    sketches = tuple(
        replace(left, targets=tuple(dict.fromkeys((*left.targets, *right.targets))))
        for left, right in zip(one.sketches, other.sketches, strict=True)
    )
    return replace(one, sketches=sketches)


def _query(
    measure: Measure,
    groups: group_keys.Keys | None,
    level: Level,
    units: int,
    options: Options,
) -> Query:
    """Bounds and levels of aggregation; a set adds up the groups where a bound holds for these."""
    bounds = bounded(measure, groups, options, level.later)
    most = possible(measure, groups, level.later)
    sampled, capped = bounds.groups < most, bounds.per_group < bounds.rows
    if len(level.keys) < len(measure.keys):
        if sampled or capped:
            bounds = replace(bounds, fans=level.fans[: bounds.groups])
        else:
            bounds = Bounds(bounds.rows, min(most, max(1, len(level.fans))))
    counted = any(isinstance(s, Units) for s in measure.statistics) and bounds.rows > 1
    shifts = tuple(shift(statistic, bounds, units) for statistic in measure.statistics)
    two = sampled or counted or capped
    shown = None if len(level.keys) == len(measure.keys) else level.keys
    return Query(measure, bounds, shifts, sampled, two, level=shown)


def bounded(
    measure: Measure,
    listed: group_keys.Keys | None,
    options: Options,
    later: group_keys.Later | None = None,
) -> Bounds:
    """What one unit can have, as the manifest says or tighter where the analyst asks so."""
    rows = measure.relation.rows
    for name, value in (
        ("groups_per_unit", options.groups_per_unit),
        ("rows_per_group", options.rows_per_group),
    ):
        if value is not None and value > rows:
            raise BoundTooWide(f"{name} is at most {rows:,} here, the rows that one unit can have.")
    groups = min(possible(measure, listed, later), options.groups_per_unit or rows)
    return Bounds(rows, groups, options.rows_per_group)


def possible(
    measure: Measure, listed: group_keys.Keys | None, later: group_keys.Later | None = None
) -> int:
    """The most groups one unit can fall in: they share the keys that are constant for a unit."""
    rows, fixed = measure.relation.rows, own_keys(measure)
    if len(fixed) == len(measure.keys):
        return 1
    if later is not None:
        return max(1, min(rows, later.most))
    if listed is None:
        return rows
    classes = Counter(tuple(key[n] for n in fixed) for key in listed)
    return max(1, min(rows, max(classes.values(), default=1)))


def own_keys(measure: Measure) -> tuple[int, ...]:
    """The positions of the keys that have one value for each unit."""
    pairs = enumerate(measure.keys)
    return tuple(n for n, key in pairs if constant(key, measure.relation))


def _floor(most: int, allowed: int) -> int:
    """Keys under this many units are dropped, so that no more candidates remain than allowed."""
    return max(1, -(-most // allowed))


def work(query: Query, level: Level, view: View) -> Shape:
    """How much work a query may be; raises TooManyRowsPerUnit where one unit could own it."""
    units, relation = view.manifest.unit.at_most, query.measure.relation
    sizes = {f'"{name}"': table.rows for name, table in view.public.items()}
    inside = met(scalars_of(query.measure), units, sizes, relation.rows)
    if scanned(relation, 1, {}) + met(scalars_of(query.measure), 1, {}, relation.rows) > MOST_WORK:
        raise TooManyRowsPerUnit(
            "One unit could be too much work here: each of its rows is compared with many.",
            hint="Tie what is compared by equalities, or narrow it.",
        )
    joined = units * relation.rows  # what a join makes of the rows that are read
    rows = max(scanned(relation, units, sizes) + inside, joined)
    partials = units * query.bounds.groups if query.two_levels else 0
    partials += joined * sum(isinstance(s, OfValues) for s in query.measure.statistics)
    candidates = units * query.bounds.cells // (query.floor or 1)
    if level.later is not None:
        return Shape(max(rows, level.later.most), partials, max(1, level.later.most))
    groups = 1 if not level.keys else candidates if level.listed is None else len(level.listed)
    return Shape(rows, partials, max(1, groups))


def check_size(cells: int, columns: int) -> None:
    """Raises TooManyColumns where more would be noised than is answered."""
    if columns > LIMITS.columns or cells > LIMITS.noisy_cells:
        raise TooManyColumns(
            f"The answer could have more than {LIMITS.noisy_cells:,} noisy cells.",
            hint="Ask for fewer groups, fewer measures, or a tighter groups_per_unit.",
        )


def _meaning(found: Draft, frequency: int | None) -> str:
    """SHA-256 of all that decides what a stage means on whatever delivery, its text included."""
    parts = {
        "sql": found.text,
        "keys": found.keys,
        "listed": found.listed if found.later is None else found.later,
        "bounds": found.bounds,
        "minimum_frequency": frequency,
        "sensitivities": found.sensitivities,
        "values": [value_of(statistic) for statistic in found.measure.statistics],
        "sets": found.measure.sets,
        "distributions": [sketch.identity for sketch in found.sketches],
        "leading": found.leading,
    }
    return hashed(parts)


def hashed(parts: Any) -> str:
    """SHA-256 of values as canonical JSON."""
    return hashlib.sha256(codec.dumps(parts)).hexdigest()

"""Distributions: candidates, targets and mechanisms for quantiles, extremes, modes and histograms.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a unit that adds m(g) rows to group g changes each score of a candidate by at most
                m(g) * max(num, den - num) either way, and each node of a tree's level by m(g) in
                all, so that the sums over groups and targets are those stated (P6).
    Requires    histograms bounded as their stage is; sum(m) and sum(m**2) bounded by
                `queries.plan.bounding`.
    Why         the score of bin c is minus the distance of the target num * n + den * rows from
                the ranks that the bin holds, den * lt(c) to den * (lt(c) + eq(c)). A row below c
                moves both ends against the target by den - num, one above by num, one in c each
                end by one of these; never all scores one way, so never "monotonic". The target of
                an extreme stops at the middle of n rows, which a row moves by at most one, and
                never away from the end that it moves. Selections in several groups and for several
                targets compose: their losses add. A row is in one node of each level: L1 = levels *
                sum(m), L2**2 <= levels * sum(m**2). A histogram is such a tree of one level:
                however many its bins, it loses what one count of its rows would. A mode is read off
                one.
    Tried by    tests/properties/test_sensitivity.py, tests/statistics/test_selections.py
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from queries.algebra.calendar import DAY
from queries.algebra.facts import TEMPORAL
from queries.algebra.grid import grid
from queries.algebra.measures import BinCounts, Measure, Quantile, Ranked, named
from queries.algebra.scalars import Scalar
from queries.bind.publics import Publics
from queries.catalog.manifest import Type
from queries.language.refusals import RangeTooLarge, UnsupportedFunction
from queries.plan import maps, split, trees
from queries.plan.bins import Bins, equal, floating
from queries.plan.bounding import Sensitivity, of_rows
from queries.plan.keys import SMALL, key, listed
from queries.plan.lower.histograms import Histogram
from queries.plan.lower.statistics import Query
from queries.plan.model import Distribution, Noise, Target
from queries.plan.price import Price
from queries.plan.ranks import CONFIDENCE, NORMAL, margin

MOST_BINS, FEWEST_BINS = 8_192, 64
CELLS = 2**17
"""Candidates in all groups together: each group has as many as fit."""
MOST_GROUPS = 1_024
"""Keys that are found from the data: rarer ones are dropped until no more can be left."""
LARGEST_SCORE = 2**61
CHOSEN, PARTS = 3, 4
"""How many parts of a price choose values; the others buy the tree off which intervals are read."""
SHARING = PARTS / math.sqrt(CHOSEN * (PARTS - CHOSEN))
SEVERAL = math.log(1 / (1 - CONFIDENCE))
"""Where values are dense, a selected rank is this many scales off at that confidence."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A distribution without its noise; `rows` bounds the rows of a unit in all groups."""

    sql: str
    bins: Bins
    targets: tuple[Target, ...]
    rows: Sensitivity
    branching: int
    levels: int
    scale: int
    selected: bool = False

    @property
    def weights(self) -> tuple[int, ...]:
        """How much one row changes each target's scores."""
        return tuple(
            max(1, target.numerator, target.denominator - target.numerator)
            for target in self.targets
        )

    @property
    def sensitivity(self) -> Sensitivity:
        """Of a tree's nodes, or of all selections together."""
        if not self.selected:
            return self.nodes
        one, two = sum(self.weights), sum(weight**2 for weight in self.weights)
        return Sensitivity(self.rows.l1 * one, self.rows.l2_squared * two)

    @property
    def nodes(self) -> Sensitivity:
        """Of all nodes of the tree."""
        return Sensitivity(self.rows.l1 * self.levels, self.rows.l2_squared * self.levels)

    @property
    def draws(self) -> int:
        """The noisy numbers, or the candidates met, of one group."""
        met = self.bins.count * len(self.targets) if self.selected else 0
        return met + (trees.size(self.branching, self.levels) if self.levels else 0)

    @property
    def identity(self) -> object:
        """What decides whether an earlier release serves: of a tree, not what is read off it."""
        own = self.selected or any(not t.denominator and not t.labels for t in self.targets)
        targets = tuple(target.name for target in self.targets) if own else ()
        return self.sql, self.bins, self.rows, self.branching, self.levels, targets


def sketch(
    place: int, query: Query, groups: int, publics: Publics, *, together: int | None = None
) -> Sketch:
    """One distribution of a measure in so many groups; raises a QueryRefused.

    Trees of grouping sets that add up stand on one grid, fine enough for all of their `together`
    groups; what has none is looked for in each set on a grid of its own.
    """
    part = query.measure.distributions[place][0]
    if not isinstance(part, Quantile):
        return _sketch(place, query, groups, publics)
    found = _sketch(place, query, groups if together is None else together, publics)
    branching, levels = trees.shape(found.bins.count)
    return replace(found, branching=branching, levels=levels, selected=not _is_tree(found))


def _sketch(place: int, query: Query, groups: int, publics: Publics) -> Sketch:
    """Counts of all values, or selections among as many bins as so many groups may have."""
    parts = query.measure.distributions[place]
    value, where = parts[0].value, parts[0].where
    count = max(FEWEST_BINS, min(MOST_BINS, CELLS // groups))
    one = parts[0]
    if isinstance(one, BinCounts) and one.labels:
        bins = _binned(value, count)
        maps.check(len(one.labels), bins)
    elif isinstance(one, Quantile):
        bins = _binned(value, count)
    else:
        bins = _values(query.measure, one, count, publics)
    sql = Histogram(query, value, where, bins).text()
    rows, scale = of_rows(query.bounds, 1), value.facts.scale
    if isinstance(one, BinCounts):
        target = maps.target(_name(place, one), one, bins, scale)
        return Sketch(sql, bins, (target,), rows, bins.count, 1, scale)
    targets = tuple(_target(place, part, _denominator(parts)) for part in parts)
    if not isinstance(one, Quantile):
        return Sketch(sql, bins, targets, rows, bins.count, 1, scale)
    return Sketch(sql, bins, targets, rows, 0, 0, scale, selected=True)


def _is_tree(found: Sketch) -> bool:
    """Whether a tree alone serves better than selections and a tree that share the loss.

    Either error grows by the root of what its share leaves: selections must be so much more exact
    that what values gain by them outweighs what intervals lose. Both errors are those of ranks
    where values are dense, at one confidence, in the noise of a single count: an exponential law
    with the selections' scale, a normal one with the tree's.
    """
    branching, levels = trees.shape(found.bins.count)
    apart = SEVERAL * math.sqrt(sum(weight**2 for weight in found.weights))
    return SHARING * apart / found.targets[0].denominator > NORMAL * trees.spread(
        branching, levels, found.bins.count
    )


def _binned(value: Scalar, count: int) -> Bins:
    """Bins of a value's grid, at most so many."""
    if value.facts.type in TEMPORAL:
        low, high = value.facts.span()
        step = Fraction(DAY if value.facts.type is Type.DATE else 1)
        made = equal(low, high, count)
    else:
        found = grid(value)
        low, high, step = found.lower, found.upper, found.step
        made = floating(low, high, count)
    last = made[-1]
    most = last.first + -(-(high - last.lower + 1) // last.width)
    return Bins(most, made, low, high, step.numerator, step.denominator)


def _values(measure: Measure, part: Ranked, count: int, publics: Publics) -> Bins:
    """Every value that a column can have, each a bin."""
    value, counted = part.value, isinstance(part, BinCounts)
    count = min(count, SMALL) if counted else count
    if value.facts.bounded and value.facts.type not in (Type.TEXT, Type.BOOLEAN):
        bins = _binned(value, count)
        if bins.exact:
            return bins
    rows = listed(Measure(measure.relation, (value,), ()), publics)
    values = None if rows is None else tuple(row[0] for row in rows if row[0] is not None)
    if not values or len(values) > count:
        what = "A histogram counts" if counted else "MODE is found among"
        raise UnsupportedFunction(
            f"{what} declared or public values, and these are none or too many.",
            hint="Ask it of a column with categories or a short range, or GROUP BY it and count.",
        )
    return Bins(len(values), listed=values)


def _denominator(parts: tuple[Ranked, ...]) -> int:
    return math.lcm(*(part.share.denominator for part in parts if isinstance(part, Quantile)))


def _name(place: int, part: Ranked) -> str:
    return f"q{place}_{named(part)}"


def _target(place: int, part: Ranked, denominator: int) -> Target:
    name = _name(place, part)
    facts = part.value.facts
    kind = key(0, part.value).sql_type
    if not isinstance(part, Quantile):
        return Target(name, 0, 0, 0, descending=False, sql_type=kind)
    if part.continuous:
        kind = {Type.INTEGER: "DOUBLE", Type.DATE: "TIMESTAMP"}.get(facts.type, kind)
    numerator = int(part.share * denominator)
    return Target(name, numerator, denominator, int(not numerator), part.descending, kind)


def priced(name: str, found: Sketch, part: Price, largest: int) -> Distribution:
    """The distribution with the noise that a part of the price buys, `largest` rows at most.

    MIN and MAX are looked for as far inside as their rank may be off, so that one person's value,
    or the end of the declared range, is not what is answered.
    """
    if max(2, *(target.denominator for target in found.targets)) * largest > LARGEST_SCORE:
        raise RangeTooLarge("The ranks of so many rows may pass 61 bits.")
    apart = found.nodes if found.selected and found.levels else None
    noise, around = _noises(found.sensitivity, apart, part, selected=found.selected)
    made = Distribution(
        name, found.sql, found.bins, found.targets, noise, found.branching, found.levels,
        found.scale, around,
    )  # fmt: skip
    return _inside(made)


def repriced(made: Distribution, part: Price) -> Distribution:
    """A distribution with the noise that another part of a price buys; raises PriceTooSmall."""
    apart = None if made.around is None else made.around.sensitivity
    noise, around = _noises(made.noise.sensitivity, apart, part, selected=not made.read_off)
    return _inside(replace(made, noise=noise, around=around))


def _noises(
    one: Sensitivity, apart: Sensitivity | None, part: Price, *, selected: bool
) -> tuple[Noise, Noise | None]:
    """The noise of selections or of a tree, and that of a tree `apart` beside selections."""
    around = None
    if apart is not None:
        around = split.noise(apart, split.portion(part, PARTS - CHOSEN, PARTS))
        part = split.portion(part, CHOSEN, PARTS)
    return (split.selection if selected else split.noise)(one, part), around


def _inside(made: Distribution) -> Distribution:
    """Extremes looked for as far inside as their rank may be off."""
    if any(not target.denominator for target in made.targets):
        return made
    inside = 1 + math.floor(margin(made))
    targets = tuple(replace(t, rows=inside if t.rows else 0) for t in made.targets)
    return replace(made, targets=targets)

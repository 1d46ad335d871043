"""The groups of an answer, for which errors are meant: their columns and what they plausibly hold.

Sizes are declared, named with the question, or released before; private ones are looked at by
nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from functools import partial
from statistics import median

from gateway.errors import Size
from gateway.refusals import ErrorNotOffered
from queries.plan.model import Distribution, Noise, NoisyColumn, Plan, Target, Top
from queries.plan.noisy import StoredStage
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.ratios import Group, Held, divides, ratio, typical
from queries.plan.sizes import Likely
from queries.plan.slopes import NoSlopes, Point, Slopes, divisors, rooted, slopes, steepest

Released = Mapping[str, tuple[tuple[float, ...], ...]]
"""By stage: the rows of its columns, in their own units, as they were released."""


class At(Enum):
    """Where in their ranges the values of a group lie."""

    MIDDLE = "middle"
    """In the middle of them, or where they were released."""
    ENDS = "ends"
    """Where its rows add up to the most."""
    CENTRE = "centre"
    """There, but for the factors of products: these lie on both sides of the middle alike."""


STEEP = (At.ENDS, At.CENTRE)
"""Where slopes are largest: that of a covariance by its count at the centre, if over n - 1."""
EVEN = 1 / math.sqrt(12)
"""The standard deviation of values that lie evenly in their range, as a share of it."""


@dataclass(frozen=True, slots=True)
class Located:
    """A distribution, its place among all that is drawn, and what is looked for in it."""

    place: int
    found: Distribution
    target: Target


@dataclass(frozen=True, slots=True)
class Table:
    """What is drawn of one stage, or of its row of what is held back, in a plan's own order.

    These are its noisy columns, its distributions and the selection of its keys; `first` is the
    place of the first of them among all that the plan draws. A table that is not `shown` is read by
    later stages alone. `cells` are its rows, None where they depend on the data; `before` are those
    that were released, `spread` how far values are spread, as a share of their ranges, if given.
    """

    stage: int
    first: int
    columns: tuple[NoisyColumn, ...]
    likely: tuple[Likely, ...]
    before: tuple[tuple[float, ...], ...] | None = None
    distributions: tuple[Distribution, ...] = ()
    top: Top | None = None
    shown: bool = True
    name: str = ""
    cells: int | None = 1
    spread: Fraction | None = None

    @property
    def released(self) -> tuple[float, ...] | None:
        """The median size of each column, in its own unit, as it was released; 0 without a row."""
        if self.before is None:
            return None
        columns = list(zip(*self.before, strict=True)) or [(0.0,)] * len(self.columns)
        return tuple(float(median(map(abs, column))) for column in columns)

    @property
    def noises(self) -> tuple[Noise, ...]:
        """The noise of each, in their order."""
        top = () if self.top is None else (self.top,)
        return tuple(part.noise for part in (*self.columns, *self.distributions, *top))

    def rows(self, size: Fraction | Size) -> float | None:
        """How many rows a group has for which an error is meant; None if that is not known."""
        if isinstance(size, Fraction):
            return float(size)
        if size is Size.RELEASED and self.released is not None:
            counts = [v for v, one in zip(self.released, self.likely, strict=False) if _counts(one)]
            return max(counts, default=next((one.rows for one in self.likely), None))
        return max((one.rows or 0.0 for one in self.likely), default=0.0) or None

    def point(self, size: Fraction | Size, at: At) -> dict[str, float] | None:
        """What the columns of a group hold whose values lie there; None if its size is unknown."""
        rows = self.rows(size)
        found = {}
        for n, (column, one) in enumerate(zip(self.columns, self.likely, strict=False)):
            count = one.rows if size is Size.DECLARED else rows
            if count is None:
                return None
            middle = at is At.MIDDLE or (at is At.CENTRE and self._multiplied(one))
            found[column.name] = count * (one.middle if middle else one.most)
            if at is At.MIDDLE and size is Size.RELEASED and self.released is not None:
                found[column.name] = self.released[n]
        return found

    def _multiplied(self, likely: Likely) -> bool:
        """Whether a column sums what another sums products of."""
        factors = {value for one in self.likely for value in one.factors or ()}
        return likely.factors is None and likely.value in factors

    def slopes(self, output: Output, size: Fraction | Size) -> Slopes:
        """How the output follows from the columns, where that is steepest."""
        named = output.column if output.role is Role.MEASURE else None
        if named is not None:
            return Slopes(0.0, {named: 1.0})
        if output.expression is None:
            raise NoSlopes
        if self.divides(output):
            rows = self.rows(size)
            if rows is None:
                raise size_needed()
            return ratio(output.expression, self._group(rows))
        divided = self.dividing(divisors(output.expression), size)
        unknown = {c.name: 1.0 for c in self.columns}
        points = [(self.point(size, at) or unknown) | divided for at in STEEP]
        found = steepest(points, partial(self._slopes, output.expression))
        if self.point(size, At.ENDS) is None and not found.straight:
            raise size_needed()
        return found

    def divides(self, output: Output) -> bool:
        """Whether an output divides by variances, as a correlation does."""
        return output.expression is not None and divides(output.expression, self._held())

    def typical(self, output: Output) -> float | None:
        """How large what divides by variances was where it was released, if it was."""
        return None if output.expression is None else typical(output.expression, self._points())

    @property
    def spreads(self) -> str:
        """How far values are spread where an error of what divides by variances holds, in words."""
        if self.spread is not None:
            return f"spread by {float(self.spread):.3g} of their ranges"
        if self.before:
            return "spread as they were released"
        return "spread as if they lay evenly in their ranges"

    def _group(self, rows: float) -> Group:
        spread = EVEN if self.spread is None else float(self.spread)
        told = self.spread is not None or not self.before
        return Group(rows, self._held(), spread if told else None, self._points())

    def _held(self) -> dict[str, Held]:
        return {
            column.name: Held(one.middle, one.half, one.value, one.factors)
            for column, one in zip(self.columns, self.likely, strict=False)
        }

    def _points(self) -> list[dict[str, float]]:
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.before or ()]

    def dividing(self, names: AbstractSet[str], size: Fraction | Size) -> dict[str, float]:
        """What sums hold that are divided by: what is plausible, since the most is too kind."""
        held = self.point(size, At.MIDDLE) or {}
        return {n: v for n, v in held.items() if n in names and not _counts(self._likely(n))}

    def _slopes(self, expression: str, point: Point) -> Slopes:
        """Those at a point, under a root of what may be nothing; a root of counts has its own."""
        found = rooted(expression, point)
        if found is None or all(_counts(self._likely(name)) for name in found.by):
            return slopes(expression, point)
        return found

    def _likely(self, name: str) -> Likely:
        return self.likely[next(n for n, one in enumerate(self.columns) if one.name == name)]

    @property
    def counted(self) -> bool:
        """Whether some column counts rows or units."""
        return any(_counts(one) for one in self.likely[: len(self.columns)])

    def has(self, output: Output) -> bool:
        """Whether the table has the output: a row of what is held back has no quantiles."""
        named = output.columns or (() if output.column is None else (output.column,))
        columns = {column.name for column in self.columns}
        return all(name in columns or self.located(name) is not None for name in named)

    def located(self, name: str) -> Located | None:
        """Where a column is found in the distributions."""
        for place, found in enumerate(self.distributions, self.first + len(self.columns)):
            for target in found.targets:
                if target.name == name:
                    return Located(place, found, target)
        return None

    def steps(self, name: str, margin: Fraction) -> tuple[int, Noise, int]:
        """The place of a column, its noise, and by how many steps it may be off within a margin.

        A total that was shifted is rounded down, which takes its part of the margin.
        """
        column = next(one for one in self.columns if one.name == name)
        units = margin * column.denominator / column.numerator
        left = units - ((1 << column.shift) - 1)
        return self.step(name)[0], column.noise, math.floor(left / (1 << column.shift))

    def step(self, name: str) -> tuple[int, float]:
        """The place of a column among all that is drawn, and the worth of its step."""
        n = next(n for n, column in enumerate(self.columns) if column.name == name)
        column = self.columns[n]
        return self.first + n, (column.numerator << column.shift) / column.denominator

    def moved(self, by: Mapping[str, float]) -> dict[int, float]:
        """How far a step of each place moves what has these slopes by columns."""
        steps = [(*self.step(name), slope) for name, slope in by.items()]
        return {place: slope * step for place, step, slope in steps}


def tables(
    outline: Outline, released: Released, spread: Fraction | None = None
) -> tuple[Table, ...]:
    """All that is drawn, table by table."""
    plan = outline.plan
    members = {plan.post.rowwise, *_members(plan)}
    found, first = [], 0
    stages = plan.stages[: len(outline.likely)]
    for n, (stage, likely) in enumerate(zip(stages, outline.likely, strict=True)):
        known, shown = released.get(stage.name), stage.name in members
        cells = len(stage.listed) if stage.listed is not None else 1
        rest = (
            stage.distributions,
            stage.top,
            shown,
            stage.name,
            None if stage.threshold else cells,
            spread,
        )
        found.append(Table(n, first, stage.columns, likely, known, *rest))
        first += len(stage.parts)
        if stage.other is not None:
            columns = stage.other.columns
            row = replace(found[-1], first=first, columns=columns, distributions=(), name="")
            found.append(row)
            first += len(columns)
    return tuple(found)


def _members(plan: Plan) -> Iterator[str]:
    for one in plan.hierarchies:
        if one.name == plan.post.rowwise:
            yield from one.members


def rows_of(stored: StoredStage) -> tuple[tuple[float, ...], ...]:
    """The rows of a released table, in the units of its columns."""
    steps = [(one.numerator << one.shift) / one.denominator for one in stored.columns]
    return tuple(
        tuple(value * step for value, step in zip(row, steps, strict=True))
        for row in stored.table.values
    )


def _counts(one: Likely) -> bool:
    return one.most == 1.0 and one.middle == 1.0


def size_needed() -> ErrorNotOffered:
    return ErrorNotOffered(
        "This error depends on how large a group is, and no size of these groups is declared.",
        hint='Give `group_size`: a number of rows, or "released".',
    )

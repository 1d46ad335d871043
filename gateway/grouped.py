"""The groups of an answer, for which errors are meant: their columns and what they plausibly hold.

Sizes are declared, named with the question, or released before; private ones are looked at by
nothing here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from gateway.errors import Size
from gateway.refusals import ErrorNotOffered
from queries.plan.model import Distribution, Noise, NoisyColumn, Plan, Target, Top
from queries.plan.noisy import StoredStage
from queries.plan.planner import Outline
from queries.plan.post import Output, Role
from queries.plan.sizes import Likely
from queries.plan.slopes import NoSlopes, Point, Slopes, divisors, rooted, slopes

Released = Mapping[str, tuple[float, ...]]
"""By stage: the median size of each of its columns, in their own units, as they were released."""


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
    later stages alone. `cells` are its rows, None where they depend on the data.
    """

    stage: int
    first: int
    columns: tuple[NoisyColumn, ...]
    likely: tuple[Likely, ...]
    released: tuple[float, ...] | None = None
    distributions: tuple[Distribution, ...] = ()
    top: Top | None = None
    shown: bool = True
    name: str = ""
    cells: int | None = 1

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

    def point(self, size: Fraction | Size, *, most: bool) -> dict[str, float] | None:
        """What a group plausibly holds, or with `most` the most that its rows can add up to."""
        rows = self.rows(size)
        found = {}
        for n, (column, one) in enumerate(zip(self.columns, self.likely, strict=False)):
            count = one.rows if size is Size.DECLARED else rows
            if count is None:
                return None
            held = one.most if most else one.middle
            found[column.name] = count * held
            if not most and size is Size.RELEASED and self.released is not None:
                found[column.name] = self.released[n]
        return found

    def slopes(self, output: Output, size: Fraction | Size) -> Slopes:
        """How the output follows from the columns, where a group's rows add up to the most."""
        named = output.column if output.role is Role.MEASURE else None
        if named is not None:
            return Slopes(0.0, {named: 1.0})
        if output.expression is None:
            raise NoSlopes
        known = self.point(size, most=True)
        point = known or {c.name: 1.0 for c in self.columns}
        point = point | self.dividing(divisors(output.expression), size)
        found = self._rooted(output.expression, point) or slopes(output.expression, point)
        if known is None and not found.straight:
            raise size_needed()
        return found

    def dividing(self, names: AbstractSet[str], size: Fraction | Size) -> dict[str, float]:
        """What sums hold that are divided by: what is plausible, since the most is too kind."""
        held = self.point(size, most=False) or {}
        return {n: v for n, v in held.items() if n in names and not _counts(self._likely(n))}

    def _rooted(self, expression: str, point: Point) -> Slopes | None:
        """The slopes under a root of what may be nothing; a root of counts has its own."""
        found = rooted(expression, point)
        if found is None or all(_counts(self._likely(name)) for name in found.by):
            return None
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


def tables(outline: Outline, released: Released) -> tuple[Table, ...]:
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


def medians(stored: StoredStage) -> tuple[float, ...]:
    """The median size of each column of a released table, in its own unit; 0 without a row."""
    found = []
    for n, column in enumerate(stored.columns):
        sizes = [abs(row[n]) for row in stored.table.values]
        step = (column.numerator << column.shift) / column.denominator
        found.append(float(median(sizes)) * step if sizes else 0.0)
    return tuple(found)


def _counts(one: Likely) -> bool:
    return one.most == 1.0 and one.middle == 1.0


def size_needed() -> ErrorNotOffered:
    return ErrorNotOffered(
        "This error depends on how large a group is, and no size of these groups is declared.",
        hint='Give `group_size`: a number of rows, or "released".',
    )

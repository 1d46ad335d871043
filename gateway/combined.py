"""Outputs that are computed from several released tables, or from several rows of one.

A share of a total, a join of two GROUP BYs, a sum over all cells: each is followed down to the
noisy columns, and its error is that of an output of these. The noise of a sum over k cells is the
root of k times that of one, whatever else reads a cell of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from gateway.errors import Size
from gateway.grouped import STEEP, At, Table, size_needed
from gateway.refusals import ErrorNotOffered
from queries.plan.followed import SUMMED, UTMOST, Followed, followed
from queries.plan.model import Plan
from queries.plan.post import Output, Role
from queries.plan.slopes import Slopes, divisors, slopes, steepest


@dataclass(frozen=True, slots=True)
class Asked:
    """An output as the tables have it that it is read from; `joined` where they are several.

    With `utmost` it is the greatest or least of a column over all cells of its table. Without
    tables it is computed in a way that is not followed.
    """

    output: Output
    tables: tuple[Table, ...]
    joined: Joined | None = None
    utmost: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """An expression over columns of several tables, or over the sums of such."""

    expression: str
    tables: tuple[Table, ...]

    def value(self, size: Fraction | Size) -> float:
        """What it plausibly is; raises NoSlopes, or ErrorNotOffered."""
        return abs(slopes(self.expression, self._point(size, At.MIDDLE)).value)

    def slopes(self, size: Fraction | Size) -> tuple[dict[int, float], Slopes]:
        """How far a step of each place moves it, and its slopes; raises NoSlopes."""
        points = [self._point(size, at) for at in STEEP]
        found = steepest(points, partial(slopes, self.expression))
        moved: dict[int, float] = {}
        for name, slope in found.by.items():
            table, column = self._of(name)
            place, step = table.step(column)
            cells = math.sqrt(table.cells or 1) if name.startswith(SUMMED) else 1.0
            moved[place] = moved.get(place, 0.0) + slope * step * cells
        return moved, found

    def rows(self, size: Fraction | Size) -> float | None:
        """The rows of a group for which it is told: of the tables with groups, where one has."""
        grouped = [table for table in self.tables if table.cells != 1] or self.tables
        return min((rows for table in grouped if (rows := table.rows(size))), default=None)

    def _point(self, size: Fraction | Size, at: At) -> dict[str, float]:
        """What the tables plausibly hold; a size that is given is that of those with groups."""
        grouped = any(table.cells != 1 for table in self.tables)
        found, divided = {}, {one.removeprefix(SUMMED) for one in divisors(self.expression)}
        for table in self.tables:
            given = isinstance(size, Fraction) and grouped and table.cells == 1
            own = Size.DECLARED if given else size
            held = table.point(own, at)
            if held is None:
                raise size_needed()
            names = {one.partition(".")[2] for one in divided if one.startswith(f"{table.name}.")}
            held |= table.dividing(names, own)
            for name, value in held.items():
                found[f"{table.name}.{name}"] = value
                found[f"{SUMMED}{table.name}.{name}"] = value * (table.cells or 1)
        return found

    def _of(self, name: str) -> tuple[Table, str]:
        table, _, column = name.removeprefix(SUMMED).partition(".")
        return next(one for one in self.tables if one.name == table), column


def sources(plan: Plan, every: Sequence[Table]) -> tuple[Asked | None, ...]:
    """Where each output comes from; None for those that are keys, or follow from keys alone."""
    shown = tuple(table for table in every if table.shown)
    found: list[Asked | None] = []
    for output, tree in zip(plan.post.outputs, followed(plan), strict=True):
        if _plain(output, plan):
            found.append(Asked(output, tuple(one for one in shown if one.has(output))))
        elif output.role is Role.KEY or (tree is not None and _is_key(tree, every)):
            found.append(None)
        else:
            found.append(_asked(output, tree, every))
    return tuple(found)


def asked(plan: Plan, every: Sequence[Table]) -> tuple[Asked, ...]:
    """The outputs of which an error may be asked; raises ErrorNotOffered."""
    found = [one for one in sources(plan, every) if one is not None]
    for one in found:
        if not one.tables:
            raise ErrorNotOffered(
                f"{one.output.name} is computed from rows or tables in a way whose error is not "
                "told beforehand.",
                hint="Ask for errors of the counts and sums that it is made of, and compute it "
                "from their release, which is free.",
            )
    return tuple(found)


def _plain(output: Output, plan: Plan) -> bool:
    """Whether it is told of the rows of one table by itself."""
    told = output.role is Role.MEASURE or output.expression is not None or bool(output.columns)
    return plan.post.rowwise is not None and told


def _asked(output: Output, found: Followed | None, every: Sequence[Table]) -> Asked:
    names = set() if found is None else {stage for stage, _ in found.columns}
    tables = tuple(table for table in every if table.name in names)
    if found is None or not tables:
        return Asked(output, ())
    derived = replace(output, role=Role.DERIVED, reason=None, columns=())
    if found.bare:
        ((_, column),) = found.columns
        measure = replace(derived, role=Role.MEASURE, column=column)
        return Asked(measure, tables, utmost=found.names[0].startswith(UTMOST))
    if len(tables) > 1 or any(name.startswith((SUMMED, UTMOST)) for name in found.names):
        return Asked(derived, tables, Joined(found.text, tables))
    return Asked(replace(derived, expression=found.own), tables)


def _is_key(found: Followed, every: Sequence[Table]) -> bool:
    """Whether it is computed from keys alone."""
    noisy = {(table.name, column.name) for table in every for column in table.columns}
    ranked = {
        (table.name, target.name)
        for table in every
        for distribution in table.distributions
        for target in distribution.targets
    }
    return (noisy | ranked).isdisjoint(found.columns)

"""Margins: the intervals of an answer, cell by cell, or the reason why a column has none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from queries.catalog.view import Value
from queries.plan import ranks
from queries.plan.model import NoisyColumn, Plan, Stage
from queries.plan.post import Box, Output, Role
from queries.release import boxes
from queries.release.answer import AnswerColumn, Cell, Rows
from queries.release.intervals import Interval, estimated, measured, simulated
from queries.release.levels import Together
from queries.release.quantiles import Found

SEVERAL_ROWS = "It is computed from more than one released row."
NO_EXPRESSION = "It is not computed from the measures of one released row."
NOT_SIMULATED = "Under large noise it may have no value at all; rely on no cell without a margin."

Ends = Sequence[tuple[Cell, Cell]]
Columns = tuple[AnswerColumn, ...]

NO_ENDS: tuple[Value, Value] = (None, None)


def described(plan: Plan, types: Sequence[str], stage: Stage | None) -> Columns:
    """The answer's columns, measures with their mechanism and scale in the column's own unit."""
    if len(types) != len(plan.post.outputs):
        raise ValueError("the result's columns are not those of the plan")
    columns = [
        _described(output, type_, stage)
        for output, type_ in zip(plan.post.outputs, types, strict=True)
    ]
    if plan.post.rowwise is None:
        columns = [_without(column, SEVERAL_ROWS) for column in columns]
    return tuple(columns)


def _described(output: Output, type_: str, stage: Stage | None) -> AnswerColumn:
    plain = AnswerColumn(output.name, type_, output.role, reason=output.reason)
    named = output.columns[0] if output.columns else output.column
    if stage is None or (output.role is not Role.MEASURE and not output.columns):
        return plain
    located = stage.located(named)
    if located is not None:
        mechanism, scale = located[0].noise.mechanism, ranks.scale(*located)
        reason = ranks.told(*located, several=stage.several)
        return dataclasses.replace(plain, mechanism=mechanism, scale=scale, reason=reason)
    measure = next((column for column in stage.columns if column.name == output.column), None)
    if measure is None:
        return plain
    step = (measure.numerator << measure.shift) / measure.denominator
    noise = measure.noise
    return dataclasses.replace(plain, mechanism=noise.mechanism, scale=noise.scale * step)


def _without(column: AnswerColumn, reason: str) -> AnswerColumn:
    """The column with a reason for lacking intervals; keys and exact columns need none."""
    if column.role is Role.KEY or column.reason is not None:
        return column
    return dataclasses.replace(column, reason=reason)


@dataclass(frozen=True, slots=True)
class Margins:
    """Intervals of rows that each show one row of a table; `places` are those rows' numbers.

    `shown` are the rows themselves: what is computed of values that were held to each other, or at
    zero, may lie outside of what noise alone would make of it, and intervals hold it too.
    """

    connection: duckdb.DuckDBPyConnection
    table: Together
    places: Sequence[int | None]
    confidence: float
    shown: Sequence[Sequence[Any]] = ()

    def attached(self, outputs: Sequence[Output], columns: Columns) -> tuple[Columns, Rows, Rows]:
        """The columns with their reasons, and the lower and upper ends row by row."""
        scattered, located = self._scattered(outputs), self._found()
        ends: list[Ends] = []
        told: list[AnswerColumn] = []
        for place, (output, column) in enumerate(zip(outputs, columns, strict=True)):
            some, reason = self._ends(output, column, scattered, located)
            if output.role is Role.DERIVED and (self.table.fits or output.box) and self.shown:
                some = _holding(some, [row[place] for row in self.shown])
            ends.append(some)
            told.append(column if reason is None else _without(column, reason))
        lower = tuple(tuple(some[row][0] for some in ends) for row in range(len(self.places)))
        upper = tuple(tuple(some[row][1] for some in ends) for row in range(len(self.places)))
        return tuple(told), lower, upper

    def _ends(
        self,
        output: Output,
        column: AnswerColumn,
        scattered: dict[str, dict[int, Interval]],
        located: dict[str, Found],
    ) -> tuple[Ends, str | None]:
        """The ends of one column, and why there are none."""
        measures = {measure.name: place for place, measure in enumerate(self.table.stage.columns)}
        if output.role is Role.MEASURE and output.column in measures:
            return self._measured(measures[output.column], column.type), None
        if output.role is Role.MEASURE and output.column in located:
            return self._located(located[output.column]), None
        if output.columns and all(name in located for name in output.columns):
            return self._listed([located[name] for name in output.columns]), None
        if output.box is not None:
            return self._boxed(output.box), None
        if output.role is Role.DERIVED and output.expression in scattered:
            found = scattered[output.expression]
            ends = [NO_ENDS if at is None else found.get(at) or NO_ENDS for at in self.places]
            return ends, NOT_SIMULATED if NO_ENDS in ends else None
        return [NO_ENDS] * len(self.places), NO_EXPRESSION

    def _measured(self, place: int, type_: str) -> Ends:
        measure = self.table.stage.columns[place]
        shown = [at for at in self.places if at is not None]
        values = [self.table.noisy.values[at][place] for at in shown]
        fit = self.table.fits.get(place)
        if fit is None:
            widths = measured(measure, values, self.confidence)
        else:
            widths = estimated(measure, fit, shown, values, self.confidence)
        found = {
            at: (_end(low, measure, type_, up=False), _end(high, measure, type_, up=True))
            for at, (low, high) in zip(shown, widths, strict=True)
        }
        return [NO_ENDS if at is None else found[at] for at in self.places]

    def _boxed(self, box: Box) -> Ends:
        """The ends that the parts of an expression allow."""
        shown = sorted({at for at in self.places if at is not None})
        try:
            found = boxes.ends(self.connection, self.table, shown, box, self.confidence)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:  # as of a difference of moments, which is no number
            found = {}
        return [NO_ENDS if at is None else found.get(at) or NO_ENDS for at in self.places]

    def _found(self) -> dict[str, Found]:
        """What was found in the stage's distributions, by column."""
        return {one.target.name: one for one in self.table.found(self.confidence)}

    def _located(self, one: Found) -> Ends:
        return [NO_ENDS if at is None else one.ends[at] or NO_ENDS for at in self.places]

    def _listed(self, members: Sequence[Found]) -> Ends:
        """The ends of a list, each a list of those of its members."""
        columns = [self._located(one) for one in members]
        return [
            (tuple(low for low, _ in row), tuple(high for _, high in row))
            for row in zip(*columns, strict=True)
        ]

    def _scattered(self, outputs: Sequence[Output]) -> dict[str, dict[int, Interval]]:
        """The simulated intervals of each expression; none where the engine cannot compute it."""
        expressions = sorted({out.expression for out in outputs if out.expression is not None})
        shown = sorted({at for at in self.places if at is not None})
        if not expressions:
            return {}
        try:
            found = simulated(self.connection, self.table, shown, expressions, self.confidence)
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:  # an expression may fail where the released values themselves do not
            found = [{} for _ in expressions]
        return dict(zip(expressions, found, strict=True))


def _holding(ends: Ends, values: Sequence[Any]) -> Ends:
    """The ends, moved out to the value shown between them where it is beyond."""
    return [
        some if value is None or None in some else _around(some, float(value))
        for some, value in zip(ends, values, strict=True)
    ]


def _around(ends: tuple[Any, Any], value: float) -> tuple[float, float]:
    return min(ends[0], value), max(ends[1], value)


def _end(steps: int, measure: NoisyColumn, type_: str, *, up: bool) -> Value:
    """An end in the column's own unit; whole numbers are rounded outward."""
    if type_ != "integer":
        return steps / measure.denominator
    whole, rest = divmod(steps, measure.denominator)
    return whole + (1 if rest and up else 0)

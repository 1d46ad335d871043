"""Noise: OpenDP's discrete mechanisms on 64-bit integers, one vector call for each column.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a column's noisy vector loses what `queries.enclave.claims` verified for it; keys
                of a thresholded stage leave with at most the threshold's delta (P11).
    Requires    an exact vector whose sensitivity is the plan's; a count of distinct units in the
                threshold's column, after bounding.
    Why         the scale is the plan's own and nothing can change it; the kept keys are a function
                of the noisy counts alone, so other columns may be noised for those keys only.
    Tried by    tests/statistics/test_noise.py, tests/statistics/test_threshold.py
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from queries.enclave.exact import ExactAnswer
from queries.enclave.mechanisms import measurement
from queries.enclave.selection import drawn, leading
from queries.plan.model import NoisyColumn, Stage
from queries.plan.noisy import NoisyStage, order


def released(stage: Stage, exact: ExactAnswer) -> NoisyStage:
    """The noisy table of a stage: listed keys in the list's order, others in their own (P13).

    Keys that were selected leave in the order of their selection.
    """
    if stage.top is not None:
        chosen = tuple(exact.keys[place] for place in leading(stage.top, exact))
        return NoisyStage(stage.name, chosen, _rows([], len(chosen)))
    if stage.threshold is None:
        columns = [
            _noisy(column, [row[place] for row in exact.values])
            for place, column in enumerate(stage.columns)
        ]
        values = _rows(columns, len(exact.keys))
        found = _found(stage, exact, range(len(exact.keys)))
        return NoisyStage(stage.name, tuple(exact.keys), values, found)
    return _thresholded(stage, exact)


def _thresholded(stage: Stage, exact: ExactAnswer) -> NoisyStage:
    """Only keys whose noisy count of units reaches the threshold, in the order of the keys."""
    threshold = stage.threshold
    if threshold is None:
        raise ValueError("the stage has no threshold")
    decides = [column.name for column in stage.columns].index(threshold.column)
    counts = _noisy(stage.columns[decides], [row[decides] for row in exact.values])
    kept = [place for place, count in enumerate(counts) if count >= threshold.at_least]
    kept.sort(key=lambda place: order(exact.keys[place]))
    columns = [
        [counts[place] for place in kept]
        if index == decides
        else _noisy(column, [exact.values[place][index] for place in kept])
        for index, column in enumerate(stage.columns)
    ]
    keys = tuple(exact.keys[place] for place in kept)
    return NoisyStage(stage.name, keys, _rows(columns, len(kept)), _found(stage, exact, kept))


def _found(
    stage: Stage, exact: ExactAnswer, kept: Sequence[int]
) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """What is drawn of the distributions of the keys that leave, row by row."""
    parts = [
        drawn(found, [exact.histograms[at][place] for at in kept])
        for place, found in enumerate(stage.distributions)
    ]
    return tuple(zip(*parts, strict=True))


def _noisy(column: NoisyColumn, exact: list[int]) -> list[int]:
    if not exact:
        return []
    return cast(list[int], measurement(column.noise.mechanism, column.noise.scale)(exact))


def _rows(columns: list[list[int]], count: int) -> tuple[tuple[int, ...], ...]:
    return tuple(zip(*columns, strict=True)) if columns else ((),) * count

"""Histograms as columns: the noisy counts of all bins of a row, as a map from the bins' keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from queries.algebra.names import text
from queries.catalog.view import Value
from queries.plan.model import Distribution, Stage, Target
from queries.plan.noisy import NoisyStage
from queries.release.answer import Pair
from queries.release.law import half_width

ENDLESS = {"DATE": date.max.isoformat(), "TIMESTAMP": datetime.max.isoformat(), "DOUBLE": None}
"""How the key of what is above all bins is shown, as the engine's own driver shows it."""


def is_one(found: Distribution) -> bool:
    """Whether a distribution is answered as the counts of its bins."""
    return any(target.labels for target in found.targets)


def listed(rows: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """The counts of each row, as a list that the engine reads."""
    return tuple(str(list(row)) for row in rows)


def floored(stage: Stage, noisy: NoisyStage, positive: Sequence[str]) -> NoisyStage:
    """The table of a stage, the counts of the histograms `positive` kept at zero or above."""
    held = [part.targets[0].name in positive for part in stage.distributions]
    if not any(held):
        return noisy
    found = tuple(
        tuple(
            tuple(max(0, count) for count in counts) if kept else counts
            for counts, kept in zip(row, held, strict=True)
        )
        for row in noisy.found
    )
    return replace(noisy, found=found)


def mapped(target: Target, counts: str) -> str:
    """SQL for the map from the labels to a column of listed counts."""
    kind, _, number = target.sql_type.removeprefix("MAP(").removesuffix(")").rpartition(", ")
    keys = ", ".join(map(text, target.labels))
    return f"map(CAST([{keys}] AS {kind}[]), CAST({counts} AS {number}[]))"


def ends(
    found: Distribution, rows: Sequence[tuple[int, ...]], confidence: float
) -> tuple[tuple[tuple[Pair, ...], tuple[Pair, ...]], ...]:
    """The lower and upper ends of each row's counts, each as the map itself is shown."""
    width = half_width(found.noise, confidence)
    keys = [_shown(found.targets[0].sql_type, label) for label in found.targets[0].labels]
    return tuple(
        (
            tuple((key, count - width) for key, count in zip(keys, row, strict=True)),
            tuple((key, count + width) for key, count in zip(keys, row, strict=True)),
        )
        for row in rows
    )


def _shown(kind: str, label: str) -> Value:
    """A label as the key of the map is shown."""
    word = kind.removeprefix("MAP(").split(",")[0].split("(")[0]
    if label in ("inf", "infinity"):
        return ENDLESS.get(word, label)
    match word:
        case "BIGINT" | "HUGEINT":
            return int(label)
        case "DOUBLE" | "DECIMAL":
            return float(label)
        case "BOOLEAN":
            return label == "true"
        case "TIMESTAMP":
            return datetime.fromisoformat(label).isoformat()
    return label

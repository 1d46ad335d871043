"""Ratios: the gateway's time over DuckDB's for the same text, taken in turns in one run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from queries.plan.model import Plan
from tests.benchmarks.questions import Asked
from tests.benchmarks.stand import Spent, Stand

BASE, A_COLUMN, A_CELL = 0.020, 0.002, 0.000_04
"""What an answer may cost beside the engine: charges on disk, processes, noise and margins."""

HEADINGS = (
    "query", "levels", "DuckDB ms", "gateway ms", "ratio", "allowance ms", "beyond it", "CPU",
    "planning ms", "slot s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ratio:
    """Medians of one question; `slot` is in milliseconds."""

    name: str
    levels: int
    plain: Spent
    gateway: Spent
    planning: float
    allowance: float
    slot: int

    @property
    def wall(self) -> float:
        return self.gateway.wall / self.plain.wall

    @property
    def cpu(self) -> float:
        return self.gateway.cpu / self.plain.cpu if self.plain.cpu else float("nan")

    @property
    def beyond(self) -> float:
        """What is left of the ratio once the allowance is taken off."""
        return max(0.0, self.gateway.wall - self.allowance) / self.plain.wall


def measured(stand: Stand, asked: Iterable[Asked], turns: int) -> Iterator[Ratio]:
    """Each question in turns, DuckDB first, after one round that counts for nothing."""
    for one in asked:
        stand.ask_duckdb(one)
        _, answer = stand.ask_gateway(one)
        plain, gateway = [], []
        for _ in range(turns):
            plain.append(stand.ask_duckdb(one))
            gateway.append(stand.ask_gateway(one)[0])
        planning = median(stand.plan(one).wall for _ in range(turns))
        plan = stand.in_slots(one)
        yield Ratio(
            one.name, levels(plan), _middle(plain), _middle(gateway), planning,
            allowance(answer), plan.slot,
        )  # fmt: skip


def levels(plan: Plan) -> int:
    """How many aggregations the engine does one upon the other; none for public tables alone."""
    return max((2 if '"u"' in stage.sql else 1 for stage in plan.stages), default=0)


def allowance(answer: dict[str, Any]) -> float:
    """What an answer of this size may cost beside the engine, in seconds.

    The cells of keys are free, unless nothing but keys, that is public values, is told.
    """
    measures = len([column for column in answer["columns"] if column["role"] != "key"])
    cells = (measures or len(answer["columns"])) * len(answer["rows"])
    return BASE + A_COLUMN * measures + A_CELL * cells


def _middle(spent: list[Spent]) -> Spent:
    return Spent(median(one.wall for one in spent), sum(one.cpu for one in spent) / len(spent))


def table(ratios: Iterable[Ratio]) -> Iterator[str]:
    """Lines of a markdown table."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|---|{'--:|' * (len(HEADINGS) - 1)}"
    for one in ratios:
        slot = f"{one.slot / 1000:g}" if one.slot else "-"
        yield (
            f"| {one.name} | {one.levels or 'public'} | {_ms(one.plain.wall)} "
            f"| {_ms(one.gateway.wall)} | {one.wall:.2f} | {_ms(one.allowance)} "
            f"| {one.beyond:.2f} | {one.cpu:.2f} | {_ms(one.planning)} | {slot} |"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"

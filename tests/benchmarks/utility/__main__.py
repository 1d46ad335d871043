"""`python -m tests.benchmarks.utility`: errors at one privacy loss, ours beside those of peers.

Each question has the whole loss to itself. The error is the mean distance from DuckDB's answer
over all cells and draws; of the ratio to the better peer stands its 95 % interval, from the
deviation of both errors between draws. Two losses: pure epsilon (all three) and zero-concentrated
rho (smartnoise-sql has no such accounting). The floor is what its mechanism would add to the one
number that a question cannot do without, had that number the whole loss.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from budgets.amounts import PICO
from queries.enclave.noise import released
from queries.plan.price import Price
from queries.release import engine as release
from tests import datasets
from tests.benchmarks.utility.peers import CONTEXT, SMARTNOISE, Rows
from tests.benchmarks.utility.questions import QUESTIONS, Question
from tests.parity import Bench

ROWS = 25_000
COLUMNS = {
    "respondent": ("int", None, None),
    "whrswk": ("int", 0, 90),
    "husby": ("float", 0, 200),
    "education": ("string", None, None),
    "region": ("string", None, None),
}
EPSILON, RHO = 1.0, 0.05
NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Error:
    """The mean distance from the truth, and the standard error of that mean."""

    mean: float
    deviation: float

    @staticmethod
    def of(distances: Sequence[float]) -> Error:
        """From one distance a draw."""
        spread = statistics.stdev(distances) / math.sqrt(len(distances))
        return Error(statistics.fmean(distances), spread)

    def over(self, other: Error) -> tuple[float, float, float]:
        """The ratio of two errors, with its 95 % interval (delta method, on the logarithm)."""
        ratio = self.mean / other.mean
        spread = math.hypot(self.deviation / self.mean, other.deviation / other.mean)
        wide = math.exp(NORMAL_95 * spread)
        return ratio, ratio / wide, ratio * wide


def main(given: Sequence[str] | None = None) -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.utility", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="draws of each of the three")
    parser.add_argument("--only", nargs="*", default=[], help="names of the questions to ask")
    args = parser.parse_args(given)
    asked = [one for one in QUESTIONS if not args.only or one.name in args.only]
    bench = Bench(datasets.hi())
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "hi.csv"
        bench.plain.execute(f"COPY (SELECT {', '.join(COLUMNS)} FROM hi) TO '{csv}' (HEADER)")
        for pure in (True, False):
            for line in table(bench, str(csv), asked, pure=pure, draws=args.draws):
                print(line, flush=True)
            print()


def table(
    bench: Bench, csv: str, asked: Sequence[Question], *, pure: bool, draws: int
) -> Iterator[str]:
    """One loss: a line for each question."""
    job = {"csv": csv, "rows": ROWS, "columns": COLUMNS, "epsilon": EPSILON, "draws": draws}
    loss = {"epsilon": EPSILON} if pure else {"rho": RHO}
    context = CONTEXT.ask(
        {**job, "loss": loss, "questions": {q.name: q.context for q in asked if q.context}}
    )
    texts = {q.name: q.snsql for q in asked if q.snsql} if pure else {}
    smartnoise = SMARTNOISE.ask({**job, "questions": texts}) if texts else {}
    head = f"epsilon {EPSILON:g}" if pure else f"rho {RHO:g}"
    yield f"| {head} | Sluis | smartnoise-sql | OpenDP Context | floor | Sluis over the better |"
    yield "|---|---:|---:|---:|---:|---:|"
    for question in asked:
        found = [
            ours(bench, question, pure=pure, draws=draws),
            smartnoise.get(question.name),
            context.get(question.name),
        ]
        for place, name in enumerate(question.judged):
            errors = [errors_of(bench, question, rows, place) for rows in found]
            yield _line(name, errors, floor(bench, question, pure=pure))


def ours(bench: Bench, question: Question, *, pure: bool, draws: int) -> list[Rows]:
    """Our answers, drawn by the enclave's own noise from integers that are counted once."""
    price = Price(round(EPSILON**2 / 2 * PICO), 0, round(EPSILON * PICO)) if pure else Price(
        round(RHO * PICO), 10**12)  # fmt: skip
    plan = bench.plan(question.sql, price=price)
    exact = bench.answers(plan)
    drawn = []
    for _ in range(draws):
        noisy = {stage.name: released(stage, exact[stage.name]) for stage in plan.stages}
        drawn.append(list(map(list, release.composed(bench.open, plan, noisy, 0.95).rows)))
    return drawn


def errors_of(
    bench: Bench, question: Question, answers: list[Rows] | None, place: int
) -> Error | None:
    """The distance of one judged column from the truth, over all cells of all draws."""
    if answers is None:
        return None
    truth = _keyed(question, bench.expected(question.sql)[1], place)
    return Error.of([
        statistics.fmean(
            abs(value - truth[key]) for key, value in _keyed(question, rows, place).items()
            if key in truth
        )
        for rows in answers
    ])  # fmt: skip


def floor(bench: Bench, question: Question, *, pure: bool) -> float | None:
    """The mean absolute noise of the mechanism at the whole loss, on the number itself."""
    if question.noised is None:
        return None
    per = [1.0]
    if question.per is not None:
        per = [float(row[-1]) for row in bench.expected(question.per)[1]]
    mean = laplace(question) if pure else gaussian(question)
    return statistics.fmean(mean / count for count in per)


def laplace(question: Question) -> float:
    """The mean of the two-sided geometric distribution's absolute value (Ghosh et al. 2009)."""
    assert question.noised is not None
    decay = math.exp(-EPSILON * question.step / question.noised)
    return question.step * 2 * decay / (1 - decay**2)


def gaussian(question: Question) -> float:
    """The mean absolute value of a normal variable, which a discrete one of such a scale has."""
    assert question.noised is not None
    return question.noised / math.sqrt(2 * RHO) * math.sqrt(2 / math.pi)


def _keyed(
    question: Question, rows: Sequence[Sequence[Any]], place: int
) -> dict[tuple[str, ...], float]:
    width = len(question.judged)
    return {tuple(map(str, row[:-width])): float(row[place - width]) for row in rows}


def _line(name: str, errors: Sequence[Error | None], least: float | None) -> str:
    ours, *rest = errors
    assert ours is not None
    peers = [error for error in rest if error is not None]
    shown = ""
    if peers:
        ratio, low, high = ours.over(min(peers, key=lambda error: error.mean))
        shown = f"{ratio:.2f} ({low:.2f} to {high:.2f})"
    means = [error and error.mean for error in errors]
    return f"| {name} | {' | '.join(map(_shown, [*means, least]))} | {shown} |"


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()

"""`python -m tests.benchmarks.utility`: errors at one privacy loss, ours beside those of peers.

Each statistic has the whole loss to itself. The error is the mean distance from DuckDB's answer
over all cells and draws. Two losses: pure epsilon (all three) and zero-concentrated rho
(smartnoise-sql has no such accounting). The floor is what its mechanism would add to the one number
that a question cannot do without, had that number the whole loss.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from budgets.amounts import PICO
from queries.plan.price import Price
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


def main(given: Sequence[str] | None = None) -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.utility", description=__doc__)
    parser.add_argument("--draws", type=int, default=200, help="draws of ours and smartnoise-sql")
    parser.add_argument("--slow-draws", type=int, default=25, help="draws of OpenDP's Context")
    args = parser.parse_args(given)
    bench = Bench(datasets.hi())
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "hi.csv"
        bench.plain.execute(f"COPY (SELECT {', '.join(COLUMNS)} FROM hi) TO '{csv}' (HEADER)")
        for pure in (True, False):
            for line in table(bench, str(csv), pure=pure, draws=args.draws, slow=args.slow_draws):
                print(line, flush=True)
            print()


def table(bench: Bench, csv: str, *, pure: bool, draws: int, slow: int) -> list[str]:
    """One loss: a line for each question."""
    job = {"csv": csv, "rows": ROWS, "columns": COLUMNS, "epsilon": EPSILON}
    loss = {"epsilon": EPSILON} if pure else {"rho": RHO}
    asked = {q.name: q.context for q in QUESTIONS if q.context}
    context = CONTEXT.ask({**job, "loss": loss, "draws": slow, "questions": asked})
    texts = {q.name: q.snsql for q in QUESTIONS if q.snsql} if pure else {}
    smartnoise = SMARTNOISE.ask({**job, "draws": draws, "questions": texts}) if texts else {}
    head = f"epsilon {EPSILON:g}" if pure else f"rho {RHO:g}"
    lines = [
        f"| {head} | Sluis | smartnoise-sql | OpenDP Context | floor | Sluis over the better |"
    ]
    lines.append("|---|---:|---:|---:|---:|---:|")
    for question in QUESTIONS:
        truth = _keyed(bench.expected(question.sql)[1])
        errors = [
            _error(truth, ours(bench, question, pure=pure, draws=draws)),
            _error(truth, smartnoise.get(question.name)),
            _error(truth, context.get(question.name)),
        ]
        peers = [error for error in errors[1:] if error is not None]
        better = min(peers, default=0.0)
        ratio = errors[0] / better if better and errors[0] is not None else None
        shown = [*errors, floor(bench, question, pure=pure), ratio]
        lines.append(f"| {question.name} | {' | '.join(map(_shown, shown))} |")
    return lines


def ours(bench: Bench, question: Question, *, pure: bool, draws: int) -> list[Rows]:
    """Our answers, drawn by the enclave's own noise."""
    price = Price(round(EPSILON**2 / 2 * PICO), 0, round(EPSILON * PICO)) if pure else Price(
        round(RHO * PICO), 10**12)  # fmt: skip
    plan = bench.plan(question.sql, price=price)
    return [[list(row) for row in bench.drawn(plan)[1]] for _ in range(draws)]


def floor(bench: Bench, question: Question, *, pure: bool) -> float | None:
    """The mean absolute noise of the mechanism at the whole loss, on the number itself."""
    if question.noised is None:
        return None
    scale = question.noised / EPSILON if pure else question.noised / math.sqrt(2 * RHO)
    mean = scale if pure else scale * math.sqrt(2 / math.pi)
    per = [1.0]
    if question.per is not None:
        per = [float(row[-1]) for row in bench.expected(question.per)[1]]
    return statistics.fmean(mean / count for count in per)


def _keyed(rows: Sequence[Sequence[Any]]) -> dict[tuple[str, ...], float]:
    return {tuple(map(str, row[:-1])): float(row[-1]) for row in rows}


def _error(truth: dict[tuple[str, ...], float], answers: list[Rows] | None) -> float | None:
    """The mean distance from the truth over all cells of all draws."""
    if answers is None:
        return None
    far = [
        abs(value - truth[key]) for rows in answers for key, value in _keyed(rows).items()
        if key in truth
    ]  # fmt: skip
    return statistics.fmean(far)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()

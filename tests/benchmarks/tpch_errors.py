"""`python -m tests.benchmarks.tpch_errors --scale 1 --write`: how far noise moves TPC-H's answers.

Each query has the loss to itself. Its answer is drawn with the enclave's own noise, several times,
and each number in it is laid beside DuckDB's exact one, row by row of the same keys. What names
persons is refused; the rewrite that is offered is measured in its place, without its LIMIT.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import Any

from budgets.conversion import rho_of
from queries.enclave.claims import verify
from queries.language.refusals import QueryRefused
from queries.plan.model import Plan
from queries.plan.post import Role
from queries.plan.price import Options, Price
from tests import datasets
from tests.house.tree import ROOT
from tests.parity import Bench, Row
from tests.plan.cases import FIXTURES

EPSILON, DELTA = Fraction(1), Fraction(1, 10**7)
"""Half of delta is kept for the conversion, half for keys that are held back."""
PAGE = ROOT / "docs" / "tpch.md"
KEYS = {8: 1, 12: 1, 13: 1, 15: 4, 20: 2, 21: 1, 22: 1}
"""Leading columns that tell rows apart, where the plan itself does not say."""
ATTO = 10**18


@dataclass(frozen=True, slots=True)
class Measured:
    """One query; `rows` and `told` are DuckDB's rows and the median of those released."""

    name: str
    outcome: str
    rows: int
    told: float
    cells: int
    error: float | None


def price() -> Price:
    half = DELTA / 2
    return Price(rho=rho_of(EPSILON, half), delta=int(half * ATTO))


def measured(bench: Bench, draws: int) -> Iterator[Measured]:
    """Every query of the standard, in order."""
    for path in sorted((FIXTURES / "tpch").glob("q*.sql")):
        yield _one(bench, int(path.stem[1:]), path.read_text(encoding="utf-8"), draws)


def _one(bench: Bench, number: int, sql: str, draws: int) -> Measured:
    outcome = "answered"
    try:
        plan = bench.plan(sql, Options(), price())
    except QueryRefused as refused:
        if refused.rewrite is None:
            return Measured(f"Q{number}", f"refused (`{refused.code}`)", 0, 0, 0, None)
        outcome = f"refused (`{refused.code}`), its rewrite answered"
        sql = re.sub(r"\s+LIMIT\s+\d+\s*$", "", refused.rewrite)
        plan = bench.plan(sql, Options(), price())
    names, expected = bench.expected(sql)
    if not plan.stages:
        return Measured(f"Q{number}", "exact", len(expected), len(expected), 0, None)
    places = _key_places(plan, number)
    truth = {_keys(row, places): row for row in expected}
    answers = [_drawn(bench, plan) for _ in range(draws)]
    errors = [e for rows in answers for row in rows for e in _errors(row, truth, places)]
    told = median(sum(_keys(row, places) in truth for row in rows) for rows in answers)
    cells = round(told * (len(names) - len(places)))
    return Measured(
        f"Q{number}", outcome, len(expected), told, cells, median(errors) if errors else None
    )


def _drawn(bench: Bench, plan: Plan) -> list[Row]:
    """One answer with noise, as a worker draws it."""
    verify(plan.stages)
    return bench.drawn(plan)[1]


def _key_places(plan: Plan, number: int) -> list[int]:
    if number in KEYS:
        return list(range(KEYS[number]))
    return [n for n, one in enumerate(plan.post.outputs) if one.role is Role.KEY]


def _keys(row: Row, places: Sequence[int]) -> tuple[Any, ...]:
    return tuple(row[place] for place in places)


def _errors(row: Row, truth: dict[tuple[Any, ...], Row], places: Sequence[int]) -> Iterator[float]:
    """The relative error of each number that has a counterpart other than zero."""
    exact = truth.get(_keys(row, places))
    for place, value in enumerate(exact or ()):
        if place not in places and _number(value) and float(value):
            noisy = float(row[place]) if _number(row[place]) else 0.0
            yield abs(noisy - float(value)) / abs(float(value))


def _number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def page(found: Sequence[Measured], scale: float, draws: int) -> str:
    """docs/tpch.md."""
    counts = {word: sum(one.outcome.startswith(word) for one in found) for word in WORDS}
    told = ", ".join(f"{number} {word}" for word, number in counts.items())
    return "\n".join(
        [
            HEAD.format(asked=len(found), scale=scale, draws=draws, told=told),
            *table(found),
            "",
            FOOT,
        ]
    )


def table(found: Sequence[Measured]) -> list[str]:
    head = ["| query | outcome | DuckDB's rows | rows released | cells | median relative error |"]
    return [*head, "|---|---|---:|---:|---:|---:|", *map(_line, found)]


def _line(one: Measured) -> str:
    error = "" if one.error is None else _shown(one.error)
    cells = str(one.cells or "")
    return f"| {one.name} | {one.outcome} | {one.rows} | {one.told:g} | {cells} | {error} |"


def _shown(error: float) -> str:
    """A percentage; beyond ten times the number itself, how many times."""
    return f"{error:.2%}" if error < 10 else f"{error:,.0f} times"


WORDS = ("answered", "exact", "refused")
HEAD = """# TPC-H under noise

{asked} of the 22 queries of TPC-H, in their standard text, at scale {scale:g} with the customer \
as privacy unit: {told}. Each has epsilon 1 at delta 10^-7 to itself (half of delta is kept for \
the conversion from rho, half for keys that are held back), and its answer is drawn {draws} \
times. The error is |noisy - exact| / |exact|, over all numbers of all rows that DuckDB has too; \
its median is shown.

A query that reads public tables alone is exact and free. One that would name persons is refused, \
and the question that is offered instead is measured, without its LIMIT.
"""
FOOT = """Noise is made for the most that one customer may add, by the declared ranges and rows \
per customer. A query that sums over everybody, or counts, is near; one \
that splits a few orders over many groups is not, at this loss. `python -m \
tests.benchmarks.tpch_errors --scale 1 --write` measures it anew.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Print the table, and write the page where asked to."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.tpch_errors", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="TPC-H scale factor")
    parser.add_argument("--draws", type=int, default=20, help="answers of each query")
    parser.add_argument("--write", action="store_true", help="write docs/tpch.md")
    args = parser.parse_args(given)
    found = []
    for one in measured(Bench(datasets.tpch(args.scale)), args.draws):
        print(_line(one), flush=True)
        found.append(one)
    if args.write:
        PAGE.write_text(page(found, args.scale, args.draws), encoding="utf-8")


if __name__ == "__main__":
    main()

"""What planning costs: `python -m tests.benchmarks.planning`.

Each query of TPC-H is planned, in processor time of this process, the engine's own included. First
by a planner that knows nothing of the delivery; then by one that has met its public tables, as a
gateway keeps what it read there, but no query: each statement is bound anew. Beside it stands what
DuckDB takes to EXPLAIN the same text on plain tables. What is refused is planned too: a refusal
looks for a question that is answered.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import duckdb

from queries.catalog.view import Tables, Value
from queries.language.refusals import QueryRefused
from queries.plan.planner import plan
from queries.plan.price import Options
from queries.workers.sealed import selected
from tests import datasets
from tests.house.tree import ROOT
from tests.parity import PRICE, Bench
from tests.plan.cases import FIXTURES

PAGE = ROOT / "docs" / "operations.md"
HEADING = "## Planning time\n"
TABLE = "| query |"


@dataclass(frozen=True, slots=True)
class Facts:
    """Public tables whose answers are kept, as the gateway keeps them; nothing else is."""

    bench: Bench
    known: dict[tuple[str, int], list[tuple[Value, ...]]] = field(default_factory=dict)

    def rows(self, sql: str, limit: int) -> list[tuple[Value, ...]]:
        """What a query over public tables yields; refusals are not kept."""
        if (sql, limit) not in self.known:
            self.known[sql, limit] = self.bench.rows(sql, limit)
        return self.known[sql, limit]

    def describe(self, tables: Tables, sql: str) -> list[tuple[str, str]]:
        """The columns of a query, bound anew each time."""
        return self.bench.describe(tables, sql)


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of processor time for one query."""

    name: str
    outcome: str
    explain: float
    first: float
    again: float

    @property
    def ratio(self) -> float:
        return self.again / self.explain


def measured(bench: Bench, turns: int) -> Iterator[Measured]:
    """Each query of the fixtures in turns, planner and DuckDB, after one planning of another."""
    plain = datasets.plain(bench.dataset)
    _plan(bench, Facts(bench), "SELECT COUNT(*) FROM lineitem")
    for path in sorted((FIXTURES / "tpch").glob("q*.sql")):
        sql, facts = path.read_text("utf-8"), Facts(bench)
        outcome, first = _plan(bench, facts, sql)
        pairs = [(_explained(plain, sql), _plan(bench, facts, sql)[1]) for _ in range(turns)]
        explain, again = map(median, zip(*pairs, strict=True))
        yield Measured(f"Q{int(path.stem[1:])}", outcome, explain, first, again)


def _plan(bench: Bench, facts: Facts, sql: str) -> tuple[str, float]:
    """What becomes of a query, and how long that takes."""
    return _spent(lambda: _outcome(bench, facts, sql))


def _outcome(bench: Bench, facts: Facts, sql: str) -> str:
    try:
        return "planned" if plan(sql, bench.view, facts, PRICE, Options()).stages else "exact"
    except QueryRefused as refused:
        return f"refused (`{refused.code}`)"


def _explained(plain: duckdb.DuckDBPyConnection, sql: str) -> float:
    """How long DuckDB plans a query; its end is found beforehand."""
    asked = f"EXPLAIN {selected(plain, sql).query}"
    return _spent(lambda: plain.execute(asked).fetchall())[1]


def _spent(run: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    found = run()
    return found, (time.process_time() - start) * 1000


def table(found: Iterable[Measured]) -> Iterator[str]:
    """Lines of a markdown table."""
    yield "| query | outcome | DuckDB's EXPLAIN ms | planning ms | ratio | first planning ms |"
    yield "|---|---|---:|---:|---:|---:|"
    for one in found:
        yield (
            f"| {one.name} | {one.outcome} | {one.explain:.1f} | {one.again:.1f} "
            f"| {one.ratio:.1f} | {one.first:.1f} |"
        )


def main(given: Sequence[str] | None = None) -> None:
    """Print the table, and write it into its page where asked to."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.planning", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.01, help="TPC-H scale factor")
    parser.add_argument("--turns", type=int, default=9, help="how often each text is planned")
    parser.add_argument("--write", action="store_true", help="write the table into its page")
    args = parser.parse_args(given)
    lines = []
    for line in table(measured(Bench(datasets.tpch(args.scale)), args.turns)):
        print(line, flush=True)
        lines.append(line)
    if args.write:
        PAGE.write_text(page(PAGE.read_text("utf-8"), lines), encoding="utf-8")


def page(before: str, lines: Sequence[str]) -> str:
    """The page with the table of its section replaced."""
    head, _, rest = before.partition(HEADING)
    section, following, after = rest.partition("\n## ")
    said, _, _ = section.partition(TABLE)
    return f"{head}{HEADING}{said}{chr(10).join(lines)}\n{following}{after}"


if __name__ == "__main__":
    main()

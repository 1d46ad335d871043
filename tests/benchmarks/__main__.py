"""One command that prints what the gateway costs: `python -m tests.benchmarks --scale 1`.

Nothing is asserted here and nothing in CI depends on time: the numbers are for people to read.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable, Sequence

import duckdb

from tests.benchmarks import questions, ratios, throughput
from tests.benchmarks.stand import stand


def main(given: Sequence[str] | None = None) -> None:
    """Print the tables as they are measured."""
    args = _parser().parse_args(given)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"TPC-H at scale {args.scale:g}, {args.threads} engine threads on both sides, slots off;")
    print(f"medians of {args.turns} turns; DuckDB {duckdb.__version__}, {machine}\n")
    asked = [*questions.standard(), *questions.two_levels()]
    if args.only:
        asked = [one for one in asked if one.name in args.only]
    if asked:
        with stand(args.scale, args.threads, args.memory) as ready:
            _show(ratios.table(ratios.measured(ready, asked, args.turns)))
    if args.seconds:
        _show(throughput.table(throughput.measured(args.clients, args.seconds)))


def _show(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
    print(flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--scale", type=float, default=1.0, help="TPC-H scale factor")
    add("--turns", type=int, default=5, help="how often each side answers each text")
    add("--threads", type=int, default=2, help="engine threads on both sides")
    add("--memory", type=int, default=2048, help="memory of a worker, in MiB")
    add("--only", nargs="*", default=[], help="names of the queries to run, such as Q1")
    add("--clients", nargs="*", type=int, default=[1, 8], help="clients at once over HTTP")
    add("--seconds", type=float, default=5.0, help="how long clients ask; 0 leaves HTTP out")
    return parser


if __name__ == "__main__":
    main()

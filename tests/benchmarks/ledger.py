"""Charges a second, durable, beside the least that a ledger needs, on short and long ledgers.

`python -m tests.benchmarks.ledger` prints a table for SQLite and one for PostgreSQL.

The floor is a bare durable transaction that updates one hot row, given to the driver itself. What
charges is `reserve`, before the first row is read: one durable step, held against one such
transaction. A question that is answered needs a second one, `settle`, so both together are held
against two. That several callers' steps may share a transaction is the ledger's own doing. Floor,
a ledger that is empty at first and one that has a past take turns, so that a busy machine slows all
of them. Nothing is asserted here.

The ratio follows the disk: what a step adds to the floor is processor time, the same whatever a
flush costs. `--flush 0.5 1 2 4` prints the tables for flushes that take so many milliseconds more.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from budgets.charge import Charge
from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.benchmarks import flushes
from tests.benchmarks.floors import Floor, floor
from tests.benchmarks.history import grow
from tests.budgets.books import DATASET, asked, capped, claim, document, stage, tables
from tests.budgets.places import Place
from tests.postgres import running_server

_PLAIN = ("seconds", "rounds", "past", "folder")
COST, PAST = 10**8, 10**7
"""What a charge costs that is measured, and one of those that were before."""


def main(given: Sequence[str] | None = None) -> None:
    """Print a table for each database."""
    args = _parser().parse_args(given)
    if args.flush:
        for milliseconds in args.flush:
            _slower(milliseconds, args)
        return
    _tables(args)


def _slower(milliseconds: float, args: argparse.Namespace) -> None:
    """The same tables where each flush takes so much longer, by a process of their own."""
    said = [f"--{name}={getattr(args, name)}" for name in _PLAIN]
    lists = [word for name in ("clients", "on") for word in (f"--{name}", *getattr(args, name))]
    command = [sys.executable, "-m", "tests.benchmarks.ledger", *said, *map(str, lists)]
    with flushes.later(milliseconds) as environment:
        subprocess.run(command, env=environment, check=True)


def _tables(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if "sqlite" in args.on:
            _table("SQLite", Path(folder) / "empty.db", Path(folder) / "long.db", args)
    if "postgresql" in args.on:
        with _server_on(args.folder) as places:
            _table("PostgreSQL", *places, args)


@contextmanager
def _server_on(folder: str) -> Iterator[tuple[Place, Place]]:
    with running_server(Path(folder)) as server:
        addresses = server.create(), server.create()
        for address in addresses:
            Storage.migrated(address).close()
        yield addresses


def _table(name: str, empty: Place, long: Place, args: argparse.Namespace) -> None:
    short, grown = capped(empty, 1_000_000, COST), capped(long, 1_000_000, COST)
    if args.past:
        grow(long, grown, args.past, PAST)
    flush, cores = flushes.measured(Path(args.folder)), len(os.sched_getaffinity(0))
    print(f"{name}, {cores} cores, {args.rounds} rounds of {args.seconds:g} s")
    print(f"a flush takes {flush:.2f} ms, the median")
    print(
        "| clients | floor/s | reserve/s | settle/s | reserve over floor | both over two "
        f"| after {args.past:,} charges |"
    )
    print("|---|---|---|---|---|---|---|")
    for clients in args.clients:
        with floor(empty) as bare:
            _row(short, grown, bare, clients, args)
    began = time.perf_counter()
    found = grown.verify(DATASET)
    rate = found.entries / (time.perf_counter() - began)
    print(f"verify: {found.entries:,} entries, intact {found.intact}, {rate:,.0f} a second\n")


def _row(short: Ledger, grown: Ledger, bare: Floor, clients: int, args: argparse.Namespace) -> None:
    seconds, rounds = args.seconds, []
    for _ in range(args.rounds):
        least = _rate(clients, seconds, bare.commit)
        first = _steps(short, clients, least, seconds)
        again = _rate(clients, seconds, bare.commit)
        rounds.append((statistics.mean((least, again)), *first,
                       *_steps(grown, clients, least, seconds)))  # fmt: skip
    least, first, second, *_ = (statistics.median(each) for each in zip(*rounds, strict=True))
    charged = statistics.median(a / f for f, a, *_ in rounds)
    both = statistics.median(_mean(a, b) / f for f, a, b, *_ in rounds)
    aged = statistics.median(_mean(c, d) / _mean(a, b) for _, a, b, c, d in rounds)
    print(
        f"| {clients} | {least:.0f} | {first:.0f} | {second:.0f} | {charged:.2f} | {both:.2f} "
        f"| {aged:.2f} |",
        flush=True,
    )


def _mean(reserves: float, settlements: float) -> float:
    """Steps a second over both kinds, as many of one as of the other."""
    return 2 / (1 / reserves + 1 / settlements)


def _steps(ledger: Ledger, clients: int, least: float, seconds: float) -> tuple[float, float]:
    """Reservations and settlements a second; fewer than `seconds` where queries run out."""
    with ThreadPoolExecutor(8) as pool:
        queries = list(pool.map(lambda _: asked(ledger), range(int(1.5 * least * seconds) + 20)))
    charges: list[Charge] = []

    def reserve() -> None:
        query = queries.pop()
        charge = ledger.reserve(claim(query, stage(query.id, COST)))
        ledger.started(charge)
        charges.append(charge)

    def settle() -> None:
        charge = charges.pop()
        ledger.settle(charge, document(charge), tables(charge))

    return _rate(clients, seconds, reserve), _rate(clients, seconds, settle)


def _rate(clients: int, seconds: float, act: Callable[[], object]) -> float:
    """How often a second it is done by so many threads; ends early when nothing is left."""
    done = [0] * clients
    end = time.perf_counter() + seconds

    def work(mine: int) -> None:
        try:
            while time.perf_counter() < end:
                act()
                done[mine] += 1
        except IndexError:
            return

    began = time.perf_counter()
    pool = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.ledger", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=0.5, help="how long each round measures each step")
    add("--rounds", type=int, default=11, help="how many rounds, of which the median is printed")
    add("--clients", nargs="*", type=int, default=[1, 8], help="threads at once")
    add("--past", type=int, default=1_000_000, help="how many charges the long ledger has had")
    add("--on", nargs="*", default=["sqlite", "postgresql"], help="which databases")
    add("--folder", default=tempfile.gettempdir(), help="a folder on the disk to measure")
    add("--flush", nargs="*", type=float, help="milliseconds that a flush is to take longer")
    return parser


if __name__ == "__main__":
    main()

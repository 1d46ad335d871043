"""Charges a second, durable, beside the least that a ledger needs.

`python -m tests.benchmarks.ledger` prints a table for SQLite and one for PostgreSQL.

The floor is a bare durable transaction that updates one hot row. A charge is two durable steps,
`reserve` and `settle`; both are held against the floor. Floor and ledger take turns, so that a busy
machine slows both. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.benchmarks.floors import Floor, floor
from tests.budgets.books import asked, capped, claim, document, stage, tables
from tests.budgets.places import Place
from tests.postgres import running_server

ROUNDS = 5
COST = 10**8


def main(given: Sequence[str] | None = None) -> None:
    """Print a table for each database."""
    args = _parser().parse_args(given)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        _table("SQLite", Path(folder) / "ledger.db", args)
    with _server_on(args.folder) as address:
        _table("PostgreSQL", address, args)


@contextmanager
def _server_on(folder: str | None) -> Iterator[Place]:
    with running_server(Path(folder) if folder else Path(tempfile.gettempdir())) as server:
        address = server.create()
        Storage.migrated(address).close()
        yield address


def _table(name: str, place: Place, args: argparse.Namespace) -> None:
    ledger = capped(place, 1_000_000, COST)
    print(f"{name}, {os.cpu_count()} cores, {ROUNDS} rounds of {args.seconds:g} s")
    print("| clients | floor, commits/s | reserve/s | settle/s | steps over floor |")
    print("|---|---|---|---|---|")
    for clients in args.clients:
        with floor(place) as bare:
            rounds = [_round(ledger, bare, clients, args.seconds) for _ in range(ROUNDS)]
        least, first, second = (statistics.median(each) for each in zip(*rounds, strict=True))
        over = statistics.median(2 / (1 / a + 1 / b) / f for f, a, b in rounds)
        print(f"| {clients} | {least:.0f} | {first:.0f} | {second:.0f} | {over:.2f} |", flush=True)
    print()


def _round(ledger: Ledger, bare: Floor, clients: int, seconds: float) -> tuple[float, float, float]:
    """Commits, reservations and settlements a second."""
    least = _rate(clients, seconds, bare.commit)
    queries = [asked(ledger) for _ in range(int(2 * least * seconds) + 100)]
    charges = []

    def reserve() -> None:
        query = queries.pop()
        charge = ledger.reserve(claim(query, stage(query.id, COST)))
        ledger.started(charge)
        charges.append(charge)

    def settle() -> None:
        charge = charges.pop()
        ledger.settle(charge, document(charge), tables(charge))

    return least, _rate(clients, seconds, reserve), _rate(clients, seconds, settle)


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
    add("--seconds", type=float, default=1.0, help="how long each round measures each step")
    add("--clients", nargs="*", type=int, default=[1, 8], help="threads at once")
    add("--folder", default=None, help="a folder on the disk to measure")
    return parser


if __name__ == "__main__":
    main()

"""The stand: a whole gateway on TPC-H in this process, with its real workers, and plain DuckDB.

Both read native files of the same rows with the same number of threads and the same limit on the
engine's memory. Every answer of the gateway is a new draw: planned, checked, charged, run in a
worker process, composed and settled on disk.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway import document, prices
from gateway.home import Home
from gateway.house import House
from gateway.registry import Registry
from gateway.settings import Settings
from gateway.submission import Question, Submission
from queries.catalog.manifest import Timing
from queries.plan import planner
from queries.plan.model import Plan
from queries.plan.price import Price
from queries.release.client import PublicReader
from queries.workers.sealed import SHARE
from tests import datasets
from tests.benchmarks.questions import Asked
from tests.datasets import Dataset

PROJECT = "benchmark"
PRICE = prices.Asked(prices.Unit.RHO, Fraction(1, 1000))
SLOTS = Timing()
Config = dict[str, str | bool | int | float | list[str]]


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall and CPU seconds of one answer, over all processes."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Stand:
    """Two ways to answer one text."""

    house: House
    plain: duckdb.DuckDBPyConnection
    dataset: Dataset

    def ask_duckdb(self, asked: Asked) -> Spent:
        """DuckDB's own answer to the text, all rows fetched."""
        with _Clock() as clock:
            self.plain.execute(asked.sql).fetchall()
        return clock.spent

    def ask_gateway(self, asked: Asked) -> tuple[Spent, dict[str, Any]]:
        """The gateway's answer, by the way of a request without its HTTP."""
        question = Question(PROJECT, asked.sql, PRICE, options=asked.options, fresh=True)
        submission = Submission(question, "analyst", secrets.token_hex(16))
        with _Clock() as clock:
            outcome = self.house.submit(submission, None, lambda: False)
        return clock.spent, document.read(outcome.document or b"")

    def plan(self, asked: Asked) -> Spent:
        """Planning alone."""
        question = Question(PROJECT, asked.sql, PRICE, options=asked.options, fresh=True)
        with _Clock() as clock:
            self.house.planner.plan(question, "analyst", "-")
        return clock.spent

    def in_slots(self, asked: Asked) -> Plan:
        """The plan that the same question would have under the default policy on time."""
        view = self.house.planner.view(self.dataset.name)
        strict = replace(view, manifest=replace(view.manifest, timing=SLOTS))
        public = PublicReader(self.house._engine, view.delivery)
        return planner.plan(asked.sql, strict, public, Price(10**9, 10**9), asked.options)


@contextmanager
def stand(scale: float, threads: int, memory: int) -> Iterator[Stand]:
    """A gateway on a fresh home beside DuckDB; `memory` in MiB is for each worker."""
    dataset = datasets.tpch(scale)
    datasets.plain(dataset).close()
    with TemporaryDirectory(prefix="benchmark-", dir=dataset.folder.parent) as place:
        home = Home(Path(place) / "home").prepare()
        publish(dataset, home)
        house = House(
            Settings(
                home=home.root, workers=1, worker_threads=threads, worker_memory=memory,
                release_workers=1, log_level="error",
            )
        )  # fmt: skip
        limit: Config = {"threads": threads, "memory_limit": f"{int(memory * SHARE)}MiB"}
        file = str(dataset.folder / "plain.duckdb")
        try:
            with duckdb.connect(file, read_only=True, config=limit) as plain:
                yield Stand(house, plain, dataset)
        finally:
            house.close()


def publish(dataset: Dataset, home: Home) -> None:
    """A registered delivery as the home's own, its files linked, and a project that may ask."""
    view, manifest = dataset.view, dataset.manifest
    shutil.copytree(dataset.directory, home.deliveries / view.delivery, copy_function=os.link)
    storage = Storage.open(home.database)
    try:
        ledger, registry = Ledger(storage), Registry(storage)
        ceiling = manifest.ceiling
        with storage.begin() as tx:
            name, unit = manifest.dataset, manifest.unit.name
            ledger.open_dataset(name, ceiling.epsilon, ceiling.delta, unit=unit, within=tx)
            directory = home.deliveries / view.delivery
            registry.add_delivery(view.delivery, name, view.manifest_hash, directory, {}, tx)
        ledger.open_project(PROJECT, name)
        ledger.allocate(PROJECT, ceiling.epsilon / 2, ceiling.delta / 2, "benchmark", "benchmark")
    finally:
        storage.close()


class _Clock:
    """Wall time, and CPU time of this process and its children."""

    spent: Spent

    def __enter__(self) -> _Clock:
        others = _others()
        self._cpu, self._wall = others + time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        wall, own = time.perf_counter() - self._wall, time.process_time()
        self.spent = Spent(wall, own + _others() - self._cpu)


def _others() -> float:
    """CPU seconds of the children."""
    return sum(map(_cpu_of, _children())) / os.sysconf("SC_CLK_TCK")


def _children() -> list[str]:
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        found += (task / "children").read_text().split()
    return found


def _cpu_of(pid: str) -> int:
    """Clock ticks of a process, in user and kernel mode; none once it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])
